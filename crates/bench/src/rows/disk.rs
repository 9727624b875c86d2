//! How long the disk takes to make 4 KiB durable: below that no durable answer can come.

use std::fs::File;
use std::io::Write;
use std::time::Instant;

use crate::failure::Failure;
use crate::figures::percentile;
use crate::table::Line;
use crate::world::World;

/// Appends and syncs, one after the other.
pub fn run(world: &World) -> Result<Vec<Line>, Failure> {
    let path = world.path("sync");
    let mut file = File::create(&path)?;
    let page = [0x5a; 4_096];
    let mut micros = Vec::new();
    for _ in 0..world.amounts.syncs {
        let began = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        micros.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    std::fs::remove_file(&path)?;
    micros.sort_unstable();
    let p50 = percentile(&micros, 0.5) as f64 / 1_000.0;
    let p99 = percentile(&micros, 0.99) as f64 / 1_000.0;
    let note = format!(
        "fdatasync of an appended 4 KiB, {} times; p99 {p99:.2} ms",
        micros.len()
    );
    Ok(vec![Line::single("disk sync, p50", p50, "ms", None, note)])
}

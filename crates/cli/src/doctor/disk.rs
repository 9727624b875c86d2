//! The disk that the database lies on: how long it takes to make something durable, and how much room it has.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Finding;

/// Syncs that are timed; their median is told.
const SYNCS: usize = 50;
/// A disk that needs longer for all of them has shown enough.
const LONG_ENOUGH: Duration = Duration::from_secs(5);
/// What is appended before each sync: a page of the database.
const PAGE: [u8; 4096] = [0x5A; 4096];
/// Above this a sync is slow: hard disks and networks. A few hundred callbacks share one, so all still works.
const SLOW: Duration = Duration::from_millis(20);
/// Below this nothing more is safe: a log of that size may come before the database is tidied.
const FULL_BYTES: u64 = 100 * MIB;
/// Below this, or a twentieth of the disk, it is time to make room.
const SCARCE_BYTES: u64 = 1024 * MIB;
const MIB: u64 = 1024 * 1024;

/// The folder of a file.
pub fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// How long a sync takes in `folder`, by the median of some.
///
/// # Errors
/// When no file can be made or written there.
pub fn sync_time(folder: &Path) -> io::Result<Duration> {
    let scratch = Scratch::make(folder)?;
    let began = Instant::now();
    let mut times = Vec::with_capacity(SYNCS);
    while times.len() < SYNCS && began.elapsed() < LONG_ENOUGH {
        let before = Instant::now();
        (&scratch.file).write_all(&PAGE)?;
        scratch.file.sync_data()?;
        times.push(before.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// A file that is gone when this is dropped.
struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    fn make(folder: &Path) -> io::Result<Scratch> {
        let path = folder.join(format!(".redial-doctor-{}", std::process::id()));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        Ok(Scratch { file, path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it; its name says whose it was.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The free and the whole room of the disk that holds `folder`, in bytes.
///
/// # Errors
/// When the folder is not there.
pub fn room(folder: &Path) -> io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

/// What a sync's time means.
pub fn judge_sync(folder: &Path, time: &io::Result<Duration>) -> Finding {
    let time = match time {
        Ok(time) => time,
        Err(error) => {
            return Finding::problem(
                "sync",
                format!("nothing can be written in {} ({error})", folder.display()),
                "Make the folder and let the server's user write there, or set DATABASE_URL=sqlite:FILE to another.",
            );
        }
    };
    let says = format!(
        "{:.2} ms until something is on the disk",
        time.as_secs_f64() * 1_000.0
    );
    if *time > SLOW {
        return Finding::warning(
            "sync",
            says,
            "Every call and callback waits for it: put the database on a local SSD.",
        );
    }
    Finding::ok("sync", says)
}

/// What the room that is left means.
pub fn judge_room(folder: &Path, room: &io::Result<(u64, u64)>) -> Finding {
    let (free, whole) = match room {
        Ok(room) => *room,
        Err(error) => {
            let says = format!("{} cannot be looked at ({error})", folder.display());
            return Finding::problem(
                "room",
                says,
                "Make the folder, or set DATABASE_URL=sqlite:FILE to another.",
            );
        }
    };
    let says = format!("{} of {} left on the disk", sized(free), sized(whole));
    let remedy = "Make room, or move the database: when nothing can be stored, nothing is dialled, and the carrier's \
                  callbacks are refused.";
    if free < FULL_BYTES {
        return Finding::problem("room", format!("{says}: nearly full"), remedy);
    }
    if free < SCARCE_BYTES || free < whole / 20 {
        return Finding::warning("room", format!("{says}: filling up"), remedy);
    }
    Finding::ok("room", says)
}

fn sized(bytes: u64) -> String {
    // Exact to three digits below 10 000 GiB, which is all that is shown.
    let mib = bytes as f64 / MIB as f64;
    if mib < 1024.0 {
        format!("{mib:.0} MiB")
    } else {
        format!("{:.1} GiB", mib / 1024.0)
    }
}

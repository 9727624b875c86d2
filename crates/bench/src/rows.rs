//! The rows, in the order in which they are measured and printed.

mod callbacks;
mod claims;
mod creates;
mod disk;
mod due;
mod floor;
mod idle;
mod lives;
mod stored;
mod waiting;

use crate::failure::{Failure, Saying};
use crate::table::Line;
use crate::world::{World, say};

type Row = fn(&World) -> Result<Vec<Line>, Failure>;

/// Each row by the name under which it can be asked for alone.
const ROWS: [(&str, Row); 11] = [
    ("disk", disk::run),
    ("floor", floor::run),
    ("callbacks", callbacks::run),
    ("accepted", creates::accepted),
    ("dialled", creates::dialled),
    ("lives", lives::run),
    ("waiting", waiting::run),
    ("claims", claims::run),
    ("due", due::run),
    ("stored", stored::run),
    ("idle", idle::run),
];

/// Measures the rows that are named, or all.
///
/// # Errors
/// An unknown name, or the first row that fails.
pub fn run(world: &World, only: &[String]) -> Result<Vec<Line>, Failure> {
    let names = ROWS.map(|(name, _)| name);
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(format!("no row `{unknown}`; there are {}", names.join(", ")).into());
    }
    let mut lines = Vec::new();
    for (name, row) in ROWS {
        if only.is_empty() || only.iter().any(|wanted| wanted == name) {
            let began = std::time::Instant::now();
            lines.extend(row(world).saying(name)?);
            say(format_args!(
                "{name}: done in {:.1} s",
                began.elapsed().as_secs_f64()
            ));
        }
    }
    Ok(lines)
}

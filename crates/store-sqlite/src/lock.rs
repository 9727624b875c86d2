//! The right to dial: a lock of the operating system on a file beside the database.
//!
//! Whoever holds it knows that the process before is dead, since the kernel alone gives it back,
//! when the last handle is closed. Nothing here waits on a clock, counts leases or trusts a number
//! in a file; the number written into the file only tells an operator who is in the way. Called
//! when the store is opened for dialling.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::FlockOperation;
use store::StoreError;

use crate::error::broken;

/// How often a lock that another process holds is tried again.
const GAP: Duration = Duration::from_millis(50);

/// The right to dial, held until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Held {
    // The open handle is the lock.
    _file: File,
}

/// Takes the right to dial, trying for as long as `wait` says. Blocks the thread meanwhile.
///
/// # Errors
/// `Held`: another process still holds it, named by its number. `Broken`: the file cannot be opened.
pub fn acquire(path: &Path, wait: Duration) -> Result<Held, StoreError> {
    let mut left = wait;
    loop {
        if let Some(held) = try_once(path)? {
            return Ok(held);
        }
        if left.is_zero() {
            return Err(StoreError::Held(held_by(path)));
        }
        std::thread::sleep(GAP.min(left));
        left = left.saturating_sub(GAP);
    }
}

fn try_once(path: &Path) -> Result<Option<Held>, StoreError> {
    let fail = |error: std::io::Error| {
        broken(
            format!("{} cannot be locked", path.display()),
            Some(Box::new(error)),
        )
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(fail)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
        Err(error) => return Err(fail(error.into())),
    }
    // Somebody may have removed the file between the opening and the locking: then this lock shuts
    // nobody out.
    let ours = file.metadata().map_err(fail)?;
    match std::fs::metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {}
        _ => return Ok(None),
    }
    file.set_len(0).map_err(fail)?;
    writeln!(file, "{}", std::process::id()).map_err(fail)?;
    Ok(Some(Held { _file: file }))
}

/// Who holds the right to dial just now, in words. Takes nothing: a shared lock is asked for, which nobody who
/// dials ever has, and given back at once.
///
/// # Errors
/// `Broken`: the file is there and cannot be read.
pub fn holder(path: &Path) -> Result<Option<String>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("{} cannot be read", path.display());
            return Err(broken(message, Some(Box::new(error))));
        }
    };
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(Some(held_by(path))),
        // Free, or on a system that has no such lock: nobody can be named.
        Ok(()) | Err(_) => Ok(None),
    }
}

fn held_by(path: &Path) -> String {
    let mut written = String::new();
    let pid = File::open(path)
        .and_then(|file| file.take(32).read_to_string(&mut written))
        .ok()
        .and_then(|_| written.trim().parse::<u32>().ok());
    match pid {
        Some(pid) => format!("process {pid} holds the right to dial ({})", path.display()),
        None => format!("another process holds the right to dial ({})", path.display()),
    }
}

#[cfg(test)]
mod tests;

//! Programs of the system that inject what a process cannot do to another by itself: strace for errors of system calls,
//! libfaketime for the wall clock. Where one is missing, the fault is skipped, and that is told.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Failure, Saying as _};

/// Where Debian puts libraries, by machine.
const LIBRARIES: &str = "/usr/lib";
/// Where in each of them the false clock lies.
const FALSE_CLOCK: &str = "faketime/libfaketime.so.1";

/// How long strace may take to get hold of a process.
const HELD_WITHIN: Duration = Duration::from_secs(3);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// One sync of a process that will fail.
pub struct SyncError(Child);

impl SyncError {
    /// From now on the `nth` sync of each thread of the process fails, once.
    ///
    /// # Errors
    /// There is no strace, or it may not trace processes here.
    pub fn inject(pid: u32, nth: u64) -> Result<SyncError, Failure> {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
        strace.args([
            "-e",
            &format!("inject=fdatasync:error=EIO:when={nth}"),
            "-p",
            &pid.to_string(),
        ]);
        strace
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let held = SyncError(strace.spawn().saying("strace")?);
        let until = Instant::now() + HELD_WITHIN;
        while Instant::now() < until {
            if is_traced(pid) {
                return Ok(held);
            }
            std::thread::sleep(LOOK_EVERY);
        }
        held.end();
        Err("strace does not get hold of a process here".into())
    }

    /// Lets go of the process.
    pub fn end(mut self) {
        // It lets go of what it traces and ends; it has ended already if that has.
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let _ = self.0.wait();
    }
}

/// Whether somebody traces the process.
fn is_traced(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut tracer = status.lines().filter_map(|it| it.strip_prefix("TracerPid:"));
    tracer.any(|it| it.trim() != "0")
}

/// Why no sync can be made to fail here, if it cannot.
pub fn no_strace() -> Option<String> {
    let mut strace = Command::new("strace");
    let tried = strace
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    (!tried.is_ok_and(|it| it.success())).then(|| "strace is not installed".to_owned())
}

/// A wall clock that one process has for itself.
pub struct FalseClock {
    library: PathBuf,
    file: PathBuf,
}

impl FalseClock {
    /// One that goes right at first; its setting is kept in `folder`.
    ///
    /// # Errors
    /// In words: what is missing.
    pub fn make(folder: &Path) -> Result<FalseClock, Failure> {
        let machines = std::fs::read_dir(LIBRARIES).saying(LIBRARIES)?;
        let mut libraries = machines.filter_map(|it| Some(it.ok()?.path().join(FALSE_CLOCK)));
        let library = libraries
            .find(|it| it.exists())
            .ok_or("libfaketime is not installed")?;
        let clock = FalseClock {
            library,
            file: folder.join("clock"),
        };
        clock.ahead(0)?;
        Ok(clock)
    }

    /// What the process must be started with.
    pub fn environment(&self) -> Vec<(String, String)> {
        let settings = [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Only the time of day: gaps are measured by another clock.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// By how many seconds it is ahead from now on; negative: behind.
    ///
    /// # Errors
    /// The setting cannot be written.
    pub fn ahead(&self, seconds: i64) -> Result<(), Failure> {
        // Never half written: the process reads it all the time.
        let fresh = self.file.with_extension("new");
        std::fs::write(&fresh, format!("{seconds:+}s\n")).saying(fresh.display())?;
        std::fs::rename(&fresh, &self.file).saying(self.file.display())
    }
}

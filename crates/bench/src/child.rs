//! A process of the run: started, waited for until it listens, looked at, ended by its own id.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Failure, Saying};

/// What each server prints to stderr once it accepts connections.
const READY: &str = "listening on http://";

/// How long a server may take to begin, and to end: the largest database needs a fraction of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that serves HTTP on a port of its own choice.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until it said that it listens.
    pub began_in: Duration,
}

impl Server {
    /// Starts `command`, which inherits nothing of this process's environment, and waits until it listens. What it
    /// prints goes to a file in `folder`, as under a service manager.
    ///
    /// # Errors
    /// When it ends or stays silent; the end of its log is told.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self, Failure> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).saying(log.display())?;
        let began = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .saying(format_args!("{command:?}"))?;
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self {
            child,
            log,
            address: unknown,
            began_in: Duration::ZERO,
        };
        loop {
            if let Some(address) = server.announced() {
                server.began_in = began.elapsed();
                server.address = address;
                return Ok(server);
            }
            let ended = server.child.try_wait()?.is_some();
            if ended || began.elapsed() > PATIENCE {
                return Err(format!("{name} does not listen; it said: {}", server.last_words()).into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn announced(&self) -> Option<SocketAddr> {
        let text = std::fs::read_to_string(&self.log).ok()?;
        let (_, rest) = text.split_once(READY)?;
        let (address, _) = rest.split_once('\n')?;
        address.trim().parse().ok()
    }

    /// The end of what it has printed.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let from = text.len().saturating_sub(2_000);
        text[text.ceil_char_boundary(from)..].to_owned()
    }

    /// Processor time that it has used so far, all threads together.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        cpu_of(self.child.id())
    }

    /// Bytes that it has given to the disk so far, the log and what is moved out of it together.
    ///
    /// # Errors
    /// When it has ended.
    pub fn written(&self) -> Result<f64, Failure> {
        self.field("io", "write_bytes:")
    }

    /// Memory that it holds, in MiB.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_mib(&self) -> Result<f64, Failure> {
        Ok(self.field("status", "VmRSS:")? / 1_024.0)
    }

    /// The number behind a name in one of the kernel's tables about this process.
    fn field(&self, table: &str, name: &str) -> Result<f64, Failure> {
        let path = format!("/proc/{}/{table}", self.child.id());
        let text = std::fs::read_to_string(&path).saying(&path)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
        number.ok_or_else(|| format!("{path} has no {name}").into())
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    ///
    /// # Errors
    /// When it does not end; it is killed then.
    pub fn stop(mut self) -> Result<(), Failure> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            if began.elapsed() > PATIENCE {
                return Err(format!("a process does not stop; it said: {}", self.last_words()).into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good as killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time that a process has used so far.
fn cpu_of(pid: u32) -> Result<Duration, Failure> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).saying(&path)?;
    // The name stands in brackets and may hold anything; fields are counted after it.
    let (_, fields) = text.rsplit_once(')').ok_or("no process entry")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    // User and system time are fields 14 and 15 of the whole line, 11 and 12 after the name.
    let ticks = ticks(11) + ticks(12);
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

//! One `redial serve`, which is killed, stopped, frozen and started again by its own id.
//!
//! It knows nothing of why. What the process says goes to a file that all its lives share, for whoever looks into a
//! broken invariant.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use e2e::Client;
use rustix::process::{Pid, Signal, kill_process};

use crate::failure::{Failure, Saying as _};

/// How long a node that listens may take to let somebody in.
const CONNECTS_WITHIN: Duration = Duration::from_millis(50);
/// How often something is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a process that was asked to stop may take: what is on its way to the carrier gets eight seconds, and a
/// database that does not answer is given up after some thirty.
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// What a Rust program that panicked ends with.
const PANICKED: i32 = 101;

/// The gap before a retry: long enough that a dial too early is seen, short enough for four attempts in a run.
pub const RETRY_GAP: Duration = Duration::from_secs(2);

/// A name and a value.
pub type Environment = Vec<(String, String)>;

/// A program that serves HTTP.
pub struct Node {
    /// How it is called in reports.
    pub name: String,
    /// Where it listens whenever it is up.
    pub address: SocketAddr,
    args: Vec<String>,
    environment: Environment,
    folder: PathBuf,
    child: Option<Child>,
    is_frozen: bool,
    stops_since: Option<Instant>,
}

impl Node {
    /// A node that is not started yet.
    pub fn new(
        name: &str,
        address: SocketAddr,
        args: &[&str],
        environment: Environment,
        folder: &Path,
    ) -> Node {
        Node {
            name: name.to_owned(),
            address,
            args: args.iter().map(|it| (*it).to_owned()).collect(),
            environment,
            folder: folder.to_owned(),
            child: None,
            is_frozen: false,
            stops_since: None,
        }
    }

    /// Whether it runs and may be hurt.
    pub fn is_up(&self) -> bool {
        self.child.is_some() && !self.is_frozen && self.stops_since.is_none()
    }

    /// Whether it takes connections.
    pub fn listens(&self) -> bool {
        TcpStream::connect_timeout(&self.address, CONNECTS_WITHIN).is_ok()
    }

    /// Its process, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Where its log lies.
    pub fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    /// Starts it, and does not wait for it.
    ///
    /// # Errors
    /// The binary cannot be run.
    pub fn start(&mut self) -> Result<(), Failure> {
        let log = OpenOptions::new().create(true).append(true).open(self.log());
        let log = log.saying(self.log().display())?;
        let child = Command::new(e2e::binary::path())
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .saying("redial cannot be started")?;
        self.child = Some(child);
        self.is_frozen = false;
        self.stops_since = None;
        Ok(())
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// It ends instead, or does not answer in time.
    pub fn wait_until_it_answers(&mut self, within: Duration) -> Result<(), Failure> {
        let client = Client::with_patience(&format!("http://{}", self.address), Duration::from_secs(2));
        let path = if self.args[0] == "sim" {
            "/_sim/health"
        } else {
            "/healthz"
        };
        let until = Instant::now() + within;
        while !client
            .send("GET", path, &[], b"")
            .is_ok_and(|it| it.status == 200)
        {
            self.must_run()?;
            if Instant::now() > until {
                return Err(
                    format!("{} does not answer; its log: {}", self.name, self.log().display()).into(),
                );
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Whether it has ended without having been asked to.
    ///
    /// # Errors
    /// It has.
    pub fn must_run(&mut self) -> Result<(), Failure> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        match child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!(
                "{} ended by itself ({status}); its log: {}",
                self.name,
                self.log().display()
            )
            .into()),
        }
    }

    /// Whether it has ended; it is down then.
    ///
    /// # Errors
    /// It ended as no program should, by a signal or a panic, although nobody killed it.
    pub fn has_ended(&mut self) -> Result<bool, Failure> {
        let Some(child) = &mut self.child else {
            return Ok(true);
        };
        let Some(status) = child.try_wait()? else {
            return Ok(false);
        };
        self.child = None;
        // One that was asked before it could listen for that ends at once.
        let as_asked = self.stops_since.is_some() && status.signal() == Some(Signal::TERM.as_raw());
        if matches!(status.code(), None | Some(PANICKED)) && !as_asked {
            return Err(format!(
                "{} ended ({status}); its log: {}",
                self.name,
                self.log().display()
            )
            .into());
        }
        Ok(true)
    }

    /// Kills it as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Already ended is as good as killed.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.is_frozen = false;
    }

    /// Asks it to stop, as a service manager does.
    pub fn ask_to_stop(&mut self) {
        self.signal(Signal::TERM);
        self.stops_since = Some(Instant::now());
    }

    /// Whether it was asked to stop and has not ended yet.
    ///
    /// # Errors
    /// It takes too long, or ended otherwise.
    pub fn still_stops(&mut self) -> Result<bool, Failure> {
        let Some(since) = self.stops_since else {
            return Ok(false);
        };
        if self.has_ended()? {
            return Ok(false);
        }
        if since.elapsed() > STOP_WITHIN {
            return Err(format!("{} does not stop; its log: {}", self.name, self.log().display()).into());
        }
        Ok(true)
    }

    /// Stops it where it stands.
    pub fn freeze(&mut self) {
        self.signal(Signal::STOP);
        self.is_frozen = true;
    }

    /// Lets it go on.
    pub fn thaw(&mut self) {
        self.signal(Signal::CONT);
        self.is_frozen = false;
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            // It may have ended since.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a node is told: short times, so that a life ends within seconds; the pace out of the way.
pub fn environment(
    listen: SocketAddr,
    public: SocketAddr,
    carrier: SocketAddr,
    database: &str,
) -> Environment {
    let settings = [
        ("DATABASE_URL", database.to_owned()),
        ("REDIAL_LISTEN", listen.to_string()),
        ("BASE_URL", format!("http://{public}")),
        ("TWILIO_ACCOUNT_SID", e2e::ACCOUNT_SID.to_owned()),
        ("TWILIO_AUTH_TOKEN", e2e::AUTH_TOKEN.to_owned()),
        ("TWILIO_API_BASE", format!("http://{carrier}")),
        ("REDIAL_RETRY_DELAYS", format!("{}ms", RETRY_GAP.as_millis())),
        ("REDIAL_SETTLE_AFTER", "3s".to_owned()),
        ("REDIAL_SILENCE_AFTER", "2s".to_owned()),
        ("REDIAL_CPS", "1000".to_owned()),
        ("REDIAL_BURST", "1000".to_owned()),
        ("REDIAL_LOG", "info".to_owned()),
        ("RUST_BACKTRACE", "1".to_owned()),
    ];
    settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

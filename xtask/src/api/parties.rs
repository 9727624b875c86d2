//! The server under test and its carrier, the simulator: two processes that end with this value, in a folder that goes
//! with them. Nothing that they dial leaves this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// The key that the server wants.
pub const KEY: &str = "a-key-for-this-run";
const ACCOUNT: &str = "AC000000000000000000000000000000a1";
/// The account's token: what signs callbacks.
pub const TOKEN: &str = "an-invented-token";

/// What both processes print once they can be asked.
const READY: &str = "listening on http://";
/// Far beyond what a start takes.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A request that is not answered within this shows a server that can be stopped: five times what a request for a call
/// may wait for its own dial.
const ANSWERED_WITHIN: Duration = Duration::from_secs(25);

/// Both, while they run.
pub struct Parties {
    server: Party,
    // Held so that it runs for as long as the server.
    _carrier: Party,
    folder: TempDir,
}

struct Party {
    process: Child,
    address: String,
}

impl Parties {
    /// Starts both, and waits until they listen.
    ///
    /// # Errors
    /// When one does not.
    pub fn start(redial: &Path) -> Result<Self> {
        let folder = tempfile::tempdir().context("a temporary folder")?;
        let mut sim = Command::new(redial);
        sim.args([
            "sim",
            "--listen",
            "127.0.0.1:0",
            "--account-sid",
            ACCOUNT,
            "--auth-token",
            TOKEN,
        ]);
        sim.args(["--speed", "60", "--cps", "1000", "--seed", "1"]);
        let carrier = Party::start(sim, folder.path())?;
        let mut serve = Command::new(redial);
        serve.arg("serve");
        let database = format!("sqlite:{}", folder.path().join("redial.db").display());
        for (name, value) in [
            ("DATABASE_URL", database.as_str()),
            ("REDIAL_LISTEN", "127.0.0.1:0"),
            ("REDIAL_API_KEYS", KEY),
            ("TWILIO_ACCOUNT_SID", ACCOUNT),
            ("TWILIO_AUTH_TOKEN", TOKEN),
            ("TWILIO_API_BASE", carrier.address.as_str()),
            // The pace out of the way.
            ("REDIAL_CPS", "1000"),
            ("REDIAL_BURST", "1000"),
            ("REDIAL_LOG", "error"),
        ] {
            serve.env(name, value);
        }
        let server = Party::start(serve, folder.path())?;
        Ok(Self {
            server,
            _carrier: carrier,
            folder,
        })
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.server.address
    }

    /// Room for files of this run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// One request with the key, on a connection of its own: its first line without the version, and a JSON document or
    /// nothing. Gives the answer's status and body.
    ///
    /// # Errors
    /// When no answer comes, or none in time.
    pub fn ask(&self, line: &str, document: &str) -> Result<(u16, String)> {
        let authority = self.server().trim_start_matches("http://");
        let mut stream = TcpStream::connect(authority).with_context(|| authority.to_owned())?;
        stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{document}",
            document.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
        let (Some(status), Some((_, body))) = (status, answer.split_once("\r\n\r\n")) else {
            bail!("{line}: no answer");
        };
        Ok((status, body.to_owned()))
    }

    /// Asks the server for a page and saves it in the folder.
    ///
    /// # Errors
    /// When the answer is another than 200.
    pub fn save(&self, path: &str, name: &str) -> Result<PathBuf> {
        let (status, body) = self.ask(&format!("GET {path}"), "")?;
        if status != 200 {
            bail!("{path}: {status}");
        }
        let file = self.folder.path().join(name);
        std::fs::write(&file, body).with_context(|| file.display().to_string())?;
        Ok(file)
    }
}

impl Party {
    /// Starts a process that sees nothing of a developer's environment.
    fn start(mut command: Command, folder: &Path) -> Result<Self> {
        let mut settings: Vec<_> = command.get_envs().map(own).collect();
        settings.push(("HOME".into(), Some(folder.into())));
        command.env_clear().current_dir(folder);
        command.envs(
            settings
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut process = command
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stderr = process.stderr.take().context("stderr is piped")?;
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                match line.split_once(READY) {
                    // Nobody listens any more once it is up.
                    Some((_, address)) => drop(said.send(format!("http://{}", address.trim()))),
                    None => eprintln!("xtask: {line}"),
                }
            }
        });
        // From here on the process ends with this value.
        let mut party = Self {
            process,
            address: String::new(),
        };
        party.address = heard
            .recv_timeout(START_WITHIN)
            .with_context(|| format!("{command:?} does not listen"))?;
        Ok(party)
    }
}

impl Drop for Party {
    fn drop(&mut self) {
        // Already ended is as good as ended now.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn own(
    (name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>),
) -> (std::ffi::OsString, Option<std::ffi::OsString>) {
    (name.to_owned(), value.map(ToOwned::to_owned))
}

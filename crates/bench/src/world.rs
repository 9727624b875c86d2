//! What all rows share: the folder on the measured disk, the bare server, and how the measured one is started.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::amounts::Amounts;
use crate::args::Args;
use crate::child::Server;
use crate::database::{Database, Place};
use crate::failure::{Failure, Saying};
use crate::load::{self, Frames, Outcome, Ready, Way};
use crate::table::Goal;
use crate::{forms, head};

/// The invented account.
pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
/// Its invented token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// The key that the measured server wants of programs.
pub const KEY: &str = "bench-key";
/// The number that every call shows.
pub const FROM: &str = "+15550000000";
/// Connections of every load.
pub const CONNECTIONS: usize = 256;

/// Of a time that a row waits for something to happen, the most.
const PATIENCE: Duration = Duration::from_secs(120);

/// The run.
pub struct World {
    /// How much of everything is done.
    pub amounts: Amounts,
    /// Threads for writing databases.
    pub runtime: Runtime,
    /// The bare server.
    pub hello: Server,
    /// Where databases are: before the folder, because a server in it ends first.
    place: Place,
    /// The measured disk.
    pub folder: TempDir,
    redial: PathBuf,
    log: String,
    greeting: Ready,
    started: AtomicU32,
}

impl World {
    /// Makes the folder and starts the bare server.
    ///
    /// # Errors
    /// A folder or a binary that is not there.
    pub fn new(args: &Args) -> Result<Self, Failure> {
        let here = load::this_program()?;
        let beside = here.parent().ok_or("this program lies in no folder")?;
        let redial = args.redial.clone().unwrap_or_else(|| beside.join("redial"));
        let absent =
            format_args!("{} is not there; `cargo xtask bench` builds it", redial.display()).to_string();
        let redial = redial.canonicalize().saying(absent)?;
        let parent = args.folder.as_deref().unwrap_or(beside);
        let folder = tempfile::Builder::new()
            .prefix("redial-bench-")
            .tempdir_in(parent)
            .saying(parent.display())?;
        let mut command = Command::new(here);
        command
            .env_clear()
            .args(["hello", "--account", ACCOUNT, "--token", TOKEN]);
        let hello = Server::start("hello", command, folder.path())?;
        let mut greeting = Frames::create(folder.path().join("greeting.frames"))?;
        greeting.push(&forms::get(&hello.address.to_string(), KEY, "/hello"))?;
        Ok(Self {
            amounts: match (args.quick, args.full) {
                (true, _) => Amounts::quick(),
                (_, true) => Amounts::full(),
                _ => Amounts::usual(),
            },
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?,
            hello,
            redial,
            log: args.log.clone(),
            greeting: greeting.done()?,
            started: AtomicU32::new(0),
            place: Place::make(args.store, folder.path())?,
            folder,
        })
    }

    /// A path on the measured disk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An empty file of requests.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn frames(&self, name: &str) -> Result<Frames, Failure> {
        Frames::create(self.path(&format!("{name}.frames")))
    }

    /// A second or so of bare greetings.
    ///
    /// # Errors
    /// An answer that is none.
    pub fn greet(&self) -> Result<Outcome, Failure> {
        let seconds = Some(self.amounts.hello_seconds);
        let way = Way {
            to: self.hello.address,
            connections: CONNECTIONS,
            seconds,
        };
        let outcome = load::send(&self.greeting, way)?;
        outcome.all(200)?;
        Ok(outcome)
    }

    /// The carrier that answers at once, calling back over so many connections.
    ///
    /// # Errors
    /// It does not start.
    pub fn carrier(&self, callers: usize) -> Result<Server, Failure> {
        let mut command = Command::new(load::this_program()?);
        command
            .env_clear()
            .args(["carrier", "--account", ACCOUNT, "--token", TOKEN]);
        command.args(["--callers", &callers.to_string()]);
        Server::start("carrier", command, self.folder.path())
    }

    /// The measured server over a database, dialling at this carrier as fast as it can.
    ///
    /// # Errors
    /// It does not start.
    pub fn serve(&self, database: &Database, carrier: SocketAddr) -> Result<Server, Failure> {
        let mut command = Command::new(&self.redial);
        command
            .arg("serve")
            .env_clear()
            .current_dir(self.folder.path())
            .envs([
                ("DATABASE_URL", database.url.clone()),
                ("REDIAL_LISTEN", "127.0.0.1:0".to_owned()),
                ("TWILIO_ACCOUNT_SID", ACCOUNT.to_owned()),
                ("TWILIO_AUTH_TOKEN", TOKEN.to_owned()),
                ("TWILIO_API_BASE", format!("http://{carrier}")),
                ("REDIAL_API_KEYS", KEY.to_owned()),
                ("REDIAL_CPS", "100000".to_owned()),
                ("REDIAL_BURST", "1000000".to_owned()),
                ("REDIAL_SILENCE_AFTER", "6h".to_owned()),
                ("REDIAL_LOG", self.log.clone()),
            ]);
        // Several on one database have a log each.
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", database.name);
        Server::start(&name, command, self.folder.path())
    }

    /// An empty database.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn database(&self, name: &str) -> Result<Database, Failure> {
        self.place.database(name)
    }

    /// Removes a database that no row needs any more.
    pub fn drop_database(&self, database: &Database) {
        self.place.drop_database(database);
    }

    /// A goal that is stated for a file, and for no server.
    pub fn of_a_file(&self, goal: Option<Goal>) -> Option<Goal> {
        goal.filter(|_| !self.has_several_nodes())
    }

    /// Whether several nodes may share a database.
    pub fn has_several_nodes(&self) -> bool {
        matches!(self.place, Place::Server(_))
    }
}

/// Says on stderr what is being done.
pub fn say(what: impl std::fmt::Display) {
    eprintln!("bench: {what}");
}

/// Asks a server of this run for JSON, over a connection of its own.
///
/// # Errors
/// No answer, or another one.
pub fn ask<T: DeserializeOwned>(server: SocketAddr, target: &str) -> Result<T, Failure> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&forms::get(&server.to_string(), KEY, target))?;
    let mut bytes = Vec::new();
    let mut part = vec![0; 64 * 1024];
    let message = loop {
        if let Some(message) = head::message(&bytes) {
            break message;
        }
        match stream.read(&mut part)? {
            0 => return Err(format!("{target}: the answer was cut off").into()),
            read => bytes.extend_from_slice(&part[..read]),
        }
    };
    Ok(serde_json::from_slice(&bytes[message.body_at..message.length])?)
}

/// Asks again and again until the answer is the one that is waited for.
///
/// # Errors
/// It never is.
pub fn wait_for<T: DeserializeOwned>(
    server: SocketAddr,
    target: &str,
    done: impl Fn(&T) -> bool,
) -> Result<T, Failure> {
    let began = Instant::now();
    loop {
        let answer = ask(server, target)?;
        if done(&answer) {
            return Ok(answer);
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("{target}: what was waited for did not happen").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! A throwaway PostgreSQL server, made of what is installed on this machine: in a temporary folder,
//! on a free port of the loopback address, gone when it is dropped. The one for tests syncs nothing, so
//! it tests no durability; [`Server::durable`] does.
//!
//! It knows nothing of redial and needs nothing but the standard library and a temporary folder,
//! because it is compiled twice: here for tests, and by `xtask` for `cargo xtask pg` and `ci`.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Where Debian and its kin put the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The user that the server's package makes; the server refuses to run as root.
pub(crate) const USER: &str = "postgres";

/// How often a starting server is asked whether it is ready, and how long between: a minute in all.
const LOOKS: u32 = 1_200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What of a server's caution only costs time where nothing needs to survive; and room for as many
/// connections as six tests at once may open.
const SETTINGS: [&str; 7] = [
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "autovacuum=off",
    "max_connections=300",
    "shared_buffers=64MB",
    "listen_addresses=127.0.0.1",
];

/// What a server that keeps what it is told needs to fit a small machine; all else is as it comes.
const DURABLE_SETTINGS: [&str; 3] = [
    "max_connections=200",
    "shared_buffers=128MB",
    "listen_addresses=127.0.0.1",
];

/// A running server.
pub struct Server {
    child: Child,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    port: u16,
    settings: &'static [&'static str],
    folder: TempDir,
}

impl Server {
    /// Makes a server and waits until it answers.
    ///
    /// # Errors
    /// In words: nothing is installed, or what one of its programs said.
    pub fn start() -> Result<Server, String> {
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        Server::make(&SETTINGS, folder)
    }

    /// Makes a server that has on the disk what it has committed, in a new folder inside `place`.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn durable(place: &Path) -> Result<Server, String> {
        let folder = tempfile::tempdir_in(place).map_err(|error| format!("no temporary folder: {error}"))?;
        Server::make(&DURABLE_SETTINGS, folder)
    }

    fn make(settings: &'static [&'static str], folder: TempDir) -> Result<Server, String> {
        let programs = programs()?;
        let owner = owner(folder.path())?;
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group))
                .map_err(|error| format!("no folder for {USER}: {error}"))?;
        }
        let mut make = program(&programs, "initdb", owner);
        make.arg("--pgdata").arg(folder.path().join("cluster"));
        make.args([
            "--username",
            USER,
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
        ]);
        finish(&mut make)?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let mut server = Server {
            child: serve(&programs, folder.path(), owner, port, settings)?,
            programs,
            owner,
            port,
            settings,
            folder,
        };
        server.wait()?;
        Ok(server)
    }

    /// Stops it in one of the server's own ways: `fast`, or `immediate`, which is as good as a crash.
    ///
    /// # Errors
    /// What the program that stops it said.
    pub fn stop(&mut self, mode: &str) -> Result<(), String> {
        let mut stop = program(&self.programs, "pg_ctl", self.owner);
        stop.arg("stop").args(["--mode", mode, "--silent", "--pgdata"]);
        finish(stop.arg(self.folder.path().join("cluster")))?;
        let ended = self.child.wait();
        ended.map(drop).map_err(|error| format!("the server: {error}"))
    }

    /// Its process, whose children serve the connections.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, as it does when it cannot go on.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Starts it again after a [`Server::stop`], and waits until it answers.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_again(&mut self) -> Result<(), String> {
        let folder = self.folder.path();
        self.child = serve(&self.programs, folder, self.owner, self.port, self.settings)?;
        self.wait()
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Waits until the server takes connections.
    fn wait(&mut self) -> Result<(), String> {
        for _ in 0..LOOKS {
            let mut ask = Command::new(self.programs.join("pg_isready"));
            ask.args(["--quiet", "--host", "127.0.0.1", "--port", &self.port.to_string()]);
            if ask.status().is_ok_and(|it| it.success()) {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                return Err(format!("the server ended ({status}):\n{log}"));
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        Err("the server does not answer".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) && self.stop("immediate").is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Where the server's programs are: of the newest version that is installed.
///
/// # Errors
/// None is, in words that say how to have one.
pub fn programs() -> Result<PathBuf, String> {
    let version = |path: PathBuf| {
        let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
        Some((number, path.join("bin")))
    };
    let folders = std::fs::read_dir(VERSIONS).into_iter().flatten();
    let installed = folders.filter_map(|it| version(it.ok()?.path()));
    let newest = installed
        .filter(|(_, programs)| programs.join("initdb").exists())
        .max();
    let newest = newest.map(|(_, programs)| programs);
    newest.ok_or_else(|| format!("no PostgreSQL server in {VERSIONS}: on Debian, apt-get install postgresql"))
}

/// As whom the server runs: as this user, unless that is root.
pub(crate) fn owner(own: &Path) -> Result<Option<(u32, u32)>, String> {
    let own = own
        .metadata()
        .map_err(|error| format!("no temporary folder: {error}"))?;
    if own.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let ids = users.find_map(|fields| match fields[..] {
        [USER, _, user, group, ..] => Some((user.parse().ok()?, group.parse().ok()?)),
        _ => None,
    });
    let ids = ids.ok_or_else(|| format!("the server does not run as root, and there is no user {USER}"))?;
    Ok(Some(ids))
}

fn serve(
    programs: &Path,
    folder: &Path,
    owner: Option<(u32, u32)>,
    port: u16,
    settings: &[&str],
) -> Result<Child, String> {
    let log = std::fs::File::create(folder.join("log")).map_err(|error| format!("no log: {error}"))?;
    let mut serve = program(programs, "postgres", owner);
    serve
        .arg("-D")
        .arg(folder.join("cluster"))
        .args(["-p", &port.to_string()]);
    serve.arg("-k").arg(folder);
    for setting in settings {
        serve.args(["-c", setting]);
    }
    serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    serve.spawn().map_err(|error| format!("{serve:?}: {error}"))
}

pub(crate) fn program(programs: &Path, name: &str, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(programs.join(name));
    // Not a folder that the other user may not enter.
    command.current_dir("/");
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

/// Runs a program to its end; what it said is the error.
pub(crate) fn finish(command: &mut Command) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{command:?}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{command:?} failed ({}):\n{said}", done.status))
}

pub(crate) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

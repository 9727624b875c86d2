//! A throwaway PgBouncer in transaction mode before a throwaway server: each transaction may go to
//! another of a few connections, so that what belongs to one does not last.
//!
//! Made of what is installed on this machine, in a temporary folder, on a free port of the loopback
//! address, gone when it is dropped.

use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::pg::{USER, free_port, owner, program};

/// Where Debian and its kin put it.
const FOLDER: &str = "/usr/sbin";

/// How often a starting pooler is asked whether it is ready, and how long between: half a minute in all.
const LOOKS: u32 = 1_500;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running pooler.
pub struct Pooler {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one before the server of `database` (`postgres://user@host:port/name`), with so few
    /// connections to it that they are shared.
    ///
    /// # Panics
    /// When none is installed or it does not start: nothing is tested then, and that is told.
    pub fn before(database: &str) -> Pooler {
        Pooler::start(database).unwrap_or_else(|words| panic!("no pooler to test with: {words}"))
    }

    /// The address of a database behind it.
    pub fn url(&self, database: &str) -> String {
        let name = database.rsplit('/').next().unwrap_or_default();
        format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port)
    }

    fn start(database: &str) -> Result<Pooler, String> {
        let (place, _) = database.rsplit_once('/').ok_or("no database")?;
        let (_, server) = place.rsplit_once('@').ok_or("no server")?;
        let (host, server) = server.rsplit_once(':').ok_or("no port")?;
        let folder = tempfile::tempdir().map_err(|error| format!("no temporary folder: {error}"))?;
        let owner = owner(folder.path())?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let users = folder.path().join("users");
        let settings = format!(
            "[databases]\n* = host={host} port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\n\
             pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n",
            users.display()
        );
        let file = folder.path().join("settings");
        let write = |path: &PathBuf, text: &str| {
            std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
        };
        write(&users, &format!("\"{USER}\" \"\"\n"))?;
        write(&file, &settings)?;
        if let Some((user, group)) = owner {
            for path in [&users, &file, &folder.path().to_owned()] {
                chown(path, Some(user), Some(group))
                    .map_err(|error| format!("no file for {USER}: {error}"))?;
            }
        }
        let mut serve = program(FOLDER.as_ref(), "pgbouncer", owner);
        serve.arg("--quiet").arg(&file);
        serve
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = serve
            .spawn()
            .map_err(|error| format!("{serve:?}: {error}: on Debian, apt-get install pgbouncer"))?;
        let mut pooler = Pooler {
            child,
            port,
            _folder: folder,
        };
        pooler.wait()?;
        Ok(pooler)
    }

    /// Waits until it takes connections.
    fn wait(&mut self) -> Result<(), String> {
        for _ in 0..LOOKS {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the pooler ended ({status})"));
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        Err("the pooler does not answer".to_owned())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

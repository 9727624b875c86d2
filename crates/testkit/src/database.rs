//! A PostgreSQL database for one test, empty at first and gone afterwards.
//!
//! It is on the server that [`SERVER`] names, which `cargo xtask ci` starts for all tests; a test
//! that is run without one starts a server for itself, which takes a second or two.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::pg::{Server, programs};

/// The variable that holds the address of a server whose databases tests may make and drop.
/// `cargo xtask pg` starts one and says how to set it.
pub const SERVER: &str = "REDIAL_TEST_POSTGRES";

/// One database.
pub struct Database {
    name: String,
    server: String,
    /// Kept for its end.
    _own: Option<Server>,
}

impl Database {
    /// Makes an empty database.
    ///
    /// # Panics
    /// When there is no server and none can be started: nothing is tested then, and that is told.
    pub fn fresh() -> Database {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (server, own) = match std::env::var(SERVER) {
            Ok(server) => (server, None),
            Err(_) => {
                let own = Server::start().unwrap_or_else(|words| panic!("no database to test on: {words}"));
                (own.url("postgres"), Some(own))
            }
        };
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let database = Database {
            name: format!("test_{}_{number}", std::process::id()),
            server,
            _own: own,
        };
        let made = database.administer(&format!("CREATE DATABASE {} TEMPLATE template0", database.name));
        made.unwrap_or_else(|words| panic!("no database to test on: {words}"));
        database
    }

    /// Its address.
    pub fn url(&self) -> String {
        let server = self
            .server
            .rsplit_once('/')
            .map_or(self.server.as_str(), |(server, _)| server);
        format!("{server}/{}", self.name)
    }

    /// Lets nobody in any more and ends every connection, as a server that goes away does.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn shut(&self) {
        let shut = format!("ALTER DATABASE {0} ALLOW_CONNECTIONS false", self.name);
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        let done = self.administer(&shut).and_then(|()| self.administer(&end));
        done.expect("the database can be shut");
    }

    /// Lets everybody in again.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn open(&self) {
        let open = format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name);
        self.administer(&open).expect("the database can be opened");
    }

    fn administer(&self, statement: &str) -> Result<(), String> {
        sql(&self.server, statement).map(|_| ())
    }
}

/// Runs a statement at the address `url`, by the server's own program; gives what it printed.
///
/// # Errors
/// What the server said.
pub fn sql(url: &str, statement: &str) -> Result<String, String> {
    let mut psql = Command::new(programs()?.join("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"]);
    psql.args(["--dbname", url, "--command", statement]);
    let done = psql.output().map_err(|error| format!("psql: {error}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned())
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = self.administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        if let Err(words) = dropped {
            eprintln!("a database of a test is left over: {words}");
        }
    }
}

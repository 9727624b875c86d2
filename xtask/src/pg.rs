//! A throwaway PostgreSQL server for whoever develops: the one that the tests use, by hand.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, anyhow};

use crate::program;

// The same file as the tests': this program depends on none of the workspace's crates. It needs no server that lasts.
#[expect(dead_code)]
#[path = "../../crates/testkit/src/pg.rs"]
mod server;

pub use server::Server;

/// The variable that tells tests where they may make databases.
pub const SERVER: &str = "REDIAL_TEST_POSTGRES";

/// Where Debian puts the pooler that tests start before a server of their own.
const POOLER: &str = "/usr/sbin/pgbouncer";
/// ... and the program by which a test cuts off a port.
const FILTER: &str = "/usr/sbin/nft";

/// Starts a server, having what tests need installed first where that can be done: as root on Debian.
///
/// # Errors
/// In words: nothing is installed that could be started, or what went wrong.
pub fn start() -> Result<Server> {
    let missing: Vec<_> = [
        ("postgresql", server::programs().is_ok()),
        ("pgbouncer", Path::new(POOLER).exists()),
        ("nftables", Path::new(FILTER).exists()),
    ]
    .into_iter()
    .filter_map(|(package, is_there)| (!is_there).then_some(package))
    .collect();
    if !missing.is_empty() && program::is_there("apt-get") && is_root() {
        program::install(&missing)?;
    }
    Server::start().map_err(|words| anyhow!("no throwaway PostgreSQL: {words}"))
}

/// Starts a server and lets the tests know of it; it lasts as long as what is given back.
///
/// # Errors
/// As [`start`].
pub fn for_tests(tests: &mut Command) -> Result<Server> {
    let server = start()?;
    tests.env(SERVER, server.url("postgres"));
    Ok(server)
}

/// Whether this process may install something: its own entry among the processes says whose it is.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Runs a server until Ctrl-C.
///
/// # Errors
/// As [`start`].
pub fn run() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let server = start()?;
    println!("{}", server.url("postgres"));
    eprintln!(
        "xtask: runs until Ctrl-C and keeps nothing. For tests: export {SERVER}={}",
        server.url("postgres")
    );
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

//! What the service manager is told: that the server serves, that it lives, that it stops. systemd's protocol, which is
//! one datagram for each word, to the socket that it names in the environment; without one nothing is told. Knows
//! nothing of the server; called by `redial serve`.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Names the socket: a path, or an abstract name behind an `@`.
const SOCKET: &str = "NOTIFY_SOCKET";
/// How long, in microseconds, the manager waits for a sign of life before it restarts the process.
const WATCHDOG: &str = "WATCHDOG_USEC";
/// The process that the sign is wanted of; not set, any.
const WATCHDOG_PID: &str = "WATCHDOG_PID";
/// Signs of life in that time: one that is lost or left out must not end the process.
const SIGNS: u32 = 3;

/// Who started this process and wants to hear of it, if anybody does.
#[derive(Debug)]
pub struct Supervisor {
    line: Option<(UnixDatagram, SocketAddr)>,
    sign_every: Option<Duration>,
}

impl Supervisor {
    /// Reads the environment. A socket that cannot be used is logged, and nothing is told: the manager notices.
    pub fn find(environment: impl Fn(&str) -> Option<String>) -> Supervisor {
        let line = environment(SOCKET)
            .filter(|name| !name.is_empty())
            .and_then(|name| {
                line(&name)
                    .inspect_err(|error| {
                        tracing::warn!("{SOCKET} is `{name}`, which cannot be used: {error}")
                    })
                    .ok()
            });
        let for_us = environment(WATCHDOG_PID).is_none_or(|pid| pid == std::process::id().to_string());
        let micros = environment(WATCHDOG).and_then(|micros| micros.parse().ok());
        let sign_every = micros
            .filter(|micros| *micros > 0 && for_us)
            .map(|micros| Duration::from_micros(micros) / SIGNS);
        Supervisor { line, sign_every }
    }

    /// The server takes requests from now on; `status` is shown to people.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
    }

    /// The server is on its way out.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Gives a sign of life as often as is wanted, and none while `health` says what is wrong. Never returns.
    pub async fn watch(&self, health: impl Fn() -> Result<(), String>) -> std::convert::Infallible {
        let Some(gap) = self.sign_every else {
            return std::future::pending().await;
        };
        loop {
            match health() {
                Ok(()) => self.tell("WATCHDOG=1"),
                Err(why) => {
                    tracing::error!("no sign of life is given, so that this process is restarted: {why}")
                }
            }
            tokio::time::sleep(gap).await;
        }
    }

    fn tell(&self, words: &str) {
        if let Some((socket, address)) = &self.line
            && let Err(error) = socket.send_to_addr(words.as_bytes(), address)
        {
            tracing::warn!("the service manager cannot be told {words:?}: {error}");
        }
    }
}

fn line(name: &str) -> std::io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that reads nothing must not hold the server up.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests;

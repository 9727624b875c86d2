//! What a world is made of, and how it is started: its settings, its folder, its ports.

use std::net::{TcpListener, UdpSocket};
use std::process;
use std::sync::{Mutex, PoisonError};

use super::{ACCOUNT_SID, AUTH_TOKEN, World};
use crate::client::Client;
use crate::process::Process;
use crate::store::Store;

/// Ports are taken from below the range that Linux hands out by itself, so that no connection can get between the
/// choice of a port and its use; each test process begins at a place of its own.
const FIRST_PORT: u16 = 10_000;
const PORTS: u16 = 20_000;
const PORTS_PER_PROCESS: u32 = 64;

/// What a world is made of; each test names only what it wants otherwise.
pub struct Builder {
    pub(super) environment: Vec<(String, String)>,
    pub(super) sim_args: Vec<String>,
    pub(super) key: Option<String>,
    pub(super) store: Option<Store>,
}

impl Builder {
    /// A setting of the server.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|it| it.0 != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How many times faster than life the carrier is. 1 leaves a call that rings 20 seconds time to be looked at.
    #[must_use]
    pub fn speed(mut self, speed: u32) -> Self {
        self.sim_args.extend(["--speed".to_owned(), speed.to_string()]);
        self
    }

    /// How many calls a second the carrier starts; the others wait in its queue, as with a small account.
    #[must_use]
    pub fn carrier_cps(mut self, cps: &str) -> Self {
        self.sim_args.extend(["--cps".to_owned(), cps.to_owned()]);
        self
    }

    /// Bearer keys that the server takes; the client uses the first.
    #[must_use]
    pub fn keys(mut self, keys: &str) -> Self {
        self.key = keys.split(',').next().map(str::to_owned);
        self.env("REDIAL_API_KEYS", keys)
    }

    /// Keeps the calls there, wherever the suite's other worlds keep theirs.
    #[must_use]
    pub fn on(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Starts carrier and server, and waits until both listen.
    #[must_use]
    pub fn start(self) -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut sim_args = vec!["sim", "--listen", "127.0.0.1:0", "--account-sid", ACCOUNT_SID];
        sim_args.extend(["--auth-token", AUTH_TOKEN, "--seed", "1"]);
        for (name, value) in [("--speed", "60"), ("--cps", "1000")] {
            if !self.sim_args.iter().any(|it| it == name) {
                sim_args.extend([name, value]);
            }
        }
        sim_args.extend(self.sim_args.iter().map(String::as_str));
        let sim = Process::start(&sim_args, &bare_environment(folder.path()), folder.path());

        let base = format!("http://127.0.0.1:{}", free_port());
        let has_own = self.environment.iter().any(|it| it.0 == "DATABASE_URL");
        let store = self.store.unwrap_or_else(Store::of_the_suite);
        let place = (!has_own).then(|| store.make(folder.path()));
        let mut environment = bare_environment(folder.path());
        environment.extend(place.iter().map(|it| ("DATABASE_URL".to_owned(), it.url.clone())));
        environment.extend(settings(&base, &sim.address));
        environment.retain(|it| !self.environment.iter().any(|own| own.0 == it.0));
        environment.extend(self.environment);
        let serve = Process::start(&["serve"], &environment, folder.path());
        let client = Client::new(&base);
        let calls = Mutex::default();
        World {
            serve: Some(serve),
            sim,
            environment,
            folder,
            base,
            client,
            key: self.key,
            calls,
            place,
        }
    }
}

/// What a process needs of the machine, and nothing of the developer.
fn bare_environment(folder: &std::path::Path) -> Vec<(String, String)> {
    vec![
        ("HOME".to_owned(), folder.display().to_string()),
        ("RUST_BACKTRACE".to_owned(), "1".to_owned()),
    ]
}

fn settings(base: &str, carrier: &str) -> Vec<(String, String)> {
    let listen = base.trim_start_matches("http://");
    let settings = [
        ("REDIAL_LISTEN", listen),
        ("BASE_URL", base),
        ("TWILIO_ACCOUNT_SID", ACCOUNT_SID),
        ("TWILIO_AUTH_TOKEN", AUTH_TOKEN),
        ("TWILIO_API_BASE", carrier),
        // Short, so that three attempts fit a test; the pace out of the way.
        ("REDIAL_RETRY_DELAYS", "200ms"),
        ("REDIAL_SETTLE_AFTER", "1s"),
        ("REDIAL_SILENCE_AFTER", "1s"),
        ("REDIAL_CPS", "1000"),
        ("REDIAL_BURST", "1000"),
        ("REDIAL_LOG", "debug"),
    ];
    settings
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// A port that nobody listens on, tried by binding it, and that no other test process is given as long as this one lives:
/// each keeps the port of the same number for datagrams, which nothing else uses.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u16 {
    static KEPT: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let first = process::id().wrapping_mul(PORTS_PER_PROCESS) % u32::from(PORTS);
    for turn in 0..u32::from(PORTS) {
        let offset = (first + turn) % u32::from(PORTS);
        let port = FIRST_PORT + u16::try_from(offset).expect("below PORTS");
        let Ok(own) = UdpSocket::bind(("127.0.0.1", port)) else {
            continue;
        };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            kept.push(own);
            return port;
        }
    }
    panic!("none of {PORTS} ports is free");
}

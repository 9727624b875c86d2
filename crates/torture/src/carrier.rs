//! The simulated carrier in a process of its own: its ledger outlives whatever is done to the nodes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use e2e::Client;

use crate::failure::{Failure, Saying as _};
use crate::ledger::Ring;
use crate::node::Node;

/// How long it may take to begin.
const BEGINS_WITHIN: Duration = Duration::from_secs(20);
/// How long a long ledger may take to be sent.
const READ_WITHIN: Duration = Duration::from_secs(60);
/// How many times faster than life it is: a phone that nobody picks up rings for a second.
const SPEED: &str = "60";
/// Calls that it starts a second. More than anybody asks for here: its queue is not what is tried.
const CPS: &str = "1000";

/// A carrier.
pub struct Carrier {
    node: Node,
}

impl Carrier {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// It does not.
    pub fn start(seed: u64, folder: &Path) -> Result<Carrier, Failure> {
        let address = SocketAddr::from(([127, 0, 0, 1], e2e::free_port()));
        let (listen, seed) = (address.to_string(), seed.to_string());
        let args = [
            "sim", "--listen", &listen, "--seed", &seed, "--speed", SPEED, "--cps", CPS,
        ];
        let account = ["--account-sid", e2e::ACCOUNT_SID, "--auth-token", e2e::AUTH_TOKEN];
        let args: Vec<&str> = args.into_iter().chain(account).collect();
        let environment = vec![("REDIAL_LOG".to_owned(), "error".to_owned())];
        let mut node = Node::new("carrier", address, &args, environment, folder);
        node.start()?;
        node.wait_until_it_answers(BEGINS_WITHIN)?;
        Ok(Carrier { node })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.node.address
    }

    /// Everything that it has placed, in order.
    ///
    /// # Errors
    /// It does not answer, or with rows that name no attempt.
    pub fn ledger(&self) -> Result<Vec<Ring>, Failure> {
        let client = Client::with_patience(&format!("http://{}", self.address()), READ_WITHIN);
        let answer = client
            .send("GET", "/_sim/calls", &[], b"")
            .saying("the carrier's ledger")?;
        let rows: serde_json::Value = serde_json::from_str(&answer.text)?;
        let rows = rows.as_array().ok_or("the carrier's ledger is no array")?;
        let rings: Result<Vec<Ring>, String> = rows.iter().map(Ring::read).collect();
        rings.saying("a row of the carrier's ledger that names no one attempt")
    }
}

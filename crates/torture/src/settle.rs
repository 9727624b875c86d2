//! The peace after the faults: waits until all is over, gathers what there is, and holds it against the rules.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use e2e::Client;
use serde_json::Value;

use crate::carrier::Carrier;
use crate::check::{Amounts, Broken, Evidence, check};
use crate::failure::Failure;
use crate::ledger::Wish;

/// The bound in which everything is over once the faults have stopped: a permit that nobody decides is put in doubt after
/// 45 s, and an attempt after that can hardly take more than ten.
pub const OVER_WITHIN: Duration = Duration::from_secs(240);
/// How often it is looked whether all is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a record may take to be read.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// Who is asked.
pub struct Witnesses<'a> {
    /// For the records.
    pub nodes: &'a [SocketAddr],
    /// For its ledger.
    pub carrier: &'a Carrier,
}

/// Gathers until every rule holds, or the time since `peace` is over: then what is wrong is the verdict. `keep_up` is
/// called all the while.
///
/// # Errors
/// The carrier does not answer, or `keep_up` fails.
pub fn settle(
    witnesses: &Witnesses<'_>,
    evidence: &mut Evidence,
    peace: Instant,
    mut keep_up: impl FnMut() -> Result<(), Failure>,
) -> Result<Result<Amounts, Broken>, Failure> {
    let mut living: BTreeSet<usize> = (0..evidence.wishes.len()).collect();
    loop {
        keep_up()?;
        witnesses.read(evidence, &living);
        living.retain(|it| !is_over(evidence, &evidence.wishes[*it]));
        let is_late = peace.elapsed() > OVER_WITHIN;
        if living.is_empty() || is_late {
            // Of the whole again: late facts correct a record that had ended.
            witnesses.read(evidence, &(0..evidence.wishes.len()).collect());
            evidence.rings = witnesses.carrier.ledger()?;
            witnesses.count(evidence);
            let verdict = check(evidence);
            if verdict.is_ok() || is_late {
                return Ok(verdict);
            }
            std::thread::sleep(10 * LOOK_EVERY);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

impl Witnesses<'_> {
    /// Reads the records of these.
    fn read(&self, evidence: &mut Evidence, which: &BTreeSet<usize>) {
        for (count, wish) in which.iter().map(|it| &evidence.wishes[*it]).enumerate() {
            for id in &wish.ids {
                let record = self.get(count, &format!("/users/{}/calls/{id}", wish.user));
                evidence.records.insert(id.clone(), record);
            }
        }
    }

    /// Asks the list how many calls each user has.
    fn count(&self, evidence: &mut Evidence) {
        let users: BTreeSet<&str> = evidence.wishes.iter().map(|it| it.user.as_str()).collect();
        let total = |user| self.get(0, &format!("/users/{user}/calls?limit=1"))["total"].as_u64();
        let totals = users
            .into_iter()
            .map(|user| (user.to_owned(), total(user).unwrap_or(0)));
        evidence.totals = totals.collect();
    }

    /// A page of one node or another; null when there is none.
    fn get(&self, count: usize, path: &str) -> Value {
        let node = self.nodes[count % self.nodes.len()];
        let client = Client::with_patience(&format!("http://{node}"), READ_WITHIN);
        let answer = client.send("GET", path, &[], b"");
        answer
            .ok()
            .and_then(|it| serde_json::from_str(&it.text).ok())
            .unwrap_or_default()
    }
}

fn is_over(evidence: &Evidence, wish: &Wish) -> bool {
    let is_over = |id: &String| evidence.records.get(id).is_some_and(e2e::is_over);
    wish.ids.iter().all(is_over)
}

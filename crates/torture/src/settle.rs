//! The peace after the faults: waits until all is over, gathers what there is, and holds it against the rules.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use e2e::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::carrier::Carrier;
use crate::check::{Amounts, Broken, Evidence, Window, check};
use crate::failure::Failure;
use crate::ledger::Wish;
use crate::load::{Answers, Load};
use crate::node::RETRY_GAP;

/// The bound in which everything is over once the faults have stopped: a permit that nobody decides is put in doubt after
/// 45 s, and an attempt after that can hardly take more than ten.
const OVER_WITHIN: Duration = Duration::from_secs(240);
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

/// How a run ended.
pub struct Ending {
    /// How many dials the faults can have left without proof.
    pub chances: u64,
    /// What the clients were answered.
    pub answers: Answers,
    /// How long it took until all was over, once the faults had stopped.
    pub over_after: Duration,
    /// What all amounts to, or what is wrong.
    pub verdict: Result<Amounts, Broken>,
    /// Where the logs were kept, when something is wrong.
    pub kept: Option<PathBuf>,
}

/// Waits until the clients have got what they want and all is over, and judges. `account` says when something was wrong,
/// and how many dials that can have left without proof; `keep_up` is called all the while.
///
/// # Errors
/// As [`settle`].
pub fn end(
    load: Load,
    folder: &mut TempDir,
    witnesses: &Witnesses<'_>,
    account: impl FnOnce() -> (Vec<Window>, u64),
    mut keep_up: impl FnMut() -> Result<(), Failure>,
) -> Result<(Ending, Evidence), Failure> {
    let peace = Instant::now();
    while !load.is_done() && peace.elapsed() < OVER_WITHIN {
        keep_up()?;
        std::thread::sleep(LOOK_EVERY);
    }
    let (wishes, answers) = load.end();
    let (windows, chances) = account();
    let mut evidence = Evidence {
        wishes,
        windows,
        chances,
        retry_gap: RETRY_GAP,
        ..Evidence::default()
    };
    let verdict = settle(witnesses, &mut evidence, peace, keep_up)?;
    let over_after = peace.elapsed();
    let kept = verdict.is_err().then(|| folder.path().to_owned());
    if kept.is_some() {
        folder.disable_cleanup(true);
    }
    let ending = Ending {
        chances,
        answers,
        over_after,
        verdict,
        kept,
    };
    Ok((ending, evidence))
}

/// Gathers until every rule holds, or the time since `peace` is over: then what is wrong is the verdict. `keep_up` is
/// called all the while.
///
/// # Errors
/// The carrier does not answer, or `keep_up` fails.
fn settle(
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

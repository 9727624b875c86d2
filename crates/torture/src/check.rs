//! What must hold when all is over: the records of the nodes, the carrier's ledger and the clients' own tell one story.
//!
//! Pure: it reads what was gathered and knows no process. Each rule is a function of its own, and each has a doctored
//! ledger in the tests that it must refuse.

mod attempts;
mod calls;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::ledger::{Ring, Wish};

/// A time during which something was wrong, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// From.
    pub begin: i64,
    /// Until.
    pub end: i64,
    /// Requests may be sent late in it: something was frozen, or waited in a link.
    pub is_late: bool,
    /// The wall clock was moved in it.
    pub is_clock: bool,
}

/// Everything that was gathered of a run that has ended.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What the clients asked for.
    pub wishes: Vec<Wish>,
    /// The record of each call, by its id; null where there is none.
    pub records: BTreeMap<String, Value>,
    /// How many calls each user has, as the list says.
    pub totals: BTreeMap<String, u64>,
    /// What the carrier placed.
    pub rings: Vec<Ring>,
    /// When something was wrong.
    pub windows: Vec<Window>,
    /// How many dials can have been left without proof by all faults together.
    pub chances: u64,
    /// The gap before a retry.
    pub retry_gap: Duration,
}

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub rule: &'static str,
    /// The rows that show it, the first few.
    pub rows: Vec<String>,
}

/// What a sound run amounts to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Calls asked for and answered with 2xx.
    pub calls: usize,
    /// Answers with 2xx beyond the first for each.
    pub repeats: u64,
    /// Attempts on record.
    pub attempts: usize,
    /// Calls that the carrier placed.
    pub rings: usize,
    /// Attempts that ended without proof, those left out that the carrier answers so every time.
    pub unconfirmed: usize,
    /// Attempts whose end was corrected later.
    pub corrected: usize,
    /// Calls that were canceled while they lived.
    pub canceled: usize,
}

/// Looks for what offends one rule.
type Rule = fn(&Evidence) -> Vec<String>;

/// Every rule, by what it demands.
pub const RULES: &[(&str, Rule)] = &[
    ("every create that was answered 2xx exists", calls::exist),
    ("one key makes one call", calls::one_key_one_call),
    ("every call has ended", calls::have_ended),
    (
        "the carrier placed at most one call for one attempt",
        attempts::one_ring,
    ),
    (
        "every ring is in exactly one attempt's record",
        attempts::every_ring_is_recorded,
    ),
    (
        "every attempt with a ring is as the carrier says",
        attempts::as_the_carrier_says,
    ),
    (
        "attempts are counted, and no more than the policy has",
        attempts::within_the_policy,
    ),
    ("no attempt before it was due", attempts::none_before_it_was_due),
    (
        "nothing is dialled after a cancel was answered",
        calls::cancels_bind,
    ),
    (
        "a call is completed if and only if the carrier's was",
        calls::completed_is_true,
    ),
    (
        "no attempt is unconfirmed without a fault",
        attempts::unconfirmed_is_earned,
    ),
];

/// Rows shown of one broken rule.
const SHOWN: usize = 5;

/// Holds the evidence against every rule, in order.
///
/// # Errors
/// The first that is broken.
pub fn check(evidence: &Evidence) -> Result<Amounts, Broken> {
    for (rule, look) in RULES {
        let mut rows = look(evidence);
        if !rows.is_empty() {
            let more = rows.len().saturating_sub(SHOWN);
            rows.truncate(SHOWN);
            if more > 0 {
                rows.push(format!("... and {more} more"));
            }
            return Err(Broken { rule, rows });
        }
    }
    Ok(evidence.amounts())
}

impl Evidence {
    /// Each record beside what was wished for.
    fn pairs(&self) -> impl Iterator<Item = (&Wish, &str, &Value)> {
        self.wishes.iter().flat_map(|wish| {
            let found = |id: &'_ String| self.records.get_key_value(id);
            wish.ids
                .iter()
                .filter_map(found)
                .map(move |(id, record)| (wish, id.as_str(), record))
        })
    }

    /// What the carrier placed for each call.
    fn rings_by_call(&self) -> BTreeMap<&str, Vec<&Ring>> {
        let mut rings: BTreeMap<&str, Vec<&Ring>> = BTreeMap::new();
        for ring in &self.rings {
            rings.entry(&ring.call).or_default().push(ring);
        }
        rings
    }

    /// Whether something of this kind was wrong at some time between these moments.
    fn was_wrong(&self, from: i64, to: i64, kind: impl Fn(&Window) -> bool) -> bool {
        let mut windows = self.windows.iter().filter(|it| kind(it));
        windows.any(|it| it.begin <= to && it.end >= from)
    }

    fn amounts(&self) -> Amounts {
        let mut amounts = Amounts {
            calls: self.wishes.len(),
            repeats: self.wishes.iter().map(|it| it.answers.saturating_sub(1)).sum(),
            rings: self.rings.len(),
            canceled: self.wishes.iter().filter(|it| it.canceled_at.is_some()).count(),
            unconfirmed: attempts::unconfirmed(self).count(),
            ..Amounts::default()
        };
        for (.., record) in self.pairs() {
            amounts.attempts += attempts(record).len();
            amounts.corrected += events(record, "corrected")
                .filter(|it| it["attempt_number"].is_u64())
                .count();
        }
        amounts
    }
}

/// A record's attempts, in order.
fn attempts(record: &Value) -> &[Value] {
    record["attempts"].as_array().map_or(&[], Vec::as_slice)
}

/// The entries of one kind in a record's history.
fn events<'a>(record: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let events = record["events"].as_array().map_or(&[][..], Vec::as_slice);
    events.iter().filter(move |it| it["kind"] == kind)
}

#[cfg(test)]
mod tests;

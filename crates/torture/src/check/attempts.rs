//! The rules about attempts: one ring each, in one record, as the carrier says, in time, within the policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Evidence, attempts, events};
use crate::clock;
use crate::ledger::Ring;

/// How much earlier than due the carrier may have a dial without anybody being wrong: two clocks' rounding.
const TOLERANCE_MS: i64 = 50;
/// The engine adopts a wall clock that was moved, or moved back, after two readings ten seconds apart.
const CLOCK_LINGERS_MS: i64 = 40_000;
/// Calls to these are answered 503 every time, and never placed: each of their attempts is rightly unconfirmed.
const NEVER_PLACED: &str = "0112";

pub(super) fn one_ring(evidence: &Evidence) -> Vec<String> {
    let mut first: BTreeMap<(&str, u64), &Ring> = BTreeMap::new();
    let mut found = Vec::new();
    for ring in &evidence.rings {
        if let Some(other) = first.insert((&ring.call, ring.attempt), ring) {
            let record = evidence.records.get(&ring.call).unwrap_or(&Value::Null);
            found.push(format!("{other:?} and {ring:?}: {record}"));
        }
    }
    found
}

pub(super) fn every_ring_is_recorded(evidence: &Evidence) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<(&str, u64)>> = BTreeMap::new();
    for (_, id, record) in evidence.pairs() {
        for attempt in attempts(record) {
            if let Some(sid) = attempt["twilio_sid"].as_str() {
                let number = attempt["attempt_number"].as_u64().unwrap_or(0);
                places.entry(sid).or_default().push((id, number));
            }
        }
    }
    let wrong = evidence.rings.iter().filter_map(|ring| {
        let places = places.get(ring.sid.as_str()).map_or(&[][..], Vec::as_slice);
        let is_right = places == [(ring.call.as_str(), ring.attempt)];
        let record = evidence.records.get(&ring.call).unwrap_or(&Value::Null);
        (!is_right).then(|| format!("{ring:?} stands in {places:?}: {record}"))
    });
    wrong.collect()
}

pub(super) fn as_the_carrier_says(evidence: &Evidence) -> Vec<String> {
    let rings: BTreeMap<&str, &Ring> = evidence.rings.iter().map(|it| (it.sid.as_str(), it)).collect();
    let mut found = Vec::new();
    for (wish, _, record) in evidence.pairs() {
        for attempt in attempts(record) {
            let status = attempt["status"].as_str().unwrap_or_default();
            let Some(sid) = attempt["twilio_sid"].as_str() else {
                if status != "unconfirmed" {
                    found.push(format!("an attempt without a ring is {status}: {record}"));
                }
                continue;
            };
            match rings.get(sid) {
                None => found.push(format!("the carrier has no {sid}: {record}")),
                Some(ring) if ring.status != status || ring.to != wish.to => {
                    found.push(format!("{ring:?} against {record}"));
                }
                Some(_) => {}
            }
        }
    }
    found
}

pub(super) fn within_the_policy(evidence: &Evidence) -> Vec<String> {
    let rings = evidence.rings_by_call();
    let mut found = Vec::new();
    for (wish, id, record) in evidence.pairs() {
        let attempts = attempts(record);
        let numbers = attempts.iter().map(|it| it["attempt_number"].as_u64());
        let in_order = numbers.eq((1..=attempts.len() as u64).map(Some));
        let counted = record["attempt_count"].as_u64() == Some(attempts.len() as u64);
        let rang = rings.get(id).map_or(0, |rings| {
            rings.iter().map(|it| it.attempt).collect::<BTreeSet<_>>().len()
        });
        if !in_order || !counted || attempts.len().max(rang) as u64 > wish.max_attempts {
            found.push(format!("{} at most, {rang} placed: {record}", wish.max_attempts));
        }
    }
    found
}

pub(super) fn none_before_it_was_due(evidence: &Evidence) -> Vec<String> {
    let rings = evidence.rings_by_call();
    let mut found = Vec::new();
    for (wish, id, record) in evidence.pairs() {
        for ring in rings.get(id).into_iter().flatten() {
            let Some(due) = due_at(evidence, wish.scheduled_at, record, ring.attempt, &rings[id]) else {
                continue;
            };
            let early = due - ring.created_at;
            let from = ring.created_at - CLOCK_LINGERS_MS;
            if early > TOLERANCE_MS && !evidence.was_wrong(from, ring.created_at, |it| it.is_clock) {
                found.push(format!(
                    "{early} ms before {}: {ring:?}: {record}",
                    clock::written(due)
                ));
            }
        }
    }
    found
}

/// When this attempt of a call was due, as far as that can be told from outside: nothing where the one before was
/// corrected, because the next was then planned on other grounds.
fn due_at(
    evidence: &Evidence,
    scheduled: Option<i64>,
    record: &Value,
    number: u64,
    rings: &[&Ring],
) -> Option<i64> {
    let Some(before) = number.checked_sub(1).filter(|it| *it > 0) else {
        return scheduled;
    };
    if events(record, "corrected").any(|it| it["attempt_number"] == before) {
        return None;
    }
    let gap = i64::try_from(evidence.retry_gap.as_millis()).ok()?;
    let ended = match rings.iter().find(|it| it.attempt == before) {
        // The carrier tells whole seconds.
        Some(ring) => ring.ended_at? / 1_000 * 1_000,
        None => {
            let attempt = attempts(record)
                .iter()
                .find(|it| it["attempt_number"] == before)?;
            clock::read(attempt["ended_at"].as_str()?)?
        }
    };
    Some(ended + gap)
}

/// Every attempt that ended without proof although its number can be reached.
pub(super) fn unconfirmed(evidence: &Evidence) -> impl Iterator<Item = &Value> {
    let calls = evidence
        .pairs()
        .filter(|(wish, ..)| !wish.to.ends_with(NEVER_PLACED));
    calls.flat_map(|(.., record)| events(record, "unconfirmed"))
}

pub(super) fn unconfirmed_is_earned(evidence: &Evidence) -> Vec<String> {
    let count = unconfirmed(evidence).count() as u64;
    if count <= evidence.chances {
        return Vec::new();
    }
    let what = format!(
        "{count} attempts, and faults that can have caused {}",
        evidence.chances
    );
    std::iter::once(what)
        .chain(unconfirmed(evidence).map(Value::to_string))
        .collect()
}

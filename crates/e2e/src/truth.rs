//! The check that closes every test: the record and the carrier's ledger tell the same story.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::ledger::Ring;
use crate::world::{Call, World, is_over};

/// Holds every call of the world against the carrier's ledger, both ways, once all have ended.
///
/// # Panics
/// A phone rang for no attempt or twice for one; an attempt names a call that the carrier does not know or a status
/// that it did not give; a record contradicts itself; a call has not ended.
#[track_caller]
pub fn assert_truth(world: &World) {
    let ledger = world.ledger();
    assert_one_ring_per_attempt(&ledger);
    let rings: HashMap<&str, &Ring> = ledger.iter().map(|it| (it.sid.as_str(), it)).collect();
    let mut recorded = HashSet::new();
    for call in world.calls() {
        let record = world.record(&call);
        assert!(is_over(&record), "not ended: {record}");
        assert_consistent(&call, &record);
        for attempt in attempts(&record) {
            let Some(sid) = attempt["twilio_sid"].as_str() else {
                let unspoken = matches!(attempt["status"].as_str(), Some("failed" | "unconfirmed"));
                assert!(
                    unspoken,
                    "an attempt without SID can only be refused or unconfirmed: {record}"
                );
                continue;
            };
            assert!(
                recorded.insert(sid.to_owned()),
                "{sid} stands in two attempts: {record}"
            );
            let ring = rings
                .get(sid)
                .unwrap_or_else(|| panic!("the carrier knows no {sid}: {record}"));
            assert_same(&call, &record, attempt, ring);
        }
    }
    for ring in &ledger {
        assert!(
            recorded.contains(&ring.sid),
            "a phone rang and no record has it: {ring:?}"
        );
    }
}

/// No two dials for one attempt, whatever went wrong between.
fn assert_one_ring_per_attempt(ledger: &[Ring]) {
    let mut seen: HashMap<(String, u64), &Ring> = HashMap::new();
    for ring in ledger {
        if let Some(first) = seen.insert(ring.names(), ring) {
            panic!("one attempt rang twice: {first:?} and {ring:?}");
        }
    }
}

/// What holds of every record by itself.
fn assert_consistent(call: &Call, record: &Value) {
    let attempts = attempts(record);
    assert_eq!(record["call_id"], call.call_id.as_str(), "{record}");
    assert_eq!(record["user_id"], call.user_id.as_str(), "{record}");
    assert_eq!(record["attempt_count"], attempts.len(), "{record}");
    assert_eq!(
        record["next_retry_at"],
        Value::Null,
        "an ended call has no next retry: {record}"
    );
    let most = record["max_attempts"].as_u64().expect("a number");
    assert!(
        attempts.len() as u64 <= most,
        "more attempts than the policy has: {record}"
    );
    for (index, attempt) in attempts.iter().enumerate() {
        assert_eq!(attempt["attempt_number"], index + 1, "{record}");
        assert_time(&attempt["timestamp"], record);
    }
    for time in ["created_at", "updated_at"] {
        assert_time(&record[time], record);
    }
}

/// One attempt and one ring are the same thing, field by field.
fn assert_same(call: &Call, record: &Value, attempt: &Value, ring: &Ring) {
    let number = attempt["attempt_number"].as_u64().expect("checked before");
    assert_eq!(
        ring.names(),
        (call.call_id.clone(), number),
        "{ring:?} against {record}"
    );
    assert_eq!(ring.to, record["to"], "{ring:?} against {record}");
    assert_eq!(ring.from, record["from"], "{ring:?} against {record}");
    assert_eq!(
        attempt["status"],
        ring.status.as_str(),
        "{ring:?} against {record}"
    );
}

fn attempts(record: &Value) -> &[Value] {
    record["attempts"]
        .as_array()
        .unwrap_or_else(|| panic!("`attempts` is an array: {record}"))
}

/// ISO 8601, UTC, milliseconds: `2026-11-22T10:00:00.000Z`.
#[track_caller]
fn assert_time(value: &Value, record: &Value) {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("a time is missing: {record}"));
    let shape: String = text
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{text} in {record}");
}

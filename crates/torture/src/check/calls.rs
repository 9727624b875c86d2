//! The rules about calls: kept, made once, ended, canceled, completed.

use std::collections::BTreeMap;

use super::Evidence;
use crate::clock;

/// A request that had its permit when the cancel came may arrive so much later, where nothing is slow: what a permit
/// may be old when it is used.
const CANCEL_TAKES_MS: i64 = 2_000;

pub(super) fn exist(evidence: &Evidence) -> Vec<String> {
    let unanswered = evidence.wishes.iter().filter(|it| it.ids.is_empty());
    let unanswered = unanswered.map(|it| format!("never answered with 2xx: {it:?}"));
    let lost = evidence.wishes.iter().flat_map(|wish| {
        let is_there = |id: &&String| {
            evidence
                .records
                .get(*id)
                .is_some_and(|it| it["call_id"] == id.as_str())
        };
        wish.ids
            .iter()
            .filter(move |id| !is_there(id))
            .map(move |id| format!("{id} has no record: {wish:?}"))
    });
    unanswered.chain(lost).collect()
}

pub(super) fn one_key_one_call(evidence: &Evidence) -> Vec<String> {
    let several = evidence.wishes.iter().filter(|it| it.ids.len() > 1);
    let mut found: Vec<String> = several
        .map(|it| format!("one key, several calls: {it:?}"))
        .collect();
    let mut wished: BTreeMap<&str, u64> = BTreeMap::new();
    for wish in &evidence.wishes {
        *wished.entry(&wish.user).or_default() += 1;
    }
    found.extend(wished.iter().filter_map(|(user, wished)| {
        let listed = evidence.totals.get(*user).copied().unwrap_or(0);
        (listed != *wished).then(|| format!("{user} asked for {wished} calls and has {listed}"))
    }));
    found
}

pub(super) fn have_ended(evidence: &Evidence) -> Vec<String> {
    let living = evidence.pairs().filter(|(.., record)| !e2e::is_over(record));
    let mut found: Vec<String> = living
        .map(|(.., record)| format!("not ended: {record}"))
        .collect();
    let ringing = evidence.rings.iter().filter(|it| it.ended_at.is_none());
    found.extend(ringing.map(|it| format!("still under way at the carrier: {it:?}")));
    found
}

pub(super) fn cancels_bind(evidence: &Evidence) -> Vec<String> {
    let rings = evidence.rings_by_call();
    let mut found = Vec::new();
    for (wish, id, record) in evidence.pairs() {
        let Some(canceled_at) = wish.canceled_at else {
            continue;
        };
        if record["status"] != "canceled" {
            found.push(format!(
                "its cancel was answered 200, and it is not canceled: {record}"
            ));
        }
        for ring in rings.get(id).into_iter().flatten() {
            let late = ring.created_at - canceled_at > CANCEL_TAKES_MS;
            if late && !evidence.was_wrong(canceled_at, ring.created_at, |it| it.is_late) {
                let at = clock::written(canceled_at);
                found.push(format!(
                    "dialled after its cancel was answered at {at}: {ring:?}: {record}"
                ));
            }
        }
    }
    found
}

pub(super) fn completed_is_true(evidence: &Evidence) -> Vec<String> {
    let rings = evidence.rings_by_call();
    let mut found = Vec::new();
    for (wish, id, record) in evidence.pairs() {
        let rings = rings.get(id).map_or(&[][..], Vec::as_slice);
        let completed = rings.iter().any(|it| it.status == "completed");
        let says_so = record["status"] == "completed";
        // A canceled call keeps that name, whatever its attempts became.
        let may_differ = wish.canceled_at.is_some() && !says_so;
        if completed != says_so && !may_differ {
            found.push(format!("the carrier has {rings:?}, the record is {record}"));
        }
    }
    found
}

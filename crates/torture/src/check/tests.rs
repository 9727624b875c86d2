//! A sound story passes every rule; each doctored one is refused by the rule that it breaks, and by no other before it.

use serde_json::json;

use super::*;

/// 2026-11-22T10:00:00Z.
const BEGUN: i64 = 1_795_341_600_000;

fn at(after_ms: i64) -> String {
    crate::clock::written(BEGUN + after_ms)
}

fn ring(sid: &str, attempt: u64, status: &str, created_ms: i64, ended_ms: i64) -> Ring {
    Ring {
        sid: sid.to_owned(),
        call: "c1".to_owned(),
        attempt,
        to: "+15550000105".to_owned(),
        status: status.to_owned(),
        created_at: BEGUN + created_ms,
        ended_at: Some(BEGUN + ended_ms),
    }
}

/// A call that was busy, and then answered.
fn sound() -> Evidence {
    let wish = Wish {
        key: "1-1".to_owned(),
        user: "ada".to_owned(),
        to: "+15550000105".to_owned(),
        max_attempts: 2,
        scheduled_at: Some(BEGUN),
        ids: ["c1".to_owned()].into(),
        answers: 2,
        canceled_at: None,
    };
    let record = json!({
        "call_id": "c1", "user_id": "ada", "status": "completed", "should_retry": false, "attempt_count": 2,
        "attempts": [
            {"attempt_number": 1, "twilio_sid": "CA1", "status": "busy", "ended_at": at(1_000)},
            {"attempt_number": 2, "twilio_sid": "CA2", "status": "completed", "ended_at": at(5_000)},
        ],
        "events": [{"kind": "accepted"}],
    });
    Evidence {
        wishes: vec![wish],
        records: [("c1".to_owned(), record)].into(),
        totals: [("ada".to_owned(), 1)].into(),
        rings: vec![
            ring("CA1", 1, "busy", 10, 1_200),
            ring("CA2", 2, "completed", 3_100, 5_000),
        ],
        windows: Vec::new(),
        chances: 0,
        retry_gap: Duration::from_secs(2),
    }
}

/// The sound story, its record changed at `place`.
fn told(place: &str, value: Value) -> Evidence {
    let mut evidence = sound();
    let record = evidence.records.get_mut("c1").expect("it is there");
    *record.pointer_mut(place).expect("it is there") = value;
    evidence
}

fn doctored(change: impl FnOnce(&mut Evidence)) -> Evidence {
    let mut evidence = sound();
    change(&mut evidence);
    evidence
}

#[track_caller]
fn refused(rule: &str, evidence: &Evidence) {
    let broken = check(evidence).expect_err("it is doctored");
    assert_eq!(broken.rule, rule, "{:?}", broken.rows);
    assert!(!broken.rows.is_empty());
}

/// Something that was wrong for the whole story.
fn window(is_late: bool, is_clock: bool) -> Window {
    Window {
        begin: BEGUN - 1_000,
        end: BEGUN + 9_000,
        is_late,
        is_clock,
    }
}

#[test]
fn a_sound_story_passes_and_is_counted() {
    let amounts = check(&sound()).expect("it is sound");
    let expected = Amounts {
        calls: 1,
        repeats: 1,
        attempts: 2,
        rings: 2,
        ..Amounts::default()
    };
    assert_eq!(amounts, expected);
}

#[test]
fn a_call_that_was_accepted_and_is_gone_is_noticed() {
    let rule = "every create that was answered 2xx exists";
    refused(rule, &doctored(|it| it.records.clear()));
    refused(
        rule,
        &doctored(|it| it.records.extend([("c1".to_owned(), Value::Null)])),
    );
    refused(rule, &doctored(|it| it.wishes[0].ids.clear()));
}

#[test]
fn a_key_that_made_two_calls_is_noticed() {
    let rule = "one key makes one call";
    let other = doctored(|it| {
        it.wishes[0].ids.insert("c2".to_owned());
        it.records.insert("c2".to_owned(), json!({"call_id": "c2"}));
    });
    refused(rule, &other);
    refused(rule, &doctored(|it| it.totals.extend([("ada".to_owned(), 2)])));
}

#[test]
fn a_call_that_does_not_end_is_noticed() {
    let rule = "every call has ended";
    refused(rule, &told("/status", json!("in-progress")));
    refused(rule, &told("/should_retry", json!(true)));
    refused(rule, &doctored(|it| it.rings[1].ended_at = None));
}

#[test]
fn a_second_ring_for_one_attempt_is_noticed() {
    let rule = "the carrier placed at most one call for one attempt";
    refused(
        rule,
        &doctored(|it| it.rings.push(ring("CA3", 2, "completed", 4_000, 5_000))),
    );
}

#[test]
fn a_ring_that_no_record_has_is_noticed() {
    let rule = "every ring is in exactly one attempt's record";
    refused(
        rule,
        &doctored(|it| it.rings.push(ring("CA3", 3, "busy", 7_100, 8_000))),
    );
    refused(rule, &told("/attempts/0/twilio_sid", json!("CA2")));
    refused(rule, &told("/attempts/1/twilio_sid", Value::Null));
    refused(rule, &doctored(|it| it.rings[0].attempt = 7));
}

#[test]
fn an_attempt_that_is_not_as_the_carrier_says_is_noticed() {
    let rule = "every attempt with a ring is as the carrier says";
    refused(rule, &told("/attempts/0/status", json!("no-answer")));
    refused(rule, &doctored(|it| it.rings[1].to = "+15550000199".to_owned()));
    let unknown = doctored(|it| {
        it.rings.remove(0);
    });
    refused(rule, &unknown);
    let made_up = doctored(|it| {
        it.rings.remove(0);
        let attempt = &mut it.records.get_mut("c1").expect("it is there")["attempts"][0];
        attempt["twilio_sid"] = Value::Null;
    });
    refused(rule, &made_up);
}

#[test]
fn an_attempt_too_many_is_noticed_and_so_is_one_that_is_not_counted() {
    let rule = "attempts are counted, and no more than the policy has";
    refused(rule, &doctored(|it| it.wishes[0].max_attempts = 1));
    refused(rule, &told("/attempt_count", json!(1)));
    refused(
        rule,
        &told("/attempts/0/attempt_number", json!(3)).rightly_ringing(3),
    );
}

#[test]
fn an_attempt_before_it_was_due_is_noticed() {
    let rule = "no attempt before it was due";
    let early = doctored(|it| it.rings[1].created_at = BEGUN + 2_800);
    refused(rule, &early);
    let scheduled = doctored(|it| it.wishes[0].scheduled_at = Some(BEGUN + 500));
    refused(rule, &scheduled);
    // By a clock that was moved, it was due.
    let moved = doctored(|it| {
        it.wishes[0].scheduled_at = Some(BEGUN + 500);
        it.windows.push(window(false, true));
    });
    assert!(check(&moved).is_ok());
}

#[test]
fn a_dial_after_a_cancel_is_noticed() {
    let rule = "nothing is dialled after a cancel was answered";
    let mut late = told("/status", json!("canceled"));
    late.wishes[0].canceled_at = Some(BEGUN + 50);
    refused(rule, &late);
    late.windows.push(window(true, false));
    assert!(check(&late).is_ok(), "a node was frozen on its way");
    let ignored = doctored(|it| it.wishes[0].canceled_at = Some(BEGUN + 4_000));
    refused(rule, &ignored);
}

#[test]
fn a_call_that_is_completed_in_one_place_only_is_noticed() {
    let rule = "a call is completed if and only if the carrier's was";
    refused(rule, &told("/status", json!("busy")));
    let mut other = told("/attempts/1/status", json!("busy"));
    other.rings[1].status = "busy".to_owned();
    refused(rule, &other);
}

#[test]
fn an_unconfirmed_attempt_that_no_fault_explains_is_noticed() {
    let rule = "no attempt is unconfirmed without a fault";
    let mut story = told("/events", json!([{"kind": "unconfirmed", "attempt_number": 1}]));
    story.rings.remove(0);
    let attempt = &mut story.records.get_mut("c1").expect("it is there")["attempts"][0];
    attempt["status"] = "unconfirmed".into();
    attempt["twilio_sid"] = Value::Null;
    refused(rule, &story);
    story.chances = 1;
    assert_eq!(check(&story).map(|it| it.unconfirmed), Ok(1));
}

impl Evidence {
    /// The same with the first ring named after this attempt.
    fn rightly_ringing(mut self, attempt: u64) -> Evidence {
        self.rings[0].attempt = attempt;
        self
    }
}

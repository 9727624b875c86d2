//! What becomes of a document, by what it says: one row for each way in which the prototype left calls.

use domain::{AttemptStatus, Phone, Sid};
use proptest::prelude::*;

use super::*;
use crate::tests::{NOW, policy};

const MINUTE: Duration = Duration::from_secs(60);

/// When the documents below begin: a day and a half ago.
fn begun() -> Timestamp {
    NOW - MINUTE * 60 * 36
}

/// `completed`, or `busy CA1`: a word and the leg it is about.
fn attempt(said: &str) -> Try {
    let (word, sid) = said
        .split_once(' ')
        .map_or((said, None), |(word, sid)| (word, Sid::new(sid)));
    Try {
        sid,
        status: of_attempt(CallStatus::from_word(word).expect("a word of the record")),
        at: None,
        error_message: None,
    }
}

fn document(said: &str, should_retry: bool, attempts: &[&str]) -> Document {
    let Try { sid, .. } = attempt(said);
    let word = said.split(' ').next().unwrap_or_default();
    Document {
        id: domain::CallId::from_object_id([7; 12]),
        user_id: domain::UserId::new("ada").expect("a plain word"),
        to: "+15551230104".parse::<Phone>().expect("a number"),
        from: "+15550001111".parse::<Phone>().expect("a number"),
        sid,
        status: CallStatus::from_word(word).expect("a word of the record"),
        attempt_count: None,
        max_attempts: None,
        should_retry,
        next_retry_at: Some(NOW + MINUTE),
        attempts: attempts.iter().map(|said| attempt(said)).collect(),
        created_at: begun(),
        updated_at: Some(begun() + MINUTE * 30),
    }
}

/// `over busy: busy CA1`, or what else the call is, with its attempts; those to be asked about have a `?`.
fn shown(call: &Call) -> String {
    let state = match call.state {
        CallState::Ended { status } => format!("over {}", status.word()),
        CallState::Live => "live".to_owned(),
        CallState::Waiting { due_at, .. } if due_at == NOW + MINUTE => "waits for its retry".to_owned(),
        CallState::Waiting { due_at, .. } if due_at == call.created_at => {
            "waits since its creation".to_owned()
        }
        ref other => format!("{other:?}"),
    };
    let attempts: Vec<String> = call.attempts.iter().map(shown_attempt).collect();
    format!("{state}: {}", attempts.join(", "))
}

fn shown_attempt(attempt: &Attempt) -> String {
    let sid = attempt
        .sid
        .as_ref()
        .map_or(String::new(), |sid| format!(" {sid}"));
    let refused = if attempt.refused { " (refused)" } else { "" };
    let asked = if attempt.ask.is_some() { "?" } else { "" };
    format!("{}{sid}{refused}{asked}", attempt.status.word())
}

#[track_caller]
fn check(said: &str, should_retry: bool, attempts: &[&str], expected: &str) {
    let converted = of(document(said, should_retry, attempts), &policy(), NOW);
    assert_eq!(
        shown(&converted.step.call),
        expected,
        "{said} {should_retry} {attempts:?}"
    );
}

#[test]
fn what_is_over_stays_over() {
    check(
        "completed CA1",
        false,
        &["completed CA1"],
        "over completed: completed CA1",
    );
    check("canceled", false, &[], "over canceled: ");
    check(
        "canceled CA1",
        false,
        &["canceled CA1"],
        "over canceled: canceled CA1",
    );
    check("busy CA1", false, &["busy CA1"], "over busy: busy CA1");
    check("failed", false, &["failed"], "over failed: failed (refused)");
    check(
        "no-answer CA3",
        false,
        &["busy CA1", "failed CA2", "no-answer CA3"],
        "over no-answer: busy CA1, failed CA2, no-answer CA3",
    );
    check(
        "canceled CA1",
        false,
        &["no-answer CA1"],
        "over canceled: no-answer CA1",
    );
    check("queued", false, &["busy CA1"], "over busy: busy CA1");
}

#[test]
fn what_is_to_be_retried_waits_while_attempts_are_left() {
    check("busy CA1", true, &["busy CA1"], "waits for its retry: busy CA1");
    check(
        "failed",
        true,
        &["failed"],
        "waits for its retry: failed (refused)",
    );
    check("queued", true, &["busy CA1"], "waits for its retry: busy CA1");
    check("queued", false, &[], "waits since its creation: ");
    check(
        "busy CA3",
        true,
        &["busy CA1", "busy CA2", "busy CA3"],
        "over busy: busy CA1, busy CA2, busy CA3",
    );
}

#[test]
fn nobody_who_was_reached_is_called_again() {
    check(
        "completed CA1",
        true,
        &["completed CA1"],
        "over completed: completed CA1",
    );
    check(
        "busy CA2",
        true,
        &["completed CA1", "busy CA2"],
        "over completed: completed CA1, busy CA2",
    );
    check("canceled CA1", true, &["busy CA1"], "over canceled: busy CA1");
}

#[test]
fn a_leg_that_may_be_alive_is_asked_about() {
    check("initiated CA1", false, &["initiated CA1"], "live: initiated CA1?");
    check(
        "in-progress CA2",
        false,
        &["busy CA1", "ringing CA2"],
        "live: busy CA1, ringing CA2?",
    );
    check("queued CA1", false, &["queued CA1"], "live: initiated CA1?");
    check("ringing CA1", true, &["ringing CA1"], "live: ringing CA1?");
}

#[test]
fn what_nobody_knows_is_unconfirmed_and_asked_about() {
    check(
        "initiated",
        false,
        &["initiated"],
        "over unconfirmed: unconfirmed?",
    );
    check("initiated", false, &[], "over unconfirmed: unconfirmed?");
    check(
        "initiated",
        true,
        &["initiated"],
        "waits for its retry: unconfirmed?",
    );
    check(
        "completed CA2",
        false,
        &["ringing CA1", "completed CA2"],
        "over completed: unconfirmed CA1?, completed CA2",
    );
}

#[test]
fn a_document_without_attempts_tells_of_one() {
    check("completed CA1", false, &[], "over completed: completed CA1");
    check("busy CA1", true, &[], "waits for its retry: busy CA1");
    check("ringing CA1", false, &[], "live: ringing CA1?");
    check("queued CA1", false, &[], "live: initiated CA1?");
    check("failed", false, &[], "over failed: failed (refused)");
}

#[test]
fn what_only_the_document_knows_is_added_to_its_attempts() {
    // The end of the last attempt, its leg, or an attempt that was never noted.
    check(
        "completed CA1",
        false,
        &["initiated CA1"],
        "over completed: completed CA1",
    );
    check("busy", true, &["ringing CA1"], "waits for its retry: busy CA1");
    check("ringing CA1", false, &["ringing"], "live: ringing CA1?");
    check(
        "initiated CA2",
        false,
        &["busy CA1"],
        "live: busy CA1, initiated CA2?",
    );
    check(
        "completed CA1",
        false,
        &["busy CA1", "busy CA2"],
        "over completed: busy CA1, busy CA2",
    );
}

#[test]
fn what_is_odd_is_remarked_and_told_in_the_history() {
    let mut odd = document("busy CA1", true, &["busy CA1"]);
    odd.attempt_count = Some(3);
    let converted = of(odd, &policy(), NOW);
    assert_eq!(converted.remarks, ["`attempt_count` is 3, attempts known are 1"]);
    let message = "imported as `busy`, to be retried; `attempt_count` is 3, attempts known are 1".to_owned();
    assert_eq!(converted.step.events[0].kind, EventKind::Imported { message });
    let remarks =
        |said, retry, attempts: &[&str]| of(document(said, retry, attempts), &policy(), NOW).remarks;
    assert_eq!(
        remarks("busy CA2", true, &["busy CA1", "busy CA2", "busy CA3"]),
        ["`should_retry` is not followed: no attempt is left"]
    );
    assert_eq!(
        remarks("completed CA1", true, &["ringing CA1"]),
        [
            "the last attempt stood as `ringing`, the call as `completed`",
            "`should_retry` is not followed: the call is over",
        ]
    );
    assert_eq!(
        remarks("busy CA2", false, &["busy CA1"]),
        ["`twilio_sid` is no attempt's: an attempt of its own"]
    );
}

#[test]
fn a_retry_without_a_time_is_due_by_the_prototypes_delays() {
    for (attempts, minutes) in [(&["busy CA1"][..], 2), (&["busy CA1", "busy CA2"], 5)] {
        let mut document = document("busy", true, attempts);
        document.next_retry_at = None;
        document.attempts.last_mut().expect("there is one").at = Some(NOW);
        let call = of(document, &policy(), NOW).step.call;
        assert_eq!(call.next_retry_at(), Some(NOW + MINUTE * minutes));
    }
}

#[test]
fn times_that_are_missing_are_taken_from_what_is_near() {
    let mut document = document("busy CA2", false, &["busy CA1", "busy CA2"]);
    document.attempts[0].at = Some(begun() + MINUTE);
    document.updated_at = None;
    let call = of(document, &policy(), NOW).step.call;
    let times: Vec<Timestamp> = call.attempts.iter().map(|attempt| attempt.permit_at).collect();
    assert_eq!(times, [begun() + MINUTE; 2]);
    assert_eq!(call.updated_at, begun() + MINUTE);
}

#[test]
fn a_word_that_comes_late_is_weighed_as_ever() {
    let step = of(document("busy CA1", false, &["busy CA1"]), &policy(), NOW).step;
    let rules = domain::Rules {
        settle_after: MINUTE,
        silence_after: MINUTE,
        stop_on_unconfirmed: false,
        poll: false,
    };
    let moment = domain::Moment {
        now: NOW,
        dice: 0,
        rules: &rules,
    };
    let hear = |status, sequence| {
        let word = domain::Word::Known(status);
        let fact = domain::Fact {
            sequence: Some(sequence),
            ..domain::Fact::new(word, domain::Source::Callback)
        };
        let sid = Sid::new("CA1").expect("a leg's name");
        let attempt = None;
        let heard = domain::step(&step.call, domain::Input::Fact { attempt, sid, fact }, moment);
        heard.expect("it is taken").call.status()
    };
    assert_eq!(hear(AttemptStatus::Ringing, 9), CallStatus::Busy);
    assert_eq!(hear(AttemptStatus::Busy, 3), CallStatus::Busy);
    assert_eq!(hear(AttemptStatus::Completed, 3), CallStatus::Completed);
}

proptest! {
    #[test]
    fn no_document_makes_a_call_that_dials_without_reason(
        word in prop::sample::select(&CallStatus::ALL[..9]),
        retry: bool,
        leg in prop::option::of(1..5u32),
        tries in prop::collection::vec((prop::sample::select(&AttemptStatus::ALL[..8]), any::<bool>()), 0..5),
        max_attempts in prop::option::of(1..5u32),
    ) {
        let sid = |number: u32| Sid::new(&format!("CA{number}"));
        let mut document = document("queued", retry, &[]);
        document.status = word;
        document.sid = leg.and_then(sid);
        document.max_attempts = max_attempts;
        document.attempts = (1..)
            .zip(tries)
            .map(|(number, (status, placed))| Try {
                sid: if placed { sid(number) } else { None },
                status,
                at: None,
                error_message: None,
            })
            .collect();
        let call = of(document.clone(), &policy(), NOW).step.call;
        let numbers: Vec<u32> = call.attempts.iter().map(|attempt| attempt.number).collect();
        prop_assert_eq!(numbers, (1..).take(call.attempts.len()).collect::<Vec<u32>>());
        prop_assert!(call.attempts.len() >= document.attempts.len());
        let open = call.attempts.iter().filter(|attempt| attempt.is_open()).count();
        prop_assert_eq!(open, usize::from(call.is_live()));
        prop_assert!(call.attempts.iter().all(|attempt| !attempt.in_doubt()));
        prop_assert!(call.attempts.iter().all(|attempt| !attempt.is_open() || attempt.ask.is_some()));
        let reached = call.attempts.iter().any(|attempt| attempt.status == AttemptStatus::Completed);
        if call.due_at().is_some() {
            prop_assert!(retry || (word == CallStatus::Queued && call.attempts.is_empty()));
            prop_assert!(!reached && call.attempts.len() < call.request.policy.max_attempts as usize);
        }
        // Whatever the document named is known, so that a late callback finds its call.
        if let Some(sid) = &document.sid {
            prop_assert!(call.attempt_with(sid).is_some());
        }
    }
}

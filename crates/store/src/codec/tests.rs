//! What is written is read back as it was; what was once written is read for ever.

mod given;
mod written;

use domain::{AttemptStatus, CallStatus, Word};
use proptest::prelude::*;

use super::*;
use crate::changes::PermitState;

fn columns(call: &Call) -> CallColumns {
    CallColumns {
        id: call.id,
        user_id: call.request.user_id.clone(),
        to: call.request.to.clone(),
        from: call.request.from.clone(),
        created_at: call.created_at,
    }
}

#[track_caller]
fn check_call(call: &Call) {
    let written = write_call(call);
    let read = read_call(columns(call), &written).expect("our own writing");
    assert_eq!(read, *call, "{written}");
}

#[track_caller]
fn check_event(id: CallId, event: &Event) {
    let written = write_event(event);
    let read = read_event(id, event.at, &written).expect("our own writing");
    assert_eq!(read, *event, "{written}");
}

proptest! {
    #[test]
    fn any_call_and_its_history_are_read_back_as_they_were_written(
        request in given::request(),
        inputs in prop::collection::vec(given::input(), 0..25),
    ) {
        let (calls, events) = given::life(request, inputs);
        for call in &calls {
            check_call(call);
        }
        for event in &events {
            check_event(calls[0].id, event);
        }
    }

    #[test]
    fn any_fact_is_read_back_as_it_was_written(fact in given::fact()) {
        prop_assert_eq!(read_fact(&write_fact(&fact)).expect("our own writing"), fact);
    }
}

#[test]
fn what_nobody_wrote_is_broken_and_says_of_which_call() {
    let mut call = given::calls().remove(0).1;
    call.request.policy.machine_detection = domain::MachineDetection::Enable;
    let written = write_call(&call);
    for wrong in [
        "",
        "{}",
        "nonsense",
        &written[..written.len() - 1],
        &written.replace("waiting", "walking"),
        &written.replace("\"amd\":\"enable\"", "\"amd\":\"perhaps\""),
    ] {
        let error = read_call(columns(&call), wrong).expect_err(wrong);
        assert!(matches!(error, StoreError::Broken(..)), "{error:?}");
        assert!(error.to_string().contains(&call.id.to_string()), "{error}");
    }
    for wrong in [
        "",
        "{}",
        r#"{"kind":"fired"}"#,
        r#"{"kind":"ended","status":"gone","why":"x"}"#,
    ] {
        let error = read_event(call.id, call.created_at, wrong).expect_err(wrong);
        assert!(error.to_string().contains(&call.id.to_string()), "{error}");
    }
    for wrong in [
        "",
        "{}",
        r#"{"word":"unheard-of","source":"callback"}"#,
        r#"{"word":"busy","source":"rumour"}"#,
    ] {
        assert!(matches!(read_fact(wrong), Err(StoreError::Broken(..))), "{wrong}");
    }
}

#[test]
fn a_field_that_came_later_does_not_keep_an_older_reader_from_reading() {
    let call = given::calls().remove(0).1;
    let newer = write_call(&call).replacen('{', r#"{"colour":"red","#, 1);
    assert_eq!(
        read_call(columns(&call), &newer).expect("it passes over what it does not know"),
        call
    );
}

#[test]
fn a_word_that_the_record_has_no_name_for_keeps_its_spelling() {
    for text in ["parked", "?", "busy", "", "caf\u{e9} \"quoted\""] {
        let word = Word::Other(text.into());
        assert_eq!(words::word(&words::word_text(&word)), Some(word));
    }
    for status in AttemptStatus::ALL {
        let word = Word::Known(status);
        assert_eq!(words::word(&words::word_text(&word)), Some(word));
    }
    assert_eq!(words::word("queued"), Some(Word::Queued));
}

#[test]
fn a_code_keeps_its_meaning() {
    let statuses = [
        "queued",
        "initiated",
        "ringing",
        "in-progress",
        "completed",
        "busy",
        "no-answer",
        "failed",
        "canceled",
        "unconfirmed",
    ];
    for (code, word) in (0..).zip(statuses) {
        let status = CallStatus::from_word(word).expect(word);
        assert_eq!(
            (status_to_code(status), status_from_code(code)),
            (code, Some(status))
        );
    }
    let states = [
        PermitState::Granted,
        PermitState::NotSent,
        PermitState::Refused,
        PermitState::Placed,
        PermitState::InDoubt,
        PermitState::Unconfirmed,
    ];
    for (code, state) in (0..).zip(states) {
        assert_eq!(
            (permit_to_code(state), permit_from_code(code)),
            (code, Some(state))
        );
    }
    for code in [-1, 10, i64::MIN, i64::MAX] {
        assert_eq!(status_from_code(code), None);
    }
    assert_eq!((permit_from_code(-1), permit_from_code(6)), (None, None));
}

//! The written form itself, so that a change of it is seen and meant. A new optional field may
//! appear here; a line that disappears or changes its spelling makes what is stored unreadable.

use domain::{CallStatus, Event, EventKind, Fact, Hold, HoldReason, Sid, Source, Timestamp, Word};

use super::{check_call, check_event, given, read_call, read_event, read_fact};
use crate::codec::{write_call, write_event, write_fact};

const AT: Timestamp = Timestamp::from_millis(1_795_341_600_000);

#[test]
fn calls_are_written_so() {
    let mut text = String::new();
    for (name, call) in given::calls() {
        check_call(&call);
        text += &format!("{name}\n{}\n\n", write_call(&call));
    }
    insta::assert_snapshot!("calls", text);
}

fn facts() -> [Fact; 2] {
    let full = Fact {
        word: Word::Queued,
        source: Source::LookUp,
        sequence: Some(0),
        at: Some(AT),
        duration_seconds: Some(0),
        answered_by: Some("machine_start".into()),
        sip_response_code: Some(486),
        error_code: Some(13_224),
        error_message: Some("said \"no\"".into()),
    };
    [Fact::new(Word::Other("parked".into()), Source::Answer), full]
}

/// Every kind of entry, with and without what may be left out.
fn events() -> Vec<EventKind> {
    let attempt = 1;
    let sid = Sid::new("leg-1").expect("a valid name");
    let text = || String::from("a reason");
    let hold = |until| Hold {
        reason: HoldReason::LiveLimit,
        since: AT,
        until,
        message: text(),
    };
    let refused = |code| EventKind::Refused {
        attempt,
        code,
        message: text(),
    };
    let corrected = |attempt, from, to| EventKind::Corrected { attempt, from, to };
    let incident = |attempt| EventKind::Incident {
        attempt,
        what: text(),
    };
    let mut events = vec![
        EventKind::Accepted,
        EventKind::Held(hold(Some(AT))),
        EventKind::Held(hold(None)),
        EventKind::Sent { attempt, sid },
        EventKind::InDoubt { attempt, why: text() },
        refused(Some(21_211)),
        refused(None),
        EventKind::GivenBack { attempt, why: text() },
        EventKind::Unconfirmed { attempt },
        corrected(Some(1), CallStatus::Unconfirmed, CallStatus::InProgress),
        corrected(None, CallStatus::Busy, CallStatus::NoAnswer),
        incident(Some(1)),
        incident(None),
        EventKind::CancelRequested,
        EventKind::Imported { message: text() },
    ];
    events.extend(facts().map(|fact| EventKind::Heard { attempt, fact }));
    events.extend(CallStatus::ALL.map(|status| EventKind::Ended { status, why: text() }));
    events
}

#[test]
fn events_are_written_so() {
    let id = given::calls()[0].1.id;
    let mut text = String::new();
    for kind in events() {
        let event = Event { at: AT, kind };
        check_event(id, &event);
        text += &write_event(&event);
        text.push('\n');
    }
    insta::assert_snapshot!("events", text);
}

/// A call as the first version wrote it, with nothing that may be left out.
const FIRST_CALL: &str = r#"{"policy":{"max_attempts":3,"delays":[120000,300000,600000],"on":[true,true,true],"ring":60000,"limit":14400000,"give_up":86400000,"amd":"off"},"updated_at":1795341600000,"state":{"waiting":{"due_at":1795341600000,"try_at":1795341600000,"misses":0}}}"#;

#[test]
fn what_the_first_version_wrote_is_read() {
    let (_, call) = given::calls().remove(0);
    assert_eq!(
        read_call(super::columns(&call), FIRST_CALL).expect("it is read for ever"),
        call
    );
    let fact = Fact::new(Word::Queued, Source::Callback);
    assert_eq!(
        read_fact(r#"{"word":"queued","source":"callback"}"#).expect("it is read for ever"),
        fact
    );
    assert_eq!(write_fact(&fact), r#"{"word":"queued","source":"callback"}"#);
    let event = read_event(
        call.id,
        AT,
        r#"{"kind":"heard","attempt":2,"fact":{"word":"?parked","source":"look-up","seq":4}}"#,
    );
    let fact = Fact {
        sequence: Some(4),
        ..Fact::new(Word::Other("parked".into()), Source::LookUp)
    };
    let kind = EventKind::Heard { attempt: 2, fact };
    assert_eq!(event.expect("it is read for ever"), Event { at: AT, kind });
}

//! Who waits for a call, and what they are told.

use domain::step::{Input, Moment, accept, step};
use domain::{MachineDetection, Policy, Request, Rules, Sid, Timestamp, UserId};

use super::*;

fn call() -> Call {
    let minute = std::time::Duration::from_secs(60);
    let policy = Policy {
        max_attempts: 1,
        retry_delays: vec![minute],
        retry_on: domain::retry::RetryOn::default(),
        ring_timeout: minute,
        time_limit: minute,
        give_up_after: minute,
        machine_detection: MachineDetection::Off,
    };
    let request = Request {
        user_id: UserId::new("ann").expect("a plain word is a user id"),
        to: "+15550000001".parse().expect("a number"),
        from: "+15550000000".parse().expect("a number"),
        script: None,
        policy,
        scheduled_at: None,
        given: None,
    };
    accept(CallId::from_bytes([7; 16]), request, Timestamp::from_millis(0)).call
}

fn after(call: &Call, input: Input) -> Call {
    let minute = std::time::Duration::from_secs(60);
    let rules = Rules {
        settle_after: minute,
        silence_after: minute,
        stop_on_unconfirmed: false,
        poll: false,
    };
    let moment = Moment {
        now: Timestamp::from_millis(0),
        dice: 0,
        rules: &rules,
    };
    step(call, input, moment).expect("the step applies").call
}

fn placed() -> Call {
    let sid = Sid::new("CA1").expect("a leg's name");
    after(
        &after(&call(), Input::Due { held: None }),
        Input::Placed { attempt: 1, sid },
    )
}

#[test]
fn whoever_waits_is_told_once_it_is_decided() {
    let outcomes = Outcomes::default();
    let (mut one, mut other) = (outcomes.watch(call().id), outcomes.watch(call().id));
    outcomes.tell(&call());
    assert!(one.try_recv().is_err(), "nothing is decided yet");
    outcomes.tell(&placed());
    assert_eq!(one.try_recv(), Ok(Arc::new(placed())));
    assert_eq!(other.try_recv(), Ok(Arc::new(placed())));
    assert!(outcomes.lock().is_empty());
}

#[test]
fn a_doubt_is_no_decision() {
    let permitted = after(&call(), Input::Due { held: None });
    assert!(!is_decided(&permitted));
    assert!(!is_decided(&after(
        &permitted,
        Input::InDoubt {
            attempt: 1,
            why: "cut".to_owned()
        }
    )));
    let refused = Input::Refused {
        attempt: 1,
        code: None,
        message: "no".to_owned(),
    };
    assert!(is_decided(&after(&permitted, refused)));
    assert!(is_decided(&after(&call(), Input::Cancel)));
}

#[test]
fn nobody_who_went_away_is_remembered() {
    let outcomes = Outcomes::default();
    drop(outcomes.watch(call().id));
    let waiting = outcomes.watch(call().id);
    assert_eq!(outcomes.lock()[&call().id].len(), 1);
    outcomes.forget(call().id);
    assert_eq!(outcomes.lock()[&call().id].len(), 1, "one is still there");
    drop(waiting);
    outcomes.forget(call().id);
    assert!(outcomes.lock().is_empty());
}

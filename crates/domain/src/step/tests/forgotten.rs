//! Dials that the copy does not know of: which attempt a listed leg must be, and what the call makes of it.

use std::collections::HashSet;
use std::time::Duration;

use super::given::*;
use crate::call::Call;
use crate::event::EventKind;
use crate::fact::{Fact, Leg};
use crate::forgotten::{Verdict, judge};
use crate::ids::CallId;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::step::{Answer, Input};
use crate::time::Timestamp;

const SECOND: Duration = Duration::from_secs(1);

/// When the copy was made, in every story.
const COPIED: Timestamp = TEN_O_CLOCK;

fn leg(at: Timestamp, status: AttemptStatus) -> Leg {
    Leg {
        sid: stray_leg(),
        created_at: at,
        fact: fetched(status),
    }
}

/// The same call under another name.
fn named(life: &Life, name: u8) -> Call {
    Call {
        id: CallId::new(TEN_O_CLOCK, [name; 10]),
        ..life.call.clone()
    }
}

#[track_caller]
fn check(calls: &[Call], after: Duration, expected: &Verdict) {
    let verdict = judge(
        &leg(COPIED + after, AttemptStatus::Busy),
        calls,
        COPIED,
        &HashSet::new(),
    );
    assert_eq!(verdict, *expected);
}

#[test]
fn a_leg_is_the_next_attempt_of_the_only_call_that_could_have_made_it() {
    let next = |call: &Call| Verdict::Next(call.id);
    let queued = named(&Life::begin(), 1);
    check(std::slice::from_ref(&queued), MINUTE, &next(&queued));
    // Its retry was due two minutes later.
    let retried = named(&Life::begin().dialled().hears(1, AttemptStatus::Busy), 2);
    check(std::slice::from_ref(&retried), 2 * MINUTE, &next(&retried));
    check(std::slice::from_ref(&retried), 85 * SECOND, &next(&retried));
    // Live in the copy; that it is busy was learned just now.
    let live = Life::begin().dialled().after(HOUR).hears(1, AttemptStatus::Busy);
    let live = named(&live, 3);
    check(std::slice::from_ref(&live), 3 * MINUTE, &next(&live));

    let mut scheduled = request();
    scheduled.scheduled_at = Some(TEN_O_CLOCK + HOUR);
    let scheduled = named(&Life::of(scheduled), 4);
    check(&[queued.clone(), scheduled.clone()], MINUTE, &next(&queued));
    check(std::slice::from_ref(&scheduled), MINUTE, &Verdict::Nobodys);
    check(std::slice::from_ref(&scheduled), HOUR, &next(&scheduled));
}

#[test]
fn a_leg_is_of_the_dial_whose_permit_is_out_before_it_is_anybody_elses() {
    let out = named(&Life::begin().permitted(), 1);
    let waiting = named(&Life::begin(), 2);
    let calls = [out.clone(), waiting.clone()];
    check(&calls, SECOND, &Verdict::Attempt(out.id, 1));
    // Too long after it for its request.
    check(&calls, 2 * MINUTE, &Verdict::Next(waiting.id));
}

#[test]
fn a_leg_that_no_call_can_have_made_is_nobodys() {
    check(&[], MINUTE, &Verdict::Nobodys);
    let one = || Life::with(|policy| policy.max_attempts = 1);
    for life in [
        Life::begin().dialled().hears(1, AttemptStatus::InProgress),
        Life::begin().dialled().hears(1, AttemptStatus::Completed),
        one().dialled().hears(1, AttemptStatus::Busy),
        Life::begin().then(Input::Cancel),
    ] {
        check(&[named(&life, 1)], HOUR, &Verdict::Nobodys);
    }
    // Taken since the copy was put back: not dialled by anybody.
    let later = Call {
        created_at: COPIED + MINUTE,
        ..named(&Life::begin(), 1)
    };
    check(&[later], HOUR, &Verdict::Nobodys);
}

#[test]
fn a_leg_that_several_calls_can_have_made_is_given_to_none() {
    let (one, other) = (named(&Life::begin(), 1), named(&Life::begin(), 2));
    let expected = Verdict::OneOf(vec![one.id, other.id]);
    check(&[one, other], MINUTE, &expected);
}

#[test]
fn a_leg_is_first_of_all_the_attempts_that_has_none() {
    let doubted = named(&Life::begin().in_doubt(), 1);
    let other = named(&Life::begin(), 2);
    let calls = [doubted.clone(), other.clone()];
    check(&calls, 10 * SECOND, &Verdict::Attempt(doubted.id, 1));
    // Made too late for it.
    check(&calls, 2 * MINUTE, &Verdict::Next(other.id));
    let spoken_for = HashSet::from([(doubted.id, 1)]);
    let second = leg(COPIED + 20 * SECOND, AttemptStatus::Busy);
    assert_eq!(
        judge(&second, &calls, COPIED, &spoken_for),
        Verdict::Next(other.id)
    );
}

#[test]
fn what_was_unclear_stays_unclear_when_the_list_is_read_again() {
    let made_at = COPIED + MINUTE;
    let unclear = |name| {
        let life = Life::begin().after(HOUR).then(Input::Forgotten {
            leg: leg(made_at, AttemptStatus::Busy),
            is_certain: false,
        });
        named(&life, name)
    };
    let (one, other) = (unclear(1), unclear(2));
    let expected = Verdict::Unclear(vec![(one.id, 1), (other.id, 1)]);
    check(&[one, other], MINUTE, &expected);
}

#[test]
fn a_leg_made_right_after_one_that_was_taken_in_is_the_attempt_after_it() {
    let first = Leg {
        sid: leg_of(1),
        ..leg(COPIED + MINUTE, AttemptStatus::Busy)
    };
    let life = Life::begin().after(HOUR).then(Input::Forgotten {
        leg: first,
        is_certain: true,
    });
    let call = named(&life, 1);
    let next = Verdict::Next(call.id);
    check(&[call], 4 * MINUTE, &next);
}

#[test]
fn a_copy_made_right_after_an_attempt_ended_may_not_know_of_the_retry() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy);
    let call = named(&life, 1);
    let made_at = |copied_at: Timestamp| {
        let leg = leg(copied_at + 10 * SECOND, AttemptStatus::Busy);
        judge(&leg, std::slice::from_ref(&call), copied_at, &HashSet::new())
    };
    let ended_at = call.attempts[0].ended_at.expect("it was busy");
    // By one of the two clocks the copy may be older than the end, and the retry have had another time.
    assert_eq!(made_at(ended_at + 20 * SECOND), Verdict::Next(call.id));
    assert_eq!(made_at(ended_at + 40 * SECOND), Verdict::Nobodys);
}

#[test]
fn an_end_from_before_the_copy_that_is_heard_of_only_now_had_its_retry_long_ago() {
    let life = Life::begin().dialled();
    let (ended_at, copied_at) = (life.now + 5 * SECOND, life.now + 2 * MINUTE);
    let ended = Fact {
        at: Some(ended_at),
        ..fetched(AttemptStatus::Busy)
    };
    let life = life.after(HOUR).asked(1, Answer::Leg(ended));
    let call = named(&life, 1);
    assert_eq!(call.attempts[0].ended_at, Some(ended_at));
    // Whoever dialled from the original heard of it by asking, half a minute after the copy was made.
    let retry = leg(copied_at + 30 * SECOND, AttemptStatus::NoAnswer);
    let verdict = judge(&retry, std::slice::from_ref(&call), copied_at, &HashSet::new());
    assert_eq!(verdict, Verdict::Next(call.id));
}

#[test]
fn a_dial_that_is_taken_in_counts_and_the_policy_goes_on() {
    let made_at = TEN_O_CLOCK + MINUTE;
    let life = Life::begin().after(HOUR).then(Input::Forgotten {
        leg: leg(made_at, AttemptStatus::NoAnswer),
        is_certain: true,
    });
    life.check(CallStatus::NoAnswer, true, Some(2 * MINUTE));
    let attempt = &life.call.attempts[0];
    assert_eq!((attempt.permit_at, &attempt.sid), (made_at, &Some(stray_leg())));
    let told = |event: &crate::Event| matches!(event.kind, EventKind::Incident { attempt: Some(1), .. });
    assert!(life.events.iter().any(told));

    let answered = Life::begin().after(HOUR).then(Input::Forgotten {
        leg: leg(made_at, AttemptStatus::Completed),
        is_certain: true,
    });
    answered.check_over(CallStatus::Completed);
    let live = Life::begin().after(HOUR).then(Input::Forgotten {
        leg: leg(made_at, AttemptStatus::Ringing),
        is_certain: true,
    });
    live.check(CallStatus::Ringing, false, None);
    assert!(live.call.may_speak(1, &stray_leg()));
}

#[test]
fn a_dial_that_may_be_another_calls_is_unconfirmed_and_not_asked_about() {
    let life = Life::begin().after(HOUR).then(Input::Forgotten {
        leg: leg(TEN_O_CLOCK + MINUTE, AttemptStatus::Completed),
        is_certain: false,
    });
    life.check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
    assert_eq!(life.call.attempts[0].ask, None, "a question would find that leg");
    // Whose it is may still be told.
    let told = life.hears(1, AttemptStatus::Completed);
    told.check_over(CallStatus::Completed);
}

#[test]
fn a_call_that_is_not_waiting_takes_in_nothing() {
    let forgotten = || Input::Forgotten {
        leg: leg(TEN_O_CLOCK, AttemptStatus::Busy),
        is_certain: true,
    };
    let refused = |life: Life| life.attempted(forgotten()).err();
    assert_eq!(refused(Life::begin().permitted()), Some(Refusal::Busy));
    assert_eq!(refused(Life::begin().dialled()), Some(Refusal::Busy));
    let over = Life::begin().dialled().hears(1, AttemptStatus::Completed);
    assert_eq!(refused(over), Some(Refusal::AlreadyOver));
}

//! How an attempt ends and what that means for its call: one test for each row of the table that
//! people are promised, and the delays between attempts to the millisecond.

use std::time::Duration;

use super::given::*;
use crate::call::CallState;
use crate::event::{EventKind, HoldReason};
use crate::fact::{Fact, Source, Word};
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::retry::RetryOn;
use crate::step::Input;

#[test]
fn a_call_waits_for_its_first_dial() {
    let life = Life::begin();
    life.check(CallStatus::Queued, false, None);
    assert_eq!(life.call.due_at(), Some(life.now));
    assert_eq!(life.call.attempts, []);
}

#[test]
fn a_scheduled_call_is_not_dialed_before_its_time() {
    let mut request = request();
    request.scheduled_at = Some(TEN_O_CLOCK + HOUR);
    let life = Life::of(request).after(HOUR - Duration::from_millis(1));
    assert_eq!(life.refusal(DUE), Refusal::NotDue);
    let waits =
        |kind: &EventKind| matches!(kind, EventKind::Held(hold) if hold.reason == HoldReason::Schedule);
    assert_eq!(life.count(waits), 1, "and its history says so");
    assert_eq!(Life::begin().count(waits), 0);
    life.after(Duration::from_millis(1)).then(DUE);
}

#[test]
fn a_schedule_in_the_past_is_due_at_once() {
    let mut request = request();
    request.scheduled_at = Some(TEN_O_CLOCK - HOUR);
    assert_eq!(Life::of(request).call.due_at(), Some(TEN_O_CLOCK));
}

#[test]
fn a_granted_permit_shows_nothing_until_its_fate_is_known() {
    let life = Life::begin().permitted();
    life.check(CallStatus::Queued, false, None);
    assert_eq!(life.call.attempts, []);
    assert!(life.call.is_live(), "but it takes one of the lines");
}

#[test]
fn a_placed_call_is_initiated_and_has_one_attempt() {
    let life = Life::begin().dialled();
    life.check(CallStatus::Initiated, false, None);
    assert_eq!(life.statuses(), [AttemptStatus::Initiated]);
    assert_eq!(life.record(1).sid, Some(leg_of(1)));
    assert_eq!(life.record(1).permit_at, TEN_O_CLOCK);
}

#[test]
fn live_words_move_a_call_forward() {
    let queued = Fact::new(Word::Queued, Source::Callback);
    let life = Life::begin().dialled().then(fact(1, queued));
    life.check(CallStatus::Initiated, false, None);
    let life = life.hears(1, AttemptStatus::Ringing);
    life.check(CallStatus::Ringing, false, None);
    let life = life.hears(1, AttemptStatus::InProgress);
    life.check(CallStatus::InProgress, false, None);
    assert_eq!(life.statuses(), [AttemptStatus::InProgress]);
}

#[test]
fn live_words_never_move_a_call_backwards() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::InProgress);
    let life = life
        .hears(1, AttemptStatus::Ringing)
        .hears(1, AttemptStatus::Initiated);
    life.check(CallStatus::InProgress, false, None);
}

#[test]
fn live_words_after_a_final_one_change_nothing() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy);
    let due_in = life.due_in();
    let life = life
        .hears(1, AttemptStatus::InProgress)
        .hears(1, AttemptStatus::Ringing);
    life.check(CallStatus::Busy, true, due_in);
    assert_eq!(life.corrections(), []);
}

#[test]
fn an_answered_call_is_over() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
    assert_eq!(life.endings(), [CallStatus::Completed]);
    assert_eq!(life.call.check_at(), None);
}

#[test]
fn busy_no_answer_and_failed_are_dialed_again_after_the_delay() {
    for (word, shown) in [
        (AttemptStatus::Busy, CallStatus::Busy),
        (AttemptStatus::NoAnswer, CallStatus::NoAnswer),
        (AttemptStatus::Failed, CallStatus::Failed),
    ] {
        let life = Life::begin().dialled().hears(1, word);
        life.check(shown, true, Some(2 * MINUTE));
        let early = life.clone().after(2 * MINUTE - Duration::from_millis(1));
        assert_eq!(early.refusal(DUE), Refusal::NotDue);
        let life = life.after(2 * MINUTE).then(DUE).placed(2);
        life.check(CallStatus::Initiated, false, None);
        assert_eq!(life.statuses(), [word, AttemptStatus::Initiated]);
    }
}

#[test]
fn the_delays_are_two_five_and_ten_minutes_and_the_last_repeats() {
    let mut life = Life::with(|policy| policy.max_attempts = 6);
    let mut delays = Vec::new();
    for attempt in 1..=5 {
        life = life.dialled().hears(attempt, AttemptStatus::Busy);
        delays.push(life.due_in().expect("attempts are left"));
    }
    assert_eq!(delays, [2, 5, 10, 10, 10].map(|minutes| minutes * MINUTE));
    life.dialled()
        .hears(6, AttemptStatus::Busy)
        .check_over(CallStatus::Busy);
}

#[test]
fn the_delay_counts_from_when_the_end_was_heard() {
    let late = Fact {
        at: Some(TEN_O_CLOCK),
        ..pushed(AttemptStatus::Busy)
    };
    let life = Life::begin().dialled().after(MINUTE).then(fact(1, late));
    assert_eq!(life.due_in(), Some(2 * MINUTE));
    assert_eq!(
        life.record(1).ended_at,
        Some(TEN_O_CLOCK),
        "the carrier's own time is kept"
    );
}

#[test]
fn the_last_attempts_word_is_the_calls_when_none_is_left() {
    for (word, shown) in [
        (AttemptStatus::Busy, CallStatus::Busy),
        (AttemptStatus::NoAnswer, CallStatus::NoAnswer),
        (AttemptStatus::Failed, CallStatus::Failed),
    ] {
        let mut life = Life::begin();
        for attempt in 1..=3 {
            life = life.dialled().hears(attempt, word);
        }
        life.check_over(shown);
        assert_eq!(life.call.attempts.len(), 3);
        assert_eq!(life.endings(), [shown]);
    }
}

#[test]
fn a_call_that_the_carrier_canceled_is_over() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Canceled);
    life.check_over(CallStatus::Canceled);
    assert_eq!(life.call.cancel_requested_at, None);
}

#[test]
fn an_ending_outside_the_policys_set_is_not_tried_again() {
    let life = Life::with(|policy| {
        policy.retry_on = RetryOn {
            busy: false,
            ..RetryOn::default()
        };
    });
    life.clone()
        .dialled()
        .hears(1, AttemptStatus::Busy)
        .check_over(CallStatus::Busy);
    let life = life.dialled().hears(1, AttemptStatus::NoAnswer);
    life.check(CallStatus::NoAnswer, true, Some(2 * MINUTE));
}

#[test]
fn a_call_refused_for_good_is_failed_and_the_refusal_is_in_its_record() {
    let life = Life::begin().permitted().then(refused(1));
    life.check_over(CallStatus::Failed);
    let record = life.record(1);
    assert_eq!((record.status, record.refused), (AttemptStatus::Failed, true));
    assert_eq!(record.error_code, Some(21_211));
    assert_eq!(record.error_message.as_deref(), Some("the number is not valid"));
}

#[test]
fn a_retry_refused_for_good_ends_the_call_although_attempts_are_left() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy);
    let life = life.permitted().then(refused(2));
    life.check_over(CallStatus::Failed);
    assert_eq!(life.statuses(), [AttemptStatus::Busy, AttemptStatus::Failed]);
}

#[test]
fn a_refusal_needs_a_permit() {
    assert_eq!(Life::begin().refusal(refused(1)), Refusal::NoSuchAttempt);
    let over = Life::with(|policy| policy.max_attempts = 1)
        .dialled()
        .hears(1, AttemptStatus::Busy);
    assert_eq!(over.refusal(refused(2)), Refusal::NoSuchAttempt);
}

#[test]
fn an_unknown_word_is_written_down_and_moves_nothing() {
    let parked = Fact::new(Word::Other("parked".into()), Source::Callback);
    let life = Life::begin()
        .dialled()
        .hears(1, AttemptStatus::Ringing)
        .then(fact(1, parked.clone()));
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(
        life.count(|kind| matches!(kind, EventKind::Heard { fact, .. } if *fact == parked)),
        1
    );
}

#[test]
fn a_repeated_callback_is_known_already() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Ringing);
    assert_eq!(
        life.refusal(fact(1, pushed(AttemptStatus::Ringing))),
        Refusal::AlreadyKnown
    );
    let life = life.hears(1, AttemptStatus::Busy);
    assert_eq!(
        life.refusal(fact(1, pushed(AttemptStatus::Busy))),
        Refusal::AlreadyKnown
    );
}

#[test]
fn a_flood_of_callbacks_leaves_a_bounded_record() {
    let mut life = Life::begin().dialled();
    for sequence in 0..1_000 {
        life = life.perhaps(fact(1, numbered(AttemptStatus::Ringing, sequence)));
    }
    assert_eq!(life.record(1).heard.len(), limits::FACTS_REMEMBERED);
    assert!(
        life.events.len() < 2 * limits::FACTS_REMEMBERED,
        "{}",
        life.events.len()
    );
}

#[test]
fn a_callback_of_an_earlier_attempt_does_not_touch_the_live_one() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy).dialled();
    let life = life.hears(2, AttemptStatus::InProgress);
    let life = life.then(fact(1, numbered(AttemptStatus::Busy, 9)));
    life.check(CallStatus::InProgress, false, None);
    let life = life.hears(2, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
    assert_eq!(life.statuses(), [AttemptStatus::Busy, AttemptStatus::Completed]);
}

#[test]
fn what_the_carrier_tells_of_an_end_is_kept() {
    let told = Fact {
        at: Some(TEN_O_CLOCK + MINUTE),
        duration_seconds: Some(31),
        answered_by: Some("machine_start".into()),
        sip_response_code: Some(200),
        error_message: Some("x".repeat(2 * limits::WORDS_KEPT)),
        ..numbered(AttemptStatus::Completed, 3)
    };
    let life = Life::begin().dialled().then(fact(1, told));
    let record = life.record(1);
    assert_eq!(record.ended_at, Some(TEN_O_CLOCK + MINUTE));
    assert_eq!(
        (record.duration_seconds, record.sip_response_code),
        (Some(31), Some(200))
    );
    assert_eq!(record.answered_by.as_deref(), Some("machine_start"));
    assert_eq!(
        record.error_message.as_ref().map(String::len),
        Some(limits::WORDS_KEPT)
    );
}

#[test]
fn a_dial_out_of_a_live_call_is_impossible() {
    let permit_out = Life::begin().permitted();
    assert_eq!(permit_out.refusal(DUE), Refusal::Busy);
    let live = permit_out.placed(1);
    assert_eq!(live.refusal(DUE), Refusal::Busy);
    assert!(matches!(live.call.state, CallState::Live));
    let doubt = Life::begin().in_doubt();
    assert_eq!(doubt.refusal(DUE), Refusal::Busy);
}

#[test]
fn an_answer_to_a_dial_that_a_callback_overtook_changes_nothing() {
    let life = Life::begin().permitted().hears(1, AttemptStatus::Ringing);
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(life.record(1).permit_at, TEN_O_CLOCK);
    let sid = leg_of(1);
    assert_eq!(
        life.refusal(Input::Placed { attempt: 1, sid }),
        Refusal::AlreadyKnown
    );
    assert_eq!(life.refusal(refused(1)), Refusal::AlreadyKnown);
    let why = "cut".to_owned();
    assert_eq!(
        life.refusal(Input::InDoubt { attempt: 1, why }),
        Refusal::AlreadyKnown
    );
    let reason = crate::event::HoldReason::Carrier;
    assert_eq!(life.refusal(not_sent(1, reason, None)), Refusal::AlreadyKnown);
}

#[test]
fn a_callback_may_even_say_the_end_before_the_answer_to_the_dial() {
    let life = Life::begin().permitted().hears(1, AttemptStatus::Busy);
    life.check(CallStatus::Busy, true, Some(2 * MINUTE));
    let sid = leg_of(1);
    assert_eq!(
        life.refusal(Input::Placed { attempt: 1, sid }),
        Refusal::AlreadyKnown
    );
    assert_eq!(life.call.attempts.len(), 1);
}

#[test]
fn a_call_says_when_it_last_changed() {
    let life = Life::begin().after(MINUTE).dialled();
    assert_eq!(
        (life.call.created_at, life.call.updated_at),
        (TEN_O_CLOCK, TEN_O_CLOCK + MINUTE)
    );
    let mut set_back = life;
    set_back.now = TEN_O_CLOCK;
    let life = set_back.hears(1, AttemptStatus::Ringing);
    assert_eq!(
        life.call.updated_at,
        TEN_O_CLOCK + MINUTE,
        "never earlier than before"
    );
}

#[test]
fn the_history_says_why_no_further_attempt_is_made() {
    let why = |life: Life| {
        let mut whys = life.events.into_iter().filter_map(|event| match event.kind {
            EventKind::Ended { why, .. } => Some(why),
            _ => None,
        });
        whys.next().expect("it has ended")
    };
    let one = || Life::with(|policy| policy.max_attempts = 1);
    let ended = |life: Life, status| why(life.dialled().hears(1, status));
    assert_eq!(
        why(Life::begin().permitted().then(refused(1))),
        "the carrier refused the call"
    );
    assert_eq!(
        ended(Life::begin(), AttemptStatus::Canceled),
        "the carrier canceled the call"
    );
    assert_eq!(
        ended(one(), AttemptStatus::Busy),
        "no attempt is left, or this ending is not retried"
    );
    assert_eq!(
        ended(Life::begin(), AttemptStatus::Completed),
        "the call was answered"
    );
}

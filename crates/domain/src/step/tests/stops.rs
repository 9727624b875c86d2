//! Calls that are stopped: canceled at any moment of their life, or given up for having waited too
//! long.

use std::time::Duration;

use super::given::*;
use crate::effect::Effect;
use crate::event::{EventKind, HoldReason};
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::step::{Answer, Input};

fn hang_up(attempt: u32) -> Vec<Effect> {
    let sid = leg_of(attempt);
    vec![Effect::HangUp { attempt, sid }]
}

#[test]
fn a_waiting_call_is_canceled_at_once() {
    let queued = Life::begin().then(Input::Cancel);
    queued.check_over(CallStatus::Canceled);
    assert_eq!(queued.call.cancel_requested_at, Some(TEN_O_CLOCK));
    let retry = Life::begin()
        .dialled()
        .hears(1, AttemptStatus::Busy)
        .then(Input::Cancel);
    retry.check_over(CallStatus::Canceled);
    assert_eq!(
        retry.statuses(),
        [AttemptStatus::Busy],
        "the attempt keeps its word"
    );
    let unconfirmed = Life::begin().unconfirmed().then(Input::Cancel);
    unconfirmed.check_over(CallStatus::Canceled);
}

#[test]
fn a_cancel_repeated_is_known_and_one_too_late_is_refused() {
    let life = Life::begin().then(Input::Cancel);
    assert_eq!(life.refusal(Input::Cancel), Refusal::AlreadyKnown);
    let live = Life::begin().dialled().then(Input::Cancel);
    assert_eq!(live.refusal(Input::Cancel), Refusal::AlreadyKnown);
    let over = Life::begin().dialled().hears(1, AttemptStatus::Completed);
    assert_eq!(over.refusal(Input::Cancel), Refusal::AlreadyOver);
}

#[test]
fn a_live_call_is_hung_up_and_canceled_once_nothing_of_it_is_live() {
    for (word, kept) in [
        (AttemptStatus::Completed, AttemptStatus::Completed),
        (AttemptStatus::Canceled, AttemptStatus::Canceled),
        (AttemptStatus::Busy, AttemptStatus::Busy),
    ] {
        let life = Life::begin()
            .dialled()
            .hears(1, AttemptStatus::Ringing)
            .then(Input::Cancel);
        life.check(CallStatus::Ringing, false, None);
        assert_eq!(life.effects(), hang_up(1));
        assert!(!life.call.may_speak(1, &leg_of(1)));
        let life = life.hears(1, word);
        life.check_over(CallStatus::Canceled);
        assert_eq!(life.statuses(), [kept]);
    }
}

#[test]
fn a_call_in_doubt_is_hung_up_when_its_leg_is_known() {
    let life = Life::begin()
        .in_doubt()
        .asked(1, Answer::Nothing)
        .then(Input::Cancel);
    assert_eq!(
        life.effects(),
        [Effect::Find { attempt: 1 }],
        "asked again at once"
    );
    let life = life.lists(1, leg_of(1), fetched(AttemptStatus::Ringing));
    assert_eq!(life.effects(), hang_up(1));
    life.hears(1, AttemptStatus::Canceled)
        .check_over(CallStatus::Canceled);
}

#[test]
fn a_canceled_call_in_doubt_that_is_never_found_is_canceled() {
    let mut life = Life::begin().in_doubt().then(Input::Cancel);
    while life.record(1).is_open() {
        life = life.when_to_ask(1).asked(1, Answer::Nothing);
    }
    life.check_over(CallStatus::Canceled);
    let late = life.after(HOUR).hears(1, AttemptStatus::Ringing);
    assert!(late.call.is_over());
    assert_eq!(late.effects(), hang_up(1));
    let late = late.hears(1, AttemptStatus::Completed);
    late.check_over(CallStatus::Canceled);
    assert_eq!(
        late.statuses(),
        [AttemptStatus::Completed],
        "the record tells the carrier's truth"
    );
}

#[test]
fn a_cancel_while_the_permit_is_out_waits_for_its_fate() {
    let life = Life::begin().permitted().then(Input::Cancel);
    life.check(CallStatus::Queued, false, None);
    assert!(!life.call.is_over(), "a phone may ring yet");
    life.clone()
        .placed(1)
        .hears(1, AttemptStatus::Canceled)
        .check_over(CallStatus::Canceled);
    assert_eq!(life.clone().placed(1).effects(), hang_up(1));
    life.clone().then(refused(1)).check_over(CallStatus::Canceled);
    let given_back = life.not_sent(1, HoldReason::Carrier);
    given_back.check_over(CallStatus::Canceled);
    let held = given_back.count(|kind| matches!(kind, EventKind::Held(_)));
    assert_eq!(held, 0, "nothing is tried again");
}

#[test]
fn hanging_up_is_tried_again_at_growing_gaps_until_the_leg_is_over() {
    let mut life = Life::begin().dialled();
    for _ in 0..6 {
        life = life.when_to_ask(1).asked(1, Answer::Failed("no answer".into()));
    }
    life = life.then(Input::Cancel);
    let mut gaps = Vec::new();
    for _ in 0..8 {
        assert_eq!(life.effects(), hang_up(1));
        let asked_at = life.now;
        let still = Answer::Leg(fetched(AttemptStatus::InProgress));
        life = life.asked(1, still).when_to_ask(1);
        gaps.push(life.now.since(asked_at).as_secs());
    }
    assert_eq!(
        gaps,
        [1, 2, 4, 8, 16, 32, 60, 60],
        "the first comes soon, however long it was silent before"
    );
    life.asked(1, Answer::Leg(fetched(AttemptStatus::Completed)))
        .check_over(CallStatus::Canceled);
}

#[test]
fn a_leg_of_a_canceled_call_that_was_believed_not_sent_is_hung_up() {
    let life = Life::begin()
        .permitted()
        .then(Input::Cancel)
        .not_sent(1, HoldReason::Carrier);
    let life = life.hears(1, AttemptStatus::Ringing);
    assert_eq!(life.effects(), hang_up(1));
    assert_eq!(life.call.attempts.len(), 1, "it rang, so it counts");
    life.hears(1, AttemptStatus::Canceled)
        .check_over(CallStatus::Canceled);
}

#[test]
fn a_call_revived_by_late_proof_can_be_canceled() {
    let life = Life::stopping()
        .unconfirmed()
        .hears(1, AttemptStatus::Ringing)
        .then(Input::Cancel);
    assert_eq!(life.effects(), hang_up(1));
    let life = life.hears(1, AttemptStatus::Canceled);
    life.check_over(CallStatus::Canceled);
    let last = life.corrections().pop();
    assert_eq!(last, Some((None, CallStatus::Unconfirmed, CallStatus::Canceled)));
}

#[test]
fn a_dial_that_waited_too_long_is_not_made_and_no_attempt_is_used() {
    let life = Life::begin().then(held(HoldReason::Account));
    let early = life.clone().after(24 * HOUR - Duration::from_millis(1));
    assert_eq!(early.refusal(Input::GiveUp), Refusal::NotDue);
    let life = life.after(24 * HOUR);
    assert_eq!(life.effects(), [Effect::GiveUp]);
    assert_eq!(life.refusal(DUE), Refusal::NotDue);
    let life = life.then(Input::GiveUp);
    life.check_over(CallStatus::Failed);
    assert_eq!(life.call.attempts, []);
    let Some(EventKind::Ended { why, .. }) = life.events.last().map(|event| event.kind.clone()) else {
        panic!("the history says how it ended");
    };
    assert!(
        why.contains("1d") && why.contains("account is in the way"),
        "{why}"
    );
}

#[test]
fn patience_counts_from_when_the_dial_was_due() {
    let mut scheduled = request();
    scheduled.scheduled_at = Some(TEN_O_CLOCK + 48 * HOUR);
    let life = Life::of(scheduled).after(48 * HOUR);
    assert_eq!(life.refusal(Input::GiveUp), Refusal::NotDue);
    life.after(24 * HOUR)
        .then(Input::GiveUp)
        .check_over(CallStatus::Failed);
    let retry = Life::begin()
        .after(23 * HOUR)
        .dialled()
        .hears(1, AttemptStatus::Busy);
    let due_at = retry.call.due_at().expect("a retry follows");
    assert_eq!(retry.call.give_up_at(), Some(due_at + 24 * HOUR));
    let over = retry.when_due().after(24 * HOUR).then(Input::GiveUp);
    over.check_over(CallStatus::Failed);
    assert_eq!(over.statuses(), [AttemptStatus::Busy]);
}

#[test]
fn only_a_waiting_call_is_given_up() {
    let later = |life: Life| life.after(48 * HOUR);
    assert_eq!(
        later(Life::begin().permitted()).refusal(Input::GiveUp),
        Refusal::Busy
    );
    assert_eq!(
        later(Life::begin().dialled()).refusal(Input::GiveUp),
        Refusal::Busy
    );
    assert_eq!(
        later(Life::begin().in_doubt()).refusal(Input::GiveUp),
        Refusal::Busy
    );
    assert_eq!(
        later(Life::begin().then(Input::Cancel)).refusal(Input::GiveUp),
        Refusal::AlreadyOver
    );
}

//! Which leg is an attempt's own: the first that is known. Any other is hung up, and nothing that it
//! says counts.

use super::given::*;
use crate::effect::Effect;
use crate::event::{EventKind, HoldReason};
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::step::{Answer, Input};

fn of_stray(attempt: Option<u32>, status: AttemptStatus) -> Input {
    Input::Fact {
        attempt,
        sid: stray_leg(),
        fact: pushed(status),
    }
}

fn incidents(life: &Life) -> usize {
    life.count(|kind| matches!(kind, EventKind::Incident { .. }))
}

#[test]
fn a_second_leg_is_an_incident_and_is_hung_up_at_once() {
    let attempt = 1;
    let by_callback = of_stray(Some(attempt), AttemptStatus::Ringing);
    let sid = stray_leg();
    let by_answer = Input::Placed { attempt, sid };
    for second in [by_callback, by_answer] {
        let life = Life::begin()
            .dialled()
            .hears(1, AttemptStatus::Ringing)
            .then(second);
        assert_eq!(incidents(&life), 1);
        let sid = stray_leg();
        assert_eq!(life.effects(), [Effect::HangUp { attempt, sid }]);
        assert!(!life.call.may_speak(1, &stray_leg()));
        assert!(life.call.may_speak(1, &leg_of(1)));
        assert_eq!(life.record(1).sid, Some(leg_of(1)));
        life.check(CallStatus::Ringing, false, None);
    }
}

#[test]
fn what_a_second_leg_says_is_not_the_attempts() {
    let life = Life::begin()
        .dialled()
        .then(of_stray(Some(1), AttemptStatus::Ringing));
    assert_eq!(
        life.refusal(of_stray(Some(1), AttemptStatus::InProgress)),
        Refusal::AlreadyKnown
    );
    let life = life.then(of_stray(Some(1), AttemptStatus::Completed));
    life.check(CallStatus::Initiated, false, None);
    assert_eq!(life.effects(), [], "it is over, so it need not be hung up");
    assert_eq!(
        life.refusal(of_stray(Some(1), AttemptStatus::Completed)),
        Refusal::AlreadyKnown
    );
}

#[test]
fn a_second_leg_is_hung_up_even_after_the_call_is_over() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Completed);
    let life = life
        .after(MINUTE)
        .then(of_stray(Some(1), AttemptStatus::InProgress));
    life.check_over(CallStatus::Completed);
    let sid = stray_leg();
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 1, sid }]);
}

#[test]
fn hanging_up_a_second_leg_is_tried_until_it_is_done() {
    let hung_up = |done| Input::HungUp {
        sid: stray_leg(),
        done,
    };
    let mut life = Life::begin()
        .dialled()
        .then(of_stray(Some(1), AttemptStatus::Ringing));
    let mut gaps = Vec::new();
    for _ in 0..8 {
        life = life.then(hung_up(false));
        let ask = life.call.extras[0].hang_up.expect("it is to be tried again");
        gaps.push(ask.at.since(life.now).as_secs());
        life.now = ask.at;
    }
    assert_eq!(gaps, [1, 2, 4, 8, 16, 32, 60, 60]);
    let done = life.clone().then(hung_up(true));
    assert_eq!(done.call.extras[0].hang_up, None);
    assert_eq!(done.refusal(hung_up(true)), Refusal::AlreadyKnown);
    let since = life.call.extras[0].hang_up.expect("it is tried still").since;
    life.now = since + limits::UNCONFIRMED_FOR;
    let given_up = life.then(hung_up(false));
    assert_eq!(given_up.call.extras[0].hang_up, None, "no leg lives that long");
}

#[test]
fn more_stray_legs_than_are_remembered_change_nothing() {
    let mut life = Life::begin().dialled();
    for number in 0..30 {
        let sid = leg_of(100 + number);
        life = life.perhaps(Input::Placed { attempt: 1, sid });
    }
    assert_eq!(life.call.extras.len(), limits::EXTRAS);
    assert_eq!(life.record(1).sid, Some(leg_of(1)));
}

#[test]
fn a_request_about_an_attempts_leg_that_names_another_attempt_is_an_incident_only() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy).dialled();
    let before = life.call.clone();
    let crossed = Input::Fact {
        attempt: Some(2),
        sid: leg_of(1),
        fact: pushed(AttemptStatus::Completed),
    };
    let life = life.then(crossed);
    assert_eq!(incidents(&life), 1);
    assert_eq!(life.call, before);
    let life = life.then(Input::Misdirected {
        attempt: 2,
        sid: stray_leg(),
    });
    assert_eq!(incidents(&life), 2);
    assert_eq!(life.call, before);
}

#[test]
fn a_leg_is_found_by_its_name_when_no_attempt_is_named() {
    let by_name = |status| Input::Fact {
        attempt: None,
        sid: leg_of(1),
        fact: pushed(status),
    };
    let life = Life::begin().dialled().then(by_name(AttemptStatus::Ringing));
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(
        life.refusal(of_stray(None, AttemptStatus::Ringing)),
        Refusal::NoSuchAttempt
    );
}

#[test]
fn a_leg_of_an_attempt_believed_not_sent_counts_and_withdraws_the_dial() {
    let life = Life::begin().permitted().not_sent(1, HoldReason::Carrier);
    let life = life.hears(1, AttemptStatus::Ringing);
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(incidents(&life), 1);
    assert_eq!(life.refusal(DUE), Refusal::Busy);
    assert_eq!(life.call.hold, None);
    life.hears(1, AttemptStatus::Busy)
        .check(CallStatus::Busy, true, Some(2 * MINUTE));
}

#[test]
fn a_call_that_ended_for_want_of_proof_says_that_a_leg_it_did_not_know_of_brings_it_to_life() {
    let life = Life::stopping().unconfirmed();
    life.check_over(CallStatus::Unconfirmed);
    let said = life.corrections();
    let life = life.hears(2, AttemptStatus::Ringing);
    life.check(CallStatus::Ringing, false, None);
    let to = CallStatus::Ringing;
    assert_eq!(
        life.corrections()[said.len()..],
        [(None, CallStatus::Unconfirmed, to)]
    );
}

#[test]
fn a_leg_of_an_attempt_far_beyond_the_next_is_nobodys() {
    let life = Life::begin();
    assert_eq!(
        life.refusal(fact(2, pushed(AttemptStatus::Ringing))),
        Refusal::NoSuchAttempt
    );
    let life = life.dialled();
    assert_eq!(
        life.refusal(fact(3, pushed(AttemptStatus::Ringing))),
        Refusal::NoSuchAttempt
    );
    assert_eq!(
        life.refusal(fact(0, pushed(AttemptStatus::Ringing))),
        Refusal::NoSuchAttempt
    );
    assert_eq!(
        life.refusal(fact(u32::MAX, pushed(AttemptStatus::Ringing))),
        Refusal::NoSuchAttempt
    );
    let while_the_permit_is_out = Life::begin().permitted();
    assert_eq!(
        while_the_permit_is_out.refusal(fact(2, pushed(AttemptStatus::Ringing))),
        Refusal::NoSuchAttempt
    );
}

#[test]
fn a_leg_beyond_the_next_attempt_never_speaks_beside_the_live_one() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::InProgress);
    let life = life.hears(2, AttemptStatus::InProgress);
    assert!(life.call.may_speak(1, &leg_of(1)));
    assert!(!life.call.may_speak(2, &leg_of(2)));
    let sid = leg_of(2);
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 2, sid }]);
}

#[test]
fn a_leg_beyond_the_policy_never_speaks() {
    let life = Life::with(|policy| policy.max_attempts = 1).unconfirmed();
    let life = life.hears(2, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(2, &leg_of(2)));
    assert_eq!(life.call.attempts.len(), 2, "it rang, so it is in the record");
}

#[test]
fn a_leg_after_the_end_of_its_call_never_speaks() {
    for word in [AttemptStatus::Completed, AttemptStatus::Canceled] {
        let life = Life::begin()
            .dialled()
            .hears(1, word)
            .hears(2, AttemptStatus::InProgress);
        assert!(life.call.is_over());
        assert!(!life.call.may_speak(2, &leg_of(2)));
    }
}

#[test]
fn the_first_leg_known_wins_even_against_the_answer_to_the_dial() {
    let life = Life::begin()
        .permitted()
        .then(of_stray(Some(1), AttemptStatus::Ringing));
    assert_eq!(life.record(1).sid, Some(stray_leg()));
    let life = life.placed(1);
    let sid = leg_of(1);
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 1, sid }]);
    assert_eq!(incidents(&life), 1);
}

#[test]
fn only_an_attempts_own_open_leg_may_speak() {
    let life = Life::begin().dialled();
    assert!(life.call.may_speak(1, &leg_of(1)));
    assert!(!life.call.may_speak(1, &stray_leg()));
    assert!(!life.call.may_speak(2, &leg_of(1)));
    let life = life.hears(1, AttemptStatus::Completed);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    let unconfirmed = Life::begin().unconfirmed();
    assert!(!unconfirmed.call.may_speak(1, &leg_of(1)));
}

#[test]
fn an_answer_about_an_attempt_that_does_not_exist_is_nobodys() {
    let asked = |attempt| Input::Asked {
        attempt,
        begun_at: TEN_O_CLOCK,
        answer: Answer::Nothing,
    };
    assert_eq!(Life::begin().refusal(asked(1)), Refusal::NoSuchAttempt);
    assert_eq!(Life::begin().dialled().refusal(asked(0)), Refusal::NoSuchAttempt);
    assert_eq!(Life::begin().dialled().refusal(asked(2)), Refusal::NoSuchAttempt);
}

#[test]
fn an_answer_with_another_attempts_leg_leaves_the_dial_in_doubt() {
    let attempt = 2;
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy).permitted();
    let sid = leg_of(1);
    let life = life.then(Input::Placed { attempt, sid });
    assert!(life.record(2).in_doubt());
    assert_eq!(life.call.extras, []);
    assert_eq!(life.effects(), [Effect::Find { attempt }]);
    let life = life.placed(2);
    let sid = leg_of(1);
    assert_eq!(
        life.refusal(Input::Placed { attempt, sid }),
        Refusal::AlreadyKnown
    );
}

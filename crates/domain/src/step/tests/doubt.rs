//! A dial of whose request nobody knows what became: looked up until it is found, or until there is
//! reason enough to call it unconfirmed.

use std::time::Duration;

use super::given::*;
use crate::effect::Effect;
use crate::event::{EventKind, HoldReason};
use crate::fact::Leg;
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::retry::RetryOn;
use crate::step::{Answer, Input};

#[test]
fn a_dial_in_doubt_counts_and_shows_as_initiated() {
    let life = Life::begin().in_doubt();
    life.check(CallStatus::Initiated, false, None);
    assert_eq!(life.call.attempts.len(), 1);
    assert_eq!(life.record(1).sid, None);
    assert_eq!(
        life.record(1).error_message.as_deref(),
        Some("cut after the last byte")
    );
    let waiting_for = life.call.waiting_for(life.now).expect("its fate is looked up");
    assert_eq!(waiting_for.reason, HoldReason::Settling);
}

#[test]
fn a_dial_in_doubt_is_looked_up_at_once_and_then_at_doubling_gaps() {
    let mut life = Life::begin().in_doubt();
    assert_eq!(life.effects(), [Effect::Find { attempt: 1 }]);
    let mut gaps = Vec::new();
    for _ in 0..8 {
        let asked_at = life.now;
        life = life.asked(1, Answer::Nothing).when_to_ask(1);
        gaps.push(life.now.since(asked_at).as_millis());
    }
    assert_eq!(gaps, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
}

#[test]
fn a_dial_in_doubt_is_looked_up_once_more_when_it_may_be_decided() {
    let mut life = Life::begin().in_doubt();
    while life.now < TEN_O_CLOCK + 2 * MINUTE {
        assert!(life.record(1).in_doubt());
        life = life.asked(1, Answer::Nothing).when_to_ask(1);
    }
    assert_eq!(life.now, TEN_O_CLOCK + 2 * MINUTE, "to the moment");
    life.asked(1, Answer::Nothing)
        .check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
}

#[test]
fn a_look_up_begun_too_early_proves_nothing_however_late_it_ends() {
    let life = Life::begin().in_doubt().after(3 * MINUTE);
    let begun_at = TEN_O_CLOCK + 2 * MINUTE - Duration::from_millis(1);
    let life = life.then(Input::Asked {
        attempt: 1,
        begun_at,
        answer: Answer::Nothing,
    });
    assert!(life.record(1).in_doubt());
}

#[test]
fn a_look_up_that_failed_proves_nothing() {
    let mut life = Life::begin().in_doubt();
    for _ in 0..100 {
        life = life.when_to_ask(1).asked(1, Answer::Failed("no answer".into()));
    }
    assert!(life.now > TEN_O_CLOCK + 20 * MINUTE);
    assert!(life.record(1).in_doubt());
    assert_eq!(life.refusal(DUE), Refusal::Busy);
}

#[test]
fn a_leg_that_the_list_shows_is_the_attempts_own() {
    let life = Life::begin()
        .in_doubt()
        .lists(1, leg_of(1), fetched(AttemptStatus::Ringing));
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(life.record(1).sid, Some(leg_of(1)));
    assert_eq!(life.record(1).error_message, None, "nothing went wrong after all");
    assert_eq!(life.count(|kind| matches!(kind, EventKind::Sent { .. })), 1);
}

#[test]
fn a_leg_that_the_list_shows_ended_ends_the_attempt() {
    let life = Life::begin()
        .in_doubt()
        .lists(1, leg_of(1), fetched(AttemptStatus::NoAnswer));
    life.check(CallStatus::NoAnswer, true, Some(2 * MINUTE));
}

#[test]
fn only_a_leg_made_at_the_time_of_the_permit_is_taken() {
    let second = Duration::from_secs(1);
    let first = TEN_O_CLOCK - limits::LEG_BEFORE_PERMIT;
    let last = TEN_O_CLOCK + limits::LEG_AFTER_PERMIT;
    for (created_at, taken) in [
        (first, true),
        (last, true),
        (first - second, false),
        (last + second, false),
    ] {
        let leg = Leg {
            sid: leg_of(1),
            created_at,
            fact: fetched(AttemptStatus::Ringing),
        };
        let life = Life::begin().in_doubt().asked(1, Answer::Legs(vec![leg]));
        assert_eq!(life.record(1).sid.is_some(), taken, "{created_at}");
    }
}

#[test]
fn of_several_legs_that_fit_none_is_taken() {
    let leg = |number| Leg {
        sid: leg_of(number),
        created_at: TEN_O_CLOCK,
        fact: fetched(AttemptStatus::Ringing),
    };
    let life = Life::begin().in_doubt().asked(1, Answer::Nothing).when_to_ask(1);
    let both = Answer::Legs(vec![leg(8), leg(9)]);
    let life = life.asked(1, both.clone()).when_to_ask(1).asked(1, both);
    assert!(life.record(1).in_doubt());
    let incidents = life.count(|kind| matches!(kind, EventKind::Incident { .. }));
    assert_eq!(incidents, 1, "said when it is first seen, and once");
}

#[test]
fn a_leg_that_the_call_knows_already_is_not_taken_for_another_attempts() {
    let stray = Input::Placed {
        attempt: 1,
        sid: stray_leg(),
    };
    let life = Life::begin().dialled().then(stray).hears(1, AttemptStatus::Busy);
    let life = life.in_doubt();
    for known in [leg_of(1), stray_leg()] {
        let life = life.clone().lists(2, known, fetched(AttemptStatus::Ringing));
        assert!(life.record(2).in_doubt());
    }
}

#[test]
fn any_word_of_the_leg_ends_the_doubt() {
    for word in [AttemptStatus::Initiated, AttemptStatus::InProgress] {
        let life = Life::begin().in_doubt().hears(1, word);
        assert_eq!(life.record(1).sid, Some(leg_of(1)));
        assert_eq!(life.record(1).status, word);
    }
    let placed_late = Life::begin().in_doubt().after(MINUTE).placed(1);
    placed_late.check(CallStatus::Initiated, false, None);
}

#[test]
fn an_unconfirmed_attempt_is_used_and_the_next_follows_as_after_busy() {
    let life = Life::begin().unconfirmed();
    life.check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
    assert_eq!(
        life.count(|kind| *kind == EventKind::Unconfirmed { attempt: 1 }),
        1
    );
    let life = life.unconfirmed();
    life.check(CallStatus::Unconfirmed, true, Some(5 * MINUTE));
    let life = life.unconfirmed();
    life.check_over(CallStatus::Unconfirmed);
    assert_eq!(life.statuses(), [AttemptStatus::Unconfirmed; 3]);
}

#[test]
fn an_unconfirmed_attempt_is_followed_where_a_busy_one_is() {
    let with = |busy| {
        Life::with(|policy| {
            policy.retry_on = RetryOn {
                busy,
                no_answer: false,
                failed: false,
            };
        })
    };
    with(true)
        .unconfirmed()
        .check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
    with(false).unconfirmed().check_over(CallStatus::Unconfirmed);
}

#[test]
fn the_operator_may_let_an_unconfirmed_attempt_end_the_call() {
    let life = Life::stopping().unconfirmed();
    life.check_over(CallStatus::Unconfirmed);
    assert_eq!(life.endings(), [CallStatus::Unconfirmed]);
}

#[test]
fn stopping_at_the_unconfirmed_does_not_touch_other_endings() {
    let life = Life::stopping().dialled().hears(1, AttemptStatus::Busy);
    life.check(CallStatus::Busy, true, Some(2 * MINUTE));
}

#[test]
fn an_unconfirmed_attempt_is_asked_about_for_a_day_more_ever_less_often() {
    let mut life = Life::stopping().unconfirmed();
    let ended_at = life.now;
    let (mut asked, mut longest) = (0, Duration::ZERO);
    while life.record(1).ask.is_some() {
        let before = life.now;
        life = life.when_to_ask(1);
        assert_eq!(life.effects(), [Effect::Find { attempt: 1 }]);
        longest = longest.max(life.now.since(before));
        life = life.asked(1, Answer::Legs(Vec::new()));
        asked += 1;
    }
    assert!(life.now.since(ended_at) >= limits::UNCONFIRMED_FOR);
    assert!((20..60).contains(&asked), "{asked} questions");
    assert_eq!(longest, HOUR);
    assert_eq!(life.call.check_at(), None);
    assert_eq!(life.statuses(), [AttemptStatus::Unconfirmed]);
}

#[test]
fn a_refusal_that_comes_while_in_doubt_decides() {
    let life = Life::begin().in_doubt().then(refused(1));
    life.check_over(CallStatus::Failed);
    assert!(life.record(1).refused);
}

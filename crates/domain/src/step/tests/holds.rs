//! Dials that are held back or given back: the same attempt keeps its turn, its due time and its
//! place before the limit of patience, and the history says why, once.

use std::time::Duration;

use super::given::*;
use crate::call::Closing;
use crate::event::{EventKind, Hold, HoldReason};
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::step::{Input, Moment, step};
use crate::time::Timestamp;

/// Seconds until the next try after each of so many refusals to take the dial, at the dice's worst.
fn gaps_of_a_storm(tries: usize) -> Vec<f64> {
    let mut life = Life::begin();
    let mut gaps = Vec::new();
    for _ in 0..tries {
        life = life.permitted();
        let moment = Moment {
            now: life.now,
            // The full gap: the least throw that is a multiple of every range, less one.
            dice: u64::MAX / 2,
            rules: &life.rules.clone(),
        };
        let taken = step(&life.call, not_sent(1, HoldReason::Carrier, None), moment);
        life.call = taken.expect("the permit is out").call;
        gaps.push(
            life.call
                .due_at()
                .expect("it waits")
                .since(life.now)
                .as_secs_f64(),
        );
    }
    gaps
}

#[test]
fn a_dial_proven_not_sent_keeps_its_attempt_and_its_due_time() {
    let life = Life::begin().permitted().not_sent(1, HoldReason::Carrier);
    life.check(CallStatus::Queued, false, None);
    assert_eq!(life.call.attempts, []);
    assert_eq!(life.call.give_up_at(), Some(TEN_O_CLOCK + 24 * HOUR));
    let life = life.dialled();
    assert_eq!(life.call.attempts.len(), 1);
    assert_eq!(life.record(1).number, 1);
}

#[test]
fn a_storm_of_429_backs_off_from_half_a_second_to_half_a_minute() {
    let mut ceiling = 0.5;
    for (tries, gap) in gaps_of_a_storm(12).into_iter().enumerate() {
        assert!((ceiling / 2.0..=ceiling).contains(&gap), "try {tries}: {gap} s");
        ceiling = f64::min(ceiling * 2.0, 30.0);
    }
}

#[test]
fn the_carriers_own_wish_is_obeyed() {
    let wish = Duration::from_secs(77);
    let life = Life::begin()
        .permitted()
        .then(not_sent(1, HoldReason::Carrier, Some(wish)));
    assert_eq!(life.call.due_at(), Some(life.now + wish));
    let waiting_for = life
        .call
        .waiting_for(life.now)
        .expect("the carrier asked us to wait");
    assert_eq!(
        (waiting_for.reason, waiting_for.until),
        (HoldReason::Carrier, Some(life.now + wish))
    );
}

#[test]
fn a_storm_does_not_move_the_moment_of_giving_up() {
    let mut life = Life::with(|policy| policy.give_up_after = 2 * MINUTE);
    let mut tries = 0;
    while life.clone().when_due().now < TEN_O_CLOCK + 2 * MINUTE {
        life = life.permitted().not_sent(1, HoldReason::Carrier);
        tries += 1;
    }
    assert!(tries > 5, "{tries}");
    let life = life.when_due();
    assert_eq!(life.refusal(DUE), Refusal::NotDue, "it waited too long by now");
    let life = life.then(Input::GiveUp);
    life.check_over(CallStatus::Failed);
    assert_eq!(life.call.attempts, []);
}

#[test]
fn a_long_trouble_is_one_entry_of_history() {
    let mut life = Life::begin();
    for _ in 0..50 {
        life = life.permitted().not_sent(1, HoldReason::Carrier);
    }
    assert_eq!(life.count(|kind| matches!(kind, EventKind::GivenBack { .. })), 1);
    assert_eq!(life.count(|kind| matches!(kind, EventKind::Held(_))), 1);
    let hold = life.call.hold.expect("it is still in the way");
    assert_eq!(hold.since, TEN_O_CLOCK, "since the first time");
}

#[test]
fn another_trouble_is_another_entry() {
    let life = Life::begin()
        .then(held(HoldReason::Carrier))
        .when_due()
        .then(held(HoldReason::Pair));
    let reasons: Vec<_> = life
        .events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Held(hold) => Some(hold.reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [HoldReason::Carrier, HoldReason::Pair]);
    assert_eq!(life.call.hold.as_ref().map(|hold| hold.since), Some(life.now));
}

#[test]
fn a_dial_to_a_taken_pair_is_tried_again_soon() {
    let life = Life::begin().then(held(HoldReason::Pair));
    assert_eq!(life.call.due_at(), Some(life.now + limits::PAIR_GAP));
}

#[test]
fn other_obstacles_say_themselves_when_they_are_gone() {
    for reason in [
        HoldReason::Account,
        HoldReason::Paused,
        HoldReason::LiveLimit,
        HoldReason::Pace,
    ] {
        let life = Life::begin().then(held(reason));
        assert_eq!(life.call.due_at(), Some(life.now));
        assert_eq!(
            life.call.waiting_for(life.now).map(|hold| hold.reason),
            Some(reason)
        );
    }
}

#[test]
fn an_obstacle_of_another_kind_does_not_lengthen_the_back_off() {
    let mut life = Life::begin();
    for _ in 0..10 {
        life = life.then(held(HoldReason::Pace));
    }
    let life = life.then(held(HoldReason::Carrier));
    assert_eq!(
        life.call.due_at(),
        Some(life.now + limits::NOT_SENT_BACKOFF.0 / 2),
        "as the first time"
    );
}

#[test]
fn what_held_a_dial_back_is_written_down_when_it_goes_out_late() {
    let hold = Hold {
        reason: HoldReason::Pace,
        since: TEN_O_CLOCK,
        until: None,
        message: "more was due than goes out in a second".into(),
    };
    let life = Life::begin().after(MINUTE).then(Input::Due {
        held: Some(hold.clone()),
    });
    assert_eq!(life.count(|kind| *kind == EventKind::Held(hold.clone())), 1);
}

#[test]
fn an_obstacle_is_forgotten_once_the_dial_is_made() {
    let life = Life::begin()
        .permitted()
        .not_sent(1, HoldReason::Carrier)
        .dialled();
    assert_eq!(life.call.hold, None);
    assert_eq!(life.call.waiting_for(life.now), None);
}

#[test]
fn a_retry_starts_its_own_back_off() {
    let mut life = Life::begin();
    for _ in 0..8 {
        life = life.permitted().not_sent(1, HoldReason::Carrier);
    }
    let life = life.dialled().hears(1, AttemptStatus::Busy);
    let life = life.permitted().not_sent(2, HoldReason::Carrier);
    assert_eq!(
        life.call.due_at(),
        Some(life.now + limits::NOT_SENT_BACKOFF.0 / 2)
    );
    life.check(CallStatus::Busy, true, Some(Duration::ZERO));
}

#[test]
fn only_the_permits_own_attempt_can_be_given_back() {
    let life = Life::begin().permitted();
    assert_eq!(
        life.refusal(not_sent(2, HoldReason::Carrier, None)),
        Refusal::NoSuchAttempt
    );
    let placed = life.placed(1);
    assert_eq!(
        placed.refusal(not_sent(1, HoldReason::Carrier, None)),
        Refusal::AlreadyKnown
    );
}

/// What comes back for the permit that was granted at this moment.
fn not_sent_of(permit_at: Timestamp) -> Input {
    Input::NotSent {
        attempt: 1,
        permit_at: Some(permit_at),
        reason: HoldReason::Carrier,
        message: "carrier said no".into(),
        retry_after: None,
    }
}

#[test]
fn what_is_said_twice_of_a_permit_that_was_given_back_says_nothing_of_the_next() {
    let life = Life::begin().permitted();
    let first = life.now;
    let life = life.then(not_sent_of(first)).permitted();
    assert_ne!(life.now, first);
    assert_eq!(life.refusal(not_sent_of(first)), Refusal::AlreadyKnown);
    let doubt = life.clone().then(Input::InDoubt {
        attempt: 1,
        why: "cut".into(),
    });
    assert_eq!(doubt.refusal(not_sent_of(first)), Refusal::AlreadyKnown);
    let own = life.now;
    life.then(not_sent_of(own)).check(CallStatus::Queued, false, None);
}

#[test]
fn a_permit_given_back_after_it_was_put_in_doubt_ends_the_doubt_as_never_sent() {
    let life = Life::begin().in_doubt().not_sent(1, HoldReason::Carrier);
    life.check(CallStatus::Failed, true, Some(2 * MINUTE));
    let record = life.record(1);
    assert_eq!((record.status, record.ask), (AttemptStatus::Failed, None));
    assert_eq!(
        record.error_message.as_deref(),
        Some("never sent: carrier said no")
    );
    assert_eq!(
        life.count(|kind| matches!(kind, EventKind::Unconfirmed { .. })),
        0
    );
}

#[test]
fn proof_that_nothing_was_sent_corrects_an_attempt_that_was_closed_without_any() {
    let life = Life::with(|policy| policy.max_attempts = 1).unconfirmed();
    life.check_over(CallStatus::Unconfirmed);
    let life = life.not_sent(1, HoldReason::Carrier);
    life.check_over(CallStatus::Failed);
    assert_eq!(life.statuses(), [AttemptStatus::Failed]);
    let expected = [Some(1), None].map(|attempt| (attempt, CallStatus::Unconfirmed, CallStatus::Failed));
    assert_eq!(life.corrections(), expected);
}

#[test]
fn a_leg_of_an_attempt_that_was_given_back_late_is_its_own_all_the_same() {
    let life = Life::begin().in_doubt().not_sent(1, HoldReason::Carrier);
    let life = life.hears(1, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
}

#[test]
fn a_call_says_what_it_waits_for() {
    let reason = |life: &Life| life.call.waiting_for(life.now).map(|hold| hold.reason);
    let mut request = request();
    request.scheduled_at = Some(TEN_O_CLOCK + HOUR);
    assert_eq!(reason(&Life::of(request)), Some(HoldReason::Schedule));
    let busy = Life::begin().dialled().hears(1, AttemptStatus::Busy);
    assert_eq!(reason(&busy), Some(HoldReason::Retry));
    assert_eq!(
        reason(&busy.clone().when_due()),
        None,
        "what is in the way now, the engine knows"
    );
    assert_eq!(reason(&busy.in_doubt()), Some(HoldReason::Settling));
    assert_eq!(reason(&Life::begin().dialled()), None);
    assert_eq!(reason(&Life::begin().then(Input::Cancel)), None);
}

#[test]
fn an_obstacle_that_says_itself_when_it_is_gone_has_no_end_beforehand() {
    let until = |reason| {
        let life = Life::begin().permitted().not_sent(1, reason);
        life.call.hold.expect("it is held").until
    };
    assert_eq!(until(HoldReason::Account), None);
    assert!(until(HoldReason::Pair).is_some());
}

#[test]
fn a_call_with_nothing_left_to_dial_gets_no_permit_however_it_came_to_wait() {
    let changes: [fn(&mut Life); 3] = [
        |life| life.call.request.policy.max_attempts = 1,
        |life| life.call.cancel_requested_at = Some(life.now),
        |life| life.call.closing = Some(Closing::GaveUp),
    ];
    for change in changes {
        let mut life = Life::begin().dialled().hears(1, AttemptStatus::Busy).when_due();
        assert!(life.attempted(DUE).is_ok());
        change(&mut life);
        assert_eq!(life.refusal(DUE), Refusal::AlreadyOver);
    }
}

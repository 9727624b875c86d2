//! Which of several obstacles a late dial names.

use domain::HoldReason;

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000 + seconds * 1_000)
}

fn hold(reason: HoldReason, since: i64) -> Hold {
    Hold {
        reason,
        since: at(since),
        until: None,
        message: "in the way".to_owned(),
    }
}

fn named(past: &Past, due_at: i64) -> Option<(HoldReason, Timestamp, Timestamp)> {
    let hold = past.longest(at(due_at))?;
    Some((hold.reason, hold.since, hold.until.expect("it is over")))
}

#[test]
fn the_obstacle_that_cost_most_time_is_named() {
    let mut past = Past::default();
    past.note(&hold(HoldReason::Paused, 0), at(0));
    past.note(&hold(HoldReason::Paused, 0), at(3_600));
    past.note(&hold(HoldReason::Pace, 3_600), at(3_700));
    assert_eq!(named(&past, 60), Some((HoldReason::Paused, at(60), at(3_600))));
    assert_eq!(
        named(&past, 3_590),
        Some((HoldReason::Pace, at(3_600), at(3_700)))
    );
}

#[test]
fn an_obstacle_that_was_gone_before_is_not_named() {
    let mut past = Past::default();
    past.note(&hold(HoldReason::Paused, 0), at(10));
    assert_eq!(named(&past, 10), Some((HoldReason::Paused, at(10), at(10))));
    assert_eq!(named(&past, 11), None);
}

#[test]
fn only_the_last_obstacles_are_remembered() {
    let mut past = Past::default();
    for since in 0..100 {
        past.note(&hold(HoldReason::Pace, since), at(since));
    }
    assert_eq!(past.met.len(), REMEMBERED);
}

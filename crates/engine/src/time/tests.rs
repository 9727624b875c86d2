//! The time: what is believed of the store's clock, and what is not.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::still::StillClock;

const NOON: i64 = 1_795_348_800_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOON + millis)
}

fn measured() -> (Arc<StillClock>, Time) {
    let clock = Arc::new(StillClock::new());
    let time = Time::new(Arc::<StillClock>::clone(&clock));
    time.measure(at(0));
    (clock, time)
}

#[test]
fn the_first_reading_is_believed() {
    let (clock, time) = measured();
    assert_eq!(time.now(), at(0));
    clock.advance(Duration::from_millis(1_234));
    assert_eq!(time.now(), at(1_234));
    assert_eq!(time.jump(), None);
}

#[test]
fn a_small_difference_is_followed_at_once() {
    let (_, time) = measured();
    time.measure(at(5_000));
    assert_eq!((time.now(), time.jump()), (at(5_000), None));
    time.measure(at(0));
    assert_eq!((time.now(), time.jump()), (at(0), None));
}

#[test]
fn a_jump_is_not_believed_before_a_second_reading_agrees() {
    for jump in [5_001, -5_001, 86_400_000, -86_400_000] {
        let (clock, time) = measured();
        time.measure(at(jump));
        assert_eq!(time.now(), at(0), "the time goes on as it was");
        assert_eq!(time.jump(), Some(Duration::from_millis(jump.unsigned_abs())));
        clock.advance(Duration::from_secs(1));
        time.measure(at(jump + 1_900));
        assert_eq!((time.now(), time.jump()), (at(jump + 1_900), None));
    }
}

#[test]
fn a_jump_that_is_taken_back_changes_nothing() {
    let (clock, time) = measured();
    time.measure(at(60_000));
    clock.advance(Duration::from_secs(1));
    time.measure(at(1_000));
    assert_eq!((time.now(), time.jump()), (at(1_000), None));
    time.measure(at(60_000));
    assert!(time.jump().is_some(), "the doubt of before does not count");
}

#[test]
fn readings_that_disagree_are_doubted_one_after_the_other() {
    let (_, time) = measured();
    for reading in [60_000, 120_000, 60_000, 120_000] {
        time.measure(at(reading));
        assert_eq!(time.jump(), Some(Duration::from_millis(reading.unsigned_abs())));
        assert_eq!(time.now(), at(0));
    }
}

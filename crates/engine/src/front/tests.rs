//! What is known of the front of the queue.

use super::*;

const NOON: i64 = 1_795_348_800_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOON + millis)
}

#[test]
fn nothing_is_known_before_the_first_look() {
    let front = Front::default();
    assert!(!front.is_clear(at(0)));
    front.look();
    front.cleared(None);
    assert!(front.is_clear(at(0)));
}

#[test]
fn it_is_clear_until_the_next_is_due() {
    let front = Front::default();
    front.cleared(Some(at(100)));
    assert!(front.is_clear(at(99)));
    assert!(!front.is_clear(at(100)));
    front.due_at(at(50));
    assert!(!front.is_clear(at(50)));
}

#[test]
fn what_is_said_during_a_look_is_not_forgotten() {
    let front = Front::default();
    front.look();
    front.due_at(at(50));
    front.cleared(Some(at(100)));
    assert!(!front.is_clear(at(50)));
    front.look();
    front.cleared(Some(at(100)));
    assert!(front.is_clear(at(50)), "the next look has seen it");
}

#[test]
fn a_call_that_is_left_waiting_goes_first() {
    let front = Front::default();
    front.cleared(None);
    front.left_waiting();
    assert!(!front.is_clear(at(0)));
    front.look();
    assert!(!front.is_clear(at(0)), "to look is not to start it");
    front.cleared(None);
    assert!(front.is_clear(at(0)));
}

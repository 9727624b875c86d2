//! The gate: what stands in the way of all dials, who is let through to see, and what is said of it.

use super::*;

const CARRIER: &str = "connection refused";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_348_800_000 + millis)
}

fn reason(hold: Option<Hold>) -> Option<HoldReason> {
    hold.map(|hold| hold.reason)
}

fn enters(gate: &Gate, now: i64) -> bool {
    gate.enter(at(now)).is_ok()
}

#[test]
fn an_open_gate_lets_everybody_through() {
    let gate = Gate::default();
    assert_eq!(gate.obstacle(at(0)), None);
    assert!(enters(&gate, 0) && enters(&gate, 0));
}

#[test]
fn a_pause_lets_nobody_through_until_it_ends() {
    let gate = Gate::default();
    gate.set_paused(Some(at(0)));
    assert!(!enters(&gate, 86_400_000));
    assert_eq!(reason(gate.obstacle(at(1))), Some(HoldReason::Paused));
    gate.set_paused(None);
    assert!(enters(&gate, 1));
}

#[test]
fn a_doubted_clock_and_a_broken_store_stop_everything_and_say_since_when() {
    let gate = Gate::default();
    gate.set_clock_jump(Some(Duration::from_secs(60)), at(0));
    gate.set_clock_jump(Some(Duration::from_secs(60)), at(1_000));
    let hold = gate.obstacle(at(2_000)).expect("the clock is doubted");
    assert_eq!((hold.reason, hold.since), (HoldReason::Paused, at(0)));
    gate.set_clock_jump(None, at(3_000));
    gate.set_store_broken(Some("the disk is gone".to_owned()), at(4_000));
    let hold = gate.obstacle(at(5_000)).expect("the store is broken");
    assert_eq!(hold.since, at(4_000));
    assert!(hold.message.contains("the disk is gone"), "{}", hold.message);
    gate.set_store_broken(None, at(6_000));
    assert!(enters(&gate, 6_000));
}

#[test]
fn a_carrier_that_lives_in_another_time_stops_everything() {
    // In whole seconds, cut off: 31 s behind may be 30.001.
    for (date, open) in [
        (-31_000, true),
        (-31_001, false),
        (31_000, true),
        (31_001, false),
        (0, true),
    ] {
        let gate = Gate::default();
        gate.see_carrier_date(at(date), at(0));
        assert_eq!(enters(&gate, 0), open, "{date}");
        assert_eq!(gate.is_skewed(), !open, "{date}");
        gate.see_carrier_date(at(1_000), at(1_500));
        assert!(enters(&gate, 1_500), "it heals");
    }
}

#[test]
fn a_refused_account_is_tried_once_a_minute() {
    let gate = Gate::default();
    let kept = gate.account_refused("suspended".to_owned(), at(0));
    assert_eq!((kept.since, kept.probe_at), (at(0), at(60_000)));
    assert!(!enters(&gate, 59_999));
    assert!(enters(&gate, 60_000));
    assert!(!enters(&gate, 60_000), "one at a time");
    assert_eq!(reason(gate.waits_for(at(60_000))), Some(HoldReason::Account));
    let again = gate.account_refused("suspended".to_owned(), at(61_000));
    assert_eq!((again.since, again.probe_at), (at(0), at(121_000)));
    assert_eq!(gate.obstacle(at(121_000)), None, "the next may try");
    assert_eq!(
        reason(gate.waits_for(at(121_000))),
        Some(HoldReason::Account),
        "and nobody calls that good"
    );
    assert_eq!(
        gate.waits_for(at(123_001)),
        None,
        "with nothing to try it with, it is not known any more"
    );
    assert!(gate.set_account(None), "news");
    assert!(!gate.set_account(None), "no news");
    assert!(enters(&gate, 61_000));
}

#[test]
fn an_unreachable_carrier_is_tried_at_growing_gaps_by_one_at_a_time() {
    let gate = Gate::default();
    let mut now = 0;
    let mut gaps = Vec::new();
    gate.carrier_failed(CARRIER.to_owned(), at(now), 0);
    for _ in 0..9 {
        let until = gate
            .obstacle(at(now))
            .and_then(|hold| hold.until)
            .expect("it is tried again");
        gaps.push(until.since(at(now)).as_millis());
        now = until.millis() - at(0).millis();
        assert!(enters(&gate, now));
        assert!(!enters(&gate, now), "nobody else while one tries");
        gate.carrier_failed(CARRIER.to_owned(), at(now), 0);
    }
    assert_eq!(
        gaps,
        [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
    );
    let hold = gate.obstacle(at(now)).expect("still in trouble");
    assert_eq!((hold.since, hold.message.as_str()), (at(0), CARRIER));
    assert!(gate.carrier_answered(), "news");
    assert!(!gate.carrier_answered(), "no news");
    assert!(enters(&gate, now) && enters(&gate, now));
}

#[test]
fn whoever_leaves_the_account_to_another_must_look_for_the_carrier_otherwise() {
    let gate = Gate::default();
    gate.account_refused("suspended".to_owned(), at(0));
    gate.carrier_failed(CARRIER.to_owned(), at(0), 0);
    assert!(!gate.cannot_try(), "its next dial shows");
    assert!(enters(&gate, 60_000));
    gate.set_follows(true);
    assert!(!enters(&gate, 600_000) && gate.cannot_try());
    gate.carrier_answered();
    assert!(!gate.cannot_try() && !gate.cannot_dial(), "it may lead again");
    gate.set_account(None);
    gate.carrier_failed(CARRIER.to_owned(), at(600_000), 0);
    assert!(!gate.cannot_try(), "its next dial shows");
    gate.set_restored(Some(("a copy".to_owned(), None)), at(600_000));
    assert!(!enters(&gate, 900_000) && gate.cannot_try());
}

#[test]
fn dials_that_fail_together_are_one_trouble() {
    let gate = Gate::default();
    for _ in 0..10 {
        assert!(enters(&gate, 0));
    }
    for _ in 0..10 {
        gate.carrier_failed(CARRIER.to_owned(), at(5_000), 0);
    }
    assert_eq!(
        gate.obstacle(at(5_000)).and_then(|hold| hold.until),
        Some(at(5_250))
    );
}

#[test]
fn at_the_live_limit_one_asks_again_every_second() {
    let gate = Gate::default();
    gate.live_limit_reached(5, at(0));
    assert_eq!(reason(gate.obstacle(at(999))), Some(HoldReason::LiveLimit));
    assert!(enters(&gate, 1_000));
    assert!(!enters(&gate, 1_000), "one asks, not all");
    gate.live_limit_reached(5, at(1_050));
    assert_eq!(
        gate.obstacle(at(1_100)).map(|hold| hold.since),
        Some(at(0)),
        "the same limit still"
    );
    assert!(gate.live_limit_cleared());
    assert!(enters(&gate, 1_100));
    gate.live_limit_reached(5, at(60_000));
    assert_eq!(gate.obstacle(at(60_000)).map(|hold| hold.since), Some(at(60_000)));
    assert!(gate.permit_granted(), "that there was room is news");
    assert!(!gate.permit_granted());
}

#[test]
fn a_store_that_fails_is_asked_by_one_at_a_time() {
    let gate = Gate::default();
    gate.permit_failed("busy".to_owned(), at(0));
    let hold = gate.obstacle(at(0)).expect("the store has failed");
    assert_eq!(hold.reason, HoldReason::Paused);
    assert!(enters(&gate, 1_000) && !enters(&gate, 1_000));
    assert!(gate.permit_granted());
    assert!(enters(&gate, 1_000));
}

#[test]
fn the_pace_says_since_when_it_has_bound() {
    let gate = Gate::default();
    gate.pace_reached(at(1_000), at(0));
    // A pass wakes a little late.
    gate.pace_reached(at(2_000), at(1_010));
    let hold = gate.obstacle(at(1_500)).expect("the pace binds");
    assert_eq!(
        (hold.reason, hold.since, hold.until),
        (HoldReason::Pace, at(0), Some(at(2_000)))
    );
    assert_eq!(gate.obstacle(at(2_000)), None);
    assert_eq!(
        reason(gate.waits_for(at(2_000))),
        Some(HoldReason::Pace),
        "a call that waits says so still"
    );
    assert_eq!(gate.waits_for(at(4_001)), None);
    gate.pace_reached(at(11_000), at(10_000));
    assert_eq!(
        gate.obstacle(at(10_000)).map(|hold| hold.since),
        Some(at(10_000)),
        "another time"
    );
}

#[test]
fn a_slot_that_is_given_back_lets_the_next_ask() {
    let gate = Gate::default();
    gate.pace_reached(at(1_000), at(0));
    gate.pace_eased(at(100));
    assert!(enters(&gate, 100));
}

#[test]
fn a_clock_that_is_put_back_opens_what_waits_for_the_old_time() {
    let hour = 3_600_000;
    let gate = Gate::default();
    gate.pace_reached(at(hour + 1_000), at(hour));
    gate.live_limit_reached(5, at(hour));
    gate.permit_failed("busy".to_owned(), at(hour));
    assert_eq!(gate.obstacle(at(0)), None);
    gate.carrier_failed(CARRIER.to_owned(), at(hour), 0);
    assert_eq!(gate.obstacle(at(0)), None);
    gate.account_refused("suspended".to_owned(), at(hour));
    assert_eq!(gate.obstacle(at(0)), None);
    assert!(enters(&gate, 0), "one tries");
    assert!(!enters(&gate, 0), "and the others wait by the new time");
}

#[test]
fn what_held_a_dial_back_is_remembered() {
    let gate = Gate::default();
    gate.set_paused(Some(at(0)));
    assert!(gate.hold_back(at(5_000)).is_some());
    assert!(!enters(&gate, 60_000));
    gate.set_paused(None);
    assert_eq!(gate.hold_back(at(60_001)), None);
    let hold = gate.held(at(30_000)).expect("it was paused");
    assert_eq!(
        (hold.reason, hold.since, hold.until),
        (HoldReason::Paused, at(30_000), Some(at(60_000)))
    );
    assert_eq!(gate.held(at(60_001)), None);
}

//! The pace: never too many in any window, and no slot lost.

use proptest::prelude::*;

use super::*;

const NOON: i64 = 1_795_348_800_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOON + millis)
}

fn pace(per_second: f64, burst: u32) -> Pace {
    Pace::new(Rate { per_second, burst })
}

/// How many slots are to be had at one moment.
fn taken_at(pace: &Pace, now: Timestamp) -> usize {
    std::iter::from_fn(|| pace.take(now).ok())
        .map(Slot::spend)
        .count()
}

#[test]
fn a_burst_goes_at_once_and_then_the_rate_binds() {
    let pace = pace(1.0, 10);
    assert_eq!(taken_at(&pace, at(0)), 10);
    assert_eq!(pace.take(at(0)).err(), Some(at(1_000)));
    assert_eq!(pace.take(at(999)).err(), Some(at(1_000)));
    assert_eq!(taken_at(&pace, at(1_000)), 1);
    assert_eq!(taken_at(&pace, at(3_500)), 2);
    assert_eq!(
        taken_at(&pace, at(60_000)),
        10,
        "a rest fills the burst, and no more than it"
    );
}

#[test]
fn the_next_slot_is_never_promised_too_early() {
    let pace = pace(3.0, 1);
    assert_eq!(taken_at(&pace, at(0)), 1);
    let next = pace.take(at(1)).expect_err("a third of a second is not over");
    assert_eq!(next, at(334));
    assert!(pace.take(next).is_ok());
}

#[test]
fn a_slot_given_back_at_once_was_never_taken() {
    let pace = pace(1.0, 1);
    drop(pace.take(at(0)).expect("nothing is owed"));
    assert_eq!(taken_at(&pace, at(0)), 1);
}

#[test]
fn a_slot_given_back_late_is_no_second_one() {
    let pace = pace(1.0, 1);
    let slow = pace.take(at(0)).expect("nothing is owed");
    assert_eq!(taken_at(&pace, at(5_000)), 1);
    drop(slow);
    assert_eq!(
        taken_at(&pace, at(5_000)),
        0,
        "one dial was made this very moment"
    );
    assert_eq!(taken_at(&pace, at(6_000)), 1);
}

#[test]
fn a_slot_given_back_under_load_is_not_lost() {
    let pace = pace(1.0, 10);
    let first = pace.take(at(0)).expect("nothing is owed");
    assert_eq!(taken_at(&pace, at(0)), 9);
    drop(first);
    assert_eq!(taken_at(&pace, at(500)), 1);
    assert_eq!(pace.take(at(500)).err(), Some(at(1_000)));
}

#[test]
fn a_restart_grants_no_new_burst() {
    let before = pace(1.0, 10);
    let kept = std::iter::from_fn(|| before.take(at(0)).ok());
    let clear_at = kept
        .map(|slot| (slot.clear_at(), slot.spend()).0)
        .last()
        .expect("ten slots were taken");
    let after = pace(1.0, 10);
    after.carry_on(clear_at, at(2_000));
    assert_eq!(taken_at(&after, at(2_000)), 2);
}

#[test]
fn a_state_from_a_wrong_clock_does_not_stop_dialling() {
    let pace = pace(1.0, 10);
    pace.carry_on(at(86_400_000), at(0));
    assert_eq!(pace.take(at(0)).err(), Some(at(1_000)));
    assert_eq!(taken_at(&pace, at(1_000)), 1);
}

#[test]
fn a_clock_that_is_put_back_does_not_stop_dialling() {
    let pace = pace(1.0, 10);
    let open = pace.take(at(86_400_000)).expect("nothing is owed");
    assert_eq!(pace.take(at(0)).err(), Some(at(1_000)), "as after a full burst");
    drop(open);
    assert_eq!(
        pace.take(at(0)).err(),
        Some(at(1_000)),
        "what was taken by the other time is not given back"
    );
    assert_eq!(taken_at(&pace, at(1_000)), 1);
}

/// One thing that happens to a pace.
#[derive(Debug, Clone)]
enum Deed {
    Wait(i64),
    Take,
    /// The open slot at this place is used up, or given back.
    Spend(usize),
    GiveBack(usize),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        (0..400i64).prop_map(Deed::Wait),
        Just(Deed::Take),
        Just(Deed::Take),
        (0..8usize).prop_map(Deed::Spend),
        (0..8usize).prop_map(Deed::GiveBack),
    ];
    prop::collection::vec(deed, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_holds_more_than_the_burst_and_the_rate(deeds in deeds(), burst in 1..5u32) {
        let (pace, gap) = (pace(10.0, burst), 100);
        let mut now = 0;
        let mut open: Vec<(i64, Slot)> = Vec::new();
        let mut spent: Vec<i64> = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Wait(millis) => now += millis,
                Deed::Take => open.extend(pace.take(at(now)).ok().map(|slot| (now, slot))),
                Deed::Spend(place) if !open.is_empty() => {
                    let (taken, slot) = open.swap_remove(place % open.len());
                    slot.spend();
                    spent.push(taken);
                }
                Deed::GiveBack(place) if !open.is_empty() => {
                    let place = place % open.len();
                    drop(open.swap_remove(place));
                }
                Deed::Spend(_) | Deed::GiveBack(_) => {}
            }
        }
        spent.extend(open.iter().map(|(taken, _)| *taken));
        spent.sort_unstable();
        for (first, from) in spent.iter().enumerate() {
            for (last, until) in spent.iter().enumerate().skip(first) {
                let most = i64::from(burst) + (until - from) / gap;
                prop_assert!((last - first + 1) as i64 <= most, "{from}..{until}: {spent:?}");
            }
        }
    }

    #[test]
    fn what_is_given_back_leaves_no_trace(deeds in deeds(), burst in 1..5u32) {
        let pace = pace(10.0, burst);
        let mut now = 0;
        let mut open: Vec<(i64, Slot)> = Vec::new();
        let mut spent: Vec<i64> = Vec::new();
        for deed in deeds {
            match deed {
                Deed::Wait(millis) => now += millis,
                Deed::Take => open.extend(pace.take(at(now)).ok().map(|slot| (now, slot))),
                Deed::Spend(place) if !open.is_empty() => {
                    let (taken, slot) = open.swap_remove(place % open.len());
                    slot.spend();
                    spent.push(taken);
                }
                Deed::GiveBack(place) if !open.is_empty() => {
                    let place = place % open.len();
                    drop(open.swap_remove(place));
                }
                Deed::Spend(_) | Deed::GiveBack(_) => {}
            }
        }
        open.clear();
        spent.sort_unstable();
        let other = self::pace(10.0, burst);
        for taken in spent {
            other.take(at(taken)).expect("what was granted beside others is granted alone").spend();
        }
        prop_assert_eq!(taken_at(&pace, at(now)), taken_at(&other, at(now)));
    }
}

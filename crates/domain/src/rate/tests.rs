//! The pace as one moment.

use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

fn rate(per_second: f64, burst: u32) -> Rate {
    Rate { per_second, burst }
}

const NOTHING: Owed = Owed {
    clear_us: 0,
    as_of_us: 0,
};

#[test]
fn a_burst_goes_at_once_and_then_one_a_gap() {
    let rate = rate(2.0, 3);
    let (slots, owed) = rate.take(NOTHING, NOW, 10);
    assert_eq!(slots, 3);
    assert_eq!(rate.take(owed, NOW, 10), (0, owed));
    let next = rate.next_at(owed);
    assert_eq!(next, NOW + Duration::from_millis(500));
    assert_eq!(rate.take(owed, next, 10).0, 1);
}

#[test]
fn slots_taken_together_cost_what_they_cost_one_by_one() {
    let rate = rate(7.0, 5);
    let (mut owed, mut slots) = (NOTHING, 0);
    while let (1, next) = rate.take(owed, NOW, 1) {
        (owed, slots) = (next, slots + 1);
    }
    assert_eq!(rate.take(NOTHING, NOW, 100), (slots, owed));
}

#[test]
fn a_clock_that_was_ahead_stops_nothing_and_forgives_nothing() {
    let rate = rate(1.0, 3);
    let (slots, ahead) = rate.take(NOTHING, NOW + Duration::from_secs(3_600), 3);
    assert_eq!(slots, 3);
    let (slots, owed) = rate.take(ahead, NOW, 3);
    assert_eq!(slots, 0, "a burst was used the moment before");
    assert_eq!(rate.next_at(owed), NOW + Duration::from_secs(1));
    assert_eq!(rate.take(owed, rate.next_at(owed), 3).0, 1);
}

#[test]
fn clocks_that_differ_a_little_take_no_more_than_one_would() {
    let rate = rate(10.0, 1);
    let (mut owed, mut taken) = (NOTHING, 0);
    for turn in 0..1_000 {
        let now = NOW + Duration::from_millis(10 * turn);
        let ahead = Duration::from_millis(if turn % 2 == 0 { 4_000 } else { 0 });
        let slots;
        (slots, owed) = rate.take(owed, now + ahead, 1);
        taken += slots;
    }
    assert!(
        (100..=141).contains(&taken),
        "{taken} in 10 s and the 4 s that one is ahead"
    );
}

#[test]
fn a_smaller_burst_gives_back_nothing_of_what_a_larger_one_took() {
    let (large, small) = (rate(1.0, 10), rate(1.0, 1));
    let (taken, mut owed) = large.take(NOTHING, NOW, 10);
    let mut taken = vec![taken];
    for turn in 0..40 {
        let now = NOW + Duration::from_millis(100 * turn);
        for rate in [small, large] {
            let slots;
            (slots, owed) = rate.take(owed, now, 10);
            taken.push(slots);
        }
    }
    assert_eq!(
        taken.iter().sum::<u32>(),
        10 + 3,
        "a burst, and one a second for 3.9 s"
    );
}

#[test]
fn no_wish_takes_nothing() {
    let owed = Owed {
        clear_us: 17,
        as_of_us: micros(NOW),
    };
    assert_eq!(rate(1.0, 1).take(owed, NOW, 0), (0, owed));
}

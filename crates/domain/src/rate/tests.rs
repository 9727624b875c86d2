//! The pace as one moment.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);

fn rate(per_second: f64, burst: u32) -> Rate {
    Rate { per_second, burst }
}

#[test]
fn a_burst_goes_at_once_and_then_one_a_gap() {
    let rate = rate(2.0, 3);
    let (slots, clear) = rate.take(0, NOW, 10);
    assert_eq!(slots, 3);
    assert_eq!(rate.take(clear, NOW, 10), (0, clear));
    let next = rate.next_at(clear);
    assert_eq!(next, NOW + std::time::Duration::from_millis(500));
    assert_eq!(rate.take(clear, next, 10).0, 1);
}

#[test]
fn slots_taken_together_cost_what_they_cost_one_by_one() {
    let rate = rate(7.0, 5);
    let (mut clear, mut slots) = (0, 0);
    while let (1, next) = rate.take(clear, NOW, 1) {
        (clear, slots) = (next, slots + 1);
    }
    assert_eq!(rate.take(0, NOW, 100), (slots, clear));
}

#[test]
fn a_state_from_a_wrong_clock_stops_nothing_for_good() {
    let rate = rate(1.0, 1);
    let (slots, clear) = rate.take(i64::MAX, NOW, 1);
    assert_eq!(slots, 0);
    assert_eq!(rate.take(clear, rate.next_at(clear), 1).0, 1);
}

#[test]
fn no_wish_takes_nothing() {
    assert_eq!(rate(1.0, 1).take(17, NOW, 0), (0, 17));
}

//! What a process has of the common pace.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
const RATE: Rate = Rate {
    per_second: 100.0,
    burst: 10,
};

fn slots(taken: u32) -> Slots {
    let next_at = NOW + Duration::from_millis(10);
    Slots { taken, next_at }
}

#[test]
fn what_was_taken_can_be_used_once() {
    let stock = Stock::default();
    assert_eq!(stock.wish(3, RATE, NOW), 10, "a tenth of a second's worth");
    stock.put(slots(2), 10, NOW);
    assert!(stock.take(NOW).is_ok());
    assert!(stock.take(NOW).is_ok());
    assert_eq!(stock.take(NOW).err(), Some(slots(2).next_at));
}

#[test]
fn what_is_not_used_lapses() {
    let stock = Stock::default();
    stock.put(slots(5), 5, NOW);
    let later = NOW + GOOD_FOR + Duration::from_millis(1);
    assert_eq!(stock.take(later).err(), Some(later));
    assert_eq!(stock.wish(1, RATE, later), 10);
}

#[test]
fn nobody_asks_again_before_there_can_be_more() {
    let stock = Stock::default();
    stock.put(slots(0), 10, NOW);
    assert_eq!(stock.wish(1, RATE, NOW), 0);
    assert_eq!(stock.wish(1, RATE, slots(0).next_at), 10);
}

#[test]
fn as_long_as_there_are_enough_nobody_asks() {
    let stock = Stock::default();
    stock.put(slots(4), 4, NOW);
    assert_eq!(stock.wish(4, RATE, NOW), 0);
    assert_eq!(stock.wish(5, RATE, NOW), 10);
}

#[test]
fn a_clock_that_is_put_back_stops_nothing() {
    let stock = Stock::default();
    stock.put(slots(0), 10, NOW);
    let before = NOW - Duration::from_secs(3_600);
    assert_eq!(stock.wish(1, RATE, before), 10);
    assert_eq!(stock.take(before).err(), Some(before));
}

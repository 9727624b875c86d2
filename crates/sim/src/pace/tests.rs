//! Turns at a pace.

use super::*;

#[test]
fn no_second_has_more_starts_than_the_pace() {
    let mut pace = Pace::new(Some(3.0));
    let starts: Vec<u64> = (0..12)
        .map(|call| call * 50)
        .map(|now_ms| now_ms + pace.take(now_ms))
        .collect();
    assert!(
        starts.windows(4).all(|four| four[3] - four[0] >= 1_000),
        "{starts:?}"
    );
    assert!(starts.is_sorted());
}

#[test]
fn a_pace_below_one_a_second_and_no_pace_at_all() {
    let mut slow = Pace::new(Some(0.5));
    assert_eq!([slow.take(0), slow.take(0), slow.take(0)], [0, 2_000, 4_000]);
    let mut free = Pace::new(None);
    assert_eq!([free.take(0), free.take(0)], [0, 0]);
}

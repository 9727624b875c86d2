//! The retry rule: which endings are followed, by which delay, and how gaps grow and scatter.

use proptest::prelude::*;

use super::*;
use crate::time::Timestamp;
use AttemptStatus::*;

const MINUTE: Duration = Duration::from_secs(60);

fn policy(max_attempts: u32, minutes: &[u32]) -> Policy {
    Policy {
        max_attempts,
        retry_delays: minutes.iter().map(|minutes| MINUTE * *minutes).collect(),
        retry_on: RetryOn::default(),
        ring_timeout: MINUTE,
        time_limit: 240 * MINUTE,
        give_up_after: 1_440 * MINUTE,
        machine_detection: MachineDetection::Off,
    }
}

/// Attempts that ended so, in order.
fn ended(statuses: &[AttemptStatus]) -> Vec<Attempt> {
    let at = Timestamp::from_millis(0);
    let numbered = (1..).zip(statuses);
    let attempts = numbered.map(|(number, status)| Attempt {
        status: *status,
        ..Attempt::new(number, at, at)
    });
    attempts.collect()
}

#[track_caller]
fn check(policy: &Policy, statuses: &[AttemptStatus], minutes: Option<u32>) {
    let expected = minutes.map(|minutes| MINUTE * minutes);
    assert_eq!(policy.next(&ended(statuses)), expected, "{statuses:?}");
}

#[test]
fn the_delays_follow_one_another_and_the_last_repeats() {
    let policy = policy(20, &[2, 5, 10]);
    for (attempts, minutes) in [(1, 2), (2, 5), (3, 10), (4, 10), (19, 10)] {
        check(&policy, &vec![Busy; attempts], Some(minutes));
    }
    check(&policy, &[Busy; 20], None);
}

#[test]
fn a_single_delay_serves_every_gap() {
    let policy = policy(3, &[7]);
    check(&policy, &[Busy], Some(7));
    check(&policy, &[Busy, NoAnswer], Some(7));
}

#[test]
fn a_delay_may_be_zero() {
    check(&policy(3, &[0]), &[Busy], Some(0));
}

#[test]
fn nothing_follows_before_the_first_attempt_or_after_the_last() {
    check(&policy(3, &[2]), &[], None);
    check(&policy(1, &[2]), &[Busy], None);
    check(&policy(3, &[2]), &[Busy; 3], None);
    check(&policy(3, &[2]), &[Busy; 4], None);
}

#[test]
fn the_last_ending_decides() {
    let policy = policy(5, &[2]);
    for status in [Busy, NoAnswer, Failed, Unconfirmed] {
        check(&policy, &[status], Some(2));
        check(&policy, &[Canceled, status], Some(2));
    }
    for status in [Completed, Canceled] {
        check(&policy, &[status], None);
        check(&policy, &[Busy, status], None);
    }
}

#[test]
fn each_ending_is_retried_only_where_the_policy_says_so() {
    let never = RetryOn {
        busy: false,
        no_answer: false,
        failed: false,
    };
    let cases = [
        (Busy, RetryOn { busy: true, ..never }),
        (
            NoAnswer,
            RetryOn {
                no_answer: true,
                ..never
            },
        ),
        (
            Failed,
            RetryOn {
                failed: true,
                ..never
            },
        ),
    ];
    for (status, only) in cases {
        assert!(only.covers(status));
        assert!(!never.covers(status));
        for other in [Busy, NoAnswer, Failed]
            .into_iter()
            .filter(|other| *other != status)
        {
            assert!(!only.covers(other), "{only:?} and {other:?}");
        }
    }
    let busy_alone = RetryOn { busy: true, ..never };
    assert!(
        busy_alone.covers(Unconfirmed) && !never.covers(Unconfirmed),
        "it counts as busy does"
    );
    for status in [Initiated, Ringing, InProgress, Completed, Canceled] {
        assert!(!RetryOn::default().covers(status), "{status:?}");
    }
}

#[test]
fn a_refusal_for_good_is_never_followed() {
    let mut attempts = ended(&[Busy, Failed]);
    attempts[1].refused = true;
    assert_eq!(policy(5, &[2]).next(&attempts), None);
}

#[test]
fn a_leg_that_we_hung_up_ourselves_is_followed_and_one_that_the_carrier_canceled_is_not() {
    let mut attempts = ended(&[Canceled]);
    assert_eq!(policy(5, &[2]).next(&attempts), None);
    attempts[0].unwanted = true;
    assert_eq!(policy(5, &[2]).next(&attempts), Some(2 * MINUTE));
    assert_eq!(
        policy(1, &[2]).next(&attempts),
        None,
        "it was an attempt all the same"
    );
}

#[test]
fn gaps_double_up_to_the_longest() {
    let bounds = (Duration::from_millis(500), Duration::from_secs(30));
    let gaps: Vec<u128> = (0..9).map(|times| doubling(bounds, times).as_millis()).collect();
    assert_eq!(
        gaps,
        [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]
    );
    assert_eq!(doubling(bounds, u32::MAX), bounds.1);
    assert_eq!(doubling((Duration::ZERO, bounds.1), 40), Duration::ZERO);
    assert_eq!(doubling((Duration::MAX, Duration::MAX), 40), Duration::MAX);
}

#[test]
fn loaded_dice_give_both_ends_of_the_jitter() {
    let gap = Duration::from_millis(1_000);
    assert_eq!(jittered(gap, 0), Duration::from_millis(500));
    assert_eq!(jittered(gap, 500), gap);
    assert_eq!(jittered(gap, 501), Duration::from_millis(500));
    assert_eq!(jittered(Duration::ZERO, u64::MAX), Duration::ZERO);
    assert_eq!(jittered(Duration::from_millis(1), 0), Duration::ZERO);
}

proptest! {
    #[test]
    fn jitter_stays_between_half_and_all(millis in 0_u64..4_000_000_000, dice: u64) {
        let gap = Duration::from_millis(millis);
        let thrown = jittered(gap, dice);
        prop_assert!(thrown <= gap && thrown >= Duration::from_millis(millis / 2));
    }

    #[test]
    fn a_gap_never_shrinks_as_tries_go_on(first in 0_u64..100_000, longest in 0_u64..10_000_000, times in 0_u32..200) {
        let bounds = (Duration::from_millis(first), Duration::from_millis(longest));
        prop_assert!(doubling(bounds, times) <= doubling(bounds, times + 1));
        prop_assert!(doubling(bounds, times) <= bounds.1);
    }
}

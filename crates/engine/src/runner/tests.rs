//! The loop: never sleeps through what was announced, and outlives whatever a pass does.

use std::sync::Arc;
use std::sync::Mutex;

use store::StoreError;
use tokio::task::JoinHandle;

use super::*;
use crate::clock::still::StillClock;

type Answer = Result<Option<Timestamp>, StoreError>;

/// A loop whose passes answer as they are told, and are counted.
struct Loop {
    clock: Arc<StillClock>,
    time: Arc<Time>,
    alarm: Arc<Alarm>,
    stop: CancellationToken,
    passes: Arc<Mutex<u32>>,
    task: JoinHandle<()>,
}

impl Loop {
    /// Starts it; `pass` is given the number of the turn, from 1.
    fn start(pass: impl Fn(u32, &Seen) -> Answer + Send + Sync + 'static) -> Loop {
        let clock = Arc::new(StillClock::new());
        let time = Arc::new(Time::new(Arc::<StillClock>::clone(&clock)));
        time.measure(Timestamp::from_millis(1_795_348_800_000));
        let (alarm, stop) = (Arc::new(Alarm::default()), CancellationToken::new());
        let passes = Arc::new(Mutex::new(0));
        let seen = Seen {
            time: Arc::clone(&time),
            alarm: Arc::clone(&alarm),
            clock: Arc::clone(&clock),
        };
        let (counted, stopped) = (Arc::clone(&passes), stop.clone());
        let task = tokio::spawn(async move {
            let pass = || async {
                let turn = {
                    let mut passes = counted.lock().expect("nobody panics while counting");
                    *passes += 1;
                    *passes
                };
                pass(turn, &seen)
            };
            run("test", &seen.time, &seen.alarm, &stopped, pass).await;
        });
        Loop {
            clock,
            time,
            alarm,
            stop,
            passes,
            task,
        }
    }

    async fn passes(&self) -> u32 {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        *self.passes.lock().expect("nobody panics while counting")
    }
}

/// What a pass sees of its loop.
struct Seen {
    time: Arc<Time>,
    alarm: Arc<Alarm>,
    clock: Arc<StillClock>,
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[tokio::test]
async fn a_pass_is_run_again_when_it_asked_for_it() {
    let it = Loop::start(|_, seen| Ok(Some(seen.time.now() + millis(300))));
    assert_eq!(it.passes().await, 1);
    it.clock.advance(millis(299));
    assert_eq!(it.passes().await, 1);
    it.clock.advance(millis(1));
    assert_eq!(it.passes().await, 2);
}

#[tokio::test]
async fn a_pass_is_run_after_a_few_seconds_whatever_it_said() {
    let it = Loop::start(|turn, seen| Ok((turn > 1).then(|| seen.time.now() + millis(3_600_000))));
    for turn in 1..5 {
        assert_eq!(it.passes().await, turn);
        it.clock.advance(LONGEST_REST);
    }
}

#[tokio::test]
async fn an_alarm_during_the_rest_wakes_the_loop_if_it_is_sooner() {
    let it = Loop::start(|_, seen| Ok(Some(seen.time.now() + millis(1_000))));
    assert_eq!(it.passes().await, 1);
    it.alarm.no_later_than(it.time.now() + millis(1_000));
    assert_eq!(it.passes().await, 1, "it looks then anyway");
    it.alarm.no_later_than(it.time.now() + millis(999));
    assert_eq!(it.passes().await, 2, "it looks, and plans anew");
    it.alarm.ring();
    assert_eq!(it.passes().await, 3);
}

#[tokio::test]
async fn an_alarm_during_a_pass_is_not_lost() {
    let it = Loop::start(|turn, seen| {
        if turn == 1 {
            seen.alarm.no_later_than(seen.time.now());
        }
        Ok(None)
    });
    assert_eq!(it.passes().await, 2);
}

#[tokio::test]
async fn nothing_announced_during_a_long_pass_is_slept_through() {
    let it = Loop::start(|turn, seen| {
        if turn == 1 {
            // Announced for the very moment at which the loop will look at the latest: no need to ring.
            seen.alarm.no_later_than(seen.time.now() + LONGEST_REST);
            seen.clock.advance(millis(2_000));
        }
        Ok(None)
    });
    assert_eq!(it.passes().await, 1);
    it.clock.advance(LONGEST_REST - millis(2_000));
    assert_eq!(
        it.passes().await,
        2,
        "counted from before the pass, not from its end"
    );
}

#[tokio::test]
async fn a_pass_that_fails_or_panics_is_run_again_after_a_rest() {
    let it = Loop::start(|turn, _| match turn {
        1 => Err(StoreError::broken("as told")),
        2 => panic!("as told"),
        _ => Ok(None),
    });
    assert_eq!(it.passes().await, 1);
    it.clock.advance(AFTER_TROUBLE);
    assert_eq!(it.passes().await, 2);
    it.clock.advance(AFTER_TROUBLE);
    assert_eq!(it.passes().await, 3);
    assert_eq!(it.clock.rests(), [AFTER_TROUBLE, AFTER_TROUBLE, LONGEST_REST]);
}

#[tokio::test]
async fn no_rest_is_longer_than_the_longest_when_the_clock_is_put_back() {
    let it = Loop::start(|_, seen| {
        let wrong = Timestamp::from_millis(seen.time.now().millis() - 3_600_000);
        seen.time.measure(wrong);
        seen.time.measure(wrong);
        Ok(None)
    });
    assert_eq!(it.passes().await, 1);
    assert_eq!(it.clock.rests(), [LONGEST_REST]);
}

#[tokio::test]
async fn a_loop_ends_when_it_is_told_to_stop() {
    let it = Loop::start(|_, _| Ok(None));
    assert_eq!(it.passes().await, 1);
    it.stop.cancel();
    it.task.await.expect("it ends by itself");
}

#[tokio::test]
async fn a_loop_that_comes_to_a_stand_is_noticed() {
    let it = Loop::start(|_, _| Ok(None));
    assert!(it.alarm.is_turning(it.time.boot()), "not begun is no stand");
    assert_eq!(it.passes().await, 1);
    it.clock.advance(LONGEST_REST);
    assert_eq!(it.passes().await, 2);
    it.task.abort();
    it.clock.advance(LONGEST_TURN);
    assert!(it.alarm.is_turning(it.time.boot()), "a turn may take long");
    it.clock.advance(millis(1));
    assert!(!it.alarm.is_turning(it.time.boot()));
}

//! The carrier cannot be reached: nothing is lost, nobody storms it, and all is dialled when it is
//! back.

use domain::Rate;
use domain::{CallStatus, HoldReason};
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND, millis};

#[tokio::test]
async fn after_an_hour_without_the_carrier_all_calls_are_dialled_at_the_pace() {
    let world = World::with(|settings| {
        settings.rate = Rate {
            per_second: 2.0,
            burst: 4,
        }
    })
    .await;
    world.engine.start();
    world.carrier.is_unreachable(true);
    let mut calls = Vec::new();
    for number in 1..=40 {
        let answer = world.ask(a_call().to(number), None);
        calls.push(world.answered(answer).await);
        world.pass(millis(100)).await;
    }
    world.pass(HOUR).await;
    for call in &calls {
        let call = world.stands(call.id).await;
        assert_eq!(
            (call.status(), call.attempts.len()),
            (CallStatus::Queued, 0),
            "nothing is lost or spent"
        );
        let waits = world
            .engine
            .waiting_for(&call)
            .expect("it says what it waits for");
        assert_eq!(waits.reason, HoldReason::Carrier);
    }
    world.carrier.is_unreachable(false);
    let back_at = world.clock.now();
    world.pass(MINUTE).await;
    for call in &calls {
        assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
    }
    let times = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    assert_eq!(times.len(), 40);
    assert!(
        times[39].since(back_at) <= 30 * SECOND + 18 * SECOND + SECOND,
        "{:?}",
        times[39].since(back_at)
    );
    for (first, from) in times.iter().enumerate() {
        for (last, until) in times.iter().enumerate().skip(first) {
            let most = 4 + until.since(*from).as_millis() / 500;
            assert!((last - first + 1) as u128 <= most, "{from}..{until}");
        }
    }
}

#[tokio::test]
async fn one_at_a_time_tries_at_growing_gaps() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.is_unreachable(true);
    let start = world.clock.now();
    for number in 1..=100 {
        world.given(a_call().to(number), start).await;
    }
    world.pass(HOUR).await;
    let tried = world
        .journal
        .times(|entry| *entry == Entry::Connected { open: false });
    // The first look starts them all; from then on it is one at a time.
    let later: Vec<_> = tried.iter().filter(|at| **at > start + 8 * SECOND).collect();
    for two in later.windows(2) {
        assert!(two[1].since(*two[0]) >= 4 * SECOND, "{two:?}");
    }
    assert!(later.len() <= 250, "some four a minute: {}", later.len());
    assert!(later.len() >= 100, "and it does not give up: {}", later.len());
}

#[tokio::test]
async fn a_fresh_call_waits_a_moment_for_the_carrier_to_come_back() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.is_unreachable(true);
    let answer = world.ask(a_call(), None);
    world.pass(millis(100)).await;
    assert!(!answer.is_finished(), "it may come back within the five seconds");
    world.carrier.is_unreachable(false);
    world.pass(SECOND).await;
    let call = world.answered(answer).await;
    assert_eq!(call.status(), CallStatus::Initiated);
}

#[tokio::test]
async fn while_the_carrier_is_away_a_call_is_answered_within_five_seconds() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.is_unreachable(true);
    let start = world.clock.now();
    let call = world.call(a_call()).await;
    assert_eq!(world.clock.now(), start + 5 * SECOND);
    assert_eq!((call.status(), call.attempts.len()), (CallStatus::Queued, 0));
}

#[tokio::test]
async fn when_a_probe_comes_through_the_others_follow_at_once() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.is_unreachable(true);
    let start = world.clock.now();
    for number in 1..=5 {
        world.given(a_call().to(number), start).await;
    }
    world.pass(10 * MINUTE).await;
    world.carrier.is_unreachable(false);
    let slow = world.carrier.next_answer_is_held();
    while world.all_sent() == 0 {
        world.pass(millis(50)).await;
    }
    world.pass(millis(50)).await;
    let times = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    let first = times[0];
    let at_once = times.iter().filter(|at| at.since(first) <= millis(50)).count();
    assert!(at_once >= 2, "they do not wait for the probe's answer: {times:?}");
    slow.release();
    world.pass(MINUTE).await;
    assert_eq!(world.all_sent(), 5);
}

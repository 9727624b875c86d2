//! Attempts to come: made when they are due, and never before.

use domain::{AttemptStatus, CallStatus, HoldReason};
use testkit::carrier::Order;
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND, millis};

#[tokio::test]
async fn a_retry_is_dialled_when_it_is_due_and_never_before() {
    let world = World::new().await;
    world.engine.start();
    let call = world.call(a_call()).await;
    world.pass(7 * SECOND + millis(3)).await;
    world.hears(call.id, 1, AttemptStatus::Busy).await;
    let due_at = world
        .stands(call.id)
        .await
        .next_retry_at()
        .expect("attempts are left");
    assert_eq!(due_at, world.clock.now() + 2 * MINUTE);
    world.pass(2 * MINUTE - millis(1)).await;
    assert_eq!(world.sent(call.id).len(), 1);
    world.pass(millis(1)).await;
    assert_eq!(world.sent(call.id).last(), Some(&due_at), "at the very moment");
}

#[tokio::test]
async fn the_gaps_follow_the_policy_of_the_call() {
    let world = World::new().await;
    world.engine.start();
    let call = world
        .call(a_call().policy(|policy| policy.max_attempts = 5))
        .await;
    for attempt in 1..=5 {
        world.hears(call.id, attempt, AttemptStatus::NoAnswer).await;
        world.pass(11 * MINUTE).await;
    }
    let sent = world.sent(call.id);
    let gaps: Vec<u64> = sent
        .windows(2)
        .map(|two| two[1].since(two[0]).as_secs() / 60)
        .collect();
    // The next word comes eleven minutes after the last, whenever the dial was.
    assert_eq!(sent.len(), 5, "{gaps:?}");
    assert_eq!(gaps, [2, 14, 16, 11]);
    world.pass(HOUR).await;
    assert_eq!(world.sent(call.id).len(), 5, "and no more than the policy allows");
}

#[tokio::test]
async fn a_scheduled_call_is_dialled_at_its_time() {
    let world = World::new().await;
    world.engine.start();
    let at = world.clock.now() + HOUR;
    let answer = world.ask(a_call().scheduled_at(at), None);
    world.settle().await;
    assert!(answer.is_finished(), "nobody waits for it");
    let call = world.answered(answer).await;
    assert_eq!(
        world.engine.waiting_for(&call).map(|hold| hold.reason),
        Some(HoldReason::Schedule)
    );
    assert_eq!(
        world
            .journal
            .times(|entry| matches!(entry, Entry::Connected { .. }))
            .len(),
        0
    );
    world.pass(HOUR).await;
    assert_eq!(world.sent(call.id), [at]);
}

#[tokio::test]
async fn a_429_keeps_the_attempt_and_backs_off() {
    let world = World::new().await;
    world.engine.start();
    for _ in 0..4 {
        world.carrier.next(Order::too_many(None));
    }
    let answer = world.ask(a_call(), None);
    let call = world.answered(answer).await;
    assert_eq!(
        call.status(),
        CallStatus::Initiated,
        "three tries later, within five seconds"
    );
    world.pass(10 * SECOND).await;
    let call = world.stands(call.id).await;
    assert_eq!(call.attempts.len(), 1, "one attempt, however often it was tried");
    let sent = world.sent(call.id);
    let gaps: Vec<u128> = sent
        .windows(2)
        .map(|two| two[1].since(two[0]).as_millis())
        .collect();
    assert_eq!(
        gaps,
        [250, 500, 1_000, 2_000],
        "half of 0.5 s, doubling, as the dice fell"
    );
}

#[tokio::test]
async fn the_carriers_wish_to_wait_is_obeyed() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.next(Order::too_many(Some(17 * SECOND)));
    let start = world.clock.now();
    let call = world.call(a_call()).await;
    assert_eq!(call.attempts.len(), 0);
    let waits = world
        .engine
        .waiting_for(&call)
        .expect("it says what it waits for");
    assert_eq!(
        (waits.reason, waits.until),
        (HoldReason::Carrier, Some(start + 17 * SECOND))
    );
    world.pass(MINUTE).await;
    assert_eq!(world.sent(call.id), [start, start + 17 * SECOND]);
}

#[tokio::test]
async fn a_call_that_others_wait_behind_is_not_dialled_twice() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call().busy(1), start).await;
    world.pass(2 * MINUTE).await;
    let connection = world.carrier.next_connection_is_held();
    for _ in 0..5 {
        world.engine.dial_pass().await.expect("the store answers");
        world.settle().await;
    }
    connection.release();
    world.settle().await;
    assert_eq!(world.sent(call.id).len(), 1);
    assert_eq!(
        world
            .journal
            .times(|entry| matches!(entry, Entry::Connected { .. }))
            .len(),
        1
    );
}

#[tokio::test]
async fn one_round_does_what_is_due_and_returns() {
    let world = World::unborn(|_| ());
    let start = world.clock.now();
    let due = world.given(a_call().to(1).busy(1), start).await;
    let doubtful = world.given(a_call().to(2).in_doubt(), start).await;
    let later = world
        .given(a_call().to(3).scheduled_at(start + HOUR), start)
        .await;
    world.pass(3 * MINUTE).await;
    world.engine.recover().await.expect("the store answers");
    let engine = world.engine.clone();
    let round = tokio::spawn(async move { engine.one_round().await.expect("the store answers") });
    world.pass(MINUTE).await;
    let round = round.await.expect("it returns");
    assert_eq!((round.asked, round.dialled), (1, 1));
    assert_eq!((world.sent(due.id).len(), world.sent(later.id).len()), (1, 0));
    assert_eq!(world.stands(doubtful.id).await.status(), CallStatus::Unconfirmed);
}

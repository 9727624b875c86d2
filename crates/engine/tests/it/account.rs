//! The carrier refuses the account: one probe a minute, nothing spent, and on it goes.

use domain::{CallStatus, EventKind, HoldReason};
use testkit::{Entry, World, a_call};

use crate::{MINUTE, SECOND};

#[tokio::test]
async fn a_refused_account_is_tried_once_a_minute_until_it_is_taken_again() {
    let world = World::new().await;
    world.engine.start();
    world
        .carrier
        .refuses_the_account(Some("the account is suspended"));
    let start = world.clock.now();
    let mut calls = Vec::new();
    for number in 1..=10 {
        let answer = world.ask(a_call().to(number), None);
        calls.push(world.answered(answer).await);
    }
    world.pass(10 * MINUTE).await;
    let sent = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    for two in sent.windows(2) {
        assert!(two[1].since(two[0]) >= MINUTE, "{sent:?}");
    }
    assert!((10..=11).contains(&sent.len()), "{}", sent.len());
    for call in &calls {
        let call = world.stands(call.id).await;
        assert_eq!(
            (call.status(), call.attempts.len()),
            (CallStatus::Queued, 0),
            "nothing is spent"
        );
        let waits = world
            .engine
            .waiting_for(&call)
            .expect("it says what it waits for");
        assert_eq!(
            (waits.reason, waits.since),
            (HoldReason::Account, call.created_at.max(start))
        );
        assert!(
            waits.message.contains("the account is suspended"),
            "{}",
            waits.message
        );
    }
    let hold = world.engine.readiness().hold.expect("not ready");
    assert_eq!(hold.reason, HoldReason::Account);
    world.carrier.refuses_the_account(None);
    world.pass(MINUTE).await;
    for call in &calls {
        assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
    }
    assert_eq!(world.carrier.legs().len(), 10);
    assert!(world.engine.readiness().hold.is_none());
    let kept = store::Store::dialling(&world.store)
        .await
        .expect("the store answers");
    assert_eq!(kept.account_hold, None, "and the store knows it too");
}

#[tokio::test]
async fn a_fresh_call_is_answered_at_once_while_the_account_is_refused() {
    let world = World::new().await;
    world.carrier.refuses_the_account(Some("suspended"));
    let first = world.call(a_call().to(1)).await;
    assert_eq!(first.status(), CallStatus::Queued);
    let answer = world.ask(a_call().to(2), None);
    world.settle().await;
    assert!(answer.is_finished());
    let kept = store::Store::dialling(&world.store)
        .await
        .expect("the store answers");
    let hold = kept.account_hold.expect("it outlives the process");
    assert_eq!(hold.probe_at, hold.since + MINUTE);
}

#[tokio::test]
async fn a_call_that_the_account_held_back_says_so_in_its_history() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.refuses_the_account(Some("suspended"));
    let call = world.call(a_call()).await;
    world.carrier.refuses_the_account(None);
    world.pass(MINUTE + SECOND).await;
    let history = world.history(call.id).await;
    let given_back =
        |kind: &EventKind| matches!(kind, EventKind::GivenBack { why, .. } if why == "suspended");
    assert!(history.iter().any(|event| given_back(&event.kind)), "{history:?}");
    assert_eq!(world.stands(call.id).await.attempts.len(), 1);
}

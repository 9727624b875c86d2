//! A store that fails, and passes that panic: nothing is lost, and nothing runs wild.

use domain::{AttemptStatus, CallStatus, HoldReason};
use testkit::carrier::Order;
use testkit::store::Trouble;
use testkit::{Entry, Op, World, a_call};

use crate::{MINUTE, SECOND};

#[tokio::test]
async fn an_outcome_is_written_down_however_long_the_store_fails() {
    let world = World::new().await;
    world.store.trouble(Op::Apply, Trouble::Fails, 12);
    let call = world.call(a_call()).await;
    assert_eq!(call.attempts.len(), 0, "it is not in the store yet");
    world.turns(10, 30 * SECOND).await;
    let call = world.stands(call.id).await;
    assert_eq!(call.attempts[0].sid, Some(world.carrier.leg_of(call.id, 1).sid));
    assert_eq!((call.status(), world.all_sent()), (CallStatus::Initiated, 1));
}

#[tokio::test]
async fn a_refused_account_stops_dialling_even_while_the_store_fails() {
    let world = World::new().await;
    world.carrier.next(Order::Place);
    world.carrier.refuses_the_account(Some("suspended"));
    world.store.trouble(Op::Apply, Trouble::Fails, 3);
    let call = world.call(a_call()).await;
    let hold = world.engine.readiness().hold.expect("not ready");
    assert_eq!(hold.reason, HoldReason::Account);
    world.turns(5, SECOND).await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Queued);
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_store_that_grants_no_permits_is_not_stormed_and_neither_is_the_carrier() {
    let world = World::new().await;
    world.engine.start();
    let start = world.clock.now();
    for number in 1..=20 {
        world.given(a_call().to(number), start).await;
    }
    world.store.trouble(Op::Permit, Trouble::Fails, 200);
    world.pass(MINUTE).await;
    let connected = world
        .journal
        .times(|entry| matches!(entry, Entry::Connected { .. }))
        .len();
    assert_eq!(world.all_sent(), 0);
    assert!(
        connected <= 20 + 61,
        "one a second after the first look: {connected}"
    );
    let call = world.stands(world.given(a_call().to(21), start).await.id).await;
    let waits = world
        .engine
        .waiting_for(&call)
        .expect("it says what it waits for");
    assert_eq!(waits.reason, HoldReason::Paused);
    assert!(world.engine.readiness().hold.is_some());
    world.store.trouble(Op::Permit, Trouble::Fails, 1);
    world.pass(3 * SECOND).await;
    assert_eq!(world.all_sent(), 21, "all go when it works again");
}

#[tokio::test]
async fn a_call_that_is_due_and_refuses_to_be_dialled_is_not_tried_over_and_over() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world
        .given(a_call().policy(|policy| policy.give_up_after = MINUTE), start)
        .await;
    world.pass(2 * MINUTE).await;
    // It has waited too long, and nobody can give it up.
    world.store.trouble(Op::Check, Trouble::Fails, 1_000);
    world.engine.start();
    world.pass(10 * SECOND).await;
    let tried = world
        .journal
        .times(|entry| matches!(entry, Entry::Connected { .. }))
        .len();
    assert!((1..=22).contains(&tried), "twice a second at most: {tried}");
    assert_eq!(world.sent(call.id).len(), 0);
}

#[tokio::test]
async fn nothing_is_dialled_while_the_store_is_not_proven_good() {
    let world = World::new().await;
    world.engine.start();
    world.store.is_broken(Some("a sync failed"));
    let call = world.call(a_call()).await;
    world.pass(MINUTE).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(
        world.engine.waiting_for(&call).map(|hold| hold.reason),
        Some(HoldReason::Paused)
    );
    assert_eq!(world.engine.readiness().store.as_deref(), Some("a sync failed"));
    world.store.is_broken(None);
    world.pass(5 * SECOND).await;
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_pass_that_panics_is_run_again() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call().busy(1), start).await;
    let silent = world.given(a_call().to(2).in_doubt(), start).await;
    world.store.trouble(Op::Due, Trouble::Panics, 2);
    world.store.trouble(Op::Check, Trouble::Panics, 2);
    world.store.trouble(Op::Clock, Trouble::Panics, 2);
    world.engine.start();
    world.pass(3 * MINUTE).await;
    assert_eq!(world.sent(call.id).len(), 1);
    assert_eq!(
        world.stands(silent.id).await.attempts[0].status,
        AttemptStatus::Unconfirmed
    );
}

#[tokio::test]
async fn a_callback_is_answered_only_once_it_is_stored() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    let leg = world.carrier.leg_of(call.id, 1).sid;
    world.store.trouble(Op::Report, Trouble::Fails, 1);
    let body = format!("truly yours\n{leg}\ncompleted\n3");
    let webhook = engine::Webhook {
        kind: engine::WebhookKind::Status,
        path_and_query: "/",
        headers: &http::HeaderMap::new(),
        body: body.as_bytes(),
    };
    assert!(
        world.engine.callback(&webhook).await.is_err(),
        "the carrier should come again"
    );
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
    assert!(world.engine.callback(&webhook).await.is_ok());
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Completed);
    let forged = engine::Webhook {
        body: b"not yours",
        ..webhook
    };
    let heard = world.engine.callback(&forged).await.expect("the store answers");
    assert!(matches!(heard, engine::Heard::Refused(_)), "{heard:?}");
}

#[tokio::test]
async fn only_what_a_new_process_mends_is_ill_health() {
    let world = World::new().await;
    world.engine.start();
    world.pass(SECOND).await;
    assert_eq!(world.engine.health(), Ok(()));
    world.carrier.next(Order::Place);
    world.carrier.refuses_the_account(Some("suspended"));
    world.call(a_call()).await;
    assert!(world.engine.readiness().hold.is_some());
    assert_eq!(
        world.engine.health(),
        Ok(()),
        "the account is no reason to begin anew"
    );
    world.store.is_broken(Some("a sync failed"));
    assert_eq!(world.engine.health(), Err("a sync failed".to_owned()));
}

//! Promises about what is there when the store is opened again: all that was ever answered.

use domain::{Call, CallStatus, HoldReason, Refusal, Timestamp};
use std::sync::Arc;
use store::{Accepted, AccountHold, Depths, Due, Page, Permitted, Reported};

use crate::Factory;
use crate::given::{MINUTE, SECOND, START, World, all_of, busy, completed, key, phone, placed, ringing};

/// Calls and their histories are as they were.
pub async fn calls_outlive_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    world.heard(None, "CA1", busy()).await;
    let scheduled = world.a_call().await;
    let before = (world.record(id).await, world.record(scheduled).await);
    let mut world = world.reopen().await;
    assert_eq!((world.record(id).await, world.record(scheduled).await), before);
    world.pass(2 * MINUTE);
    world.granted(id).await;
}

/// A permit that was out stays out: nobody dials that attempt, or that pair, again, and it is listed
/// as what a dead process left behind.
pub async fn permits_outlive_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_dial();
    new.request.to = phone(900);
    let first = world.accepted(new).await.id;
    world.a_doubtful_call().await;
    let mut new = world.new_call();
    new.request.to = phone(900);
    let second = world.accepted(new).await.id;
    let world = world.reopen().await;
    let granted = world.store.granted().await.expect("permits can be listed");
    assert_eq!(granted, [(first, 1)]);
    assert_eq!(world.depths().await.undecided, 2);
    assert_eq!(world.permit(first).await, Permitted::Refused(Refusal::Busy));
    match world.permit(second).await {
        Permitted::Held(call) => assert_eq!(call.hold.map(|hold| hold.reason), Some(HoldReason::Pair)),
        other => panic!("not held: {other:?}"),
    }
    // What comes back for it is taken.
    world.done(first, placed(1, "CA1")).await;
}

/// A key finds its call in the next process too.
pub async fn keys_outlive_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_dial();
    new.key = key("order 17", 1);
    let call = world.accepted(new).await;
    let mut world = world.reopen().await;
    let mut repeat = world.new_dial();
    repeat.key = key("order 17", 1);
    assert_eq!(
        world.accept(repeat.clone()).await,
        Accepted::Repeat(Arc::new(call))
    );
    repeat.key = key("order 17", 2);
    assert_eq!(world.accept(repeat).await, Accepted::KeyTaken);
}

/// What was said of a leg finds it in the next process: that of legs somebody has, and that of legs
/// that somebody gets.
pub async fn facts_outlive_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let live = world.a_live_call("CA1").await;
    let dialling = world.a_dial().await;
    assert_eq!(world.report(None, "CA2", ringing()).await, Reported::Orphan);
    assert_eq!(
        world.report(Some((dialling, 2)), "CA3", busy()).await,
        Reported::Orphan
    );
    let world = world.reopen().await;
    assert_eq!(world.depths().await.orphans, 2);
    assert_eq!(world.heard(None, "CA1", completed()).await.id, live);
    let call = world.done(dialling, placed(1, "CA2")).await;
    assert_eq!(call.status(), CallStatus::Ringing);
    let misdirected = world.report(Some((dialling, 1)), "CA1", ringing()).await;
    assert_eq!(misdirected, Reported::Misdirected);
}

/// A pause, the account's state, the pace and the number of live calls are as they were.
pub async fn the_dialling_outlives_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    world.a_live_call("CA1").await;
    world.a_dial().await;
    let hold = AccountHold {
        since: START,
        probe_at: START + MINUTE,
        message: "closed".to_owned(),
    };
    let set = world.store.set_account_hold(Some(hold)).await;
    set.expect("the account's state can be kept");
    world.pass(SECOND);
    let set = world.store.set_paused(true, world.now).await;
    let before = set.expect("dialling can be paused");
    assert_eq!((before.live, before.pace_clear_at), (2, Some(START + SECOND)));
    let mut world = world.reopen().await;
    assert_eq!(
        world.store.dialling().await.expect("the dialling can be read"),
        before
    );
    let id = world.a_call().await;
    assert_eq!(world.permit(id).await, Permitted::Paused);
}

/// Queues, lists and counts are as they were.
pub async fn queues_and_lists_outlive_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    for leg in ["CA1", "CA2"] {
        world.a_live_call(leg).await;
        world.a_call().await;
        world.pass(SECOND);
    }
    world.heard(None, "CA1", busy()).await;
    let before = seen(&world).await;
    let world = world.reopen().await;
    assert_eq!(seen(&world).await, before);
}

type Seen = (Vec<Due>, Option<Timestamp>, Vec<Call>, Vec<Page>, Depths);

async fn seen(world: &World<'_>) -> Seen {
    let due = world
        .store
        .due(world.now, 10)
        .await
        .expect("the queue can be read");
    let next = world
        .store
        .next_due(world.now)
        .await
        .expect("the queue can be read");
    let far = world.now + 60 * MINUTE;
    let looks = world.store.to_check(far, 10).await.expect("looks can be listed");
    let mut by_status = all_of("ann");
    by_status.status = Some(CallStatus::Busy);
    let pages = vec![world.page(all_of("ann")).await, world.page(by_status).await];
    (due, next, looks, pages, world.depths().await)
}

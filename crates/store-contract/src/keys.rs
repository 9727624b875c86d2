//! Promises about idempotency keys: a repeated request finds its call, and calls nobody again.

use std::sync::Arc;

use domain::CallStatus;
use store::Accepted;
use tokio::task::JoinSet;

use crate::Factory;
use crate::given::{MINUTE, World, all_of, completed, is_dialling, key, placed};

/// A key and an equal request find the call that they made, as it stands by now.
pub async fn a_repeat_finds_its_call_as_it_stands(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_dial();
    new.key = key("order 17", 1);
    let id = world.accepted(new).await.id;
    world.done(id, placed(1, "CA1")).await;
    world.heard(None, "CA1", completed()).await;
    world.pass(MINUTE);
    let mut repeat = world.new_dial();
    repeat.key = key("order 17", 1);
    match world.accept(repeat).await {
        Accepted::Repeat(call) => assert_eq!((call.id, call.status()), (id, CallStatus::Completed)),
        other => panic!("not a repeat: {other:?}"),
    }
}

/// A repeat makes no call, asks for no permit and writes nothing.
pub async fn a_repeat_changes_nothing(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_call();
    new.key = key("order 17", 1);
    let id = world.accepted(new).await.id;
    let before = world.record(id).await;
    world.pass(MINUTE);
    for _ in 0..2 {
        let mut repeat = world.new_dial();
        repeat.key = key("order 17", 1);
        let accepted = world.accept(repeat.clone()).await;
        assert_eq!(accepted, Accepted::Repeat(Arc::new(before.call.clone())));
        assert_eq!(
            world.store.call(repeat.id).await.expect("a call can be read"),
            None
        );
    }
    assert_eq!(world.record(id).await, before);
    assert_eq!(world.page(all_of("ann")).await.total.count, 1);
    assert_eq!(world.depths().await.undecided, 0);
}

/// A key that stands for another request is refused, and no call is made.
pub async fn a_key_belongs_to_one_request(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_call();
    new.key = key("order 17", 1);
    world.accepted(new).await;
    let mut other = world.new_dial();
    other.key = key("order 17", 2);
    assert_eq!(world.accept(other.clone()).await, Accepted::KeyTaken);
    assert_eq!(
        world.store.call(other.id).await.expect("a call can be read"),
        None
    );
    assert_eq!(world.page(all_of("ann")).await.total.count, 1);
    assert_eq!(world.depths().await.undecided, 0);
}

/// Keys are told apart to the letter, and a request without one is always new.
pub async fn other_keys_make_other_calls(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    for key in [
        key("order 17", 1),
        key("Order 17", 1),
        key("order 17 ", 1),
        key("order 1", 1),
        None,
        None,
    ] {
        let mut new = world.new_dial();
        new.key = key;
        let call = world.accepted(new).await;
        assert!(is_dialling(&call, 1), "{call:?}");
    }
    assert_eq!(world.page(all_of("ann")).await.total.count, 6);
}

/// Of the same request sent many times at once, one is new and the others find its call.
pub async fn of_many_repeats_at_once_one_is_new(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut asking = JoinSet::new();
    for _ in 0..16 {
        let mut new = world.new_dial();
        new.key = key("order 17", 1);
        let (store, at) = (Arc::clone(&world.store), world.at());
        asking.spawn(async move { store.accept(new, at).await });
    }
    let (mut made, mut found) = (Vec::new(), Vec::new());
    for accepted in asking.join_all().await {
        match accepted.expect("a request is answered") {
            Accepted::New(call) => made.push(call.id),
            Accepted::Repeat(call) => found.push(call.id),
            Accepted::KeyTaken => panic!("the requests are equal"),
        }
    }
    assert_eq!(made.len(), 1);
    assert_eq!(found, vec![made[0]; 15]);
    assert_eq!(world.page(all_of("ann")).await.total.count, 1);
    assert_eq!(world.depths().await.undecided, 1);
}

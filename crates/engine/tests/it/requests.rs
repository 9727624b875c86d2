//! Requests for calls: how long they wait, and that they decide nothing.

use domain::CallStatus;
use engine::{Key, Taken};
use testkit::carrier::Order;
use testkit::{World, a_call};

use crate::{SECOND, millis};

fn key(body: u8) -> Option<Key> {
    Some(Key {
        key: "order-1".to_owned(),
        body: [body; 32],
    })
}

#[tokio::test]
async fn a_request_is_answered_after_five_seconds_whatever_the_carrier_does() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    world.pass(5 * SECOND - millis(1)).await;
    assert!(!answer.is_finished());
    world.pass(millis(1)).await;
    assert!(answer.is_finished());
    late.release();
    world.settle().await;
    assert_eq!(world.answered(answer).await.attempts.len(), 0);
}

#[tokio::test]
async fn a_client_that_goes_away_changes_nothing() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    world.settle().await;
    answer.abort();
    world.settle().await;
    late.release();
    world.settle().await;
    let leg = &world.carrier.legs()[0];
    let id = leg.call.expect("somebody asked for it").0;
    let call = world.stands(id).await;
    assert_eq!(
        (call.status(), call.attempts[0].sid.as_ref()),
        (CallStatus::Initiated, Some(&leg.sid))
    );
}

#[tokio::test]
async fn a_client_that_goes_away_before_the_call_is_stored_changes_nothing_either() {
    let world = World::new().await;
    let connection = world.carrier.next_connection_is_held();
    let answer = world.ask(a_call(), None);
    world.settle().await;
    answer.abort();
    world.settle().await;
    connection.release();
    world.settle().await;
    assert_eq!(world.all_sent(), 1);
    assert_eq!(world.engine.depths().await.expect("the store answers").live, 1);
}

#[tokio::test]
async fn a_repeat_waits_like_the_first_and_gets_the_same_answer() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let first = world.ask(a_call(), key(1));
    world.settle().await;
    let repeat = world.ask(a_call(), key(1));
    world.pass(SECOND).await;
    assert!(!first.is_finished() && !repeat.is_finished());
    late.release();
    let (first, repeat) = (world.answered(first).await, world.answered(repeat).await);
    assert_eq!(first, repeat);
    assert_eq!(first.status(), CallStatus::Initiated);
    assert_eq!(world.all_sent(), 1, "nobody is called again");
}

#[tokio::test]
async fn a_repeat_after_the_decision_is_answered_at_once() {
    let world = World::new().await;
    world.carrier.next(Order::refuse());
    let first = world.ask(a_call(), key(1));
    let first = world.answered(first).await;
    let repeat = world.ask(a_call(), key(1));
    world.settle().await;
    assert!(repeat.is_finished());
    assert_eq!(world.answered(repeat).await, first);
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let world = World::new().await;
    let first = world.ask(a_call(), key(1));
    world.answered(first).await;
    let other = world.ask(a_call().to(2), key(2));
    world.settle().await;
    let other = other.await.expect("a request does not panic");
    assert!(matches!(other, Taken::KeyTaken), "{other:?}");
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_repeat_costs_no_slot_of_the_pace() {
    let slow = |settings: &mut engine::Settings| {
        settings.rate = domain::Rate {
            per_second: 1.0,
            burst: 2,
        }
    };
    let world = World::with(slow).await;
    let first = world.ask(a_call(), key(1));
    world.answered(first).await;
    for _ in 0..10 {
        let repeat = world.ask(a_call(), key(1));
        world.answered(repeat).await;
    }
    world.turn().await;
    let other = world.call(a_call().to(2)).await;
    assert_eq!(
        other.status(),
        CallStatus::Initiated,
        "the second slot is still there"
    );
}

#[tokio::test]
async fn a_store_that_never_answers_is_an_error_in_good_time() {
    let world = World::new().await;
    let hangs = testkit::store::Trouble::Hangs;
    world.store.trouble(testkit::Op::Accept, hangs, 1);
    let engine = world.engine.clone();
    let asked = tokio::spawn(async move { engine.request(a_call().request, None).await });
    world.pass(6 * SECOND).await;
    let error = asked.await.expect("no panic").expect_err("nobody knows");
    assert!(error.to_string().contains("not answered in time"), "{error}");
    assert_eq!(world.all_sent(), 0);
}

#[tokio::test]
async fn a_request_that_the_store_cannot_take_calls_nobody() {
    let world = World::new().await;
    world
        .store
        .trouble(testkit::Op::Accept, testkit::store::Trouble::Fails, 1);
    let engine = world.engine.clone();
    let answer = tokio::spawn(async move { engine.request(a_call().request, None).await });
    world.settle().await;
    assert!(answer.await.expect("a request does not panic").is_err());
    world.turns(10, SECOND).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(world.engine.under_way(), 0);
}

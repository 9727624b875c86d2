//! What must hold before a permit is granted: the pair, the live limit, and that no slot is lost.

use domain::Rate;
use domain::{AttemptStatus, CallStatus, HoldReason};
use testkit::carrier::Order;
use testkit::{Entry, World, a_call};

use crate::{MINUTE, SECOND, millis};

#[tokio::test]
async fn a_second_call_between_two_numbers_waits_for_the_first_to_be_decided() {
    let world = World::new().await;
    world.engine.start();
    let late = world.carrier.next_answer_is_held();
    let first = world.ask(a_call(), None);
    world.settle().await;
    let second = world.ask(a_call(), None);
    world.settle().await;
    assert!(second.is_finished(), "it may not go, so nobody waits");
    let second = world.answered(second).await;
    assert_eq!(
        world.engine.waiting_for(&second).map(|hold| hold.reason),
        Some(HoldReason::Pair)
    );
    world.pass(2 * SECOND).await;
    assert_eq!(world.all_sent(), 1);
    late.release();
    world.pass(SECOND).await;
    assert_eq!(world.all_sent(), 2);
    assert_eq!(world.answered(first).await.status(), CallStatus::Initiated);
}

#[tokio::test]
async fn no_slot_is_lost_on_a_call_that_gets_no_permit() {
    let world = World::with(|settings| {
        settings.rate = Rate {
            per_second: 1.0,
            burst: 1,
        }
    })
    .await;
    let start = world.clock.now();
    // Twenty calls to a person whose first dial nobody knows the fate of.
    world.carrier.is_silent(true);
    world.given(a_call().to(1).in_doubt(), start).await;
    for _ in 0..20 {
        world.given(a_call().to(1), start).await;
    }
    world.engine.start();
    world.pass(MINUTE).await;
    assert_eq!(world.all_sent(), 0);
    let others: Vec<_> = (2..32).map(|number| a_call().to(number)).collect();
    let begun = world.clock.now();
    for other in others {
        world.given(other, begun).await;
    }
    world.pass(30 * SECOND).await;
    assert!(
        world.all_sent() >= 29,
        "one a second, as if the others were not there: {}",
        world.all_sent()
    );
}

#[tokio::test]
async fn at_the_live_limit_calls_wait_and_go_as_others_end() {
    let world = World::with(|settings| settings.max_live = Some(2)).await;
    world.engine.start();
    let mut calls = Vec::new();
    for number in 1..=4 {
        let answer = world.ask(a_call().to(number), None);
        calls.push(world.answered(answer).await);
    }
    assert_eq!(world.all_sent(), 2);
    assert_eq!(
        world.engine.waiting_for(&calls[3]).map(|hold| hold.reason),
        Some(HoldReason::LiveLimit)
    );
    assert!(
        world.engine.readiness().hold.is_none(),
        "a full house is no failure"
    );
    world.pass(10 * SECOND).await;
    assert_eq!(world.all_sent(), 2);
    world.hears(calls[0].id, 1, AttemptStatus::Completed).await;
    world.settle().await;
    assert_eq!(world.sent(calls[2].id).len(), 1, "at once, in order");
    assert_eq!(world.sent(calls[3].id).len(), 0);
    let held = world.holds(calls[2].id).await;
    assert_eq!(
        held.last().map(|hold| hold.reason),
        Some(HoldReason::LiveLimit),
        "its history says so"
    );
    world.hears(calls[1].id, 1, AttemptStatus::Completed).await;
    world.settle().await;
    assert_eq!(world.sent(calls[3].id).len(), 1);
}

#[tokio::test]
async fn at_the_live_limit_the_carrier_is_not_bothered() {
    let world = World::with(|settings| settings.max_live = Some(1)).await;
    world.engine.start();
    let start = world.clock.now();
    for number in 1..=50 {
        world.given(a_call().to(number), start).await;
    }
    world.pass(10 * SECOND).await;
    let connected = world
        .journal
        .times(|entry| matches!(entry, Entry::Connected { .. }))
        .len();
    assert_eq!(world.all_sent(), 1);
    assert!(
        connected <= 50 + 12,
        "one a second after the first look: {connected}"
    );
}

#[tokio::test]
async fn a_dial_that_is_refused_makes_room_below_the_live_limit() {
    let world = World::with(|settings| settings.max_live = Some(1)).await;
    world.engine.start();
    world.carrier.next(Order::refuse());
    let first = world.ask(a_call().to(1), None);
    let second = world.ask(a_call().to(2), None);
    assert_eq!(world.answered(first).await.status(), CallStatus::Failed);
    world.pass(SECOND + millis(1)).await;
    let second = world.answered(second).await;
    assert_eq!(world.sent(second.id).len(), 1);
}

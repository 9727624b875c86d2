//! The order of a dial: connect, permit, gate, send, classify, write down.

use domain::{AttemptStatus, CallStatus};
use testkit::carrier::Order;
use testkit::{Entry, World, a_call};

use crate::SECOND;

#[tokio::test]
async fn a_call_is_dialled_at_once_and_answered_as_placed() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    assert_eq!(call.status(), CallStatus::Initiated);
    assert_eq!(call.attempts.len(), 1);
    let leg = world.carrier.leg_of(call.id, 1);
    assert_eq!(call.attempts[0].sid, Some(leg.sid));
}

#[tokio::test]
async fn the_permit_is_committed_before_the_request_leaves() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    let fresh: Vec<Entry> = entries(&world);
    let dial = |attempt| {
        vec![
            Entry::Connected { open: true },
            Entry::Granted(call.id, attempt),
            Entry::Sent(call.id, attempt),
            Entry::Stored(call.id, "placed"),
        ]
    };
    assert_eq!(
        fresh,
        dial(1),
        "call and permit are one commit, after the connection"
    );
    world.hears(call.id, 1, AttemptStatus::Busy).await;
    world.turns(1, 120 * SECOND).await;
    assert_eq!(entries(&world)[4..], dial(2), "and so is a retry");
}

#[tokio::test]
async fn a_permit_older_than_two_seconds_is_given_back_unsent() {
    let world = World::new().await;
    let gate = world.carrier.next_is_held_before_the_gate();
    let answer = world.ask(a_call(), None);
    world.pass(2 * SECOND).await;
    gate.release();
    world.settle().await;
    assert_eq!(world.all_sent(), 0);
    let call = world.answered(answer).await;
    assert_eq!(
        (call.status(), call.attempts.len()),
        (CallStatus::Queued, 0),
        "no attempt is used"
    );
    world.turns(1, SECOND).await;
    let call = world.stands(call.id).await;
    assert_eq!(
        call.status(),
        CallStatus::Initiated,
        "the same attempt is made with a permit of its own"
    );
    assert_eq!((world.all_sent(), call.attempts.len()), (1, 1));
}

#[tokio::test]
async fn a_permit_younger_than_two_seconds_is_used() {
    let world = World::new().await;
    let gate = world.carrier.next_is_held_before_the_gate();
    let answer = world.ask(a_call(), None);
    world.pass(crate::millis(1_999)).await;
    gate.release();
    assert_eq!(world.answered(answer).await.status(), CallStatus::Initiated);
}

#[tokio::test]
async fn slowness_before_the_permit_does_not_age_it() {
    let world = World::new().await;
    let connection = world.carrier.next_connection_is_held();
    let answer = world.ask(a_call(), None);
    world.pass(4 * SECOND).await;
    assert_eq!(
        entries(&world),
        [],
        "nothing is granted before there is a connection"
    );
    connection.release();
    assert_eq!(world.answered(answer).await.status(), CallStatus::Initiated);
}

#[tokio::test]
async fn slowness_before_the_permit_of_a_retry_does_not_age_it() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call(), start).await;
    let connection = world.carrier.next_connection_is_held();
    world.turn().await;
    world.pass(4 * SECOND).await;
    connection.release();
    world.settle().await;
    assert_eq!(world.sent(call.id), [start + 4 * SECOND]);
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
}

#[tokio::test]
async fn a_refusal_for_good_ends_the_call_and_is_in_its_record() {
    let world = World::new().await;
    world.carrier.next(Order::refuse());
    let call = world.call(a_call()).await;
    assert_eq!(call.status(), CallStatus::Failed);
    let attempt = call
        .attempts
        .first()
        .expect("the refused attempt is in the record");
    assert!(attempt.refused);
    assert_eq!(attempt.error_code, Some(21_211));
    world.turns(100, 60 * SECOND).await;
    assert_eq!(world.all_sent(), 1, "it is not tried again");
}

#[tokio::test]
async fn two_busy_attempts_are_followed_by_the_last_one_alone() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call().busy(2), start).await;
    let due_at = call.next_retry_at().expect("one attempt is left");
    world.turns(1, due_at.since(start)).await;
    assert_eq!(world.sent(call.id), [due_at]);
    world.hears(call.id, 3, AttemptStatus::NoAnswer).await;
    let call = world.stands(call.id).await;
    assert_eq!(
        (call.status(), call.should_retry()),
        (CallStatus::NoAnswer, false)
    );
    world.turns(50, 60 * SECOND).await;
    assert_eq!(world.all_sent(), 1);
}

/// What has happened since the start, which asks the carrier for its time.
fn entries(world: &World) -> Vec<Entry> {
    let entries = world.journal.entries().into_iter();
    let entries = entries.map(|(_, entry)| entry);
    entries.filter(|entry| *entry != Entry::Pinged).collect()
}

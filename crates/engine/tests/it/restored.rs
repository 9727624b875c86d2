//! A store that was put back from a copy: nothing is dialled until the carrier's list has told what the copy
//! does not know, and nobody is phoned twice.

use domain::{AttemptStatus, Call, CallStatus, HoldReason};
use store::Store as _;
use testkit::given::phone;
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND};

/// A world whose store holds one call that is due, as a copy made just now; nothing has been dialled from it yet.
async fn a_copy() -> (World, Call) {
    let world = World::unborn(|_| ());
    let call = world.given(a_call(), world.clock.now()).await;
    let set = world.store.set_restored(Some(world.clock.now())).await;
    set.expect("the store answers");
    (world, call)
}

/// Recovers, and makes turns of every loop by hand until what is missing must have been made good.
async fn make_good(world: &World) {
    world.begin().await;
    turns(world, 130).await;
}

async fn turns(world: &World, seconds: u32) {
    for _ in 0..seconds {
        world.engine.restored_pass().await.expect("the store answers");
        world.pass(SECOND).await;
        world.turn().await;
    }
}

async fn is_copy(world: &World) -> bool {
    let dialling = world.store.dialling().await.expect("the store answers");
    dialling.restored.is_some()
}

fn readiness(world: &World) -> Option<(HoldReason, String)> {
    let hold = world.engine.readiness().hold;
    hold.map(|hold| (hold.reason, hold.message))
}

#[tokio::test]
async fn a_dial_that_the_copy_does_not_know_of_is_not_made_again() {
    let (world, call) = a_copy().await;
    world.pass(5 * SECOND).await;
    let made = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&made, AttemptStatus::Completed);
    world.pass(HOUR).await;
    make_good(&world).await;
    assert!(!is_copy(&world).await, "it is made good");
    let call = world.stands(call.id).await;
    assert_eq!(call.status(), CallStatus::Completed);
    assert_eq!(call.attempts[0].sid, Some(made));
    assert_eq!(world.all_sent(), 0, "nobody is phoned again for it");
    assert_eq!(readiness(&world), None);
}

#[tokio::test]
async fn the_policy_goes_on_after_a_dial_that_was_taken_in() {
    let (world, call) = a_copy().await;
    let made = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&made, AttemptStatus::Busy);
    world.pass(HOUR).await;
    make_good(&world).await;
    let numbers: Vec<u32> = world
        .stands(call.id)
        .await
        .attempts
        .iter()
        .map(|attempt| attempt.number)
        .collect();
    assert_eq!(numbers, [1, 2]);
    assert_eq!(world.carrier.leg_of(call.id, 2).to, phone(1));
    assert_eq!(world.all_sent(), 1, "the second attempt, and no other first one");
}

#[tokio::test]
async fn nothing_is_dialled_before_the_list_was_read_twice() {
    let (world, call) = a_copy().await;
    world.begin().await;
    turns(&world, 119).await;
    assert_eq!(world.all_sent(), 0);
    let (reason, message) = readiness(&world).expect("it says why");
    assert_eq!(reason, HoldReason::Settling);
    assert!(message.contains("put back from a copy"), "{message}");
    let waits = world.engine.waiting_for(&world.stands(call.id).await);
    assert_eq!(waits.map(|hold| hold.reason), Some(HoldReason::Settling));
    let lists = |entry: &Entry| *entry == Entry::ListedAll;
    assert_eq!(world.journal.times(lists).len(), 1, "one list, then patience");
    turns(&world, 5).await;
    assert_eq!(world.journal.times(lists).len(), 2);
    assert_eq!(world.sent(call.id).len(), 1, "no leg was missing: it is dialled");
}

#[tokio::test]
async fn a_call_that_is_taken_meanwhile_waits_and_says_so() {
    let (world, _) = a_copy().await;
    world.begin().await;
    let call = world.call(a_call().to(7)).await;
    assert_eq!(call.status(), CallStatus::Queued);
    let waits = world.engine.waiting_for(&call);
    assert_eq!(waits.map(|hold| hold.reason), Some(HoldReason::Settling));
    turns(&world, 130).await;
    assert_eq!(world.sent(call.id).len(), 1);
}

#[tokio::test]
async fn a_carrier_that_cannot_be_asked_is_asked_again_and_nothing_is_dialled_meanwhile() {
    let (world, call) = a_copy().await;
    world.carrier.is_silent(true);
    world.begin().await;
    turns(&world, 300).await;
    assert_eq!(world.all_sent(), 0);
    let (_, message) = readiness(&world).expect("it says why");
    assert!(message.contains("could not be read"), "{message}");
    let tries = world.journal.times(|entry| *entry == Entry::ListedAll).len();
    assert!((10..30).contains(&tries), "ever more slowly: {tries}");
    assert!(is_copy(&world).await);
    world.carrier.is_silent(false);
    turns(&world, 35).await;
    assert_eq!(world.sent(call.id).len(), 1);
}

#[tokio::test]
async fn what_is_not_made_good_yet_is_so_for_the_next_process_too() {
    let (world, call) = a_copy().await;
    world.begin().await;
    turns(&world, 60).await;
    let world = world.restarted();
    world.begin().await;
    turns(&world, 110).await;
    assert_eq!(world.all_sent(), 0, "its own patience counts");
    turns(&world, 15).await;
    assert_eq!(world.sent(call.id).len(), 1);
}

#[tokio::test]
async fn a_retry_of_a_call_that_was_live_in_the_copy_is_brought_to_it() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    world.pass(MINUTE).await;
    let set = world.store.set_restored(Some(world.clock.now())).await;
    set.expect("the store answers");
    // Busy, and dialled again after two minutes; the copy knows of neither.
    let first = world.carrier.leg_of(call.id, 1).sid;
    world.carrier.leg_is(&first, AttemptStatus::Busy);
    world.pass(2 * MINUTE).await;
    let second = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&second, AttemptStatus::NoAnswer);
    let world = world.restarted();
    make_good(&world).await;
    let call = world.stands(call.id).await;
    let sids: Vec<_> = call.attempts.iter().map(|attempt| attempt.sid.clone()).collect();
    assert_eq!(sids, [Some(first), Some(second)]);
    assert_eq!(
        world.sent(call.id).len(),
        1,
        "the first; the second was another's"
    );
}

#[tokio::test]
async fn a_retry_is_not_taken_for_the_attempt_that_was_undecided_in_the_copy() {
    let world = World::unborn(|_| ());
    let call = world.given(a_call().permitted(), world.clock.now()).await;
    let first = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&first, AttemptStatus::Busy);
    // The copy is made long after the permit, and the retry so soon after it that its leg might be the permit's.
    world.pass(MINUTE).await;
    let set = world.store.set_restored(Some(world.clock.now())).await;
    set.expect("the store answers");
    world.pass(20 * SECOND).await;
    let second = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&second, AttemptStatus::NoAnswer);
    make_good(&world).await;
    let call = world.stands(call.id).await;
    let sids = call.attempts.iter().map(|attempt| attempt.sid.clone());
    assert_eq!(sids.take(2).collect::<Vec<_>>(), [Some(first), Some(second)]);
}

#[tokio::test]
async fn a_leg_that_two_calls_may_have_made_is_an_attempt_of_both_and_of_neither() {
    let (world, one) = a_copy().await;
    let other = world.given(a_call(), world.clock.now()).await;
    let made = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&made, AttemptStatus::Completed);
    world.pass(HOUR).await;
    world.begin().await;
    turns(&world, 10).await;
    for call in [one.id, other.id] {
        let call = world.stands(call).await;
        assert_eq!(call.status(), CallStatus::Unconfirmed);
        assert_eq!((call.attempts.len(), &call.attempts[0].sid), (1, &None));
    }
    // Read once more, the list says the same: no further attempt is counted for it.
    turns(&world, 115).await;
    assert!(!is_copy(&world).await);
    assert_eq!(
        world.stands(one.id).await.attempt(1).map(|a| a.sid.clone()),
        Some(None)
    );
    let first = world.journal.times(|entry| matches!(entry, Entry::Granted(_, 1)));
    assert_eq!(first.len(), 0, "no first attempt is made again");
}

#[tokio::test]
async fn a_leg_of_a_call_that_the_copy_does_not_know_is_an_orphan() {
    let (world, call) = a_copy().await;
    world.carrier.makes_a_leg_by_itself(&phone(0), &phone(9));
    make_good(&world).await;
    let depths = world.engine.depths().await.expect("the store answers");
    assert_eq!(depths.orphans, 1);
    assert_eq!(world.sent(call.id).len(), 1);
}

#[tokio::test]
async fn a_round_without_a_server_makes_good_what_is_missing_before_it_dials() {
    let (world, call) = a_copy().await;
    let made = world.carrier.makes_a_leg_by_itself(&phone(0), &phone(1));
    world.carrier.leg_is(&made, AttemptStatus::Completed);
    world.engine.recover().await.expect("the store answers");
    let engine = world.engine.clone();
    let round = tokio::spawn(async move { engine.one_round().await.expect("the store answers") });
    world.pass(3 * MINUTE).await;
    assert_eq!(round.await.expect("no panic").dialled, 0);
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Completed);
    assert!(!is_copy(&world).await);
}

#[tokio::test]
async fn a_round_that_cannot_ask_the_carrier_dials_nothing_and_says_why() {
    let (world, _) = a_copy().await;
    world.carrier.is_silent(true);
    world.engine.recover().await.expect("the store answers");
    let engine = world.engine.clone();
    let round = tokio::spawn(async move { engine.one_round().await.expect("the store answers") });
    world.pass(MINUTE).await;
    let round = round.await.expect("no panic");
    assert_eq!(round.held.map(|hold| hold.reason), Some(HoldReason::Settling));
    assert_eq!(world.all_sent(), 0);
}

//! Promises about pairs: while one dial between two numbers by one account is undecided, no other is
//! sent, because a leg found at the carrier could be either's.

use std::sync::Arc;

use domain::{Answer, HoldReason, Refusal, limits};
use store::{Permitted, Terms};
use tokio::task::JoinSet;

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, START, World, asked, in_doubt, is_dialling, leg, not_sent, phone, placed, refused,
    ringing,
};
use crate::permits::{a_call_to, grants, held, out};

/// Of many calls between the same two numbers that are asked for at the same time, one is dialled.
pub async fn of_many_to_one_person_at_once_one_is_granted(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut calls = Vec::new();
    for _ in 0..8 {
        calls.push(a_call_to(&mut world, 900).await);
    }
    let mut asking = JoinSet::new();
    for id in calls {
        let (store, terms, at) = (Arc::clone(&world.store), world.terms(), world.at());
        asking.spawn(async move { store.permit(id, terms, at).await });
    }
    let answers = asking.join_all().await.into_iter();
    let answers: Vec<Permitted> = answers.map(|it| it.expect("a permit is decided")).collect();
    assert_eq!(grants(&answers), 1, "{answers:?}");
    assert_eq!(world.depths().await.undecided, 1);
}

/// While a dial between two numbers is undecided, another waits, tries again soon and says why;
/// repeated tries add nothing to its history.
pub async fn a_second_dial_between_two_numbers_waits(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    let second = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    let call = held(world.permit(second).await);
    let hold = call.hold.clone().expect("it says why");
    assert_eq!((hold.reason, hold.since), (HoldReason::Pair, world.now));
    assert_eq!(call.due_at(), Some(world.now + limits::PAIR_GAP));
    let entries = world.record(second).await.events.len();
    assert_eq!(entries, 2, "accepted, held");
    assert_eq!(world.permit(second).await, Permitted::Refused(Refusal::NotDue));
    world.done(first, in_doubt(1)).await;
    world.pass(SECOND);
    held(world.permit(second).await);
    assert_eq!(world.record(second).await.events.len(), entries);
    assert_eq!(out(&world).await, []);
}

/// The pair is free as soon as its dial is decided, however it was.
pub async fn a_decided_dial_frees_the_pair(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    for (number, decision) in [(901, placed(1, "CA1")), (902, refused(1)), (903, not_sent(1))] {
        let first = a_call_to(&mut world, number).await;
        let second = a_call_to(&mut world, number).await;
        world.granted(first).await;
        held(world.permit(second).await);
        world.done(first, decision).await;
        world.pass(SECOND);
        world.granted(second).await;
    }
    let first = a_call_to(&mut world, 904).await;
    let second = a_call_to(&mut world, 904).await;
    world.granted(first).await;
    world.heard(Some((first, 1)), "CA4", ringing()).await;
    world.granted(second).await;
}

/// An attempt that stays without proof frees the pair when it becomes unconfirmed.
pub async fn an_unconfirmed_dial_frees_the_pair(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    let second = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    world.done(first, in_doubt(1)).await;
    world.pass(3 * MINUTE);
    held(world.permit(second).await);
    world
        .done(first, asked(1, world.now, Answer::Legs(Vec::new())))
        .await;
    world.pass(SECOND);
    world.granted(second).await;
    // Proof that comes late does not take it away again.
    let late = leg("CA1", START + SECOND);
    world
        .done(first, asked(1, world.now, Answer::Legs(vec![late])))
        .await;
    assert_eq!(out(&world).await, [(second, 1)]);
    assert_eq!(world.depths().await.undecided, 1);
}

/// The same person called from elsewhere, or by another account, or calling back, is another pair.
pub async fn other_pairs_do_not_wait(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    let by_another = a_call_to(&mut world, 900).await;
    let account = Terms {
        account: "AC2".to_owned(),
        ..world.terms()
    };
    let permitted = world.permit_under(by_another, account).await;
    assert!(matches!(permitted, Permitted::Granted(_)), "{permitted:?}");
    for (from, to) in [(900, 0), (1, 900), (0, 901)] {
        let mut new = world.new_dial();
        new.request.from = phone(from);
        new.request.to = phone(to);
        let call = world.accepted(new).await;
        assert!(is_dialling(&call, 1), "from {from} to {to}: {call:?}");
    }
}

/// A new call to somebody whose dial is undecided is taken all the same, waits, and says why.
pub async fn a_new_call_waits_for_its_pair(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    let mut new = world.new_dial();
    new.request.to = phone(900);
    let call = world.accepted(new).await;
    let hold = call.hold.clone().expect("it says why");
    assert_eq!(hold.reason, HoldReason::Pair);
    assert_eq!(call.due_at(), Some(world.now + limits::PAIR_GAP));
    assert_eq!(world.record(call.id).await.events.len(), 2, "accepted, held");
    assert_eq!(out(&world).await, [(first, 1)]);
}

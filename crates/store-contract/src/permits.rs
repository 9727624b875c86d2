//! Promises about permits: one attempt is sent at most once, and never past an obstacle.

use std::sync::Arc;

use domain::{Call, CallId, EventKind, Hold, HoldReason, Input, Refusal};
use store::{Permitted, StoreError, Terms};
use tokio::task::JoinSet;

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, START, World, busy, completed, in_doubt, is_dialling, not_sent, phone, placed, refused,
};

/// A call that is due, and in nobody's way, is dialled: its permit is out and is remembered.
pub async fn a_due_call_is_granted_its_permit(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    world.pass(SECOND);
    let call = world.granted(id).await;
    assert!(is_dialling(&call, 1), "{call:?}");
    assert_eq!(out(&world).await, [(id, 1)]);
    assert_eq!(world.depths().await.undecided, 1);
}

/// While a permit is out, and after it was used, there is no other for that attempt.
pub async fn a_permit_is_granted_once(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::Busy));
    world.done(id, in_doubt(1)).await;
    assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::Busy));
    world.done(id, placed(1, "CA1")).await;
    assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::Busy));
    assert_eq!(out(&world).await, []);
}

/// A step alone never starts a dial: without a permit nothing may be sent.
pub async fn a_step_grants_no_permit(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    let before = world.record(id).await;
    let due = Input::Due { held: None };
    let applied = world.store.apply(id, due, world.at()).await;
    assert!(matches!(applied, Err(StoreError::Broken(..))), "{applied:?}");
    assert_eq!(world.record(id).await, before);
    world.granted(id).await;
}

/// What held a dial back is told in the call's history, with the permit that ended it.
pub async fn what_held_a_dial_back_is_told_with_its_permit(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let waited = world.a_call().await;
    let mut at_once = world.new_call();
    world.pass(SECOND);
    let hold = Hold {
        reason: HoldReason::Pace,
        since: START,
        until: None,
        message: "more was due than may be dialled".to_owned(),
    };
    let terms = Terms {
        held: Some(hold.clone()),
        ..world.terms()
    };
    at_once.permit = Some(terms.clone());
    world.permit_under(waited, terms).await;
    let at_once = world.accepted(at_once).await.id;
    for id in [waited, at_once] {
        let told = world.record(id).await;
        assert!(is_dialling(&told.call, 1), "{:?}", told.call);
        let last = told.events.last().expect("every call has a history");
        assert_eq!((last.at, &last.kind), (world.now, &EventKind::Held(hold.clone())));
    }
}

/// However many ask for one call's permit at the same time, one gets it.
pub async fn of_many_that_ask_at_once_one_is_granted(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    let mut asking = JoinSet::new();
    for _ in 0..16 {
        let (store, terms, at) = (Arc::clone(&world.store), world.terms(), world.at());
        asking.spawn(async move { store.permit(id, terms, at).await });
    }
    let answers = asking.join_all().await.into_iter();
    let answers: Vec<Permitted> = answers.map(|it| it.expect("a permit is decided")).collect();
    assert_eq!(grants(&answers), 1, "{answers:?}");
    assert_eq!(out(&world).await, [(id, 1)]);
}

/// A call that is not due yet, or was due too long ago, is not dialled.
pub async fn a_dial_is_sent_in_its_time_only(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_dial();
    new.request.scheduled_at = Some(START + MINUTE);
    let call = world.accepted(new).await;
    assert!(call.due_at().is_some(), "it waits: {call:?}");
    assert_eq!(world.permit(call.id).await, Permitted::Refused(Refusal::NotDue));
    world.pass(25 * 60 * MINUTE);
    assert_eq!(world.permit(call.id).await, Permitted::Refused(Refusal::NotDue));
    assert_eq!(world.depths().await.undecided, 0);
}

/// No permit is granted to a call that is canceled, over, or has used its attempts.
pub async fn a_call_that_is_over_is_never_dialled(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let canceled = world.a_call().await;
    world.done(canceled, Input::Cancel).await;
    let rejected = world.a_dial().await;
    world.done(rejected, refused(1)).await;
    let mut new = world.new_dial();
    new.request.policy.max_attempts = 1;
    let used_up = world.accepted(new).await.id;
    world.done(used_up, placed(1, "CA1")).await;
    world.heard(None, "CA1", busy()).await;
    world.pass(60 * MINUTE);
    for id in [canceled, rejected, used_up] {
        let before = world.record(id).await;
        assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::AlreadyOver));
        assert_eq!(world.record(id).await, before);
    }
}

/// Each attempt has a permit of its own, and the call its number.
pub async fn every_attempt_has_its_own_permit(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    for attempt in 1..=3 {
        let call = world.granted(id).await;
        assert!(is_dialling(&call, attempt), "{call:?}");
        assert_eq!(out(&world).await, [(id, attempt)]);
        let leg = format!("CA{attempt}");
        world.done(id, placed(attempt, &leg)).await;
        world.heard(None, &leg, busy()).await;
        world.pass(10 * MINUTE);
    }
    assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::AlreadyOver));
}

/// A permit that is given back is granted again, for the same attempt.
pub async fn a_permit_given_back_is_granted_again(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    for _ in 0..3 {
        world.done(id, not_sent(1)).await;
        assert_eq!(world.depths().await.undecided, 0);
        assert_eq!(
            world.permit(id).await,
            Permitted::Refused(Refusal::NotDue),
            "not at once"
        );
        world.pass(SECOND);
        assert!(is_dialling(&world.granted(id).await, 1));
        assert_eq!(out(&world).await, [(id, 1)]);
    }
}

/// Nothing is dialled while dialling is paused; the call is as before.
pub async fn a_pause_stops_every_permit(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    pause(&world, true).await;
    let before = world.record(id).await;
    assert_eq!(world.permit(id).await, Permitted::Paused);
    assert_eq!(world.record(id).await, before);
    let new = world.new_dial();
    let call = world.accepted(new).await;
    assert_eq!((call.due_at(), call.hold), (Some(world.now), None));
    pause(&world, false).await;
    world.granted(id).await;
    world.granted(call.id).await;
}

/// As many calls are live or being dialled as may be, and not one more.
pub async fn the_live_limit_is_kept(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let live = world.a_live_call("CA1").await;
    world.a_doubtful_call().await;
    let dialling = world.a_dial().await;
    let waits = world.a_call().await;
    let limited = |most| Terms {
        max_live: Some(most),
        ..world.terms()
    };
    let (three, four) = (limited(3), limited(4));
    let before = world.record(waits).await;
    assert_eq!(
        world.permit_under(waits, three.clone()).await,
        Permitted::LiveLimit
    );
    assert_eq!(world.record(waits).await, before);
    let mut new = world.new_call();
    new.permit = Some(three.clone());
    let call = world.accepted(new).await;
    assert_eq!((call.due_at(), call.hold), (Some(world.now), None));
    let permitted = world.permit_under(waits, four).await;
    assert!(matches!(permitted, Permitted::Granted(_)), "{permitted:?}");
    world.done(dialling, not_sent(1)).await;
    assert_eq!(
        world.permit_under(call.id, three.clone()).await,
        Permitted::LiveLimit
    );
    world.heard(None, "CA1", completed()).await;
    assert!(world.stands(live).await.is_over());
    let permitted = world.permit_under(call.id, three).await;
    assert!(matches!(permitted, Permitted::Granted(_)), "{permitted:?}");
}

/// A new call is taken and permitted in one commit.
pub async fn a_new_call_is_permitted_at_once(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    assert_eq!(out(&world).await, [(id, 1)]);
    assert_eq!(world.permit(id).await, Permitted::Refused(Refusal::Busy));
    assert_eq!(world.depths().await.waiting, 0);
}

/// Where several things are in the way, the call's own comes first, then the pause, then the live
/// limit; the pair, which alone is written down, comes last.
pub async fn obstacles_are_told_in_order(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    let second = a_call_to(&mut world, 900).await;
    let full = Terms {
        max_live: Some(1),
        ..world.terms()
    };
    pause(&world, true).await;
    let busy = world.permit_under(first, full.clone()).await;
    assert_eq!(busy, Permitted::Refused(Refusal::Busy));
    assert_eq!(world.permit_under(second, full.clone()).await, Permitted::Paused);
    pause(&world, false).await;
    assert_eq!(world.permit_under(second, full).await, Permitted::LiveLimit);
    assert_eq!(world.stands(second).await.hold, None);
    held(world.permit(second).await);
}

/// The pace is moved on by a permit, and by nothing that is not one.
pub async fn only_a_permit_moves_the_pace(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let first = a_call_to(&mut world, 900).await;
    let second = a_call_to(&mut world, 900).await;
    world.granted(first).await;
    let clear_at = Some(START + SECOND);
    assert_eq!(pace(&world).await, clear_at);
    world.pass(SECOND);
    held(world.permit(second).await);
    world.permit(first).await;
    pause(&world, true).await;
    world.permit(second).await;
    let new = world.new_dial();
    world.accepted(new).await;
    pause(&world, false).await;
    assert_eq!(pace(&world).await, clear_at);
    world.a_dial().await;
    let clear_at = Some(world.now + SECOND);
    assert_eq!(pace(&world).await, clear_at);
    // Permits come in another order than their slots of the pace were taken in.
    let third = a_call_to(&mut world, 901).await;
    let terms = Terms {
        pace_clear_at: START,
        ..world.terms()
    };
    let granted = world.store.permit(third, terms, world.at()).await;
    assert!(matches!(granted, Ok(Permitted::Granted(_))), "{granted:?}");
    assert_eq!(pace(&world).await, clear_at);
}

pub(crate) async fn out(world: &World<'_>) -> Vec<(CallId, u32)> {
    let mut granted = world.store.granted().await.expect("permits can be listed");
    granted.sort();
    granted
}

async fn pace(world: &World<'_>) -> Option<domain::Timestamp> {
    let dialling = world.store.dialling().await;
    dialling.expect("the dialling can be read").pace_clear_at
}

async fn pause(world: &World<'_>, paused: bool) {
    let set = world.store.set_paused(paused, world.now).await;
    set.expect("dialling can be paused");
}

pub(crate) async fn a_call_to(world: &mut World<'_>, number: u32) -> CallId {
    let mut new = world.new_call();
    new.request.to = phone(number);
    world.accepted(new).await.id
}

pub(crate) fn held(permitted: Permitted) -> Call {
    match permitted {
        Permitted::Held(call) => call,
        other => panic!("not held: {other:?}"),
    }
}

pub(crate) fn grants(answers: &[Permitted]) -> usize {
    let granted = |answer: &&Permitted| matches!(answer, Permitted::Granted(_));
    answers.iter().filter(granted).count()
}

//! Promises about a store that was put back from a copy: it says so, it permits nothing, and it takes in the
//! dials that the copy does not know of.

use domain::{AttemptStatus, CallId, CallStatus, Fact, Input, Leg, Refusal, Sid, Source, Timestamp, Word};
use store::{Applied, Permitted, Reported};

use crate::Factory;
use crate::given::{MINUTE, START, World, busy, completed, phone};

fn forgotten(leg: &str, made_at: Timestamp, status: AttemptStatus) -> Input {
    let leg = Leg {
        sid: Sid::new(leg).expect("a short name is a leg's"),
        created_at: made_at,
        fact: Fact::new(Word::Known(status), Source::LookUp),
    };
    let is_certain = true;
    Input::Forgotten { leg, is_certain }
}

async fn set(world: &World<'_>, copied_at: Option<Timestamp>) {
    let set = world.store.set_restored(copied_at).await;
    set.expect("that it is a copy can be kept");
    let told = world.store.dialling().await.expect("the dialling can be read");
    assert_eq!(told.restored, copied_at);
}

/// While it is a copy, nothing is permitted: neither what waits nor what is new.
pub async fn a_copy_grants_no_permit_until_it_is_made_good(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let waiting = world.a_call().await;
    set(&world, Some(START)).await;
    assert_eq!(world.permit(waiting).await, Permitted::Paused);
    let new = world.new_dial();
    assert_eq!(world.accepted(new).await.status(), CallStatus::Queued);
    assert_eq!(world.depths().await.undecided, 0);
    set(&world, None).await;
    world.granted(waiting).await;
}

/// The next process is told too, until it is made good.
pub async fn that_it_is_a_copy_outlives_the_process(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let waiting = world.a_call().await;
    set(&world, Some(START + MINUTE)).await;
    let world = world.reopen().await;
    let told = world.store.dialling().await.expect("the dialling can be read");
    assert_eq!(told.restored, Some(START + MINUTE));
    assert_eq!(world.permit(waiting).await, Permitted::Paused);
    set(&world, None).await;
    let world = world.reopen().await;
    let told = world.store.dialling().await.expect("the dialling can be read");
    assert_eq!(told.restored, None);
    world.granted(waiting).await;
}

/// Those that wait, are live or in doubt, and none that is over or between other numbers.
pub async fn calls_between_two_numbers_are_told_while_they_are_unsettled(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut expected = Vec::new();
    for leg in ["CA1", "CA2", "CA3"] {
        let mut new = world.new_dial();
        new.request.to = phone(900);
        let id = world.accepted(new).await.id;
        world.done(id, crate::given::placed(1, leg)).await;
        expected.push(id);
    }
    world.heard(None, "CA1", busy()).await;
    world.heard(None, "CA2", completed()).await;
    expected.remove(1);
    let mut new = world.new_call();
    new.request.to = phone(900);
    expected.push(world.accepted(new).await.id);
    let other = world.a_call().await;
    let mut told = unsettled(&world, 900).await;
    told.sort();
    assert_eq!(told, expected);
    assert!(!told.contains(&other));
    assert_eq!(unsettled(&world, 901).await, []);
}

async fn unsettled(world: &World<'_>, to: u32) -> Vec<CallId> {
    let from = crate::given::request(to).from;
    let calls = world.store.unsettled(&from, &phone(to)).await;
    let calls = calls.expect("calls can be listed");
    calls.iter().map(|call| call.id).collect()
}

/// It is the call's next attempt, with its leg, at its time, and takes what was said of the leg before. The
/// attempt after it is permitted as ever.
pub async fn a_forgotten_dial_is_taken_in_with_what_was_said_of_it(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    let made_at = world.now + MINUTE;
    world.pass(60 * MINUTE);
    assert_eq!(world.report(None, "CA1", busy()).await, Reported::Orphan);
    let call = world
        .done(id, forgotten("CA1", made_at, AttemptStatus::Ringing))
        .await;
    assert_eq!((call.status(), call.attempts.len()), (CallStatus::Busy, 1));
    assert_eq!(call.attempts[0].permit_at, made_at);
    assert_eq!(world.depths().await.orphans, 0);
    match world.report(None, "CA1", busy()).await {
        Reported::Known(known) => assert_eq!(known.id, id),
        other => panic!("not the call's: {other:?}"),
    }
    world.pass(2 * MINUTE);
    let call = world.granted(id).await;
    assert_eq!(call.attempts.len(), 1, "the second dial is out");
}

/// One leg is never two attempts', however it becomes known.
pub async fn a_leg_that_somebody_has_is_taken_in_by_nobody(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    world.a_live_call("CA1").await;
    let id = world.a_call().await;
    let taken = world
        .apply(id, forgotten("CA1", START, AttemptStatus::Busy))
        .await;
    match taken {
        Applied::Refused(call, Refusal::AlreadyKnown) => assert_eq!(call.attempts, []),
        other => panic!("taken in: {other:?}"),
    }
    world.done(id, forgotten("CA2", START, AttemptStatus::Busy)).await;
    world.pass(2 * MINUTE);
    let again = world
        .apply(id, forgotten("CA2", START, AttemptStatus::Busy))
        .await;
    assert!(matches!(again, Applied::Refused(_, Refusal::AlreadyKnown)));
}

//! Promises about what is due: dials to be sent, and calls to be looked at for anything else.

use std::collections::BTreeSet;

use domain::{AttemptStatus, CallId, Input, Timestamp};

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, START, World, busy, completed, fact, in_doubt, not_sent, placed, refused, ringing,
};

/// Dials come in the order of their due times, whatever the order of the calls.
pub async fn the_longest_due_comes_first(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut due = Vec::new();
    for minutes in [3, 1, 2, 5, 4] {
        let mut new = world.new_call();
        new.request.scheduled_at = Some(START + MINUTE * minutes);
        due.push((START + MINUTE * minutes, world.accepted(new).await.id));
    }
    due.sort();
    world.pass(4 * MINUTE);
    assert_eq!(queue(&world, 10).await, due[..4]);
    assert_eq!(queue(&world, 2).await, due[..2], "no more than were asked for");
}

/// A scheduled call is not due before its time, and is at it.
pub async fn a_scheduled_call_is_due_at_its_time(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_call();
    let due_at = START + MINUTE;
    new.request.scheduled_at = Some(due_at);
    let id = world.accepted(new).await.id;
    world.now = due_at - std::time::Duration::from_millis(1);
    assert_eq!(queue(&world, 10).await, []);
    world.now = due_at;
    assert_eq!(queue(&world, 10).await, [(due_at, id)]);
}

/// A call leaves the queue with its permit, comes back for its retry, and leaves it for ever when it
/// is over.
pub async fn a_call_is_due_while_it_waits_and_no_longer(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    assert_eq!(queue(&world, 10).await, [(START, id)]);
    world.granted(id).await;
    assert_eq!(queue(&world, 10).await, [], "its permit is out");
    world.done(id, not_sent(1)).await;
    assert_eq!(queue(&world, 10).await, [], "it is tried again in a second");
    world.pass(SECOND);
    assert_eq!(queue(&world, 10).await, [(START + SECOND, id)]);
    world.granted(id).await;
    world.done(id, placed(1, "CA1")).await;
    world.heard(None, "CA1", busy()).await;
    assert_eq!(queue(&world, 10).await, [], "its retry is in two minutes");
    world.pass(2 * MINUTE);
    assert_eq!(queue(&world, 10).await, [(world.now, id)]);
    world.granted(id).await;
    world.done(id, refused(2)).await;
    world.pass(60 * MINUTE);
    assert_eq!(queue(&world, 10).await, [], "it is over");
    assert_eq!(next_due(&world).await, None);
}

/// The moment of the next dial is told: of those after the moment asked about the first.
pub async fn the_next_dial_is_told(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    assert_eq!(next_due(&world).await, None);
    let mut ids = Vec::new();
    for minutes in [3, 2] {
        let mut new = world.new_call();
        new.request.scheduled_at = Some(START + MINUTE * minutes);
        ids.push(world.accepted(new).await.id);
    }
    world.a_call().await;
    assert_eq!(
        next_due(&world).await,
        Some(START + 2 * MINUTE),
        "what is due already is not to come"
    );
    world.pass(2 * MINUTE - SECOND);
    assert_eq!(next_due(&world).await, Some(START + 2 * MINUTE));
    world.pass(SECOND);
    assert_eq!(next_due(&world).await, Some(START + 3 * MINUTE));
    world.done(ids[0], Input::Cancel).await;
    assert_eq!(next_due(&world).await, None);
}

/// Whatever a call needs beside its dials, it is looked at no later than that.
pub async fn no_look_comes_late(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let waiting = world.a_call().await;
    let doubtful = world.a_doubtful_call().await;
    let live = world.a_live_call("CA1").await;
    let silent = world.a_live_call("CA2").await;
    assert_eq!(
        looks(&world).await,
        [doubtful].into(),
        "its carrier is asked at once"
    );
    world.pass(MINUTE);
    world.heard(None, "CA1", ringing()).await;
    world.done(live, Input::Cancel).await;
    assert_eq!(
        looks(&world).await,
        [doubtful, live].into(),
        "it is to be hung up"
    );
    world.pass(MINUTE);
    assert_eq!(
        looks(&world).await,
        [doubtful, live, silent].into(),
        "two minutes of silence"
    );
    world.pass(24 * 60 * MINUTE);
    assert!(looks(&world).await.contains(&waiting), "it has waited too long");
}

/// Once what is listed by now has been put off, the moment told for the next look is never after a
/// look that is needed.
pub async fn the_next_look_is_told_in_time(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    assert_eq!(next_check(&world).await, None);
    let id = world.a_dial().await;
    for input in [in_doubt(1), placed(1, "CA1"), Input::Cancel] {
        world.pass(SECOND);
        let call = world.done(id, input).await;
        world.now = world.now - SECOND / 2;
        let needed = call.check_at().expect("a live call is looked at");
        let listed = listed(&world, world.now).await;
        put_off(&world, listed.into_iter().collect()).await;
        let told = next_check(&world).await.expect("a look is to come");
        assert!(told <= needed, "told {told}, needed {needed}");
        world.pass(SECOND);
    }
}

/// Once looks are put off, the call is listed when it needs one, and no earlier.
pub async fn a_look_that_was_put_off_comes_when_it_is_needed(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_doubtful_call().await;
    let other = world.a_live_call("CA2").await;
    world.pass(SECOND);
    world.heard(Some((id, 1)), "CA1", ringing()).await;
    world.heard(Some((other, 1)), "CA2", ringing()).await;
    put_off(&world, vec![id, other]).await;
    let needed = world.now + 2 * MINUTE;
    assert_eq!(next_check(&world).await, Some(needed));
    assert_eq!(listed(&world, needed - SECOND).await, BTreeSet::new());
    assert_eq!(listed(&world, needed).await, [id, other].into());
}

/// A call that is over, or is only waited for, is not looked at for ever.
pub async fn a_call_that_needs_nothing_is_not_listed(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let given_up = world.a_call().await;
    world.heard(None, "CA1", fact(AttemptStatus::InProgress, 2)).await;
    world.heard(None, "CA1", completed()).await;
    world.pass(25 * 60 * MINUTE);
    world.done(given_up, Input::GiveUp).await;
    put_off(&world, vec![id, given_up]).await;
    assert_eq!(next_check(&world).await, None);
    assert_eq!(listed(&world, world.now).await, BTreeSet::new());
}

/// A list of looks is no longer than was asked, and those not listed come once the others are put
/// off.
pub async fn looks_come_in_portions(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut all = BTreeSet::new();
    for _ in 0..5 {
        all.insert(world.a_doubtful_call().await);
    }
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        let calls = world
            .store
            .to_check(world.now, 2)
            .await
            .expect("looks can be listed");
        assert!(calls.len() <= 2, "{} are listed", calls.len());
        for call in calls {
            let failed = domain::Answer::Failed("no connection".to_owned());
            world
                .done(call.id, crate::given::asked(1, world.now, failed))
                .await;
            put_off(&world, vec![call.id]).await;
            assert!(seen.insert(call.id), "round {round}");
        }
    }
    assert_eq!(seen, all);
}

async fn queue(world: &World<'_>, limit: usize) -> Vec<(Timestamp, CallId)> {
    let due = world
        .store
        .due(world.now, limit)
        .await
        .expect("the queue can be read");
    due.into_iter().map(|due| (due.due_at, due.id)).collect()
}

async fn next_due(world: &World<'_>) -> Option<Timestamp> {
    world
        .store
        .next_due(world.now)
        .await
        .expect("the queue can be read")
}

async fn next_check(world: &World<'_>) -> Option<Timestamp> {
    world
        .store
        .next_check(world.now)
        .await
        .expect("looks can be listed")
}

async fn put_off(world: &World<'_>, calls: Vec<CallId>) {
    world
        .store
        .put_off_checks(calls)
        .await
        .expect("looks can be put off");
}

/// The calls that are listed and have something to do.
async fn looks(world: &World<'_>) -> BTreeSet<CallId> {
    let calls = world
        .store
        .to_check(world.now, 100)
        .await
        .expect("looks can be listed");
    let needed = calls
        .into_iter()
        .filter(|call| call.check_at().is_some_and(|at| at <= world.now));
    needed.map(|call| call.id).collect()
}

/// The calls that are listed.
async fn listed(world: &World<'_>, now: Timestamp) -> BTreeSet<CallId> {
    let calls = world.store.to_check(now, 100).await.expect("looks can be listed");
    calls.into_iter().map(|call| call.id).collect()
}

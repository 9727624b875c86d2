//! Promises about what the carrier says of legs that nobody has yet.

use domain::{Answer, AttemptStatus, CallStatus, EventKind, Fact, Source, Word};
use store::Reported;

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, World, asked, attempt, busy, completed, fact, in_doubt, leg, placed, ringing, sid,
};

/// What is said of an unknown leg is kept, once however often it is said.
pub async fn a_fact_of_an_unknown_leg_is_kept(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let before = world.record(id).await;
    for said in [ringing(), busy(), ringing()] {
        assert_eq!(world.report(None, "CA-unknown", said).await, Reported::Orphan);
        world.pass(SECOND);
    }
    assert_eq!(world.depths().await.orphans, 2);
    assert_eq!(world.record(id).await, before);
}

/// When a dial's answer names the leg, what was said of it before is applied in the order in which
/// it came.
pub async fn an_orphan_is_applied_when_its_leg_is_placed(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    let said = [
        fact(AttemptStatus::InProgress, 2),
        ringing(),
        Fact::new(Word::Other("humming".into()), Source::Callback),
        completed(),
    ];
    for fact in said.clone() {
        assert_eq!(world.report(None, "CA1", fact).await, Reported::Orphan);
    }
    assert_eq!(world.report(None, "CA9", busy()).await, Reported::Orphan);
    let call = world.done(id, placed(1, "CA1")).await;
    assert_eq!(call.status(), CallStatus::Completed);
    assert_eq!(heard(&world, id).await, said);
    assert_eq!(world.depths().await.orphans, 1, "another leg's is kept");
}

/// The same when a request that names the attempt brings the leg.
pub async fn an_orphan_is_applied_when_its_leg_is_named(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    world.report(None, "CA1", completed()).await;
    let call = world.heard(Some((id, 1)), "CA1", ringing()).await;
    assert_eq!(call.status(), CallStatus::Completed);
    assert_eq!(heard(&world, id).await, [ringing(), completed()]);
    assert_eq!(world.depths().await.orphans, 0);
}

/// The same when a look-up finds the leg.
pub async fn an_orphan_is_applied_when_its_leg_is_found(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_doubtful_call().await;
    world.report(None, "CA1", completed()).await;
    let listed = Answer::Legs(vec![leg("CA1", world.now)]);
    let call = world.done(id, asked(1, world.now, listed)).await;
    assert_eq!(call.status(), CallStatus::Completed);
    assert_eq!(world.depths().await.orphans, 0);
}

/// Once applied it is gone: it does not come back with the next leg.
pub async fn an_orphan_is_applied_once(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    world.report(None, "CA1", busy()).await;
    world.done(id, placed(1, "CA1")).await;
    world.pass(2 * MINUTE);
    let call = world.granted(id).await;
    assert_eq!(attempt(&call, 1).status, AttemptStatus::Busy);
    world.done(id, placed(2, "CA2")).await;
    assert_eq!(heard(&world, id).await, [busy()]);
}

/// A fact that names an attempt the call does not have yet is kept, and applied as soon as it has.
pub async fn an_orphan_is_applied_when_its_attempt_is_known(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    assert_eq!(
        world.report(Some((id, 2)), "CA2", ringing()).await,
        Reported::Orphan
    );
    assert_eq!(world.stands(id).await.attempts, []);
    world.granted(id).await;
    world.done(id, placed(1, "CA1")).await;
    world.heard(None, "CA1", busy()).await;
    world.pass(2 * MINUTE);
    world.granted(id).await;
    assert_eq!(world.depths().await.orphans, 1, "a permit is no attempt yet");
    let call = world.done(id, in_doubt(2)).await;
    assert_eq!(attempt(&call, 2).sid, Some(sid("CA2")));
    assert_eq!(call.status(), CallStatus::Ringing);
    assert_eq!(world.depths().await.orphans, 0);
}

/// A fact that names a call that is not there yet is kept too.
pub async fn an_orphan_may_be_older_than_its_call(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let new = world.new_dial();
    let id = new.id;
    assert_eq!(
        world.report(Some((id, 1)), "CA1", ringing()).await,
        Reported::Orphan
    );
    world.accepted(new).await;
    let call = world.done(id, placed(1, "CA1")).await;
    assert_eq!(call.status(), CallStatus::Ringing);
    assert_eq!(world.depths().await.orphans, 0);
}

/// What named another attempt than the one that gets its leg is an incident of the attempt that was
/// named, as if it came only then.
pub async fn an_orphan_may_turn_out_misdirected(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let owner = world.a_dial().await;
    let named = world.a_dial().await;
    assert_eq!(
        world.report(Some((named, 3)), "CA1", completed()).await,
        Reported::Orphan
    );
    let call = world.done(owner, placed(1, "CA1")).await;
    assert_eq!(call.status(), CallStatus::Initiated);
    assert_eq!(heard(&world, owner).await, []);
    let told = world.record(named).await.events;
    let last = told.last().map(|event| &event.kind);
    assert!(
        matches!(last, Some(EventKind::Incident { attempt: Some(3), .. })),
        "{last:?}"
    );
    assert_eq!(world.depths().await.orphans, 0);
}

async fn heard(world: &World<'_>, id: domain::CallId) -> Vec<Fact> {
    let told = world.record(id).await.events.into_iter();
    let facts = told.filter_map(|event| match event.kind {
        EventKind::Heard { fact, .. } => Some(fact),
        _ => None,
    });
    facts.collect()
}

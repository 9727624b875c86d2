//! Promises about what the carrier says of legs that somebody has.

use std::sync::Arc;

use domain::{AttemptStatus, Call, CallStatus, Event, EventKind, Input};
use store::Reported;

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, World, attempt, busy, completed, fact, in_doubt, not_sent, placed, ringing, sid,
};

/// A request that names no attempt finds it by its leg.
pub async fn a_fact_finds_its_attempt_by_the_leg(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let other = world.a_live_call("CA2").await;
    let call = world.heard(None, "CA1", ringing()).await;
    assert_eq!((call.id, call.status()), (id, CallStatus::Ringing));
    assert_eq!(world.stands(other).await.status(), CallStatus::Initiated);
}

/// A request that overtakes the answer to the dial brings the leg with it; the answer then says
/// nothing new.
pub async fn a_fact_that_overtakes_the_answer_binds_the_leg(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    let call = world.heard(Some((id, 1)), "CA1", ringing()).await;
    assert_eq!(attempt(&call, 1).sid, Some(sid("CA1")));
    assert_eq!(call.status(), CallStatus::Ringing);
    let applied = world.apply(id, placed(1, "CA1")).await;
    assert!(matches!(applied, store::Applied::Refused(..)), "{applied:?}");
    world.heard(None, "CA1", busy()).await;
    assert_eq!(world.depths().await.undecided, 0);
}

/// A fact settles a dial in doubt.
pub async fn a_fact_settles_a_doubt(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_doubtful_call().await;
    assert_eq!(world.depths().await.undecided, 1);
    world.heard(Some((id, 1)), "CA1", completed()).await;
    assert_eq!(world.stands(id).await.status(), CallStatus::Completed);
    assert_eq!(world.depths().await.undecided, 0);
}

/// The truth of a ring counts: a leg of an attempt that was believed not sent is the attempt's.
pub async fn a_leg_believed_not_sent_is_taken(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    world.done(id, not_sent(1)).await;
    let call = world.heard(Some((id, 1)), "CA1", ringing()).await;
    assert_eq!(attempt(&call, 1).sid, Some(sid("CA1")));
    world.pass(MINUTE);
    let permitted = world.permit(id).await;
    assert!(matches!(permitted, store::Permitted::Refused(_)), "{permitted:?}");
    assert_eq!(world.depths().await.live, 1);
}

/// What was said before is known, and writes nothing.
pub async fn a_repeated_fact_is_known(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    world.heard(Some((id, 1)), "CA1", ringing()).await;
    let before = world.record(id).await;
    world.pass(SECOND);
    for named in [None, Some((id, 1))] {
        let reported = world.report(named, "CA1", ringing()).await;
        assert_eq!(reported, Reported::Known(Arc::new(before.call.clone())));
    }
    assert_eq!(world.record(id).await, before);
}

/// What is said late of an attempt that is over is taken as a correction.
pub async fn a_late_fact_is_taken(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    world.heard(None, "CA1", busy()).await;
    world.pass(SECOND);
    let call = world.heard(None, "CA1", fact(AttemptStatus::Completed, 4)).await;
    assert_eq!(call.status(), CallStatus::Completed);
    assert_eq!(call.due_at(), None, "the retry is withdrawn");
    let corrected = |event: &Event| matches!(event.kind, EventKind::Corrected { .. });
    assert!(world.record(id).await.events.iter().any(corrected));
}

/// A second leg of one attempt is an incident, is remembered until it is hung up, and is not the
/// attempt's.
pub async fn a_second_leg_is_to_be_hung_up(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let call = world.heard(Some((id, 1)), "CA2", ringing()).await;
    assert_eq!(attempt(&call, 1).sid, Some(sid("CA1")));
    assert_eq!(call.extras.len(), 1);
    assert_eq!(call.status(), CallStatus::Initiated);
    assert_eq!(incidents(&world, id).await, 1);
    let hung_up = Input::HungUp {
        sid: sid("CA2"),
        done: true,
    };
    let call = world.done(id, hung_up).await;
    assert_eq!(call.extras[0].hang_up, None);
    let known = world.report(Some((id, 1)), "CA2", completed()).await;
    assert!(matches!(known, Reported::Known(_)), "{known:?}");
}

/// A request that names an attempt of another call than the leg's is an incident of the call that
/// was named; nothing else changes there, and nothing at all where the leg belongs.
pub async fn a_fact_for_another_call_is_misdirected(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let owner = world.a_live_call("CA1").await;
    let named = world.a_dial().await;
    let before = (world.record(owner).await, world.stands(named).await);
    let reported = world.report(Some((named, 1)), "CA1", completed()).await;
    assert_eq!(reported, Reported::Misdirected);
    assert_eq!(world.record(owner).await, before.0);
    assert_eq!(untimed(world.stands(named).await), untimed(before.1));
    assert_eq!(incidents(&world, named).await, 1);
}

/// A request that names another attempt of the same call, there or not, is an incident.
pub async fn a_fact_for_another_attempt_is_misdirected(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    world.heard(None, "CA1", busy()).await;
    world.pass(2 * MINUTE);
    world.granted(id).await;
    world.done(id, placed(2, "CA2")).await;
    let before = world.stands(id).await;
    for (number, leg) in [(1, "CA2"), (2, "CA1"), (7, "CA1")] {
        let reported = world.report(Some((id, number)), leg, completed()).await;
        assert_eq!(reported, Reported::Misdirected, "{leg} as attempt {number}");
    }
    assert_eq!(untimed(world.stands(id).await), untimed(before));
    assert_eq!(incidents(&world, id).await, 3);
}

/// A request that names a call that is not there, about a leg that is, changes nothing.
pub async fn a_fact_for_no_call_is_misdirected(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let owner = world.a_live_call("CA1").await;
    let nobody = world.new_call().id;
    let before = world.stands(owner).await;
    let reported = world.report(Some((nobody, 1)), "CA1", completed()).await;
    assert_eq!(reported, Reported::Misdirected);
    assert_eq!(untimed(world.stands(owner).await), untimed(before));
    assert_eq!(world.depths().await.orphans, 0);
}

/// The first attempt that a leg is known to be of keeps it: when the carrier names it again for
/// another dial, that one is in doubt.
pub async fn a_leg_is_never_two_attempts(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let owner = world.a_live_call("CA1").await;
    let second = world.a_dial().await;
    let call = world.done(second, placed(1, "CA1")).await;
    assert!(attempt(&call, 1).in_doubt(), "{call:?}");
    assert_eq!(world.depths().await.undecided, 1);
    let call = world.heard(None, "CA1", completed()).await;
    assert_eq!((call.id, call.status()), (owner, CallStatus::Completed));
    let before = world.stands(second).await;
    assert_eq!(before.status(), CallStatus::Initiated);
    // The same within one call.
    world.done(second, placed(1, "CA2")).await;
    world.heard(None, "CA2", busy()).await;
    world.pass(2 * MINUTE);
    world.granted(second).await;
    let call = world.done(second, placed(2, "CA2")).await;
    assert!(attempt(&call, 2).in_doubt(), "{call:?}");
    let again = world.apply(second, in_doubt(2)).await;
    assert!(matches!(again, store::Applied::Refused(..)), "{again:?}");
}

async fn incidents(world: &World<'_>, id: domain::CallId) -> usize {
    let record = world.record(id).await;
    let incident = |event: &&Event| matches!(event.kind, EventKind::Incident { .. });
    record.events.iter().filter(incident).count()
}

/// A call but for when it last changed: an incident may count as a change or not.
fn untimed(mut call: Call) -> Call {
    call.updated_at = crate::given::START;
    call
}

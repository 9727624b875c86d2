//! Promises about look-ups: which of the legs that the carrier lists can be an attempt's.

use domain::{Answer, CallId, Leg};

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, World, asked, attempt, busy, in_doubt, leg, not_sent, phone, placed, sid,
};

/// The one listed leg that fits is the attempt's.
pub async fn a_leg_that_is_found_is_bound(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_doubtful_call().await;
    let listed = vec![leg("CA1", world.now)];
    assert_eq!(bound(&mut world, id, listed).await, Some("CA1"));
    assert_eq!(world.depths().await.undecided, 0);
}

/// A listed leg that another attempt has is passed over, whether of another call or the same.
pub async fn a_leg_that_another_attempt_has_is_left_out(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    world.a_live_call("CA1").await;
    let id = world.a_live_call("CA2").await;
    world.heard(None, "CA2", busy()).await;
    world.pass(2 * MINUTE);
    world.granted(id).await;
    world.done(id, in_doubt(2)).await;
    let foreign = vec![leg("CA1", world.now), leg("CA2", world.now)];
    assert_eq!(bound_to(&mut world, id, 2, foreign.clone()).await, None);
    let mut with_own = foreign;
    with_own.insert(1, leg("CA3", world.now));
    assert_eq!(bound_to(&mut world, id, 2, with_own).await, Some("CA3"));
}

/// Two listed legs that both fit prove nothing.
pub async fn of_two_that_fit_none_is_taken(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_doubtful_call().await;
    let listed = vec![leg("CA1", world.now), leg("CA2", world.now)];
    assert_eq!(bound(&mut world, id, listed).await, None);
}

/// Once another dial between the same two numbers was permitted, a leg made since then may be that
/// one's; the carrier's dates have whole seconds, so the second before counts as since.
pub async fn a_leg_made_after_the_next_permit_is_left_out(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let (first, second) = two_of_a_pair(&mut world).await;
    world.granted(second).await;
    let next = world.now;
    let half = SECOND / 2;
    for late in [next + SECOND, next, next - half] {
        let listed = vec![leg("CA1", late)];
        assert_eq!(bound(&mut world, first, listed).await, None, "made at {late}");
    }
    let listed = vec![leg("CA1", next - SECOND)];
    assert_eq!(bound(&mut world, first, listed).await, Some("CA1"));
}

/// A permit that was given back sent nothing: what was made after it can still be the earlier
/// dial's.
pub async fn a_permit_given_back_claims_no_leg(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let (first, second) = two_of_a_pair(&mut world).await;
    world.granted(second).await;
    world.done(second, not_sent(1)).await;
    let listed = vec![leg("CA1", world.now)];
    assert_eq!(bound(&mut world, first, listed).await, Some("CA1"));
}

/// Dials to others, or by another account, claim none of this pair's legs; nor do dials before.
pub async fn other_pairs_claim_no_leg(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut earlier = world.new_dial();
    earlier.request.to = phone(900);
    let id = world.accepted(earlier).await.id;
    world.done(id, placed(1, "CA0")).await;
    let (first, second) = two_of_a_pair(&mut world).await;
    world.a_dial().await;
    let elsewhere = store::Terms {
        account: "AC2".to_owned(),
        ..world.terms()
    };
    world.permit_under(second, elsewhere).await;
    let listed = vec![leg("CA0", world.now), leg("CA1", world.now)];
    assert_eq!(bound(&mut world, first, listed).await, Some("CA1"));
}

/// A call whose dial, 20 s ago, is unconfirmed already, because the operator waits for proof no
/// longer than 10 s; and one to the same person that is due.
async fn two_of_a_pair(world: &mut World<'_>) -> (CallId, CallId) {
    let mut both = Vec::new();
    for _ in 0..2 {
        let mut new = world.new_call();
        new.request.to = phone(900);
        both.push(world.accepted(new).await.id);
    }
    world.settle_after(10 * SECOND);
    world.granted(both[0]).await;
    world.done(both[0], in_doubt(1)).await;
    world.pass(10 * SECOND);
    world.done(both[0], asked(1, world.now, Answer::Nothing)).await;
    world.pass(10 * SECOND);
    (both[0], both[1])
}

async fn bound(world: &mut World<'_>, id: CallId, listed: Vec<Leg>) -> Option<&'static str> {
    bound_to(world, id, 1, listed).await
}

/// Which of the listed legs becomes the attempt's.
async fn bound_to(world: &mut World<'_>, id: CallId, number: u32, listed: Vec<Leg>) -> Option<&'static str> {
    let applied = world
        .done(id, asked(number, world.now, Answer::Legs(listed)))
        .await;
    let own = attempt(&applied, number).sid.clone()?;
    let known = ["CA0", "CA1", "CA2", "CA3"].into_iter();
    let found = known.into_iter().find(|name| sid(name) == own);
    assert!(found.is_some(), "{own} was listed");
    found
}

//! Several processes on one store: what only one should do one does, and another when that one cannot.

use domain::{CallId, Timestamp};
use store::Store as _;
use testkit::{Entry, World, a_call};

use crate::SECOND;

/// Marks the store as a copy that knows nothing later than this.
async fn is_copy_of(world: &World, copied_at: Timestamp) {
    let set = world.store.set_restored(Some(copied_at)).await;
    set.expect("the store answers");
}

/// How often the carrier's list was read in one turn of the loop that does so.
async fn lists_read(world: &World) -> usize {
    let lists = || world.journal.times(|entry| *entry == Entry::ListedAll).len();
    let before = lists();
    world.engine.restored_pass().await.expect("the store answers");
    world.settle().await;
    lists() - before
}

/// Turns of every loop of both, by hand.
async fn turns(both: &[World; 2], seconds: u32) {
    for _ in 0..seconds {
        for world in both {
            world.engine.restored_pass().await.expect("the store answers");
            world.turn().await;
        }
        both[0].pass(SECOND).await;
    }
}

#[tokio::test]
async fn a_leader_that_cannot_reach_the_carrier_leaves_its_place_to_one_that_can() {
    let both = World::two().await;
    let [one, other] = &both;
    let copied_at = one.clock.now();
    one.carrier.is_cut_off(true);
    let call = one.call(a_call()).await;
    assert_eq!(one.all_sent(), 0);
    is_copy_of(one, copied_at).await;
    // It has met no carrier, so it leaves; the other checks in after it.
    one.turn().await;
    other.turn().await;
    assert_eq!(lists_read(one).await, 0, "it leads no more, and could not read");
    assert_eq!(lists_read(other).await, 1);
    turns(&both, 130).await;
    assert_eq!(one.sent(call.id).len(), 1, "the other has read twice, and dials");
    // Back again, it leaves the place to whom it is now.
    one.carrier.is_cut_off(false);
    turns(&both, 60).await;
    is_copy_of(one, one.clock.now()).await;
    one.turn().await;
    other.turn().await;
    assert_eq!(lists_read(one).await, 0);
    assert_eq!(lists_read(other).await, 1);
}

#[tokio::test]
async fn a_leader_that_falls_silent_is_followed_by_another() {
    let both = World::two().await;
    let [one, other] = &both;
    is_copy_of(one, one.clock.now()).await;
    other.turn().await;
    assert_eq!(lists_read(other).await, 0, "the other leads");
    one.pass(31 * SECOND).await;
    other.turn().await;
    assert_eq!(lists_read(other).await, 1);
}

/// Two processes whose database is a copy, and a call that waits until it is made good.
async fn on_a_copy() -> ([World; 2], Timestamp, CallId) {
    let both = World::two().await;
    let [one, other] = &both;
    let copied_at = one.clock.now();
    is_copy_of(one, copied_at).await;
    let call = other.given(a_call(), copied_at).await;
    (both, copied_at, call.id)
}

/// Another server takes over. What it has forgotten is no older than what the first had: the mark moves by the least
/// there is.
async fn takes_over(world: &World, before: Timestamp) {
    is_copy_of(world, Timestamp::from_millis(before.millis() - 1)).await;
}

/// It is dialled two minutes from now, and not sooner.
async fn dialled_in_two_minutes(both: &[World; 2], call: CallId) {
    turns(both, 119).await;
    assert_eq!(
        both[0].all_sent(),
        0,
        "two minutes since the last, not since the first"
    );
    turns(both, 5).await;
    assert_eq!(both[0].sent(call).len(), 1);
}

#[tokio::test]
async fn a_second_take_over_while_the_list_is_read_begins_it_anew() {
    let (both, first, call) = on_a_copy().await;
    turns(&both, 60).await;
    takes_over(&both[0], first).await;
    dialled_in_two_minutes(&both, call).await;
    let lists = both[0].journal.times(|entry| *entry == Entry::ListedAll);
    assert_eq!(lists.len(), 3, "once, and twice since the last: {lists:?}");
}

#[tokio::test]
async fn a_take_over_that_nobody_was_told_of_before_the_last_reading_is_noticed_after_it() {
    let (both, first, call) = on_a_copy().await;
    let one = &both[0];
    turns(&both, 119).await;
    one.pass(2 * SECOND).await;
    takes_over(one, first).await;
    assert_eq!(lists_read(one).await, 1, "begun without a word of it");
    let dialling = one.store.dialling().await.expect("the store answers");
    assert!(dialling.restored.is_some(), "the mark stands");
    dialled_in_two_minutes(&both, call).await;
}

//! Promises about the state of the dialling as a whole, and about what is counted for the metrics.

use domain::Input;
use store::{AccountHold, Depths, Dialling};

use crate::Factory;
use crate::given::{MINUTE, SECOND, START, World, busy, completed, ringing};

/// A fresh store dials: nothing is paused, held or live.
pub async fn a_fresh_store_is_at_rest(factory: &dyn Factory) {
    let world = World::new(factory).await;
    assert_eq!(dialling(&world).await, Dialling::default());
    assert_eq!(world.depths().await, Depths::default());
    assert_eq!(world.store.health(), Ok(()));
    world.store.clock().await.expect("the store tells the time");
}

/// A pause says since when; pausing again does not move that, resuming ends it, as often as wanted.
pub async fn a_pause_says_since_when(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut told = Vec::new();
    for paused in [false, true, true, false, false, true] {
        world.pass(SECOND);
        let answer = world.store.set_paused(paused, world.now).await;
        let answer = answer.expect("dialling can be paused");
        assert_eq!(answer, dialling(&world).await);
        told.push(answer.paused_at.map(|at| at.since(START).as_secs()));
    }
    assert_eq!(told, [None, Some(2), Some(2), None, None, Some(6)]);
}

/// The carrier's refusal of the account is kept word for word until it is lifted.
pub async fn an_account_hold_is_kept_until_it_is_lifted(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let hold = |minutes: u32| AccountHold {
        since: START,
        probe_at: START + MINUTE * minutes,
        message: format!("\"Kontó\" gesperrt ({minutes})"),
    };
    for hold in [Some(hold(1)), Some(hold(2)), None, Some(hold(3))] {
        let set = world.store.set_account_hold(hold.clone()).await;
        set.expect("the account's state can be kept");
        assert_eq!(dialling(&world).await.account_hold, hold);
    }
}

/// The number of live calls follows every permit and every end.
pub async fn live_calls_are_counted(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    world.a_live_call("CA2").await;
    world.a_doubtful_call().await;
    world.a_call().await;
    assert_eq!(live(&world).await, 3);
    world.heard(Some((id, 1)), "CA1", ringing()).await;
    assert_eq!(live(&world).await, 3, "it was counted with its permit");
    world.heard(None, "CA1", busy()).await;
    assert_eq!(live(&world).await, 2, "it waits for its retry");
    world.pass(2 * MINUTE);
    world.granted(id).await;
    assert_eq!(live(&world).await, 3);
    world.heard(None, "CA2", completed()).await;
    assert_eq!(live(&world).await, 2);
}

/// What waits, is due, is live, is undecided and belongs to nobody is counted, and how long the
/// longest due dial has waited.
pub async fn work_is_counted_by_kind(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    world.a_call().await;
    world.a_live_call("CA1").await;
    world.a_doubtful_call().await;
    world.a_dial().await;
    let mut scheduled = world.new_call();
    scheduled.request.scheduled_at = Some(START + MINUTE);
    world.accepted(scheduled).await;
    let canceled = world.a_call().await;
    world.done(canceled, Input::Cancel).await;
    world.report(None, "CA9", ringing()).await;
    world.pass(30 * SECOND);
    let counted = Depths {
        waiting: 2,
        due: 1,
        live: 3,
        undecided: 2,
        orphans: 1,
        oldest_due: Some(30 * SECOND),
    };
    assert_eq!(world.depths().await, counted);
    world.pass(30 * SECOND);
    let counted = Depths {
        due: 2,
        oldest_due: Some(60 * SECOND),
        ..counted
    };
    assert_eq!(world.depths().await, counted);
}

async fn live(world: &World<'_>) -> u64 {
    let live = dialling(world).await.live;
    assert_eq!(live, world.depths().await.live);
    live
}

async fn dialling(world: &World<'_>) -> Dialling {
    world.store.dialling().await.expect("the dialling can be read")
}

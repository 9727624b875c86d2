//! Clocks that lie: dialling stops while they are not proven good, and goes on by itself.

use domain::{AttemptStatus, HoldReason};
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND, millis};

/// The clocks of the store's machine and of the carrier show this much more than before: it was the
/// machine's that had been wrong.
fn set_clocks(world: &World, millis: i64) {
    world.store.clock_is_wrong_by(millis);
    world.carrier.clock_is_wrong_by(millis);
}

#[tokio::test]
async fn a_jump_of_the_stores_clock_stops_dialling_until_two_readings_agree() {
    let world = World::new().await;
    set_clocks(&world, 3_600_000);
    world.engine.watch_pass().await.expect("the store answers");
    let call = world.call(a_call()).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(
        world.engine.waiting_for(&call).map(|hold| hold.reason),
        Some(HoldReason::Paused)
    );
    assert!(world.engine.readiness().hold.is_some());
    world.pass(SECOND).await;
    world.turn().await;
    assert_eq!(world.all_sent(), 1, "the second reading agrees");
    assert!(world.engine.readiness().hold.is_none());
}

#[tokio::test]
async fn a_clock_that_comes_back_is_believed_as_before() {
    let world = World::new().await;
    world.store.clock_is_wrong_by(-3_600_000);
    world.engine.watch_pass().await.expect("the store answers");
    world.store.clock_is_wrong_by(0);
    world.engine.watch_pass().await.expect("the store answers");
    assert!(world.engine.readiness().hold.is_none());
    assert_eq!(world.engine.now(), world.clock.now());
}

#[tokio::test]
async fn a_clock_that_is_put_back_an_hour_does_not_stop_dialling_for_an_hour() {
    let world = World::with(|settings| {
        settings.rate = domain::Rate {
            per_second: 1.0,
            burst: 1,
        }
    })
    .await;
    world.engine.start();
    world.call(a_call().to(1)).await;
    set_clocks(&world, -3_600_000);
    world.pass(15 * SECOND).await;
    assert!(world.engine.readiness().hold.is_none(), "believed by now");
    for number in 2..=5 {
        let answer = world.ask(a_call().to(number), None);
        world.pass(2 * SECOND).await;
        world.answered(answer).await;
    }
    assert_eq!(world.all_sent(), 5);
}

#[tokio::test]
async fn after_a_jump_forward_due_calls_are_dialled_within_seconds() {
    let world = World::new().await;
    world.engine.start();
    let call = world.call(a_call()).await;
    world.hears(call.id, 1, AttemptStatus::Busy).await;
    set_clocks(&world, 3_600_000);
    world.pass(12 * SECOND).await;
    assert_eq!(world.sent(call.id).len(), 2);
}

#[tokio::test]
async fn nothing_is_dialled_by_a_clock_that_was_not_compared_with_the_carriers() {
    let world = World::unborn(|_| {});
    world.carrier.is_silent(true);
    let starting = world.engine.recover();
    tokio::join!(world.pass(3 * SECOND), async {
        starting.await.expect("the store answers");
    });
    world.engine.start();
    let call = world.call(a_call()).await;
    world.pass(2 * SECOND).await;
    assert_eq!(world.all_sent(), 0);
    let hold = world.engine.waiting_for(&call).expect("it waits");
    assert!(hold.message.contains("not compared"), "{}", hold.message);
    world.carrier.is_silent(false);
    world.pass(40 * SECOND).await;
    assert_eq!(world.all_sent(), 1, "the carrier has answered");
}

#[tokio::test]
async fn a_clock_that_is_far_off_at_the_start_dials_nothing_at_all() {
    let world = World::unborn(|_| {});
    world.carrier.clock_is_wrong_by(-40_000);
    world.begin().await;
    world.call(a_call()).await;
    assert_eq!(world.all_sent(), 0);
    assert!(world.engine.readiness().hold.is_some());
}

#[tokio::test]
async fn a_jump_that_the_carriers_clock_does_not_confirm_stops_dialling_until_it_is_taken_back() {
    let world = World::new().await;
    world.engine.start();
    world.store.clock_is_wrong_by(3_600_000);
    // Long enough for readings to agree, and the carrier answers in between.
    world.pass(15 * SECOND).await;
    let call = world.call(a_call()).await;
    world.pass(15 * SECOND).await;
    assert_eq!(world.all_sent(), 0);
    let hold = world.engine.waiting_for(&call).expect("it waits");
    assert!(hold.message.contains("differ by"), "{}", hold.message);
    world.store.clock_is_wrong_by(0);
    world.pass(15 * SECOND).await;
    world.call(a_call().to(2)).await;
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_carrier_in_another_time_stops_dialling_and_a_ping_heals_it() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.clock_is_wrong_by(-32_000);
    world.call(a_call().to(1)).await;
    let hold = world
        .engine
        .readiness()
        .hold
        .expect("its answer showed its clock");
    assert_eq!(hold.reason, HoldReason::Paused);
    let waiting = world.call(a_call().to(2)).await;
    world.pass(5 * MINUTE).await;
    assert_eq!(world.sent(waiting.id).len(), 0);
    assert!(
        world.journal.times(|entry| *entry == Entry::Pinged).len() >= 100,
        "it is asked every second"
    );
    world.carrier.clock_is_wrong_by(0);
    world.pass(2 * SECOND).await;
    assert!(world.engine.readiness().hold.is_none());
    assert_eq!(world.sent(waiting.id).len(), 1);
}

#[tokio::test]
async fn a_carrier_within_thirty_seconds_is_no_obstacle() {
    for wrong_by in [-29_000, 29_000] {
        let world = World::new().await;
        world.carrier.clock_is_wrong_by(wrong_by);
        world.call(a_call().to(1)).await;
        world.call(a_call().to(2)).await;
        assert_eq!(world.all_sent(), 2, "{wrong_by}");
    }
}

#[tokio::test]
async fn while_the_carriers_clock_is_not_seen_again_dialling_stays_stopped() {
    let world = World::new().await;
    world.engine.start();
    world.carrier.clock_is_wrong_by(60_000);
    world.call(a_call().to(1)).await;
    world.carrier.clock_is_wrong_by(0);
    world.carrier.is_silent(true);
    world.call(a_call().to(2)).await;
    world.pass(HOUR).await;
    assert_eq!(world.all_sent(), 1);
    world.carrier.is_silent(false);
    world.pass(2 * SECOND + millis(1)).await;
    assert_eq!(world.all_sent(), 2);
}

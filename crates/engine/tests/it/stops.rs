//! Whatever stops a call or all of them: cancel, pause, giving up, shutdown.

use domain::{AttemptStatus, Call, CallStatus, EventKind, HoldReason};
use engine::{Canceled, EngineError};
use testkit::given::ann;
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND, millis};

async fn cancel(world: &World, call: &Call) -> Canceled {
    let canceled = world
        .engine
        .cancel(&ann(), call.id)
        .await
        .expect("the store answers");
    world.settle().await;
    canceled
}

#[tokio::test]
async fn a_call_that_is_canceled_before_its_dial_is_never_dialled() {
    let world = World::new().await;
    world.engine.start();
    let at = world.clock.now() + HOUR;
    let call = world.call(a_call().scheduled_at(at)).await;
    assert!(
        matches!(cancel(&world, &call).await, Canceled::Call(call) if call.status() == CallStatus::Canceled)
    );
    assert!(
        matches!(cancel(&world, &call).await, Canceled::Call(_)),
        "once more is no error"
    );
    world.pass(2 * HOUR).await;
    assert_eq!(world.all_sent(), 0);
}

#[tokio::test]
async fn a_call_that_is_canceled_while_its_dial_connects_is_not_sent() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call(), start).await;
    let connection = world.carrier.next_connection_is_held();
    world.turn().await;
    cancel(&world, &call).await;
    connection.release();
    world.turns(10, SECOND).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Canceled);
    assert_eq!(world.engine.under_way(), 0);
}

#[tokio::test]
async fn a_call_that_is_canceled_while_its_request_is_out_is_hung_up_when_its_leg_is_known() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    world.settle().await;
    let leg = world.carrier.legs()[0].clone();
    let id = leg.call.expect("somebody asked for it").0;
    let call = world.stands(id).await;
    assert!(matches!(cancel(&world, &call).await, Canceled::Call(call) if !call.is_over()));
    late.release();
    world.settle().await;
    world.turn().await;
    assert_eq!(
        world
            .journal
            .times(|entry| *entry == Entry::HungUp(leg.sid.clone()))
            .len(),
        1
    );
    let call = world.stands(id).await;
    assert_eq!(call.status(), CallStatus::Canceled);
    assert_eq!(
        call.attempts[0].status,
        AttemptStatus::Canceled,
        "the attempt keeps the carrier's word"
    );
    drop(answer);
}

#[tokio::test]
async fn a_call_that_is_canceled_while_live_is_hung_up_and_not_retried() {
    let world = World::new().await;
    world.engine.start();
    let call = world.call(a_call()).await;
    world.hears(call.id, 1, AttemptStatus::InProgress).await;
    cancel(&world, &call).await;
    world.pass(millis(1)).await;
    let call = world.stands(call.id).await;
    assert_eq!(call.status(), CallStatus::Canceled);
    assert_eq!(call.attempts[0].status, AttemptStatus::Completed);
    world.pass(2 * HOUR).await;
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn hanging_up_is_tried_until_the_carrier_has_done_it() {
    let world = World::new().await;
    world.engine.start();
    let call = world.call(a_call()).await;
    world.carrier.is_silent(true);
    cancel(&world, &call).await;
    world.pass(5 * MINUTE).await;
    assert!(!world.stands(call.id).await.is_over());
    world.carrier.is_silent(false);
    world.pass(MINUTE).await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Canceled);
}

#[tokio::test]
async fn a_call_that_has_ended_otherwise_is_not_canceled_any_more() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    world.hears(call.id, 1, AttemptStatus::Completed).await;
    assert!(matches!(cancel(&world, &call).await, Canceled::AlreadyOver(_)));
    let stranger = domain::UserId::new("bob").expect("a plain word is a user id");
    let answer = world
        .engine
        .cancel(&stranger, call.id)
        .await
        .expect("the store answers");
    assert!(
        matches!(answer, Canceled::NoSuchCall),
        "nobody else's call is there"
    );
}

#[tokio::test]
async fn while_dialling_is_paused_nothing_is_sent_and_everything_says_so() {
    let world = World::new().await;
    world.engine.start();
    let retry = world.call(a_call().to(1)).await;
    world.hears(retry.id, 1, AttemptStatus::Busy).await;
    world.engine.pause().await.expect("the store answers");
    let paused_at = world.clock.now();
    let answer = world.ask(a_call().to(2), None);
    world.settle().await;
    assert!(answer.is_finished(), "nobody waits for what may not go");
    let fresh = world.answered(answer).await;
    world.pass(HOUR).await;
    assert_eq!(world.all_sent(), 1);
    for id in [retry.id, fresh.id] {
        let call = world.stands(id).await;
        let waits = world
            .engine
            .waiting_for(&call)
            .expect("it says what it waits for");
        assert_eq!(waits.reason, HoldReason::Paused);
    }
    assert_eq!(
        world.engine.readiness().hold.map(|hold| hold.since),
        Some(paused_at)
    );
    world.engine.resume().await.expect("the store answers");
    world.pass(millis(1)).await;
    assert_eq!(world.all_sent(), 3, "at once");
    let held = world.holds(fresh.id).await;
    let hold = held.last().expect("a late dial says why it is late");
    assert_eq!((hold.reason, hold.since), (HoldReason::Paused, fresh.created_at));
}

#[tokio::test]
async fn a_pause_by_another_process_is_obeyed_by_the_permit_and_seen_by_the_watch() {
    let world = World::new().await;
    let now = world.clock.now();
    store::Store::set_paused(&world.store, true, now)
        .await
        .expect("the store answers");
    let call = world.given(a_call(), now).await;
    world.engine.dial_pass().await.expect("the store answers");
    world.settle().await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(
        world.engine.waiting_for(&call).map(|hold| hold.reason),
        Some(HoldReason::Paused)
    );
    store::Store::set_paused(&world.store, false, now)
        .await
        .expect("the store answers");
    world.turn().await;
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn what_waits_too_long_is_given_up_with_the_reason_in_its_record() {
    let world = World::new().await;
    world.engine.start();
    world.engine.pause().await.expect("the store answers");
    let call = world
        .call(a_call().policy(|policy| policy.give_up_after = HOUR))
        .await;
    world.pass(HOUR - millis(1)).await;
    assert!(!world.stands(call.id).await.is_over());
    world.pass(millis(1)).await;
    let call = world.stands(call.id).await;
    assert_eq!(
        (call.status(), call.attempts.len()),
        (CallStatus::Failed, 0),
        "no attempt is used"
    );
    let history = world.history(call.id).await;
    let why = |kind: &EventKind| matches!(kind, EventKind::Ended { why, .. } if why.contains("paused"));
    assert!(history.iter().any(|event| why(&event.kind)), "{history:?}");
    world.engine.resume().await.expect("the store answers");
    world.pass(HOUR).await;
    assert_eq!(world.all_sent(), 0);
}

#[tokio::test]
async fn what_waited_too_long_while_nothing_ran_is_given_up_and_says_so() {
    let world = World::unborn(|_| ());
    let start = world.clock.now();
    let call = world
        .given(a_call().policy(|policy| policy.give_up_after = HOUR), start)
        .await;
    world.pass(2 * HOUR).await;
    world.begin().await;
    world.engine.start();
    world.pass(SECOND).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Failed);
    let history = world.history(call.id).await;
    let why = |kind: &EventKind| matches!(kind, EventKind::Ended { why, .. } if why.contains("not running"));
    assert!(history.iter().any(|event| why(&event.kind)), "{history:?}");
}

#[tokio::test]
async fn a_shutdown_waits_for_the_send_that_is_under_way_and_begins_none() {
    let world = World::new().await;
    world.engine.start();
    let late = world.carrier.next_answer_is_held();
    let sent = world.ask(a_call().to(1), None);
    world.settle().await;
    let start = world.clock.now();
    let waiting = world.given(a_call().to(2), start).await;
    let connection = world.carrier.next_connection_is_held();
    world.engine.dial_pass().await.expect("the store answers");
    world.settle().await;
    let engine = world.engine.clone();
    let stop = tokio::spawn(async move { engine.stop().await });
    world.pass(SECOND).await;
    assert!(!stop.is_finished());
    connection.release();
    late.release();
    world.settle().await;
    assert!(stop.is_finished(), "as soon as it is decided");
    assert_eq!(world.answered(sent).await.status(), CallStatus::Initiated);
    assert_eq!(
        world.sent(waiting.id).len(),
        0,
        "connected, but not permitted any more"
    );
    assert_eq!(world.stands(waiting.id).await.status(), CallStatus::Queued);
    let late_request = world.engine.request(a_call().to(3).request, None).await;
    assert!(
        matches!(late_request, Err(EngineError::Stopping)),
        "{late_request:?}"
    );
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let world = World::new().await;
    world.engine.start();
    let _never = world.carrier.next_answer_is_held();
    let _sent = world.ask(a_call(), None);
    world.settle().await;
    let engine = world.engine.clone();
    let stop = tokio::spawn(async move { engine.stop().await });
    world.pass(8 * SECOND).await;
    assert!(stop.is_finished());
    let world = world.restarted();
    world.begin().await;
    world.turn().await;
    assert_eq!(world.all_sent(), 1);
    assert_eq!(
        world.engine.depths().await.expect("the store answers").undecided,
        0,
        "the next start settles it"
    );
}

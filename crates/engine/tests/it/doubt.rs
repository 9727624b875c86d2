//! Dials whose fate is not known: how they are settled, and that they are never sent again.

use domain::{AttemptStatus, CallStatus, EventKind, HoldReason};
use testkit::carrier::Order;
use testkit::{Entry, World, a_call};

use crate::{HOUR, MINUTE, SECOND, millis};

#[tokio::test]
async fn a_lost_answer_is_found_in_the_carriers_list() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheAnswer);
    let answer = world.ask(a_call(), None);
    world.settle().await;
    world.turn().await;
    let call = world.answered(answer).await;
    assert_eq!(
        call.attempts[0].sid,
        Some(world.carrier.leg_of(call.id, 1).sid),
        "it is placed after all"
    );
    assert_eq!(world.all_sent(), 1);
    world.turns(20, MINUTE).await;
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_a_callback() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheAnswer);
    world.carrier.is_silent(true);
    let call = world.call(a_call()).await;
    assert_eq!(call.attempts[0].sid, None, "not known within five seconds");
    let waits = world
        .engine
        .waiting_for(&call)
        .expect("it says what it waits for");
    assert_eq!(waits.reason, HoldReason::Settling);
    world.hears(call.id, 1, AttemptStatus::Ringing).await;
    let call = world.stands(call.id).await;
    assert_eq!(call.status(), CallStatus::Ringing);
    assert_eq!(world.engine.waiting_for(&call), None);
}

#[tokio::test]
async fn a_doubt_is_asked_about_at_once_then_ever_more_slowly_and_once_more_at_its_end() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheRequest);
    let call = world.call(a_call()).await;
    world.engine.start();
    let begun = call.attempts[0].permit_at;
    world.pass(130 * SECOND).await;
    let asked = world.journal.times(|entry| matches!(entry, Entry::Listed(_)));
    let after: Vec<u128> = asked.iter().map(|at| at.since(begun).as_millis()).collect();
    let late = after.last().copied();
    assert_eq!(
        late,
        Some(120_000),
        "a look-up begun that late decides: {after:?}"
    );
    assert!(after.len() >= 7, "{after:?}");
    assert_eq!(
        world.stands(call.id).await.attempts[0].status,
        AttemptStatus::Unconfirmed
    );
}

#[tokio::test]
async fn it_is_unconfirmed_only_after_a_late_look_up_that_succeeded() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheRequest);
    let call = world.call(a_call()).await;
    world.carrier.is_silent(true);
    world.turns(600, SECOND).await;
    let call_then = world.stands(call.id).await;
    assert_eq!(
        call_then.status(),
        CallStatus::Initiated,
        "silence proves nothing, however long"
    );
    world.carrier.is_silent(false);
    world.turns(40, SECOND).await;
    let call = world.stands(call.id).await;
    assert_eq!(call.status(), CallStatus::Unconfirmed);
    assert!(call.should_retry(), "the policy goes on with the next attempt");
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn an_early_look_up_that_shows_nothing_decides_nothing() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheRequest);
    let call = world.call(a_call()).await;
    let waited = world.clock.now().since(call.attempts[0].permit_at);
    world.turns(1, 119 * SECOND - waited).await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
    world.turns(2, SECOND).await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Unconfirmed);
}

#[tokio::test]
async fn an_attempt_in_doubt_is_never_sent_again() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheRequest);
    let call = world
        .call(a_call().policy(|policy| policy.max_attempts = 1))
        .await;
    world.turns(300, MINUTE).await;
    assert_eq!(world.all_sent(), 1);
    let call = world.stands(call.id).await;
    assert_eq!((call.status(), call.attempts.len()), (CallStatus::Unconfirmed, 1));
}

#[tokio::test]
async fn an_answer_that_comes_late_is_bound_to_its_attempt() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    let call = world.answered(answer).await;
    assert_eq!(
        call.attempts.len(),
        0,
        "the permit is out, nothing is known after five seconds"
    );
    world.turns(4, 5 * SECOND).await;
    late.release();
    world.settle().await;
    let call = world.stands(call.id).await;
    assert_eq!(call.attempts[0].sid, Some(world.carrier.leg_of(call.id, 1).sid));
    assert_eq!((call.status(), world.all_sent()), (CallStatus::Initiated, 1));
}

#[tokio::test]
async fn a_callback_that_overtakes_the_answer_is_taken_and_the_answer_changes_nothing() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    world.settle().await;
    let id = world.carrier.legs()[0].call.expect("somebody asked for it").0;
    world.hears(id, 1, AttemptStatus::Busy).await;
    let call = world.answered(answer).await;
    assert_eq!(call.status(), CallStatus::Busy, "whoever waits is told");
    late.release();
    world.settle().await;
    assert_eq!(world.stands(id).await, call, "the answer says nothing new");
    assert!(call.should_retry());
}

#[tokio::test]
async fn a_second_leg_of_one_attempt_is_hung_up() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    let second = world
        .carrier
        .makes_a_leg_by_itself(&call.request.from, &call.request.to);
    world.hears_of(Some((call.id, 1)), &second, "ringing", None).await;
    world.turn().await;
    assert_eq!(
        world
            .journal
            .times(|entry| *entry == Entry::HungUp(second.clone()))
            .len(),
        1
    );
    let call = world.stands(call.id).await;
    assert_eq!(call.attempts.len(), 1);
    assert_ne!(call.attempts[0].sid, Some(second));
    let incident = |event: &domain::Event| matches!(event.kind, EventKind::Incident { .. });
    assert!(
        world.history(call.id).await.iter().any(incident),
        "both are in the record"
    );
    world.turns(30, MINUTE).await;
    assert_eq!(
        world
            .journal
            .times(|entry| matches!(entry, Entry::HungUp(_)))
            .len(),
        1,
        "once is enough"
    );
}

#[tokio::test]
async fn late_proof_of_an_unconfirmed_dial_corrects_the_record_and_withdraws_the_retry() {
    let world = World::new().await;
    world.carrier.next(Order::LoseTheAnswer);
    world.carrier.is_silent(true);
    let call = world
        .call(a_call().policy(|policy| policy.retry_delays = vec![HOUR]))
        .await;
    let leg = world.carrier.leg_of(call.id, 1).sid;
    // The carrier answers, but does not list the leg yet.
    world.turns(3, MINUTE).await;
    let hidden = world.stands(call.id).await;
    assert_eq!(hidden.status(), CallStatus::Initiated);
    world.carrier.leg_is(&leg, AttemptStatus::Completed);
    world.carrier.is_silent(false);
    world.turns(2, MINUTE).await;
    let call = world.stands(call.id).await;
    assert_eq!(
        (call.status(), call.should_retry()),
        (CallStatus::Completed, false)
    );
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_silent_leg_is_asked_for_and_its_end_is_found() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    let leg = world.carrier.leg_of(call.id, 1).sid;
    world.hears(call.id, 1, AttemptStatus::Ringing).await;
    world.carrier.leg_is(&leg, AttemptStatus::NoAnswer);
    world.turns(119, SECOND).await;
    assert_eq!(
        world.stands(call.id).await.status(),
        CallStatus::Ringing,
        "callbacks may be slow"
    );
    world.turns(2, SECOND).await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::NoAnswer);
    assert_eq!(
        world
            .journal
            .times(|entry| *entry == Entry::LookedUp(leg.clone()))
            .len(),
        1
    );
}

#[tokio::test]
async fn no_more_questions_are_asked_at_once_than_a_carrier_likes() {
    let world = World::new().await;
    let start = world.clock.now();
    for number in 1..=40 {
        world.given(a_call().to(number).in_doubt(), start).await;
    }
    world.engine.check_pass().await.expect("the store answers");
    assert_eq!(world.engine.under_way(), 16);
    world.engine.start();
    world.pass(millis(1)).await;
    let asked = world.journal.times(|entry| matches!(entry, Entry::Listed(_)));
    assert_eq!(
        asked.len(),
        40,
        "each answer makes room for the next question, at once"
    );
}

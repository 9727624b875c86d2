//! Processes that die: what they leave is settled, and never sent again.

use domain::Rate;
use domain::{AttemptStatus, CallStatus, HoldReason};
use testkit::store::Trouble;
use testkit::{Entry, Op, World, a_call};

use crate::{MINUTE, SECOND, millis};

#[tokio::test]
async fn a_permit_that_a_dead_process_left_is_in_doubt_and_never_sent_again() {
    let world = World::new().await;
    let _never = world.carrier.next_is_held_before_the_gate();
    let _answer = world.ask(a_call(), None);
    world.settle().await;
    let world = world.restarted();
    world.begin().await;
    let depths = world.engine.depths().await.expect("the store answers");
    assert_eq!(depths.undecided, 1);
    world.turns(130, SECOND).await;
    let granted = world.journal.times(|entry| matches!(entry, Entry::Granted(..)));
    assert_eq!(
        (granted.len(), world.all_sent()),
        (1, 0),
        "nothing was sent, and nothing is"
    );
    let depths = world.engine.depths().await.expect("the store answers");
    assert_eq!(
        (depths.undecided, depths.waiting),
        (0, 1),
        "unconfirmed; the policy goes on"
    );
}

#[tokio::test]
async fn a_leg_that_a_dead_process_asked_for_is_found() {
    let world = World::new().await;
    let _lost = world.carrier.next_answer_is_held();
    let _answer = world.ask(a_call(), None);
    world.settle().await;
    let id = world.carrier.legs()[0].call.expect("somebody asked for it").0;
    let world = world.restarted();
    world.begin().await;
    world.turn().await;
    let call = world.stands(id).await;
    assert_eq!(call.status(), CallStatus::Initiated);
    assert_eq!(call.attempts[0].sid, Some(world.carrier.leg_of(id, 1).sid));
    assert_eq!(world.all_sent(), 1);
}

#[tokio::test]
async fn a_restart_grants_no_new_burst() {
    let slow = |settings: &mut engine::Settings| {
        settings.rate = Rate {
            per_second: 1.0,
            burst: 10,
        }
    };
    let world = World::with(slow).await;
    for number in 1..=10 {
        world.call(a_call().to(number)).await;
    }
    let start = world.clock.now();
    let world = world.restarted();
    world.begin().await;
    for number in 11..=20 {
        let waiting = world.call(a_call().to(number)).await;
        assert_eq!(waiting.status(), CallStatus::Queued);
    }
    world.engine.start();
    world.pass(5 * SECOND).await;
    let since = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    let after = since.iter().filter(|at| **at > start).count();
    assert_eq!(after, 5, "one a second");
}

#[tokio::test]
async fn a_call_that_was_due_while_nothing_ran_says_so_in_its_history() {
    let world = World::new().await;
    let call = world.call(a_call()).await;
    world.hears(call.id, 1, AttemptStatus::Busy).await;
    let due_at = world
        .stands(call.id)
        .await
        .next_retry_at()
        .expect("attempts are left");
    let world = world.restarted();
    world.pass(20 * MINUTE).await;
    world.begin().await;
    assert_eq!(world.sent(call.id).len(), 2);
    let holds = world.holds(call.id).await;
    let hold = holds.last().expect("a late dial says why it is late");
    assert_eq!(
        (hold.reason, hold.since, hold.until),
        (HoldReason::Paused, due_at, Some(world.clock.now()))
    );
}

#[tokio::test]
async fn of_several_things_that_held_a_dial_back_the_longest_is_in_its_history() {
    let world = World::unborn(|_| ());
    let start = world.clock.now();
    let call = world.given(a_call(), start).await;
    world.pass(20 * MINUTE).await;
    world.engine.recover().await.expect("the store answers");
    let began_at = world.clock.now();
    world.engine.pause().await.expect("the store answers");
    world.turns(2, 30 * SECOND).await;
    world.engine.resume().await.expect("the store answers");
    world.turn().await;
    assert_eq!(world.sent(call.id).len(), 1);
    let holds = world.holds(call.id).await;
    let hold = holds.last().expect("a late dial says why it is late");
    assert_eq!(
        (hold.since, hold.until),
        (start, Some(began_at)),
        "{}",
        hold.message
    );
}

#[tokio::test]
async fn a_pause_and_a_refused_account_outlive_the_process() {
    let world = World::new().await;
    world.engine.pause().await.expect("the store answers");
    let world = world.restarted();
    world.begin().await;
    let call = world.call(a_call()).await;
    assert_eq!(
        world.engine.waiting_for(&call).map(|hold| hold.reason),
        Some(HoldReason::Paused)
    );
    world.engine.resume().await.expect("the store answers");
    world.carrier.refuses_the_account(Some("suspended"));
    world.turn().await;
    assert_eq!(world.all_sent(), 1);
    let world = world.restarted();
    world.begin().await;
    world.turns(59, SECOND).await;
    assert_eq!(world.all_sent(), 1, "the next probe is not sooner for it");
    world.turns(1, SECOND).await;
    assert_eq!(world.all_sent(), 2);
}

#[tokio::test]
async fn a_task_that_panics_between_permit_and_outcome_is_found_without_a_restart() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call().busy(1), start).await;
    world.pass(2 * MINUTE).await;
    world.carrier.next(testkit::carrier::Order::Panic);
    world.turn().await;
    assert_eq!(world.sent(call.id).len(), 1);
    world.turns(44, SECOND).await;
    assert_eq!(
        world.stands(call.id).await.attempts.len(),
        1,
        "whoever has it might still write it down"
    );
    world.turns(3, SECOND).await;
    let attempts = world.stands(call.id).await.attempts;
    assert_eq!(attempts.len(), 2);
    assert!(attempts[1].in_doubt(), "{attempts:?}");
    world.turns(130, SECOND).await;
    assert_eq!(
        world.stands(call.id).await.attempts[1].status,
        AttemptStatus::Unconfirmed
    );
    assert_eq!(world.sent(call.id).len(), 1, "never sent again");
}

#[tokio::test]
async fn a_permit_whose_answer_was_lost_in_the_store_is_found_without_a_restart() {
    let world = World::new().await;
    let start = world.clock.now();
    let call = world.given(a_call().busy(1), start).await;
    world.pass(2 * MINUTE).await;
    world.store.trouble(Op::Permit, Trouble::FailsAfter, 1);
    world.turn().await;
    assert_eq!(world.all_sent(), 0, "no clean answer, no request");
    world.turns(180, SECOND).await;
    assert_eq!(world.all_sent(), 0);
    assert_eq!(
        world.stands(call.id).await.attempts[1].status,
        AttemptStatus::Unconfirmed
    );
}

#[tokio::test]
async fn a_call_whose_acceptance_was_lost_in_the_store_is_found_without_a_restart() {
    let world = World::new().await;
    world.store.trouble(Op::Accept, Trouble::FailsAfter, 1);
    let answer = world.engine.request(a_call().request, None).await;
    assert!(answer.is_err(), "{answer:?}");
    world.turns(180, SECOND).await;
    assert_eq!(world.all_sent(), 0, "no clean answer, no request");
    let depths = world.engine.depths().await.expect("the store answers");
    assert_eq!(
        (depths.undecided, depths.waiting),
        (0, 1),
        "unconfirmed, and to be tried again"
    );
}

#[tokio::test]
async fn a_permit_that_somebody_has_in_hand_is_left_alone() {
    let world = World::new().await;
    let late = world.carrier.next_answer_is_held();
    let answer = world.ask(a_call(), None);
    let call = world.answered(answer).await;
    world.turns(120, SECOND).await;
    assert_eq!(world.stands(call.id).await.attempts.len(), 0, "not put in doubt");
    late.release();
    world.settle().await;
    assert_eq!(world.stands(call.id).await.status(), CallStatus::Initiated);
    world.pass(millis(1)).await;
}

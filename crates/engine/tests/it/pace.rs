//! The pace: who goes when more is due than may go.

use domain::Rate;
use domain::{AttemptStatus, CallStatus, HoldReason, Timestamp};
use engine::Settings;
use testkit::{Entry, World, a_call};

use crate::{MINUTE, SECOND, millis};

fn one_a_second(settings: &mut Settings) {
    settings.rate = Rate {
        per_second: 1.0,
        burst: 1,
    };
}

fn order(world: &World) -> Vec<domain::CallId> {
    let sent = |(_, entry)| match entry {
        Entry::Sent(id, _) => Some(id),
        _ => None,
    };
    world.journal.entries().into_iter().filter_map(sent).collect()
}

#[tokio::test]
async fn due_calls_go_in_the_order_of_their_due_time() {
    let world = World::with(one_a_second).await;
    let start = world.clock.now();
    let mut expected = Vec::new();
    for (number, after) in [(1, 5), (2, 3), (3, 9), (4, 1), (5, 7)] {
        let at = start + after * SECOND;
        expected.push((
            at,
            world.given(a_call().to(number).scheduled_at(at), start).await.id,
        ));
    }
    expected.sort();
    world.pass(MINUTE).await;
    world.engine.start();
    world.pass(4 * SECOND + millis(10)).await;
    assert_eq!(
        order(&world),
        expected.iter().map(|(_, id)| *id).collect::<Vec<_>>()
    );
    let times = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    for two in times.windows(2) {
        assert!(two[1].since(two[0]) >= SECOND, "{times:?}");
    }
}

#[tokio::test]
async fn a_fresh_call_never_overtakes_calls_that_have_been_due_for_longer() {
    let world = World::with(one_a_second).await;
    let start = world.clock.now();
    let mut waiting = Vec::new();
    for number in 1..=5 {
        waiting.push(world.given(a_call().to(number), start).await.id);
    }
    world.turn().await;
    for number in 1..=10 {
        // A slot is free by now, and the loop has not looked again yet.
        world.pass(SECOND + millis(1)).await;
        let fresh = world.ask(a_call().to(100 + number), None);
        world.settle().await;
        world.turn().await;
        drop(fresh);
        assert_eq!(
            world.all_sent(),
            number as usize + 1,
            "no slot is left unused either"
        );
    }
    assert_eq!(order(&world)[..5], waiting);
}

#[tokio::test]
async fn a_fresh_call_does_not_overtake_a_retry_that_became_due_this_moment() {
    let world = World::with(one_a_second).await;
    let first = world.call(a_call()).await;
    world.hears(first.id, 1, AttemptStatus::Busy).await;
    world.turn().await;
    world.pass(2 * MINUTE).await;
    let fresh = world.ask(a_call().to(2), None);
    world.settle().await;
    world.turn().await;
    assert_eq!(order(&world), [first.id, first.id]);
    world.turns(1, SECOND).await;
    let fresh = world.answered(fresh).await;
    assert_eq!(world.sent(fresh.id).len(), 1);
}

#[tokio::test]
async fn of_two_fresh_calls_that_the_pace_holds_back_the_first_goes_first() {
    let world = World::with(one_a_second).await;
    world.call(a_call().to(1)).await;
    let first = world.call(a_call().to(2)).await;
    world.pass(SECOND + millis(1)).await;
    let second = world.ask(a_call().to(3), None);
    world.settle().await;
    assert_eq!(
        world.all_sent(),
        1,
        "there is a slot, but somebody else waits for it"
    );
    world.turn().await;
    assert_eq!(order(&world)[1..], [first.id]);
    world.turns(1, SECOND).await;
    let second = world.answered(second).await;
    assert_eq!(order(&world)[2..], [second.id]);
}

#[tokio::test]
async fn after_a_restart_a_fresh_call_goes_behind_what_waits() {
    let world = World::unborn(one_a_second);
    let start = world.clock.now();
    let waiting = world.given(a_call().to(1), start).await;
    world.pass(MINUTE).await;
    world.engine.recover().await.expect("the store answers");
    let _fresh = world.ask(a_call().to(2), None);
    world.settle().await;
    world.turn().await;
    assert_eq!(order(&world), [waiting.id]);
}

#[tokio::test]
async fn no_call_is_forgotten_and_none_goes_too_soon_under_the_pace() {
    let world = World::with(|settings| {
        settings.rate = Rate {
            per_second: 2.0,
            burst: 3,
        }
    })
    .await;
    world.engine.start();
    let mut answers = Vec::new();
    for number in 1..=30 {
        answers.push(world.ask(a_call().to(number), None));
        world.pass(millis(100)).await;
    }
    world.pass(20 * SECOND).await;
    let times = world.journal.times(|entry| matches!(entry, Entry::Sent(..)));
    assert_eq!(times.len(), 30);
    in_every_window(&times, 3, millis(500));
    let first = times[0];
    assert!(
        times[29].since(first) <= 14 * SECOND,
        "and no slower than allowed: {:?}",
        times[29].since(first)
    );
}

fn in_every_window(times: &[Timestamp], burst: u128, gap: std::time::Duration) {
    for (first, from) in times.iter().enumerate() {
        for (last, until) in times.iter().enumerate().skip(first) {
            let most = burst + until.since(*from).as_millis() / gap.as_millis();
            assert!((last - first + 1) as u128 <= most, "{from}..{until}");
        }
    }
}

#[tokio::test]
async fn a_call_that_waits_for_the_pace_says_so_and_is_answered_at_once() {
    let world = World::with(one_a_second).await;
    world.call(a_call().to(1)).await;
    let answer = world.ask(a_call().to(2), None);
    world.settle().await;
    assert!(answer.is_finished(), "it may not go yet, so nobody waits");
    let call = world.answered(answer).await;
    assert_eq!(call.status(), CallStatus::Queued);
    let waits = world
        .engine
        .waiting_for(&call)
        .expect("it says what it waits for");
    assert_eq!((waits.reason, waits.since), (HoldReason::Pace, call.created_at));
    assert!(world.engine.readiness().hold.is_none(), "a pace is no failure");
}

#[tokio::test]
async fn a_dial_that_the_pace_held_back_says_so_in_its_history() {
    let world = World::with(one_a_second).await;
    world.engine.start();
    let start = world.clock.now();
    let mut last = None;
    for number in 1..=6 {
        last = Some(world.given(a_call().to(number), start).await.id);
    }
    world.pass(6 * SECOND).await;
    let last = last.expect("six were given");
    assert_eq!(world.sent(last), [start + 5 * SECOND]);
    let holds = world.holds(last).await;
    let hold = holds.first().expect("it was held back");
    assert_eq!(
        (hold.reason, hold.since),
        (HoldReason::Pace, start),
        "all the time"
    );
}

#[tokio::test]
async fn dials_do_not_wait_for_each_other() {
    let world = World::new().await;
    let start = world.clock.now();
    let slow = world.carrier.next_connection_is_held();
    for number in 1..=20 {
        world.given(a_call().to(number), start).await;
    }
    world.turn().await;
    assert_eq!(world.all_sent(), 19);
    slow.release();
    world.settle().await;
    assert_eq!(world.all_sent(), 20);
}

#[tokio::test]
async fn more_than_a_process_makes_at_once_are_all_made() {
    let world = World::new().await;
    world.engine.start();
    let start = world.clock.now();
    for number in 1..=600 {
        world.given(a_call().to(number), start).await;
    }
    world.pass(SECOND).await;
    assert_eq!(world.all_sent(), 600);
}

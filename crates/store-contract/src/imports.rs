//! Promises about calls that another program began: taken once, as they stand, and carried on from there.

use std::time::Duration;

use domain::{
    Ask, Attempt, AttemptStatus, Call, CallId, CallState, CallStatus, Closing, Event, EventKind, Proof,
    Refusal, Step, Timestamp,
};
use store::{Due, Imported, ListQuery, Permitted, Reported};

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, World, all_of, busy, completed, fact, in_doubt, is_dialling, phone, placed, request,
    ringing, sid,
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Call and history are read back as they were given, whatever state the call is in.
pub async fn an_imported_call_is_told_as_it_stood(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let steps = [
        old(world.now, 1, waiting(world.now), &[]),
        old(world.now, 2, waiting(world.now + HOUR), &[busy_leg("CA2")]),
        old(world.now, 3, CallState::Live, &[busy_leg("CA3"), open("CA4")]),
        old(
            world.now,
            4,
            ended(CallStatus::Completed),
            &[leg("CA5", AttemptStatus::Completed)],
        ),
        old(world.now, 5, ended(CallStatus::Failed), &[refused()]),
        old(world.now, 6, ended(CallStatus::Canceled), &[]),
    ];
    assert_eq!(import(&world, &steps).await, vec![Imported::New; 6]);
    for step in &steps {
        let record = world.record(step.call.id).await;
        assert_eq!((&record.call, &record.events), (&step.call, &step.events));
    }
}

/// It answers to the id that it had.
pub async fn an_imported_call_keeps_its_old_name(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let step = old(world.now, 7, ended(CallStatus::Busy), &[busy_leg("CA1")]);
    import(&world, std::slice::from_ref(&step)).await;
    let id: CallId = "65a000070000000000000000".parse().expect("24 digits name a call");
    assert_eq!(world.stands(id).await, step.call);
}

/// Lists show it at the place of its creation; totals and counters know it.
pub async fn imported_calls_are_listed_and_counted(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let own = world.a_live_call("CA1").await;
    let steps = [
        old(world.now, 1, ended(CallStatus::Busy), &[busy_leg("CA2")]),
        old(world.now, 2, waiting(world.now), &[busy_leg("CA3")]),
        old(world.now, 3, CallState::Live, &[open("CA4")]),
        old(
            world.now,
            4,
            ended(CallStatus::Completed),
            &[leg("CA5", AttemptStatus::Completed)],
        ),
    ];
    import(&world, &steps).await;
    let page = world.page(all_of("ann")).await;
    let names: Vec<CallId> = page.calls.iter().map(|row| row.id).collect();
    assert_eq!(names, [own, name(4), name(3), name(2), name(1)]);
    let totals = [
        (None, 5),
        (Some(CallStatus::Busy), 2),
        (Some(CallStatus::Initiated), 2),
        (Some(CallStatus::Completed), 1),
        (Some(CallStatus::Queued), 0),
    ];
    for (status, count) in totals {
        let page = world
            .page(ListQuery {
                status,
                ..all_of("ann")
            })
            .await;
        assert_eq!(
            (page.total.count, page.total.at_least),
            (count, false),
            "{status:?}"
        );
    }
    let to = world
        .page(ListQuery {
            to: Some(phone(2)),
            ..all_of("ann")
        })
        .await;
    let shown = &to.calls[0];
    assert_eq!(
        (shown.id, shown.attempt_count, shown.should_retry),
        (name(2), 1, true)
    );
    let depths = world.depths().await;
    assert_eq!(
        (depths.live, depths.waiting, depths.due, depths.undecided),
        (2, 1, 1, 0)
    );
    let dialling = world.store.dialling().await.expect("the dialling can be read");
    assert_eq!(dialling.live, 2);
}

/// It waits for its next attempt until the time that was set, and then it is dialled.
pub async fn an_imported_retry_is_due_at_its_time(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let due_at = world.now + MINUTE;
    import(&world, &[old(world.now, 1, waiting(due_at), &[busy_leg("CA1")])]).await;
    assert_eq!(world.store.due(world.now, 9).await.expect("it is kept"), []);
    assert_eq!(
        world.store.next_due(world.now).await.expect("it is kept"),
        Some(due_at)
    );
    assert_eq!(world.permit(name(1)).await, Permitted::Refused(Refusal::NotDue));
    world.pass(MINUTE);
    let due = world.store.due(world.now, 9).await.expect("it is kept");
    assert_eq!(due, [Due { id: name(1), due_at }]);
    let call = world.granted(name(1)).await;
    assert!(is_dialling(&call, 2), "{call:?}");
    let call = world.done(name(1), placed(2, "CA2")).await;
    assert_eq!(call.status(), CallStatus::Initiated);
}

/// The permits of its attempts are used: the next is for the next attempt, and one for an attempt
/// that was made is never given.
pub async fn an_imported_attempt_is_never_sent_again(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let steps = [
        old(
            world.now,
            1,
            waiting(world.now),
            &[busy_leg("CA1"), unconfirmed(world.now)],
        ),
        old(world.now, 2, ended(CallStatus::Busy), &[busy_leg("CA2")]),
        old(world.now, 3, CallState::Live, &[open("CA3")]),
    ];
    import(&world, &steps).await;
    let granted = world.store.granted().await.expect("permits can be listed");
    assert_eq!(granted, []);
    assert_eq!(
        world.permit(name(2)).await,
        Permitted::Refused(Refusal::AlreadyOver)
    );
    assert_eq!(world.permit(name(3)).await, Permitted::Refused(Refusal::Busy));
    let call = world.granted(name(1)).await;
    assert!(is_dialling(&call, 3), "{call:?}");
    world.done(name(1), in_doubt(3)).await;
    world.pass(HOUR);
    assert_eq!(world.permit(name(1)).await, Permitted::Refused(Refusal::Busy));
}

/// A leg that may be alive, and one that nobody knows the end of, are in the queue of looks.
pub async fn an_imported_live_call_is_to_be_asked_about(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let steps = [
        old(world.now, 1, CallState::Live, &[asked(open("CA1"), world.now)]),
        old(
            world.now,
            2,
            ended(CallStatus::Unconfirmed),
            &[unconfirmed(world.now)],
        ),
        old(world.now, 3, ended(CallStatus::Busy), &[busy_leg("CA3")]),
        // Due so long ago that it is to be given up.
        old(world.now, 4, waiting(world.now - 48 * HOUR), &[]),
    ];
    import(&world, &steps).await;
    let listed = world
        .store
        .to_check(world.now, 9)
        .await
        .expect("looks can be listed");
    let mut names: Vec<CallId> = listed.iter().map(|call| call.id).collect();
    names.sort();
    assert_eq!(names, [name(1), name(2), name(4)]);
    let call = world.done(name(4), domain::Input::GiveUp).await;
    assert_eq!(call.status(), CallStatus::Failed);
}

/// A callback that names only the leg is applied, to a call that is over too.
pub async fn a_late_callback_finds_an_imported_leg(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let steps = [
        old(world.now, 1, CallState::Live, &[busy_leg("CA1"), open("CA2")]),
        old(world.now, 2, ended(CallStatus::Busy), &[busy_leg("CA3")]),
    ];
    import(&world, &steps).await;
    let call = world.heard(None, "CA2", completed()).await;
    assert_eq!((call.id, call.status()), (name(1), CallStatus::Completed));
    // It says what was known, and proves it better.
    let call = world.heard(None, "CA3", busy()).await;
    assert_eq!((call.id, call.status()), (name(2), CallStatus::Busy));
    let said = world.report(None, "CA3", ringing()).await;
    assert!(matches!(said, Reported::Applied(call) if call.status() == CallStatus::Busy));
    let call = world.heard(None, "CA3", fact(AttemptStatus::Completed, 4)).await;
    assert_eq!(call.status(), CallStatus::Completed);
}

/// What the carrier said of a leg before its call was imported is applied with it.
pub async fn an_orphan_is_applied_when_its_leg_is_imported(factory: &dyn Factory) {
    let world = World::new(factory).await;
    assert_eq!(world.report(None, "CA1", completed()).await, Reported::Orphan);
    import(&world, &[old(world.now, 1, CallState::Live, &[open("CA1")])]).await;
    assert_eq!(world.stands(name(1)).await.status(), CallStatus::Completed);
    let depths = world.depths().await;
    assert_eq!((depths.orphans, depths.live), (0, 0));
}

/// A call whose id is there stays as it is, also one of the same batch; the others are taken.
pub async fn what_is_there_already_is_not_imported(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let first = old(world.now, 1, ended(CallStatus::Busy), &[busy_leg("CA1")]);
    let other = old(world.now, 2, ended(CallStatus::Failed), &[refused()]);
    let changed = old(world.now, 1, ended(CallStatus::Completed), &[]);
    let outcomes = import(&world, &[first.clone(), changed.clone()]).await;
    assert_eq!(outcomes, [Imported::New, Imported::AlreadyThere]);
    let before = world.record(name(1)).await;
    let outcomes = import(&world, &[changed, other, first]).await;
    assert_eq!(
        outcomes,
        [Imported::AlreadyThere, Imported::New, Imported::AlreadyThere]
    );
    assert_eq!(world.record(name(1)).await, before);
    assert_eq!(world.page(all_of("ann")).await.total.count, 2);
}

/// A call that claims the leg of another is told whose it is; nothing of it is there, and the leg's
/// owner keeps it.
pub async fn a_leg_that_another_call_has_is_not_imported(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let own = world.a_live_call("CA1").await;
    let steps = [
        old(
            world.now,
            1,
            ended(CallStatus::Busy),
            &[busy_leg("CA2"), busy_leg("CA1")],
        ),
        old(world.now, 2, ended(CallStatus::Busy), &[busy_leg("CA2")]),
        old(world.now, 3, CallState::Live, &[open("CA2")]),
    ];
    let taken = |leg, owner| Imported::LegTaken { sid: sid(leg), owner };
    let outcomes = import(&world, &steps).await;
    assert_eq!(
        outcomes,
        [taken("CA1", own), Imported::New, taken("CA2", name(2))]
    );
    for number in [1, 3] {
        assert_eq!(
            world.store.call(name(number)).await.expect("a call can be read"),
            None
        );
    }
    assert_eq!(world.depths().await.live, 1);
    assert_eq!(world.heard(None, "CA1", completed()).await.id, own);
    assert_eq!(world.heard(None, "CA2", completed()).await.id, name(2));
}

/// What was answered is there when the store is opened again.
pub async fn imported_calls_outlive_the_process(factory: &dyn Factory) {
    let world = World::new(factory).await;
    let step = old(world.now, 1, waiting(world.now + SECOND), &[busy_leg("CA1")]);
    import(&world, std::slice::from_ref(&step)).await;
    let before = world.record(name(1)).await;
    let mut world = world.reopen().await;
    assert_eq!(world.record(name(1)).await, before);
    assert_eq!(import(&world, &[step]).await, [Imported::AlreadyThere]);
    world.pass(SECOND);
    world.granted(name(1)).await;
}

async fn import(world: &World<'_>, steps: &[Step]) -> Vec<Imported> {
    let imported = world.store.import(steps.to_vec(), world.at()).await;
    imported.expect("calls are taken")
}

/// The old name of a call: later numbers are later.
fn name(number: u8) -> CallId {
    CallId::from_object_id([0x65, 0xa0, 0, number, 0, 0, 0, 0, 0, 0, 0, 0])
}

/// A call that another program began some hours ago, to the number of the same number.
pub(crate) fn old(now: Timestamp, number: u8, state: CallState, attempts: &[Attempt]) -> Step {
    let created_at = now - 72 * HOUR + u32::from(number) * HOUR;
    let mut attempts = attempts.to_vec();
    for (count, attempt) in (1..).zip(&mut attempts) {
        attempt.number = count;
        attempt.permit_at = created_at + count * MINUTE;
    }
    let over = matches!(state, CallState::Ended { .. });
    let call = Call {
        id: name(number),
        request: request(u32::from(number)),
        created_at,
        updated_at: created_at + HOUR,
        state,
        attempts,
        cancel_requested_at: None,
        hold: None,
        closing: over.then_some(Closing::Ended),
        extras: Vec::new(),
    };
    let kind = EventKind::Imported {
        message: "it stood so".to_owned(),
    };
    let events = vec![Event { at: now, kind }];
    Step { call, events }
}

pub(crate) fn waiting(due_at: Timestamp) -> CallState {
    CallState::Waiting {
        due_at,
        try_at: due_at,
        misses: 0,
    }
}

pub(crate) fn ended(status: CallStatus) -> CallState {
    CallState::Ended { status }
}

/// An attempt whose end the carrier told.
fn leg(name: &str, status: AttemptStatus) -> Attempt {
    Attempt {
        sid: Some(sid(name)),
        status,
        proof: Some(Proof::reported(status)),
        ..attempt()
    }
}

pub(crate) fn busy_leg(name: &str) -> Attempt {
    leg(name, AttemptStatus::Busy)
}

pub(crate) fn open(name: &str) -> Attempt {
    Attempt {
        sid: Some(sid(name)),
        ..attempt()
    }
}

fn refused() -> Attempt {
    Attempt {
        status: AttemptStatus::Failed,
        refused: true,
        error_message: Some("not a number".to_owned()),
        ..attempt()
    }
}

/// Nobody knows whether it was sent.
pub(crate) fn unconfirmed(now: Timestamp) -> Attempt {
    let attempt = Attempt {
        status: AttemptStatus::Unconfirmed,
        ..attempt()
    };
    asked(attempt, now)
}

pub(crate) fn asked(attempt: Attempt, at: Timestamp) -> Attempt {
    let ask = Ask {
        at,
        tries: 0,
        since: at,
    };
    Attempt {
        ask: Some(ask),
        ..attempt
    }
}

fn attempt() -> Attempt {
    Attempt::new(0, crate::given::START, crate::given::START)
}

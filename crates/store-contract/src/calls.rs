//! Promises about calls: taken, stepped and read back as they are.

use std::sync::Arc;

use domain::{
    AttemptStatus, Call, CallStatus, Event, Fact, Input, MachineDetection, Refusal, Request, Script, Source,
    Word, step,
};
use store::{Accepted, Applied};
use tokio::task::JoinSet;

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, World, all_of, busy, completed, fact, in_doubt, not_sent, placed, policy, ringing, sid,
    user,
};

/// Every option of a request comes back as it was given.
pub async fn a_call_is_kept_as_it_was_asked_for(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let say = Script::Say {
        message: "Grüße, \"Ann\" \\ 你好 \u{1f4de}\n".to_owned(),
        language: Some("de-DE".to_owned()),
        voice: None,
    };
    let scripts = [
        None,
        Some(say),
        Some(Script::Document("<Response/>".to_owned())),
        Some(Script::Url("https://example.com/a?b=c".to_owned())),
    ];
    let detections = [
        MachineDetection::Off,
        MachineDetection::Off,
        MachineDetection::Enable,
        MachineDetection::DetectMessageEnd,
    ];
    for (script, machine_detection) in scripts.into_iter().zip(detections) {
        let mut new = world.new_call();
        new.request = Request {
            user_id: user("Łódź / 'o\" %_"),
            script,
            scheduled_at: Some(world.now + MINUTE),
            given: Some(r#"{"metadata":{"a":[1,null,"é"]}}"#.into()),
            ..new.request
        };
        new.request.policy.machine_detection = machine_detection;
        new.request.policy.retry_on.busy = false;
        let call = world.accepted(new.clone()).await;
        assert_eq!(call.request, new.request);
        assert_eq!((call.id, call.created_at), (new.id, world.now));
        assert_eq!(world.record(new.id).await.call, call);
    }
}

/// An id that no call has finds nothing, and nothing can be done to it.
pub async fn a_call_that_nobody_took_is_not_there(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.new_call().id;
    let call = world.store.call(id).await.expect("a call can be read");
    assert_eq!(call, None);
    let record = world.store.record(&user("ann"), id).await;
    assert_eq!(record.expect("a record can be read"), None);
    assert_eq!(world.apply(id, Input::Cancel).await, Applied::NoSuchCall);
    world
        .store
        .put_off_checks(vec![id])
        .await
        .expect("there is nothing to put off");
}

/// Another user asks for the call in vain.
pub async fn a_call_is_shown_to_its_own_user_alone(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_call().await;
    for (name, shown) in [("ann", true), ("Ann", false), ("bob", false), ("an", false)] {
        let record = world.store.record(&user(name), id).await;
        assert_eq!(
            record.expect("a record can be read").is_some(),
            shown,
            "to {name}"
        );
    }
}

/// A life with every kind of turn ends in the record that the domain's steps describe, entry by
/// entry.
pub async fn a_whole_life_is_told_in_order(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let new = world.new_call();
    let mut told = step::accept(new.id, new.request.clone(), world.now);
    let id = world.accepted(new).await.id;
    for (passes, input) in a_life() {
        world.pass(passes);
        let at = world.at();
        let next = step(&told.call, input.clone(), at.moment()).expect("the story holds together");
        told.call = next.call;
        told.events.extend(next.events);
        let call = match input {
            Input::Due { .. } => world.granted(id).await,
            Input::Fact { attempt, sid, fact } => {
                let named = attempt.map(|number| (id, number));
                world.heard(named, sid.as_str(), fact).await
            }
            input => world.done(id, input).await,
        };
        assert_eq!(call, told.call);
        let record = world.record(id).await;
        assert_eq!(record.call, told.call);
        assert_eq!(record.events, told.events);
    }
    assert_eq!(told.call.status(), CallStatus::Completed);
}

fn a_life() -> Vec<(std::time::Duration, Input)> {
    let told = |attempt, leg, fact| Input::Fact {
        attempt,
        sid: sid(leg),
        fact,
    };
    let answered = Fact {
        answered_by: Some("machine_start".to_owned()),
        ..Fact::new(Word::Known(AttemptStatus::InProgress), Source::Answer)
    };
    let unheard_of = Fact::new(Word::Other("levitating".into()), Source::Callback);
    let over = Fact {
        duration_seconds: Some(31),
        sip_response_code: Some(200),
        error_code: Some(13_224),
        error_message: Some("a warning".to_owned()),
        at: Some(crate::given::START),
        ..completed()
    };
    vec![
        (SECOND, Input::Due { held: None }),
        (SECOND, not_sent(1)),
        (SECOND, Input::Due { held: None }),
        (SECOND, in_doubt(1)),
        (SECOND, told(Some(1), "CA1", ringing())),
        (SECOND, told(None, "CA1", unheard_of)),
        (SECOND, told(Some(1), "CA1", busy())),
        (2 * MINUTE, Input::Due { held: None }),
        (SECOND, placed(2, "CA2")),
        (SECOND, told(Some(2), "CA-second", ringing())),
        (
            SECOND,
            Input::HungUp {
                sid: sid("CA-second"),
                done: false,
            },
        ),
        (SECOND, told(Some(2), "CA2", fact(AttemptStatus::NoAnswer, 3))),
        (5 * MINUTE, Input::Due { held: None }),
        (SECOND, placed(3, "CA3")),
        (SECOND, told(Some(3), "CA3", answered)),
        (SECOND, told(Some(3), "CA3", over)),
        // Better proof, late: a correction.
        (MINUTE, told(Some(3), "CA3", fact(AttemptStatus::Canceled, 9))),
        (MINUTE, told(Some(1), "CA1", fact(AttemptStatus::Completed, 9))),
    ]
}

/// An input that does not apply leaves no trace, and the call is answered as it stands.
pub async fn a_refused_step_changes_nothing(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let before = world.record(id).await;
    world.pass(SECOND);
    let refused = [
        (placed(1, "CA1"), Refusal::AlreadyKnown),
        (placed(3, "CA3"), Refusal::NoSuchAttempt),
        (not_sent(1), Refusal::AlreadyKnown),
        (in_doubt(1), Refusal::AlreadyKnown),
        (Input::GiveUp, Refusal::Busy),
    ];
    for (input, why) in refused {
        let applied = world.apply(id, input).await;
        assert_eq!(applied, Applied::Refused(before.call.clone(), why));
        assert_eq!(world.record(id).await, before);
    }
}

/// A call that was canceled stays so, and is not live once nothing of it is.
pub async fn a_canceled_call_is_over(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let waiting = world.a_call().await;
    let live = world.a_live_call("CA1").await;
    assert_eq!(
        world.done(waiting, Input::Cancel).await.status(),
        CallStatus::Canceled
    );
    assert_eq!(
        world.done(live, Input::Cancel).await.status(),
        CallStatus::Initiated
    );
    world.heard(Some((live, 1)), "CA1", completed()).await;
    let call = world.stands(live).await;
    assert_eq!(call.status(), CallStatus::Canceled);
    assert_eq!(call.cancel_requested_at, Some(world.now));
    let again = world.apply(waiting, Input::Cancel).await;
    assert!(
        matches!(again, Applied::Refused(_, Refusal::AlreadyKnown)),
        "{again:?}"
    );
    assert_eq!(world.depths().await.live, 0);
}

/// Whoever comes at the same time as many others is taken too.
pub async fn many_calls_at_once_are_all_taken(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut asking = JoinSet::new();
    for _ in 0..64 {
        let (store, new, at) = (Arc::clone(&world.store), world.new_call(), world.at());
        asking.spawn(async move { store.accept(new, at).await });
    }
    for accepted in asking.join_all().await {
        let accepted = accepted.expect("a call is taken");
        assert!(matches!(accepted, Accepted::New(_)), "{accepted:?}");
    }
    let page = world.page(all_of("ann")).await;
    assert_eq!((page.total.count, page.calls.len()), (64, 64));
    assert_eq!(world.depths().await.waiting, 64);
}

/// Steps of one call that come together are taken one after another, and none is lost.
pub async fn steps_at_once_are_taken_one_by_one(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    let before = world.record(id).await.events.len();
    let mut telling = JoinSet::new();
    for sequence in 0..24 {
        let (store, at) = (Arc::clone(&world.store), world.at());
        let stray = store::Stray {
            sid: sid("CA1"),
            named: (sequence % 2 == 0).then_some((id, 1)),
            fact: fact(AttemptStatus::Ringing, sequence),
        };
        telling.spawn(async move { store.report(stray, at).await });
    }
    for reported in telling.join_all().await {
        let reported = reported.expect("a fact is taken");
        assert!(matches!(reported, store::Reported::Applied(_)), "{reported:?}");
    }
    let record = world.record(id).await;
    assert_eq!(record.events.len(), before + 24);
    assert_eq!(crate::given::attempt(&record.call, 1).heard.len(), 24);
}

/// A history of any length is told whole and in order.
pub async fn a_long_history_is_told_whole(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut new = world.new_call();
    new.request.policy = policy();
    let id = world.accepted(new).await.id;
    for tried in 0..40 {
        world.pass(MINUTE);
        world.granted(id).await;
        let input = Input::NotSent {
            attempt: 1,
            permit_at: None,
            reason: domain::HoldReason::Carrier,
            message: format!("try {tried}"),
            retry_after: None,
        };
        world.done(id, input).await;
    }
    let record = world.record(id).await;
    assert_eq!(first_and_last(&record.events), (crate::given::START, world.now));
    assert!(record.events.is_sorted_by_key(|event| event.at));
    assert!(record.events.len() > 40, "{} entries", record.events.len());
    assert!(is_untouched(&record.call));
}

fn first_and_last(events: &[Event]) -> (domain::Timestamp, domain::Timestamp) {
    let ends = events.first().zip(events.last());
    let (first, last) = ends.expect("every call has a history");
    (first.at, last.at)
}

fn is_untouched(call: &Call) -> bool {
    call.attempts.is_empty() && call.status() == CallStatus::Queued
}

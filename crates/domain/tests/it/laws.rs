//! The laws: what holds of every step that is taken, and of every call that it leaves behind.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{
    Answer, Attempt, AttemptStatus, Call, CallState, CallStatus, Closing, Effect, Event, EventKind,
    HoldReason, Input,
};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use crate::world::Taken;

type Verdict = Result<(), TestCaseError>;

pub fn check(taken: &Taken<'_>, history: &[Event], spent: &mut BTreeSet<u32>) -> Verdict {
    permits(taken, spent)?;
    records(taken)?;
    outcome(taken, history)?;
    retries(taken)?;
    holds(taken)?;
    questions(taken)?;
    standing(taken.after)?;
    liveness(taken.after)
}

fn has(news: &[Event], kind: &EventKind) -> bool {
    news.iter().any(|event| event.kind == *kind)
}

fn corrected(news: &[Event], attempt: Option<u32>, from: CallStatus, to: CallStatus) -> bool {
    has(news, &EventKind::Corrected { attempt, from, to })
}

/// One permit for one attempt, never before it is due, never beyond the policy, and never again but
/// for one that was given back.
fn permits(taken: &Taken<'_>, spent: &mut BTreeSet<u32>) -> Verdict {
    let (before, after) = (taken.before, taken.after);
    if let Input::Due { .. } = taken.input {
        let CallState::Dialling {
            attempt,
            permit_at,
            due_at,
            ..
        } = after.state
        else {
            return Err(TestCaseError::fail("a permit asked for and granted is out"));
        };
        prop_assert!(spent.insert(attempt), "two permits for one attempt");
        prop_assert!(before.attempt(attempt).is_none());
        prop_assert!(attempt <= before.request.policy.max_attempts);
        prop_assert!(before.due_at().is_some_and(|due_at| due_at <= taken.now));
        prop_assert!(taken.now < due_at + before.request.policy.give_up_after);
        prop_assert!(before.cancel_requested_at.is_none() && before.closing.is_none());
        prop_assert_eq!(permit_at, taken.now);
    }
    if let Input::NotSent { attempt, .. } = taken.input {
        prop_assert!(spent.contains(attempt), "only a permit can be given back");
        match before.attempt(*attempt) {
            None => {
                spent.remove(attempt);
                prop_assert!(after.attempt(*attempt).is_none(), "and uses no attempt");
            }
            // It was in doubt meanwhile, and so has been counted.
            Some(record) => {
                prop_assert!(record.sid.is_none());
                let after = after.attempt(*attempt).map(|record| record.status);
                prop_assert_eq!(after, Some(AttemptStatus::Failed));
            }
        }
    }
    let grown = after.attempts.len() - before.attempts.len();
    prop_assert!(grown <= 1);
    if let Some(new) = after.attempts.last().filter(|_| grown == 1) {
        let by_permit = matches!(before.state, CallState::Dialling { attempt, .. } if attempt == new.number);
        // Nothing but a permit, or a leg that the carrier shows, makes an attempt.
        prop_assert!(by_permit || new.sid.is_some());
        let incident = |event: &Event| matches!(event.kind, EventKind::Incident { .. });
        prop_assert!(by_permit || taken.news.iter().any(incident));
    }
    Ok(())
}

/// What is written of an attempt stays, moves forward, and is put right only by a correction.
fn records(taken: &Taken<'_>) -> Verdict {
    let (before, after) = (taken.before, taken.after);
    prop_assert_eq!((before.id, before.created_at), (after.id, after.created_at));
    prop_assert_eq!(&before.request, &after.request);
    prop_assert!(before.updated_at <= after.updated_at);
    prop_assert!(taken.news.iter().all(|event| event.at == taken.now));
    for new in &after.attempts {
        let Some(old) = before.attempt(new.number) else {
            bound(taken, None, new)?;
            continue;
        };
        prop_assert_eq!(old.permit_at, new.permit_at);
        bound(taken, Some(old), new)?;
        moved(taken, old, new)?;
    }
    Ok(())
}

fn bound(taken: &Taken<'_>, old: Option<&Attempt>, new: &Attempt) -> Verdict {
    let sent = taken.news.iter().filter_map(|event| match &event.kind {
        EventKind::Sent { attempt, sid } if *attempt == new.number => Some(sid),
        _ => None,
    });
    let sent: Vec<_> = sent.collect();
    match (old.and_then(|old| old.sid.as_ref()), &new.sid) {
        (None, Some(sid)) => prop_assert_eq!(sent, [sid]),
        (known, sid) => {
            prop_assert_eq!(known, sid.as_ref(), "a leg once bound stays");
            prop_assert!(sent.is_empty());
        }
    }
    Ok(())
}

fn moved(taken: &Taken<'_>, old: &Attempt, new: &Attempt) -> Verdict {
    let rank = |status: AttemptStatus| AttemptStatus::ALL.iter().position(|known| *known == status);
    if old.status == new.status {
        return Ok(());
    }
    if old.is_open() {
        prop_assert!(
            !new.is_open() || rank(old.status) < rank(new.status),
            "never backwards"
        );
        return Ok(());
    }
    let number = Some(new.number);
    prop_assert!(corrected(
        taken.news,
        number,
        old.status.into(),
        new.status.into()
    ));
    // Closed without a word of the carrier's about a leg: as unconfirmed, as refused, as never sent.
    prop_assert!(!new.is_open() || old.status == AttemptStatus::Unconfirmed || old.sid.is_none());
    Ok(())
}

/// A call that has ended is never dialled again, and how it ended changes only by a correction.
fn outcome(taken: &Taken<'_>, history: &[Event]) -> Verdict {
    let (before, after) = (taken.before, taken.after);
    let was_ended = match before.state {
        CallState::Ended { status } => Some(status),
        _ => None,
    };
    match (was_ended, &after.state) {
        (Some(was), CallState::Ended { status }) => {
            prop_assert!(was == *status || corrected(taken.news, None, was, *status));
        }
        (Some(was), CallState::Live) => {
            prop_assert_eq!(was, CallStatus::Unconfirmed, "any other outcome stands");
            prop_assert!(before.cancel_requested_at.is_none());
        }
        (Some(_), _) => return Err(TestCaseError::fail("a call that is over waits or is dialled")),
        (None, _) => {}
    }
    if let Some(closing) = before.closing {
        prop_assert_eq!(after.closing, Some(closing));
        let at_rest = matches!(after.state, CallState::Live | CallState::Ended { .. });
        prop_assert!(at_rest, "no dial follows");
    }
    if let Some(at) = before.cancel_requested_at {
        prop_assert_eq!(after.cancel_requested_at, Some(at));
        let waits = matches!(after.state, CallState::Waiting { .. });
        prop_assert!(!waits, "no dial follows");
    }
    let endings = history
        .iter()
        .filter(|event| matches!(event.kind, EventKind::Ended { .. }))
        .count();
    prop_assert_eq!(endings, usize::from(after.closing.is_some()), "it ends once");
    if let CallState::Ended { status } = after.state {
        let told = history.iter().rev().find_map(|event| match event.kind {
            EventKind::Ended { status, .. } => Some(status),
            EventKind::Corrected {
                attempt: None, to, ..
            } => Some(to),
            _ => None,
        });
        prop_assert_eq!(told, Some(status), "the history tells how it ended");
        outcome_is_right(after, status)?;
    }
    Ok(())
}

fn outcome_is_right(call: &Call, status: CallStatus) -> Verdict {
    if call.cancel_requested_at.is_some() {
        prop_assert_eq!(status, CallStatus::Canceled);
        return Ok(());
    }
    if call.open_attempt().is_some() {
        return Ok(());
    }
    let any_completed = call.attempts.iter().any(|a| a.status == AttemptStatus::Completed);
    prop_assert_eq!(status == CallStatus::Completed, any_completed);
    if call.closing == Some(Closing::Ended) && !any_completed {
        let last = call.attempts.last().map(|a| a.status.into());
        prop_assert_eq!(Some(status), last);
    }
    Ok(())
}

/// A retry is due exactly so long after the end that led to it, and nothing moves it.
fn retries(taken: &Taken<'_>) -> Verdict {
    let CallState::Waiting {
        due_at,
        try_at,
        misses,
    } = taken.after.state
    else {
        return Ok(());
    };
    // A leg that nobody knew of, of an attempt that is over already, has its own retry.
    let grown = taken.after.attempts.len() > taken.before.attempts.len();
    match (&taken.before.state, taken.input) {
        (CallState::Waiting { due_at: was, .. }, _) if !grown => prop_assert_eq!(*was, due_at),
        (
            CallState::Dialling {
                due_at: was,
                misses: tries,
                ..
            },
            Input::NotSent {
                reason, retry_after, ..
            },
        ) => {
            prop_assert_eq!(*was, due_at);
            let gap = retry_after.unwrap_or_else(|| unlucky_gap(*reason, *tries));
            prop_assert_eq!(try_at, taken.now + gap);
        }
        _ => {
            let policy = &taken.after.request.policy;
            let made = taken.after.attempts.len();
            prop_assert!((1..policy.max_attempts as usize).contains(&made));
            let place = (made - 1).min(policy.retry_delays.len() - 1);
            prop_assert_eq!((due_at, misses), (taken.now + policy.retry_delays[place], 0));
            let said = |event: &Event| match &event.kind {
                EventKind::Held(hold) => hold.reason == HoldReason::Retry && hold.until == Some(due_at),
                _ => false,
            };
            prop_assert!(taken.news.iter().any(said));
        }
    }
    Ok(())
}

/// Half of what the carrier's trouble doubles to: what the loaded dice give.
fn unlucky_gap(reason: HoldReason, tries: u32) -> Duration {
    match reason {
        HoldReason::Carrier => Duration::from_millis((500 << tries.min(6)).min(30_000) / 2),
        HoldReason::Pair => Duration::from_millis(500),
        _ => Duration::ZERO,
    }
}

/// Whatever holds a call back is in its history.
fn holds(taken: &Taken<'_>) -> Verdict {
    let known = |hold: &Option<domain::Hold>| hold.as_ref().map(|hold| (hold.reason, hold.message.clone()));
    if let Some(hold) = &taken.after.hold {
        let is_new = known(&taken.before.hold) != known(&taken.after.hold);
        prop_assert!(!is_new || has(taken.news, &EventKind::Held(hold.clone())));
    }
    prop_assert!(taken.after.hold.is_none() || !taken.after.is_over());
    Ok(())
}

/// A question that was answered is not asked again at once, unless the answer showed a leg that is
/// to be hung up.
fn questions(taken: &Taken<'_>) -> Verdict {
    let Input::Asked { attempt, answer, .. } = taken.input else {
        return Ok(());
    };
    let Some(old) = taken.before.attempt(*attempt) else {
        return Ok(());
    };
    let came_to_light = old.sid.is_none() || !old.is_open() || matches!(answer, Answer::Legs(_));
    for effect in taken.after.effects(taken.now) {
        match effect {
            Effect::Find { attempt: again } | Effect::LookUp { attempt: again, .. } => {
                prop_assert!(again != *attempt, "asked without pause");
            }
            Effect::HangUp {
                attempt: again,
                ref sid,
            } if old.sid.as_ref() == Some(sid) => {
                prop_assert!(again != *attempt || came_to_light, "hung up without pause");
            }
            _ => {}
        }
    }
    Ok(())
}

/// How a call may stand at all: above all, that at most one leg or permit of it counts.
fn standing(call: &Call) -> Verdict {
    for (attempt, number) in call.attempts.iter().zip(1..) {
        prop_assert_eq!(attempt.number, number);
        prop_assert!(attempt.proof.is_none() || !attempt.is_open());
        prop_assert!(
            attempt.sid.is_some()
                || !matches!(attempt.status, AttemptStatus::Ringing | AttemptStatus::InProgress)
        );
    }
    let sids: BTreeSet<_> = call.attempts.iter().filter_map(|a| a.sid.as_ref()).collect();
    prop_assert!(call.extras.iter().all(|extra| !sids.contains(&extra.sid)));
    let open = call.attempts.iter().filter(|a| a.is_open()).count();
    // Late proof may bring an older leg to life beside a newer one; then only one of them counts.
    let wanted = call
        .attempts
        .iter()
        .filter(|a| a.is_open() && !a.unwanted)
        .count();
    match call.state {
        CallState::Waiting { due_at, try_at, .. } => {
            prop_assert_eq!(open, 0);
            prop_assert_eq!(call.due_at(), Some(due_at.max(try_at)));
            prop_assert!(call.attempts.len() < call.request.policy.max_attempts as usize);
        }
        CallState::Dialling { attempt, .. } => {
            prop_assert_eq!(wanted, 0);
            prop_assert_eq!(attempt as usize, call.attempts.len() + 1);
        }
        CallState::Live => prop_assert!(open > 0 && wanted <= 1),
        CallState::Ended { .. } => {
            let speaks = |a: &Attempt| a.sid.as_ref().is_some_and(|sid| call.may_speak(a.number, sid));
            prop_assert!(!call.attempts.iter().any(speaks));
        }
    }
    Ok(())
}

/// Nothing is left to chance: whatever may still move has its time.
fn liveness(call: &Call) -> Verdict {
    for attempt in call.attempts.iter().filter(|a| a.is_open()) {
        prop_assert!(attempt.ask.is_some(), "an open attempt that nobody asks about");
    }
    let check_at = call.check_at();
    match call.state {
        CallState::Waiting { .. } => prop_assert!(check_at.is_some() && call.due_at().is_some()),
        CallState::Live => prop_assert!(check_at.is_some()),
        CallState::Dialling { .. } => prop_assert!(call.due_at().is_none()),
        CallState::Ended { .. } => prop_assert!(call.due_at().is_none() && call.give_up_at().is_none()),
    }
    Ok(())
}

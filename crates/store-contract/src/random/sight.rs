//! What can be seen of a store, all of it, in a form that can be compared.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{Call, CallId, CallStatus, Event, EventKind, HoldReason, Timestamp, UserId};
use store::{
    Accepted, Applied, Cursor, Depths, Dialling, Due, ListQuery, Page, Permitted, Record, Reported, Store,
};

use super::operations::USERS;
use super::{Outcome, Pair};
use crate::given::{START, all_of, phone};

/// Everything that a store shows, but for looks, which may come early.
#[derive(Debug, PartialEq)]
pub(super) struct Sight {
    pub(super) records: Vec<Record>,
    pub(super) pages: Vec<Page>,
    due: Vec<Due>,
    /// The due times of a short list: among equal ones the order is free.
    first_due: Vec<Timestamp>,
    next_due: Option<Timestamp>,
    granted: Vec<(CallId, u32)>,
    in_doubt: Vec<(CallId, u32)>,
    dialling: Dialling,
    depths: Depths,
}

pub(super) async fn sight(
    store: &dyn Store,
    calls: &[CallId],
    owners: &[UserId],
    queries: &[ListQuery],
    now: Timestamp,
) -> Sight {
    let mut records = Vec::new();
    for (id, user) in calls.iter().zip(owners) {
        records.push(record(store, user, *id).await);
    }
    let mut pages = Vec::new();
    for query in queries {
        pages.push(store.page(query.clone()).await.expect("a page can be read"));
    }
    let all = calls.len() + 1;
    let mut due = store.due(now, all).await.expect("the queue can be read");
    due.sort_by_key(|due| (due.due_at, due.id));
    let first = store.due(now, 2).await.expect("the queue can be read");
    let mut granted = store.granted().await.expect("permits can be listed");
    granted.sort();
    let mut in_doubt = store.in_doubt().await.expect("doubts can be listed");
    in_doubt.sort();
    Sight {
        records,
        pages,
        due,
        first_due: first.into_iter().map(|due| due.due_at).collect(),
        next_due: store.next_due(now).await.expect("the queue can be read"),
        granted,
        in_doubt,
        dialling: store.dialling().await.expect("the dialling can be read"),
        depths: store.depths(now).await.expect("the depths can be read"),
    }
}

async fn record(store: &dyn Store, user: &UserId, id: CallId) -> Record {
    let record = store.record(user, id).await.expect("a record can be read");
    let mut record = record.expect("it was taken");
    let mut said = Vec::new();
    for event in &mut record.events {
        plain_event(event, &mut said);
    }
    record.call = plain(record.call);
    record
}

/// A call as far as stores must agree: what they say of a taken pair is their own.
pub(super) fn plain(mut call: Call) -> Call {
    if let Some(hold) = &mut call.hold
        && hold.reason == HoldReason::Pair
    {
        assert!(!hold.message.is_empty(), "a hold says what is in the way");
        hold.message.clear();
    }
    call
}

/// The same for the history, where those words come back when the call is given up.
fn plain_event(event: &mut Event, said: &mut Vec<String>) {
    match &mut event.kind {
        EventKind::Held(hold) if hold.reason == HoldReason::Pair => {
            said.push(std::mem::take(&mut hold.message));
        }
        EventKind::Ended { why, .. } => {
            for words in said {
                *why = why.replace(words.as_str(), "");
            }
        }
        _ => {}
    }
}

/// A look may be listed early, never late, and shows the call as it is.
pub(super) async fn agrees_on_looks(store: &dyn Store, model: &dyn Store, now: Timestamp, story: &str) {
    for gap in [0, 60, 100 * 86_400] {
        let then = now + Duration::from_secs(gap);
        let needed = looks(model, then).await;
        let listed = looks(store, then).await;
        let listed_ids: BTreeSet<CallId> = listed.iter().map(|call| call.id).collect();
        assert_eq!(listed_ids.len(), listed.len(), "listed twice by {then}; {story}");
        for call in needed {
            let found = listed.iter().find(|it| it.id == call.id);
            assert_eq!(
                found.cloned().map(plain),
                Some(plain(call)),
                "looked at by {then}; {story}"
            );
        }
    }
    if looks(model, now).await.len() < looks(store, now).await.len() {
        // Some are listed early; when they are really needed is told once they are put off.
        return;
    }
    let needed = model.next_check(now).await.expect("the model always answers");
    let told = store.next_check(now).await.expect("looks can be listed");
    if let Some(needed) = needed {
        assert!(
            told.is_some_and(|told| told <= needed),
            "{told:?} is after {needed}; {story}"
        );
    }
}

async fn looks(store: &dyn Store, now: Timestamp) -> Vec<Call> {
    let listed = store.to_check(now, usize::from(u16::MAX)).await;
    listed.expect("looks can be listed")
}

fn shared(call: Arc<Call>) -> Arc<Call> {
    Arc::new(plain(Arc::unwrap_or_clone(call)))
}

/// An outcome as two stores show it alike.
pub(super) fn plain_outcome(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Accepted(Accepted::New(call)) => Outcome::Accepted(Accepted::New(shared(call))),
        Outcome::Accepted(Accepted::Repeat(call)) => Outcome::Accepted(Accepted::Repeat(shared(call))),
        Outcome::Permitted(Permitted::Held(call)) => Outcome::Permitted(Permitted::Held(plain(call))),
        Outcome::Permitted(Permitted::Granted(call)) => Outcome::Permitted(Permitted::Granted(plain(call))),
        Outcome::Applied(Applied::Done(call)) => Outcome::Applied(Applied::Done(plain(call))),
        Outcome::Applied(Applied::Refused(call, why)) => Outcome::Applied(Applied::Refused(plain(call), why)),
        Outcome::Reported(Reported::Applied(call)) => Outcome::Reported(Reported::Applied(shared(call))),
        Outcome::Reported(Reported::Known(call)) => Outcome::Reported(Reported::Known(shared(call))),
        other => other,
    }
}

impl Pair<'_> {
    /// The lists that are compared after a step: everything, by status, and one with every filter.
    pub(super) fn queries(&mut self) -> Vec<ListQuery> {
        let mut queries: Vec<ListQuery> = USERS.into_iter().map(all_of).collect();
        let mut by_status = all_of(USERS[0]);
        by_status.status = self.dice.pick(&CallStatus::ALL).copied();
        queries.push(by_status);
        let mut picky = all_of(USERS[usize::from(self.dice.one_in(2))]);
        picky.limit = 1 + usize::try_from(self.dice.below(4)).expect("it is small");
        picky.offset = usize::try_from(self.dice.below(3)).expect("it is small");
        picky.status = self
            .dice
            .one_in(3)
            .then(|| CallStatus::ALL[usize::from(self.dice.one_in(2))]);
        picky.to = self.dice.one_in(3).then(|| phone(1));
        let span = self.now.since(START);
        picky.created_after = self.dice.one_in(4).then(|| START + span / 3);
        picky.created_before = self.dice.one_in(4).then(|| START + span / 2);
        let known = self.dice.pick(&self.calls).copied();
        picky.after = known.filter(|_| self.dice.one_in(3)).map(|id| Cursor {
            created_at: START + span / 2,
            id,
        });
        queries.push(picky);
        queries
    }
}

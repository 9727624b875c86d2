//! Reading: queues, pages and counts, all found by looking at every call.

use domain::{Call, CallId, Phone, Timestamp};
use store::{Cursor, Depths, Dialling, ListQuery, ListRow, Page, PermitState, Total};

use super::Memory;

/// Where counting may stop when a query has filters that no counter is kept for.
const COUNTED: usize = 10_000;

impl Memory {
    fn each(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().map(|record| &record.call)
    }

    /// How many calls are live or being dialled.
    pub(super) fn live(&self) -> u64 {
        count(self.each().filter(|call| call.is_live()))
    }

    /// The queue of dials that may be sent, in its order.
    pub(super) fn due(&self, now: Timestamp) -> Vec<(Timestamp, CallId)> {
        let waiting = self.each().filter_map(|call| Some((call.due_at()?, call.id)));
        let mut due: Vec<_> = waiting.filter(|(due_at, _)| *due_at <= now).collect();
        due.sort();
        due
    }

    pub(super) fn next_due(&self, after: Timestamp) -> Option<Timestamp> {
        self.each()
            .filter_map(Call::due_at)
            .filter(|at| *at > after)
            .min()
    }

    /// The queue of calls that are to be looked at, in its order.
    pub(super) fn to_check(&self, now: Timestamp) -> Vec<(Timestamp, CallId)> {
        let wanted = self.each().filter_map(|call| Some((call.check_at()?, call.id)));
        let mut wanted: Vec<_> = wanted.filter(|(check_at, _)| *check_at <= now).collect();
        wanted.sort();
        wanted
    }

    pub(super) fn next_check(&self, after: Timestamp) -> Option<Timestamp> {
        self.each()
            .filter_map(Call::check_at)
            .filter(|at| *at > after)
            .min()
    }

    pub(super) fn undecided(&self, state: PermitState) -> Vec<(CallId, u32)> {
        self.permits
            .iter()
            .filter(|permit| permit.state == state)
            .map(|permit| (permit.call, permit.attempt))
            .collect()
    }

    pub(super) fn dialling(&self) -> Dialling {
        Dialling {
            paused_at: self.paused_at,
            account_hold: self.account_hold.clone(),
            pace_clear_at: self.pace_clear_at,
            live: self.live(),
            restored: self.restored,
        }
    }

    pub(super) fn unsettled(&self, from: &Phone, to: &Phone) -> Vec<Call> {
        let pair = self
            .each()
            .filter(|call| (&call.request.from, &call.request.to) == (from, to));
        pair.filter(|call| call.due_at().is_some() || call.check_at().is_some())
            .cloned()
            .collect()
    }

    pub(super) fn depths(&self, now: Timestamp) -> Depths {
        let due = self.due(now);
        Depths {
            waiting: count(self.each().filter(|call| call.due_at().is_some())),
            due: count(due.iter()),
            live: self.live(),
            undecided: count(self.permits.iter().filter(|permit| permit.state.is_undecided())),
            orphans: count(self.orphans.iter()),
            oldest_due: due.first().map(|(due_at, _)| now.since(*due_at)),
        }
    }

    pub(super) fn page(&self, query: &ListQuery) -> Page {
        let mut all: Vec<&Call> = self.each().filter(|call| matches(query, call)).collect();
        all.sort_by_key(|call| std::cmp::Reverse(place(call)));
        let counters_suffice =
            query.to.is_none() && query.created_after.is_none() && query.created_before.is_none();
        let total = match all.len() {
            many if many > COUNTED && !counters_suffice => Total {
                count: count(all.iter().take(COUNTED)),
                at_least: true,
            },
            _ => Total {
                count: count(all.iter()),
                at_least: false,
            },
        };
        let mut rest = all
            .into_iter()
            .filter(|call| query.after.is_none_or(|after| place(call) < after))
            .skip(query.offset);
        let calls: Vec<&Call> = rest.by_ref().take(query.limit).collect();
        let more = rest.next().is_some();
        Page {
            total,
            next: calls.last().filter(|_| more).map(|call| place(call)),
            calls: calls.into_iter().map(row).collect(),
        }
    }
}

fn count<T>(all: impl Iterator<Item = T>) -> u64 {
    u64::try_from(all.count()).expect("memory holds fewer")
}

fn matches(query: &ListQuery, call: &Call) -> bool {
    call.request.user_id == query.user
        && query.status.is_none_or(|status| call.status() == status)
        && query.to.as_ref().is_none_or(|to| call.request.to == *to)
        && query.created_after.is_none_or(|first| call.created_at >= first)
        && query.created_before.is_none_or(|end| call.created_at < end)
}

fn place(call: &Call) -> Cursor {
    Cursor {
        created_at: call.created_at,
        id: call.id,
    }
}

fn row(call: &Call) -> ListRow {
    ListRow {
        id: call.id,
        to: call.request.to.clone(),
        status: call.status(),
        attempt_count: u32::try_from(call.attempts.len()).expect("a policy allows far fewer attempts"),
        should_retry: call.should_retry(),
        created_at: call.created_at,
    }
}

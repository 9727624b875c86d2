//! Permits, requests and rings: what may be dialled, when, and how often.

use std::time::Duration;

use domain::{AttemptStatus, Call, CallId, CallState, EventKind};

use super::nodes::{Permit, Told};
use super::{Checks, invariant};
use crate::fault::Fault;
use crate::goal::Goals;
use crate::hub::whole;
use crate::life::Who;
use crate::plan::Deed;

/// A slot of the pace is taken before the connection is opened, the permit asked for and the request sent: so much may
/// bunch up what the pace has let go one by one, where nothing is slow.
const BUNCHED: Duration = Duration::from_millis(200);
/// ... where connections may be slow: the longest that the engine waits for one.
const BUNCHED_BY_CONNECTIONS: Duration = Duration::from_secs(5);
/// ... where the store may be slow: before a permit and after it, and before a turn's other questions.
const BUNCHED_BY_STORE: Duration = Duration::from_secs(9);
/// ... where several nodes share the pace: a slot is good for so long after it was taken.
const BUNCHED_BY_STOCK: Duration = Duration::from_millis(250);
/// How far the engine's clock may be from the true one without anybody having moved it.
const TOLERANCE_MS: u64 = 50;

impl Checks {
    /// A node is granted a permit for this call; so many are live now.
    pub fn grants(&mut self, now_ms: u64, who: Who, call: &Call, live: u64, goals: &mut Goals) {
        let CallState::Dialling { attempt, .. } = call.state else {
            return;
        };
        let id = call.id;
        let tried = self.tried((id, attempt));
        tried.suspect |= tried.requests > 0 && tried.doubtful;
        tried.requests = 0;
        let before = self.permits.insert((id, attempt), Permit { who, at_ms: now_ms });
        if before.is_some_and(|before| before.who.node != who.node) {
            goals.reach("a permit that one node gave back was granted to another");
        }
        let taken_over = self.taken_over.remove(&(id, Told::Dial));
        if taken_over.is_some_and(|before| before.node != who.node && self.dead.contains(&before.life)) {
            goals.reach("a call was taken over from a dead node");
        }
        let other = call
            .attempts
            .iter()
            .find(|it| it.is_open() && it.sid.is_some() && !it.unwanted);
        if let Some(other) = other.map(|it| it.number) {
            let what = format!("attempt {attempt} of {id} is permitted while attempt {other} is live");
            self.breaks(invariant::ONE_LIVE, what);
        }
        self.is_made_good(id, goals);
        if self.paused {
            self.breaks(
                invariant::PAUSED,
                format!("{id} may be dialled while dialling is paused"),
            );
        }
        if self.canceled.contains(&id) {
            let what = format!("{id} may be dialled after its cancel was answered");
            self.breaks(invariant::CANCELED, what);
        }
        if self.max_live().is_some_and(|most| live > u64::from(most)) {
            self.breaks(invariant::LIVE_LIMIT, format!("{live} calls are live"));
        }
        let most = self.planned(id).map_or(0, |plan| plan.policy.max_attempts);
        if attempt > most || attempt as usize != call.attempts.len() + 1 {
            let what = format!("attempt {attempt} of {id}, which may have {most}");
            self.breaks(invariant::POLICY, what);
        }
        self.is_due(now_ms, call, attempt);
    }

    fn is_due(&mut self, now_ms: u64, call: &Call, attempt: u32) {
        if self.clock_moved.is_some() {
            // What was due by one clock is judged by another.
            return;
        }
        let Some(plan) = self.planned(call.id) else { return };
        let start = u64::try_from(testkit::clock::START.millis()).unwrap_or(0);
        let earliest = match call.attempts.last() {
            None => plan.scheduled.map(|gap| start + whole(plan.at) + whole(gap)),
            // Its end was put right while the retry waited, which keeps its time.
            Some(last) if self.was_corrected(call.id, last.number) => None,
            Some(last) => {
                let delays = &plan.policy.retry_delays;
                let gap = delays.get(attempt as usize - 2).or(delays.last());
                let ended = last.ended_at.and_then(|at| u64::try_from(at.millis()).ok());
                // The carrier's times have whole seconds.
                ended
                    .zip(gap)
                    .map(|(ended, gap)| ended / 1_000 * 1_000 + whole(*gap))
            }
        };
        let tolerance = match self.is_shared() {
            true => self.apart_ms(),
            false => TOLERANCE_MS,
        };
        if earliest.is_some_and(|earliest| now_ms + tolerance < earliest) {
            let early = earliest.unwrap_or(0).saturating_sub(now_ms);
            let what = format!("attempt {attempt} of {} is {early} ms early", call.id);
            self.breaks(invariant::DUE, what);
        }
    }

    /// Whether the history says that an attempt's end was put right.
    fn was_corrected(&self, id: CallId, number: u32) -> bool {
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        let mut events = record.into_iter().flat_map(|record| &record.events);
        events.any(
            |event| matches!(event.kind, EventKind::Corrected { attempt, .. } if attempt == Some(number)),
        )
    }

    /// Never more than a burst and what the rate allows besides, in any stretch of time.
    fn keeps_pace(&mut self, now_ms: u64) {
        let (per_second, burst) = self.rate();
        self.sent.push_back(now_ms);
        if self.sent.len() > 4 * burst as usize + 64 {
            self.sent.pop_front();
        }
        if self.clock_moved.is_some() {
            return;
        }
        let bunched = whole(self.bunched());
        let count = self.sent.len();
        for (place, from) in self.sent.iter().enumerate() {
            let seconds = (now_ms - from + bunched) as f64 / 1_000.0;
            let most = f64::from(burst) + seconds * per_second + 1.0;
            let sent = count - place;
            if sent as f64 > most {
                let what = format!("{sent} dials in {} ms", now_ms - from);
                return self.breaks(invariant::PACE, what);
            }
        }
    }

    fn bunched(&self) -> Duration {
        let in_play = |fault: Fault| self.plan.faults[fault as usize] > 0.0;
        let mut bunched = BUNCHED;
        if self.is_shared() {
            bunched += BUNCHED_BY_STOCK;
        }
        if in_play(Fault::ConnectSlow) {
            bunched += BUNCHED_BY_CONNECTIONS;
        }
        if in_play(Fault::StoreSlow) {
            bunched += BUNCHED_BY_STORE;
        }
        bunched + self.frozen()
    }

    /// For how long nodes stand still, all together.
    pub(super) fn frozen(&self) -> Duration {
        let frozen = self.plan.deeds.iter().map(|(_, deed)| match deed {
            Deed::Freeze(_, long) => *long,
            _ => Duration::ZERO,
        });
        frozen.sum()
    }

    /// A request for a call is sent.
    pub fn sends(&mut self, now_ms: u64, who: Who, dial: Option<(CallId, u32)>) {
        self.keeps_pace(now_ms);
        let Some(dial) = dial else {
            let what = "a request for a call that no dial asked for".to_owned();
            return self.breaks(invariant::ONE_REQUEST, what);
        };
        self.is_permitted(now_ms, who, dial);
        let is_known = self.knows(dial);
        if self.is_forgotten(dial) && !is_known {
            // It is found on the carrier's list, or proven never to have been executed: no second one then.
            return;
        }
        if !is_known {
            let what = format!(
                "attempt {} of {} is sent, and its permit is not in the store",
                dial.1, dial.0
            );
            self.breaks(invariant::PERMIT, what);
        }
        let tried = self.tried(dial);
        tried.requests += 1;
        let again = tried.suspect || (tried.requests > 1 && tried.doubtful);
        if again {
            let what = format!(
                "attempt {} of {} is sent again, although its first request may have been executed",
                dial.1, dial.0
            );
            self.breaks(invariant::ONE_REQUEST, what);
        }
    }

    /// Whether the store has this attempt, or its permit is out.
    pub(super) fn knows(&self, (id, attempt): (CallId, u32)) -> bool {
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        record.is_some_and(|record| {
            record.call.attempt(attempt).is_some()
                || matches!(record.call.state, CallState::Dialling { attempt: out, .. } if out == attempt)
        })
    }

    /// Something happened after which its sender cannot know whether the request was executed.
    pub fn doubtful(&mut self, dial: Option<(CallId, u32)>) {
        if let Some(dial) = dial {
            self.tried(dial).doubtful = true;
        }
    }

    /// The carrier has made a leg; `named` is what its address names, `again` its own mistake, `shown_ms` when it is on the
    /// carrier's list.
    pub fn rings(
        &mut self,
        now_ms: u64,
        sid: &str,
        dial: Option<(CallId, u32)>,
        named: Option<(CallId, u32)>,
        again: bool,
        shown_ms: u64,
    ) {
        let owner = dial.filter(|_| !again);
        self.legs.insert(sid.to_owned(), owner);
        let Some(dial @ (id, attempt)) = dial else {
            return self.breaks(invariant::RECORDED, format!("{sid} rings and nobody dialled"));
        };
        if named.is_some_and(|named| named != dial) {
            let what = format!("{sid} of attempt {attempt} of {id} names another in its address");
            self.breaks(invariant::RECORDED, what);
        }
        if again {
            self.tried(dial).doubtful = true;
            return;
        }
        if !self.counts(sid, dial) {
            return;
        }
        let tried = self.tried(dial);
        tried.legs.push(sid.to_owned());
        tried.shown_ms = shown_ms;
        let legs = tried.legs.join(" and ");
        if tried.legs.len() > 1 {
            let what = format!("attempt {attempt} of {id} rings twice: {legs}");
            self.breaks(invariant::ONE_CREATE, what);
        }
        let record = self.calls.get(&id).and_then(|known| known.record.as_ref());
        let Some(call) = record.map(|record| &record.call) else {
            let what = format!("{sid} rings for {id}, of which there is no record");
            return self.breaks(invariant::RECORDED, what);
        };
        let permitted =
            matches!(call.state, CallState::Dialling { attempt: permitted, .. } if permitted == attempt);
        let is_known = permitted || call.attempt(attempt).is_some();
        let alive = |it: &&domain::Attempt| it.number != attempt && it.is_open() && !it.in_doubt();
        let other = call.attempts.iter().find(alive).map(|it| it.number);
        let late = call
            .attempt(attempt)
            .is_some_and(|it| it.status == AttemptStatus::Unconfirmed);
        if !is_known {
            let what = format!(
                "{sid} rings at {now_ms} for attempt {attempt} of {id}, which the record does not have"
            );
            self.breaks(invariant::RECORDED, what);
        }
        // One that was given another's leg is over by that one, and the next may be on its way.
        if let Some(other) = other.filter(|_| !late && !self.has_anothers(dial)) {
            let what = format!("attempt {attempt} of {id} rings while attempt {other} is live");
            self.breaks(invariant::ONE_LIVE, what);
        }
    }
}

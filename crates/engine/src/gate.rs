//! What stands in the way of every dial at once: a pause, a clock or a store that is not proven good,
//! a carrier that refuses the account or cannot be reached, the live limit, the pace. Says so to
//! `/readyz`, to each waiting call, and to the history of a call that was held back by it. Knows no
//! single call; asked by the scheduler and by whoever takes a call.

mod obstacle;
mod passing;
mod past;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::retry::{doubling, jittered};
use domain::{Hold, HoldReason, Timestamp, limits};
use store::AccountHold;

use passing::Passing;
use past::Past;

/// While the carrier refuses the account, one dial a minute is tried, to see.
pub const PROBE_EVERY: Duration = Duration::from_secs(60);
/// An obstacle that nobody may see go (the live limit, a store that failed) is tried again after this.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// The state of the gate.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    paused: Option<Hold>,
    clock: Option<Hold>,
    skew: Option<Hold>,
    store: Option<Hold>,
    restored: Option<Hold>,
    account: Option<AccountHold>,
    /// Another process tries whether the carrier takes the account again.
    follows: bool,
    carrier: Option<Trouble>,
    permits: Option<Passing>,
    live_limit: Option<Passing>,
    pace: Option<Passing>,
    past: Past,
}

/// The carrier cannot be reached.
#[derive(Debug)]
struct Trouble {
    since: Timestamp,
    message: String,
    misses: u32,
    probe_at: Timestamp,
    /// One dial has been let through, to see.
    probing: bool,
}

impl Gate {
    /// Asks for leave to make one dial. While something is only tried (the carrier, the account, the
    /// live limit, the store), leave is given to one dial at a time.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn enter(&self, now: Timestamp) -> Result<(), Hold> {
        let mut state = self.lock();
        if let Some(hold) = state.obstacle(now) {
            state.past.note(&hold, now);
            return Err(hold);
        }
        if let Some(account) = &mut state.account {
            account.probe_at = now + PROBE_EVERY;
        }
        if let Some(trouble) = &mut state.carrier {
            // Until its answer is in, nobody else tries.
            trouble.probe_at = now + limits::NOT_SENT_BACKOFF.1;
            trouble.probing = true;
        }
        let State {
            permits, live_limit, ..
        } = &mut *state;
        for passing in [permits, live_limit].into_iter().flatten() {
            passing.lasts(now, now + TRY_AGAIN);
        }
        Ok(())
    }

    /// The carrier refuses the account, or not, as another process says. Returns whether that is news. A probe that
    /// this process has put off stays put off.
    pub fn follow_account(&self, hold: Option<AccountHold>) -> bool {
        let own = self.lock().account.clone();
        self.set_account(match (own, hold) {
            (Some(own), Some(hold)) if own.since == hold.since && own.probe_at > hold.probe_at => Some(own),
            (_, hold) => hold,
        })
    }

    /// Whether this process, other than the rest, cannot dial: the carrier is out of its reach, or its clock is wrong.
    pub fn cannot_dial(&self) -> bool {
        let state = self.lock();
        state.carrier.is_some() || state.clock.is_some() || state.skew.is_some()
    }

    /// Whether no dial of this process will ever show that the carrier is within its reach again, because another tries
    /// the account, or reads the list since a copy, for all.
    pub fn cannot_try(&self) -> bool {
        let state = self.lock();
        let waits_for_another = state.account.is_some() || state.restored.is_some();
        state.follows && waits_for_another && state.carrier.is_some()
    }

    /// Whether leave is given to one dial at a time, to see.
    pub fn tries(&self) -> bool {
        let state = self.lock();
        let passing = [&state.permits, &state.live_limit]
            .into_iter()
            .any(Option::is_some);
        passing || state.account.is_some() || state.carrier.is_some()
    }

    /// What stands in the way of a dial now.
    pub fn obstacle(&self, now: Timestamp) -> Option<Hold> {
        self.lock().obstacle(now)
    }

    /// The same, for a dial that is due and is held back by it: remembered for its history.
    pub fn hold_back(&self, now: Timestamp) -> Option<Hold> {
        let mut state = self.lock();
        let hold = state.obstacle(now)?;
        state.past.note(&hold, now);
        Some(hold)
    }

    /// What a call whose dial is due waits for. An obstacle whose time is over, and that the next dial
    /// is about to meet again, is one still.
    pub fn waits_for(&self, now: Timestamp) -> Option<Hold> {
        let state = self.lock();
        state.obstacle(now).or_else(|| state.lingering(now))
    }

    /// What held back a dial that was due at `due_at` for the longest time, if it was this gate.
    pub fn held(&self, due_at: Timestamp) -> Option<Hold> {
        self.lock().past.longest(due_at)
    }

    /// Dialling was paused or resumed by an operator.
    pub fn set_paused(&self, since: Option<Timestamp>) {
        let message = "dialling is paused; `redial resume` or POST /dialing/resume lets it go on";
        self.lock().paused = since.map(|since| paused(since, message.to_owned()));
    }

    /// The clock has jumped and is not believed yet, or is good again.
    pub fn set_clock_jump(&self, jump: Option<Duration>, now: Timestamp) {
        let message = |jump: Duration| {
            format!(
                "the clock has jumped by {} s; dialling goes on when two readings agree",
                jump.as_secs()
            )
        };
        stand(&mut self.lock().clock, jump.map(message), now);
    }

    /// The store cannot be trusted with another write, or can.
    pub fn set_store_broken(&self, broken: Option<String>, now: Timestamp) {
        let message = |broken| format!("the store is not proven good: {broken}");
        stand(&mut self.lock().store, broken.map(message), now);
    }

    /// The store is a copy, and the carrier is being asked what was dialled since it was made; or what is
    /// missing has been made good.
    pub fn set_restored(&self, asking: Option<(String, Option<Timestamp>)>, now: Timestamp) {
        let place = &mut self.lock().restored;
        let since = place.as_ref().map_or(now, |hold| hold.since);
        *place = asking.map(|(message, until)| Hold {
            reason: HoldReason::Settling,
            since,
            until,
            message,
        });
    }

    /// Nobody has seen the carrier's clock yet, and so nobody knows whether ours is right: a leg that was
    /// made by a wrong clock would not be found again.
    pub fn carrier_date_unknown(&self, now: Timestamp) {
        let message =
            "the carrier has not answered yet, so that this machine's clock is not compared with its own";
        stand(&mut self.lock().skew, Some(message.to_owned()), now);
    }

    /// The carrier does not say what time it is there.
    pub fn carrier_has_no_date(&self) {
        self.lock().skew = None;
    }

    /// The carrier's clock was seen, in whole seconds.
    pub fn see_carrier_date(&self, date: Timestamp, now: Timestamp) {
        // The carrier cuts its seconds off.
        let apart = now.since(date).max(date.since(now));
        let message = format!(
            "this machine's clock and the carrier's differ by {} s; set the clock (NTP), dialling goes on by itself",
            apart.as_secs()
        );
        let skewed = apart > limits::CLOCKS_APART + Duration::from_secs(1);
        stand(&mut self.lock().skew, skewed.then_some(message), now);
    }

    /// Whether the carrier's clock has to be asked for again before anything is dialled.
    pub fn is_skewed(&self) -> bool {
        self.lock().skew.is_some()
    }

    /// The carrier refuses the account (`None`: it takes it again). Returns whether that is news.
    pub fn set_account(&self, hold: Option<AccountHold>) -> bool {
        let mut state = self.lock();
        let news = state.account.is_some() != hold.is_some();
        state.account = hold;
        news
    }

    /// Another process tries, for all of them, whether the carrier takes the account again; or this one.
    pub fn set_follows(&self, follows: bool) {
        self.lock().follows = follows;
    }

    /// Whether another process does what only one should.
    pub fn follows(&self) -> bool {
        self.lock().follows
    }

    /// The carrier refuses the account, in its words; dialling stops but for probes. Returns what is
    /// to be kept.
    pub fn account_refused(&self, message: String, now: Timestamp) -> AccountHold {
        let mut state = self.lock();
        let since = state.account.as_ref().map_or(now, |hold| hold.since);
        let hold = AccountHold {
            since,
            probe_at: now + PROBE_EVERY,
            message,
        };
        state.account = Some(hold.clone());
        hold
    }

    /// The carrier could not be reached. Of the dials that were under way when the trouble began, and
    /// fail for the same reason, none makes the gap longer: only a probe does.
    pub fn carrier_failed(&self, message: String, now: Timestamp, dice: u64) {
        let mut state = self.lock();
        let (since, misses) = match &state.carrier {
            Some(trouble) if !trouble.probing => return,
            Some(trouble) => (trouble.since, trouble.misses.saturating_add(1)),
            None => (now, 0),
        };
        let gap = jittered(doubling(limits::NOT_SENT_BACKOFF, misses), dice);
        state.carrier = Some(Trouble {
            since,
            message,
            misses,
            probe_at: now + gap,
            probing: false,
        });
    }

    /// The carrier was reached. Returns whether that is news.
    pub fn carrier_answered(&self) -> bool {
        self.lock().carrier.take().is_some()
    }

    /// The store failed to say whether a dial is permitted.
    pub fn permit_failed(&self, message: String, now: Timestamp) {
        let message = format!("the store failed: {message}");
        Passing::meet(
            &mut self.lock().permits,
            HoldReason::Paused,
            message,
            now + TRY_AGAIN,
            now,
        );
    }

    /// As many calls are live as may be.
    pub fn live_limit_reached(&self, limit: u32, now: Timestamp) {
        let message =
            format!("{limit} calls are live, as many as REDIAL_MAX_LIVE allows; one must end first");
        Passing::meet(
            &mut self.lock().live_limit,
            HoldReason::LiveLimit,
            message,
            now + TRY_AGAIN,
            now,
        );
    }

    /// A live call has ended: there may be room for another. Returns whether that is news.
    pub fn live_limit_cleared(&self) -> bool {
        self.lock().live_limit.take().is_some()
    }

    /// A permit was granted: neither the store nor the live limit stood in its way. Returns whether
    /// that is news.
    pub fn permit_granted(&self) -> bool {
        let mut state = self.lock();
        let (permits, live_limit) = (state.permits.take(), state.live_limit.take());
        permits.is_some() || live_limit.is_some()
    }

    /// The pace has no slot before `until`.
    pub fn pace_reached(&self, until: Timestamp, now: Timestamp) {
        let message =
            "more calls are due than REDIAL_CPS lets go at once; they go in the order of their due time"
                .to_owned();
        let mut state = self.lock();
        let hold = Passing::meet(&mut state.pace, HoldReason::Pace, message, until, now);
        state.past.note(&hold, now);
    }

    /// A slot was given back: the pace may be asked again.
    pub fn pace_eased(&self, now: Timestamp) {
        if let Some(pace) = &mut self.lock().pace {
            pace.ends(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trouble {
    fn hold(&self) -> Hold {
        Hold {
            reason: HoldReason::Carrier,
            since: self.since,
            until: Some(self.probe_at),
            message: self.message.clone(),
        }
    }
}

/// Sets or clears an obstacle that stands until it is seen to have gone.
fn stand(place: &mut Option<Hold>, message: Option<String>, now: Timestamp) {
    let since = place.as_ref().map_or(now, |hold| hold.since);
    *place = message.map(|message| paused(since, message));
}

fn paused(since: Timestamp, message: String) -> Hold {
    Hold {
        reason: HoldReason::Paused,
        since,
        until: None,
        message,
    }
}

#[cfg(test)]
mod tests;

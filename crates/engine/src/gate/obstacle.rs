//! Which of all that stands in the way is told of: what lasts until it is seen to have gone before what is only
//! tried now and then. Asked by the gate alone.

use std::time::Duration;

use domain::{Hold, HoldReason, Timestamp, limits};
use store::AccountHold;

use super::passing::{Passing, STILL};
use super::{PROBE_EVERY, State, Trouble};

impl State {
    pub(super) fn obstacle(&self, now: Timestamp) -> Option<Hold> {
        let standing = [&self.paused, &self.store, &self.restored, &self.clock, &self.skew]
            .into_iter()
            .flatten()
            .next();
        if let Some(hold) = standing {
            return Some(hold.clone());
        }
        if let Some(account) = self
            .account
            .as_ref()
            .filter(|it| self.follows || is_ahead(it.probe_at, now, PROBE_EVERY))
        {
            return Some(account_hold(account));
        }
        let longest = limits::NOT_SENT_BACKOFF.1;
        if let Some(trouble) = self
            .carrier
            .as_ref()
            .filter(|it| is_ahead(it.probe_at, now, longest))
        {
            return Some(trouble.hold());
        }
        self.passing()
            .filter(|passing| passing.stands(now))
            .map(Passing::hold)
            .next()
    }

    pub(super) fn lingering(&self, now: Timestamp) -> Option<Hold> {
        let just_over = |probe_at: Timestamp| probe_at <= now && now <= probe_at + STILL;
        let account = self
            .account
            .as_ref()
            .filter(|account| just_over(account.probe_at))
            .map(account_hold);
        let trouble = self
            .carrier
            .as_ref()
            .filter(|trouble| just_over(trouble.probe_at))
            .map(Trouble::hold);
        let passing = || {
            self.passing()
                .filter(|passing| passing.lingers(now))
                .map(Passing::hold)
                .next()
        };
        account.or(trouble).or_else(passing)
    }

    fn passing(&self) -> impl Iterator<Item = &Passing> {
        [&self.permits, &self.live_limit, &self.pace]
            .into_iter()
            .flatten()
    }
}

/// Whether `at` is still to come, and no further away than it can have been set: after the clock was
/// put back, nothing waits for the old time.
fn is_ahead(at: Timestamp, now: Timestamp, most: Duration) -> bool {
    at > now && at.since(now) <= most
}

fn account_hold(account: &AccountHold) -> Hold {
    Hold {
        reason: HoldReason::Account,
        since: account.since,
        until: Some(account.probe_at),
        message: format!("the carrier refuses the account: {}", account.message),
    }
}

//! An obstacle that ends by itself, at a moment that is known when it is met. Used by the gate alone.

use std::time::Duration;

use domain::{Hold, HoldReason, Timestamp};

/// An obstacle that is met again this soon after it was to end is the same one still.
pub(super) const STILL: Duration = Duration::from_secs(2);

/// The obstacle.
#[derive(Debug)]
pub(super) struct Passing {
    reason: HoldReason,
    message: String,
    since: Timestamp,
    /// When it was last met.
    met_at: Timestamp,
    until: Timestamp,
}

impl Passing {
    /// Puts one in its place until `until`; met again soon, it has stood all the time.
    pub(super) fn meet(
        place: &mut Option<Passing>,
        reason: HoldReason,
        message: String,
        until: Timestamp,
        now: Timestamp,
    ) -> Hold {
        let same = place.as_ref().filter(|known| known.lingers(now));
        let since = same.map_or(now, |known| known.since);
        let met = Passing {
            reason,
            message,
            since,
            met_at: now,
            until,
        };
        place.insert(met).hold()
    }

    /// It lasts until `until` at least, so far as is known now.
    pub(super) fn lasts(&mut self, now: Timestamp, until: Timestamp) {
        (self.met_at, self.until) = (now, until);
    }

    /// It may have gone: nothing waits for its end any more.
    pub(super) fn ends(&mut self, now: Timestamp) {
        self.until = self.until.min(now);
    }

    /// Whether it stands in the way now. A clock that was put back behind the moment at which it was
    /// met ends it too.
    pub(super) fn stands(&self, now: Timestamp) -> bool {
        self.met_at <= now && now < self.until
    }

    /// Whether it stands, or is over so recently that it may be met again.
    pub(super) fn lingers(&self, now: Timestamp) -> bool {
        self.met_at <= now && now <= self.until + STILL
    }

    /// The same, as a call shows it.
    pub(super) fn hold(&self) -> Hold {
        Hold {
            reason: self.reason,
            since: self.since,
            until: Some(self.until),
            message: self.message.clone(),
        }
    }
}

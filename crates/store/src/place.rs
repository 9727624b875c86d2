//! Where a call is found: the columns that lists, queues and looks go by, the same in every database.

use std::sync::LazyLock;

use domain::{Call, CallStatus, Timestamp};

use crate::codec::status_to_code;

/// The columns by which a call is found, each in an index of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Under which code lists look for it: [`shelf`].
    pub shelf: i64,
    /// A leg of it may be alive: [`is_alive`].
    pub alive: bool,
    /// When a dial of it may next be sent, in milliseconds since 1970.
    pub due_at: Option<i64>,
    /// When it must next be looked at for anything else, in the same; it may be earlier than needed.
    pub check_at: Option<i64>,
}

impl Place {
    /// The place of a call that is written for the first time.
    pub fn of(call: &Call) -> Place {
        Place {
            shelf: shelf(call.status()),
            alive: is_alive(call.status()),
            due_at: call.due_at().map(Timestamp::millis),
            check_at: call.check_at().map(Timestamp::millis),
        }
    }

    /// Where the call goes after a step. A look that is noted too early stays until
    /// [`crate::Store::put_off_checks`] corrects it: it costs one look, whereas moving it with every
    /// callback would change an index each time.
    #[must_use]
    pub fn after(self, call: &Call) -> Place {
        let exact = Place::of(call);
        let early = match (self.check_at, exact.check_at) {
            (Some(noted), Some(needed)) => Some(noted.min(needed)),
            (noted, None) if !call.is_over() => noted,
            (_, needed) => needed,
        };
        Place {
            check_at: early,
            ..exact
        }
    }
}

/// The code under which lists look for a call with this status.
pub fn shelf(status: CallStatus) -> i64 {
    status_to_code(if is_alive(status) {
        CallStatus::Queued
    } else {
        status
    })
}

/// Whether a status says that a leg may be alive. These share a shelf and have a small index of their own.
pub fn is_alive(status: CallStatus) -> bool {
    matches!(
        status,
        CallStatus::Initiated | CallStatus::Ringing | CallStatus::InProgress
    )
}

/// Every code that [`shelf`] gives.
pub static SHELVES: LazyLock<Vec<i64>> = LazyLock::new(|| {
    let mut shelves: Vec<i64> = CallStatus::ALL.into_iter().map(shelf).collect();
    shelves.sort_unstable();
    shelves.dedup();
    shelves
});

//! Whether the store is a copy that is not made good yet, and how far the reading of the carrier's list has come. Kept
//! between two turns of the loop, while another process may see to the same copy.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;

/// How far the reading of the list has come.
#[derive(Debug, Default)]
pub(crate) struct Restored(Mutex<Option<Reading>>);

/// While the store is not known to be complete.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// What the copy knows up to.
    pub(super) copied_at: Timestamp,
    /// When this process took over, by the boot-time clock: nothing was sent by another after that.
    pub(super) begun: Duration,
    /// When the list is read next, by the boot-time clock.
    pub(super) next: Duration,
    /// Tries in a row that brought nothing.
    pub(super) misses: u32,
    /// The list has been read once.
    pub(super) is_listed: bool,
}

impl Restored {
    /// Whether nothing may be dialled for it.
    pub(crate) fn stands(&self) -> bool {
        self.reading().is_some()
    }

    /// Whether it stands because of this copy.
    pub(crate) fn is_of(&self, copied_at: Timestamp) -> bool {
        self.reading()
            .is_some_and(|reading| reading.copied_at == copied_at)
    }

    /// Notes how far a reading has come, and has it shown; unless another copy is read by now, or what was missing is made
    /// good: another process may have seen to that, and what is held back for a reading that nobody goes on with would
    /// be held back for ever.
    pub(super) fn go_on(&self, reading: Reading, show: impl FnOnce()) {
        let mut standing = self.lock();
        if standing.is_some_and(|it| it.copied_at == reading.copied_at) {
            *standing = Some(reading);
            show();
        }
    }

    /// Whether the list has not been read even once: what is asked or given up before may be wrong.
    pub(crate) fn is_unread(&self) -> bool {
        self.reading().is_some_and(|reading| !reading.is_listed)
    }

    /// Whether the last try to read the list failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.reading().is_some_and(|reading| reading.misses > 0)
    }

    pub(super) fn reading(&self) -> Option<Reading> {
        *self.lock()
    }

    pub(super) fn set(&self, reading: Option<Reading>, show: impl FnOnce()) {
        let mut standing = self.lock();
        *standing = reading;
        show();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_of_a_copy_that_is_made_good_meanwhile_holds_nothing_back() {
        let restored = Restored::default();
        let reading = |copied_at| Reading {
            copied_at: Timestamp::from_millis(copied_at),
            begun: Duration::ZERO,
            next: Duration::ZERO,
            misses: 0,
            is_listed: false,
        };
        let shown = || {
            let mut shown = 0;
            restored.go_on(reading(1), || shown += 1);
            shown
        };
        assert_eq!(shown(), 0, "there is no copy");
        restored.set(Some(reading(1)), || {});
        assert_eq!(shown(), 1);
        restored.set(None, || {});
        assert_eq!(shown(), 0, "another process has made it good");
        assert!(!restored.stands());
        restored.set(Some(reading(2)), || {});
        assert_eq!(shown(), 0, "another copy is read by now");
        assert!(restored.is_of(Timestamp::from_millis(2)));
    }
}

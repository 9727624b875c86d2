//! What was written down and what left the house, in the order in which it happened: what a test
//! about order looks at.

use std::sync::{Arc, Mutex};

use domain::{CallId, Phone, Sid, Timestamp};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// The store has committed a permit.
    Granted(CallId, u32),
    /// A connection to the carrier was opened, or was tried in vain.
    Connected {
        /// Whether it came about.
        open: bool,
    },
    /// The request that makes a leg has left.
    Sent(CallId, u32),
    /// A request was not sent, because its gate was shut.
    Withheld(CallId, u32),
    /// What became of a dial was committed.
    Stored(CallId, &'static str),
    /// The carrier was asked to end a leg.
    HungUp(Sid),
    /// The carrier was asked how a leg stands.
    LookedUp(Sid),
    /// The carrier was asked for all legs to a number.
    Listed(Phone),
    /// The carrier was asked for all legs of the account.
    ListedAll,
    /// The carrier was asked for nothing but an answer.
    Pinged,
}

/// The journal. Clones write into the same one.
#[derive(Clone, Default)]
pub struct Journal {
    entries: Arc<Mutex<Vec<(Timestamp, Entry)>>>,
}

impl Journal {
    /// Writes one entry.
    pub fn note(&self, at: Timestamp, entry: Entry) {
        self.entries
            .lock()
            .expect("nobody panics while writing")
            .push((at, entry));
    }

    /// Everything so far, with its time.
    pub fn entries(&self) -> Vec<(Timestamp, Entry)> {
        self.entries.lock().expect("nobody panics while writing").clone()
    }

    /// When such entries were made.
    pub fn times(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Timestamp> {
        self.entries()
            .into_iter()
            .filter(|(_, entry)| wanted(entry))
            .map(|(at, _)| at)
            .collect()
    }
}

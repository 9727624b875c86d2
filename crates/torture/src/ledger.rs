//! The two ledgers that records are held against: what the carrier placed, and what was asked for and answered.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::clock;

/// One call that the carrier placed.
#[derive(Clone, Debug)]
pub struct Ring {
    /// The carrier's name of it.
    pub sid: String,
    /// The call that its URLs name.
    pub call: String,
    /// The attempt that its URLs name.
    pub attempt: u64,
    /// The called number.
    pub to: String,
    /// Where it stands, in the carrier's words.
    pub status: String,
    /// When it was placed, in milliseconds since 1970.
    pub created_at: i64,
    /// When it was over.
    pub ended_at: Option<i64>,
}

impl Ring {
    /// Reads one row of the carrier's ledger.
    ///
    /// # Errors
    /// The row, where it is not as it should be: two URLs that name different attempts, too.
    pub fn read(row: &Value) -> Result<Ring, String> {
        Self::try_read(row).ok_or_else(|| row.to_string())
    }

    fn try_read(row: &Value) -> Option<Ring> {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        let time = |name: &str| row[name].as_str().and_then(clock::read);
        let urls = [text("status_callback"), text("url")];
        let mut named = urls.iter().flatten().map(|url| e2e::names(url));
        let first = named.next()??;
        if named.any(|other| other.as_ref() != Some(&first)) {
            return None;
        }
        let (call, attempt) = first;
        Some(Ring {
            sid: text("sid")?,
            call,
            attempt,
            to: text("to")?,
            status: text("status")?,
            created_at: time("created_at")?,
            ended_at: time("ended_at"),
        })
    }
}

/// One call as a client asked for it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The key that every request for it carried.
    pub key: String,
    /// Whose call it is.
    pub user: String,
    /// The called number.
    pub to: String,
    /// Most attempts.
    pub max_attempts: u64,
    /// Not before this, in milliseconds since 1970.
    pub scheduled_at: Option<i64>,
    /// The ids that answers with 2xx gave it. One, if all is well; none when no such answer came.
    pub ids: BTreeSet<String>,
    /// How many answers with 2xx there were.
    pub answers: u64,
    /// When its cancel was answered 200.
    pub canceled_at: Option<i64>,
}

//! The advisory locks that transactions take beside the rows they lock, and why each is needed. They
//! last as long as their transaction, so that they work behind a connection pooler, and none is ever
//! left behind. And the one that a process holds for as long as it listens.
//!
//! Called by whoever loads what a decision needs; knows no table.

/// The first half of the name of the lock that says that a process is there: `rnod` in ASCII.
const PRESENCE: i32 = 0x726e_6f64;

/// Takes, for as long as the connection lasts, the lock that says that process `node` is there. Shared,
/// so that a connection which takes the place of a lost one never waits for what the server has not
/// noticed yet.
pub(crate) fn be_present(node: i64) -> String {
    // The other half is what fits of the number: who has the same, two thousand million processes
    // earlier, is long gone.
    format!(
        "SELECT pg_advisory_lock_shared({PRESENCE}, ({node} & {})::integer)",
        i32::MAX
    )
}

/// Within a statement: whether the process of the column `node` holds that lock.
pub(crate) fn is_present(node: &str) -> String {
    format!(
        "EXISTS (SELECT FROM pg_locks
                 WHERE locktype = 'advisory' AND classid = {PRESENCE} AND objsubid = 2 AND granted
                       AND objid = ({node} & {})::oid
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
        i32::MAX
    )
}

/// One lock: the second half of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// Held by whoever brings the schema up to date: another node that starts meanwhile waits.
    Schema = 1,
    /// Shared by transactions that grant a permit, alone by the one that pauses: a pause that was
    /// answered is seen by every permit granted after it.
    Pause = 2,
    /// Held by the one transaction that may grant a permit where live calls are limited: the next
    /// one counts what it granted.
    Live = 3,
    /// Shared by transactions that make a leg or an attempt known, alone by one that keeps a fact
    /// because nobody knows its leg: otherwise each could miss what the other is about to write, and
    /// the fact would wait for ever.
    Orphans = 4,
}

impl Lock {
    /// `redi` in ASCII: the first half of every lock's name, because a database may be shared with
    /// other programs.
    const CLASS: i32 = 0x7265_6469;

    /// Takes the lock for this transaction alone; waits for whoever has it.
    pub(crate) fn alone(self) -> String {
        format!("SELECT pg_advisory_xact_lock({}, {})", Lock::CLASS, self as i32)
    }

    /// Takes the lock for this transaction together with others that do so.
    pub(crate) fn shared(self) -> String {
        format!(
            "SELECT pg_advisory_xact_lock_shared({}, {})",
            Lock::CLASS,
            self as i32
        )
    }
}

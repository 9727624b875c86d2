//! The faults: what they are called, where they make sense, how often they are drawn.

use std::fmt;

use crate::link::How;
use crate::place::Store;

/// Something that is done to a running set of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A node is killed as by `kill -9` and started again.
    Kill,
    /// All are, at the same moment.
    KillAll,
    /// A node is asked to stop and started again.
    Terminate,
    /// A node is stopped where it stands, and goes on later.
    Freeze,
    /// The link between a node and the carrier.
    Carrier(How),
    /// The link between a node and the database server.
    Database(How),
    /// The server ends every connection of the nodes.
    Backends,
    /// The server is restarted in its own time.
    RestartFast,
    /// The server is restarted as after a crash.
    RestartImmediate,
    /// The disk is full: the file's, or the server's.
    DiskFull,
    /// One sync of the disk fails: the node's, or the server's.
    SyncError,
    /// The wall clock is moved, and moved back.
    Clock,
}

/// Every fault, and how often it is drawn beside the others.
pub const FAULTS: &[(Fault, u64)] = &[
    (Fault::Kill, 24),
    (Fault::KillAll, 3),
    (Fault::Terminate, 8),
    (Fault::Freeze, 14),
    (Fault::Carrier(How::Delay), 5),
    (Fault::Carrier(How::Cut), 6),
    (Fault::Carrier(How::HalfClose), 4),
    (Fault::Carrier(How::Reset), 6),
    (Fault::Carrier(How::BlackHole), 4),
    (Fault::Carrier(How::Refuse), 3),
    (Fault::Database(How::Delay), 4),
    (Fault::Database(How::Cut), 5),
    (Fault::Database(How::HalfClose), 3),
    (Fault::Database(How::Reset), 5),
    (Fault::Database(How::BlackHole), 4),
    (Fault::Database(How::Stall), 4),
    (Fault::Database(How::Refuse), 3),
    (Fault::Backends, 4),
    (Fault::RestartFast, 2),
    (Fault::RestartImmediate, 3),
    (Fault::DiskFull, 5),
    (Fault::SyncError, 4),
    (Fault::Clock, 5),
];

impl Fault {
    /// Whether this store has what it hurts.
    pub fn fits(self, store: Store) -> bool {
        match self {
            Fault::Database(_) | Fault::Backends | Fault::RestartFast | Fault::RestartImmediate => {
                store == Store::Postgres
            }
            _ => true,
        }
    }

    /// Whether it hurts the database or the way there: nodes need a while to find back to it.
    pub fn is_of_the_database(self) -> bool {
        matches!(
            self,
            Fault::Database(_)
                | Fault::Backends
                | Fault::RestartFast
                | Fault::RestartImmediate
                | Fault::DiskFull
                | Fault::SyncError
        )
    }

    /// Whether a request may be sent, or arrive, later than it would have.
    pub fn makes_late(self) -> bool {
        matches!(
            self,
            Fault::Freeze | Fault::SyncError | Fault::Carrier(How::Delay | How::Stall)
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Fault::Kill => "a node killed (-9)",
            Fault::KillAll => "all nodes killed at once",
            Fault::Terminate => "a node stopped (SIGTERM)",
            Fault::Freeze => "a node frozen (SIGSTOP)",
            Fault::Carrier(how) => return write!(f, "link to the carrier: {how}"),
            Fault::Database(how) => return write!(f, "link to the database: {how}"),
            Fault::Backends => "database connections ended by the server",
            Fault::RestartFast => "database server restarted",
            Fault::RestartImmediate => "database server crashed and restarted",
            Fault::DiskFull => "disk full",
            Fault::SyncError => "EIO from one fdatasync",
            Fault::Clock => "wall clock moved and moved back",
        };
        f.write_str(words)
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            How::Delay => "delay",
            How::Cut => "cut after byte n",
            How::HalfClose => "half closed after byte n",
            How::Reset => "reset after byte n",
            How::BlackHole => "black hole after byte n",
            How::Stall => "stalled, then let go",
            How::Refuse => "refused",
        })
    }
}

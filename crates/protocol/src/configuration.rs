//! What is assumed of the world and chosen by the operator, and what then has to come out.
//!
//! Each row of [`CONFIGURATIONS`] is one run of the model. Those that must fail are kept beside those that must
//! hold: a model that cannot fail proves nothing.

/// What is done with an attempt of which no evidence was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It counts as used and is `unconfirmed`; the next attempt follows. What redial does.
    Hold,
    /// It is sent again. What redial does not offer.
    Redial,
}

/// Which spans are bounded: inside each, nothing is left over once the settle time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// No process sleeps between the gate and the last byte of its request.
    pub gate: bool,
    /// No request is still under way in the network.
    pub packet: bool,
    /// No leg is still missing from the carrier's list.
    pub list: bool,
}

impl Bounds {
    /// All three are kept.
    pub const KEPT: Bounds = Bounds {
        gate: true,
        packet: true,
        list: true,
    };
    /// None is.
    pub const NONE: Bounds = Bounds {
        gate: false,
        packet: false,
        list: false,
    };
}

/// What happens when the standby has taken the primary's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailover {
    /// Dialling goes on.
    GoesOn,
    /// Nothing is dialled until the carrier's calls have been listed.
    Audit {
        /// The audit waits until no request is under way and, where the list is bounded, until it is complete.
        waits: bool,
        /// Each node writes its permits into a journal of its own before it uses them, and the audit reads all.
        journals: bool,
    },
}

/// A mistake that others make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// When a lease expires, somebody else sends the request again.
    LeaseExpirySends,
    /// A time-out counts as a failure that may be repeated.
    TimeOutIsRetried,
    /// A permit is used whatever its age.
    NoGate,
}

/// One run of the model.
#[derive(Debug, Clone, Copy)]
pub struct Configuration {
    /// The letter that it goes by.
    pub name: char,
    /// What it is, in words.
    pub what: &'static str,
    /// What is done without evidence.
    pub unknown: Unknown,
    /// Which spans are bounded.
    pub bounds: Bounds,
    /// A commit is answered when the standby has it, too.
    pub synchronous: bool,
    /// What a failover is followed by.
    pub after_failover: AfterFailover,
    /// A mistake that is made on purpose.
    pub flaw: Option<Flaw>,
    /// So many processes are killed at most.
    pub kills: u8,
    /// So many failovers happen at most.
    pub failovers: u8,
    /// A killed node's disk is gone, its journal with it.
    pub disks_are_lost: bool,
    /// What must come out.
    pub expected: Expected,
}

/// What must come out of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// In none of so many states was an attempt executed twice.
    Holds {
        /// Every state that can be reached.
        states: usize,
        /// Whether a leg may ring after its attempt was closed and the next one sent.
        late_leg: bool,
    },
    /// An attempt can be executed twice.
    Broken,
}

/// As redial is: one database that forgets nothing, `hold`, every bound kept. The other rows change what they name.
const USUAL: Configuration = Configuration {
    name: 'C',
    what: "permit, hold, a database that forgets nothing, all bounds kept",
    unknown: Unknown::Hold,
    bounds: Bounds::KEPT,
    synchronous: true,
    after_failover: AfterFailover::GoesOn,
    flaw: None,
    kills: 2,
    failovers: 1,
    disks_are_lost: false,
    expected: Expected::Holds {
        states: 1_672,
        late_leg: false,
    },
};

const AUDIT: AfterFailover = AfterFailover::Audit {
    waits: true,
    journals: false,
};

const JOURNALS: AfterFailover = AfterFailover::Audit {
    waits: true,
    journals: true,
};

/// Every run, the flawed ones first.
pub const CONFIGURATIONS: [Configuration; 16] = [
    Configuration {
        name: 'A',
        what: "an expired lease sends again, as job queues do",
        flaw: Some(Flaw::LeaseExpirySends),
        failovers: 0,
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'B',
        what: "a time-out is repeated as if it were a failure",
        flaw: Some(Flaw::TimeOutIsRetried),
        failovers: 0,
        expected: Expected::Broken,
        ..USUAL
    },
    USUAL,
    Configuration {
        name: 'D',
        what: "as C, and no bound at all",
        bounds: Bounds::NONE,
        expected: Expected::Holds {
            states: 7_156,
            late_leg: true,
        },
        ..USUAL
    },
    Configuration {
        name: 'E',
        what: "redial without evidence, all bounds kept",
        unknown: Unknown::Redial,
        expected: Expected::Holds {
            states: 4_782,
            late_leg: false,
        },
        ..USUAL
    },
    Configuration {
        name: 'F',
        what: "redial, a request may outlive the settle time",
        unknown: Unknown::Redial,
        bounds: Bounds {
            packet: false,
            ..Bounds::KEPT
        },
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'G',
        what: "redial, the carrier's list may lag longer than the settle time",
        unknown: Unknown::Redial,
        bounds: Bounds {
            list: false,
            ..Bounds::KEPT
        },
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'H',
        what: "redial, a process may sleep between the gate and the last byte",
        unknown: Unknown::Redial,
        bounds: Bounds {
            gate: false,
            ..Bounds::KEPT
        },
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'I',
        what: "redial, and no gate",
        unknown: Unknown::Redial,
        flaw: Some(Flaw::NoGate),
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'J',
        what: "hold, a standby that lags, a failover",
        synchronous: false,
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'K',
        what: "as J, quarantine until the carrier's list was audited, bounds kept",
        synchronous: false,
        after_failover: AUDIT,
        expected: Expected::Holds {
            states: 31_180,
            late_leg: false,
        },
        ..USUAL
    },
    Configuration {
        name: 'L',
        what: "as K, and the audit does not wait",
        synchronous: false,
        after_failover: AfterFailover::Audit {
            waits: false,
            journals: false,
        },
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'M',
        what: "as K, and the list may lag",
        synchronous: false,
        after_failover: AUDIT,
        bounds: Bounds {
            list: false,
            ..Bounds::KEPT
        },
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'N',
        what: "as J, quarantine and a journal on each node, no bound at all",
        synchronous: false,
        after_failover: JOURNALS,
        bounds: Bounds::NONE,
        expected: Expected::Holds {
            states: 468_080,
            late_leg: true,
        },
        ..USUAL
    },
    Configuration {
        name: 'O',
        what: "as N with two bounds kept, and a killed node's disk is gone",
        synchronous: false,
        after_failover: JOURNALS,
        bounds: Bounds {
            list: false,
            ..Bounds::KEPT
        },
        disks_are_lost: true,
        expected: Expected::Broken,
        ..USUAL
    },
    Configuration {
        name: 'P',
        what: "as N, and the audit waits for nothing",
        synchronous: false,
        after_failover: AfterFailover::Audit {
            waits: false,
            journals: true,
        },
        bounds: Bounds::NONE,
        expected: Expected::Holds {
            states: 499_665,
            late_leg: true,
        },
        ..USUAL
    },
];

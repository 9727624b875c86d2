//! Everything that may go wrong by itself, how often it does in one world, and how often it did. What goes wrong at a
//! set moment (a crash, an operator's pause) is a deed of the plan instead. Drawn by whoever plays the part that fails.

use crate::dice::Dice;

/// One kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process dies before a write reaches the store.
    CrashBeforeWrite,
    /// The process dies after a write was committed, before anybody is told.
    CrashAfterWrite,
    /// The process dies with its request for a call on the wire.
    CrashOnSend,
    /// The store says that it failed, and did nothing.
    StoreFails,
    /// The store says that it failed, although it committed.
    StoreFailsAfter,
    /// The store takes its time, before and after.
    StoreSlow,
    /// A server that several nodes share answers a permit a minute late.
    StoreHangs,
    /// No connection to the carrier.
    ConnectFails,
    /// A connection that takes seconds.
    ConnectSlow,
    /// The connection breaks before the first byte of a request for a call.
    NotWritten,
    /// The request for a call is lost on its way; the client sees a cut.
    CutBefore,
    /// The call is made; the client sees a cut.
    CutAfter,
    /// The call is made, the answer comes late or after the client went away.
    AnswerSlow,
    /// The client sees a cut, and the request arrives seconds later all the same.
    RequestLate,
    /// 429: not executed.
    TooMany,
    /// 5xx, and no call is made.
    BrokenWithout,
    /// 5xx, and the call is made.
    BrokenWith,
    /// Somebody between us and the carrier answers, in words of their own; the call may be made.
    Foreign,
    /// The carrier makes two calls of one request.
    MadeTwice,
    /// A question is cut.
    AskCut,
    /// A question is answered 5xx.
    AskBroken,
    /// A question is answered late.
    AskSlow,
    /// A call is not on the carrier's list yet, and not to be had by its name.
    ListLags,
    /// A page of the carrier's list is short, or empty with more to follow, or ends with the same call twice.
    ListPaged,
    /// A callback never comes.
    CallbackLost,
    /// A callback comes minutes late.
    CallbackLate,
    /// A callback comes a second time.
    CallbackTwice,
    /// Callbacks overtake each other by seconds.
    CallbackShuffled,
    /// Somebody else sends a callback that the carrier did not sign.
    CallbackForged,
    /// A node is not told what another has done.
    NewsLost,
}

/// Every kind with its name, and the probability that it has in the wildest world.
pub const KINDS: [(Fault, &str, f64); 30] = [
    (Fault::CrashBeforeWrite, "crash before a write", 0.01),
    (Fault::CrashAfterWrite, "crash after a write", 0.01),
    (Fault::CrashOnSend, "crash with a request on the wire", 0.05),
    (Fault::StoreFails, "store fails", 0.05),
    (Fault::StoreFailsAfter, "store fails after its commit", 0.05),
    (Fault::StoreSlow, "store is slow", 0.10),
    (Fault::StoreHangs, "a permit answered much too late", 0.02),
    (Fault::ConnectFails, "no connection", 0.30),
    (Fault::ConnectSlow, "slow connection", 0.20),
    (Fault::NotWritten, "cut before the first byte", 0.20),
    (Fault::CutBefore, "request lost", 0.30),
    (Fault::CutAfter, "answer lost", 0.30),
    (Fault::AnswerSlow, "slow answer", 0.20),
    (Fault::RequestLate, "request late", 0.10),
    (Fault::TooMany, "429", 0.30),
    (Fault::BrokenWithout, "5xx without effect", 0.20),
    (Fault::BrokenWith, "5xx with effect", 0.20),
    (Fault::Foreign, "answer of a stranger", 0.10),
    (Fault::MadeTwice, "carrier makes two calls", 0.05),
    (Fault::AskCut, "question cut", 0.50),
    (Fault::AskBroken, "question answered 5xx", 0.30),
    (Fault::AskSlow, "slow answer to a question", 0.20),
    (Fault::ListLags, "list lags", 0.80),
    (Fault::ListPaged, "list paged oddly", 0.50),
    (Fault::CallbackLost, "callback lost", 0.90),
    (Fault::CallbackLate, "callback late", 0.50),
    (Fault::CallbackTwice, "callback doubled", 0.50),
    (Fault::CallbackShuffled, "callbacks shuffled", 0.50),
    (Fault::CallbackForged, "callback forged", 0.20),
    (Fault::NewsLost, "news of another node lost", 0.50),
];

/// How many kinds there are.
pub const COUNT: usize = KINDS.len();

/// The faults of one world.
#[derive(Debug)]
pub struct Faults {
    probabilities: [f64; COUNT],
    streams: Vec<Dice>,
    /// How often each kind struck.
    pub struck: [u64; COUNT],
    /// Strikes left; a world that is being made shorter has fewer.
    left: u64,
    /// Nothing goes wrong any more.
    pub over: bool,
}

impl Faults {
    /// The faults of a seed, each with its probability, and at most so many strikes.
    pub fn new(seed: u64, probabilities: [f64; COUNT], most: u64) -> Faults {
        let streams = (0..COUNT as u64)
            .map(|kind| Dice::new(seed, 1_000 + kind))
            .collect();
        Faults {
            probabilities,
            streams,
            struck: [0; COUNT],
            left: most,
            over: false,
        }
    }

    /// Whether this goes wrong now.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let kind = fault as usize;
        if self.over || self.left == 0 || self.probabilities[kind] <= 0.0 {
            return false;
        }
        let strikes = self.streams[kind].happens(self.probabilities[kind]);
        if strikes {
            self.struck[kind] += 1;
            self.left -= 1;
        }
        strikes
    }

    /// The first of these that goes wrong now.
    pub fn first(&mut self, faults: &[Fault]) -> Option<Fault> {
        faults.iter().copied().find(|fault| self.strikes(*fault))
    }

    /// How often anything struck.
    pub fn all_struck(&self) -> u64 {
        self.struck.iter().sum()
    }
}

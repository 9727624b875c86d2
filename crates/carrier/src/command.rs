//! What a carrier is asked to dial.

use std::time::Duration;

use domain::{CallId, MachineDetection, Phone, Script};

/// One dial: one attempt of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialCommand {
    /// The call.
    pub call: CallId,
    /// Which of its attempts.
    pub attempt: u32,
    /// Who is called.
    pub to: Phone,
    /// The number that the called person sees.
    pub from: Phone,
    /// What the called person hears; sent along where the carrier cannot ask us.
    pub script: Script,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// How long may be talked.
    pub time_limit: Duration,
    /// Whether the carrier listens for an answering machine.
    pub machine_detection: MachineDetection,
}

/// The last look before the first byte: whether the permit is still young enough to be used.
pub trait Gate: Send + Sync {
    /// `false` when the request must not be sent any more.
    fn is_open(&self) -> bool;
}

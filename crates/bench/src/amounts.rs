//! How much of everything a run does: enough that a figure stands still, little enough that a run ends.

/// The amounts of one run.
pub struct Amounts {
    /// Samples of each row; the median is printed.
    pub samples: usize,
    /// Seconds of `hello`, before and after each sample.
    pub hello_seconds: f64,
    /// Calls whose four callbacks make one sample.
    pub called_back: u32,
    /// Scheduled calls of one sample.
    pub scheduled: u32,
    /// Calls dialled inline in one sample.
    pub dialled: u32,
    /// Whole lives of one sample.
    pub lives: u32,
    /// Calls that wait while lateness is measured.
    pub waiting: u32,
    /// Retries whose lateness is measured.
    pub retries: u32,
    /// Calls due at once, claimed at the store.
    pub claimed: u32,
    /// Calls due at once, dialled by the server.
    pub due_at_once: u32,
    /// Calls due at once, dialled by one to three nodes.
    pub due: u32,
    /// Calls stored beforehand in the large database.
    pub stored: u32,
    /// The small database that lists of the large one are compared with.
    pub few: u32,
    /// Pages and records asked for in one sample.
    pub reads: u32,
    /// Syncs of the disk.
    pub syncs: u32,
}

impl Amounts {
    /// A look, in about a minute.
    pub fn quick() -> Self {
        Self {
            samples: 3,
            hello_seconds: 0.5,
            called_back: 3_000,
            scheduled: 8_000,
            dialled: 2_500,
            lives: 1_000,
            waiting: 20_000,
            retries: 600,
            claimed: 20_000,
            due_at_once: 5_000,
            due: 2_000,
            stored: 50_000,
            few: 5_000,
            reads: 500,
            syncs: 500,
        }
    }

    /// The usual run, in some five minutes.
    pub fn usual() -> Self {
        Self {
            samples: 3,
            hello_seconds: 1.0,
            called_back: 10_000,
            scheduled: 25_000,
            dialled: 8_000,
            lives: 3_000,
            waiting: 100_000,
            retries: 2_000,
            claimed: 100_000,
            due_at_once: 20_000,
            due: 10_000,
            stored: 1_000_000,
            few: 10_000,
            reads: 2_000,
            syncs: 2_000,
        }
    }

    /// The sizes that the goals are stated for.
    pub fn full() -> Self {
        Self {
            samples: 5,
            waiting: 1_000_000,
            due_at_once: 100_000,
            stored: 5_000_000,
            ..Self::usual()
        }
    }
}

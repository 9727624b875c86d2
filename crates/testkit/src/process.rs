//! The life of a process. A process that was killed does nothing more: whatever its tasks ask for
//! never returns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a process lives. Clones are about the same process.
#[derive(Clone, Default)]
pub(crate) struct Process {
    dead: Arc<AtomicBool>,
}

impl Process {
    /// Ends it, as `kill -9` does.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// Returns at once while the process lives, never once it is dead.
    pub(crate) async fn alive(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

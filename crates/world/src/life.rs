//! One life of one node's process, as the parts that are handed to its engine know it: which node it is, its machine's
//! clock, and whether it is dead, when nothing that it asks for ever returns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::MachineClock;
use crate::fault::Fault;
use crate::hub::{Hub, name};

/// Who does something: a node, and which of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who {
    /// The node's number.
    pub node: usize,
    /// Of all lives in this world, which one.
    pub life: u64,
}

/// One life.
#[derive(Debug)]
pub struct Life {
    /// Whose.
    pub who: Who,
    /// Its machine's clock.
    pub clock: MachineClock,
    dead: AtomicBool,
}

impl Life {
    /// A life that begins.
    pub fn new(who: Who, clock: MachineClock) -> Arc<Life> {
        let dead = AtomicBool::new(false);
        Arc::new(Life { who, clock, dead })
    }

    /// Whether it has ended from inside; whoever runs it takes it away.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Returns at once while the process lives, never once it is dead.
    pub async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// The process dies here.
    pub async fn dies(&self, hub: &Hub, of: Fault) {
        self.dead.store(true, Ordering::Relaxed);
        hub.lock()
            .tell(|| format!("node {} dies: {}", self.who.node, name(of)));
        std::future::pending::<()>().await;
    }
}

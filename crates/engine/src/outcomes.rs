//! Who waits for the fate of a call's first dial, and what they are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{Call, CallId};
use tokio::sync::oneshot;

/// People waiting for calls.
#[derive(Debug, Default)]
pub struct Outcomes {
    waiting: Mutex<HashMap<CallId, Vec<oneshot::Sender<Arc<Call>>>>>,
}

impl Outcomes {
    /// Waits for the first dial of a call to be decided. Ask before looking whether it is already.
    pub fn watch(&self, id: CallId) -> oneshot::Receiver<Arc<Call>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        let watchers = waiting.entry(id).or_default();
        // Those who went away are forgotten here, so that nobody has to sweep.
        watchers.retain(|watcher| !watcher.is_closed());
        watchers.push(sender);
        receiver
    }

    /// Tells everybody who waits for this call, if its first dial is decided.
    pub fn tell(&self, call: &Call) {
        if !is_decided(call) {
            return;
        }
        let Some(watchers) = self.lock().remove(&call.id) else {
            return;
        };
        let call = Arc::new(call.clone());
        for watcher in watchers {
            // Whoever is gone does not need it.
            let _ = watcher.send(Arc::clone(&call));
        }
    }

    /// Stops waiting for a call.
    pub fn forget(&self, id: CallId) {
        let mut waiting = self.lock();
        if let Some(watchers) = waiting.get_mut(&id) {
            watchers.retain(|watcher| !watcher.is_closed());
            if watchers.is_empty() {
                waiting.remove(&id);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, Vec<oneshot::Sender<Arc<Call>>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is known what became of a first dial: placed, refused, or never to be made.
pub fn is_decided(call: &Call) -> bool {
    call.is_over()
        || call
            .attempts
            .iter()
            .any(|attempt| attempt.sid.is_some() || attempt.refused)
}

#[cfg(test)]
mod tests;

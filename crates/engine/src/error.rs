//! How the engine fails its callers.

use store::StoreError;

/// Why the engine could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed; nothing was changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process is on its way out; ask again when it is back.
    #[error("the server is stopping")]
    Stopping,
}

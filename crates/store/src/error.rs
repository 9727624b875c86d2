//! How a store fails.

/// Why a store could not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// More is asked at once than the store takes; come again.
    #[error("the store has more to do than it takes at once")]
    Busy,
    /// Another process holds the right to dial from this database.
    #[error("{0}")]
    Held(String),
    /// There is no room left on the disk.
    #[error("the disk is full")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database cannot be read or written, or holds what it should not.
    #[error("the store is broken: {0}")]
    Broken(String, #[source] Option<Box<dyn std::error::Error + Send + Sync>>),
}

impl StoreError {
    /// A store that holds what it should not.
    pub fn broken(what: impl Into<String>) -> StoreError {
        StoreError::Broken(what.into(), None)
    }
}

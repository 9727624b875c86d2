//! From PostgreSQL's errors to the seam's, in one place.
//!
//! Queries return [`Fault`], so that whoever runs a transaction can tell what may be tried again
//! from what may not. Nothing above this crate sees an error of the driver but as a source.

use std::sync::Arc;

use deadpool_postgres::PoolError;
use store::StoreError;
use tokio_postgres::error::SqlState;

use crate::connect::{UNTOLD, tls_words};

/// Why a query or a transaction failed.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Fault {
    /// A reason of the seam, passed on as it is.
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
    /// The server's reason, or the driver's.
    #[error(transparent)]
    Postgres(#[from] Arc<tokio_postgres::Error>),
    /// No connection could be had.
    #[error(transparent)]
    Pool(#[from] Arc<PoolError>),
    /// The server did not answer in time.
    #[error("the database did not answer in time")]
    Silent,
    /// The transaction must begin anew, with what it has learnt that it needs.
    #[error("the transaction began too often")]
    Anew,
    /// The connection ended after COMMIT was on its way.
    #[error("the connection to the database was lost while something was stored")]
    Unknown(#[source] Arc<Fault>),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Fault {
        Fault::Postgres(Arc::new(error))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(Arc::new(error))
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Fault {
        match error {
            PoolError::Backend(error) => error.into(),
            other => Fault::Pool(Arc::new(other)),
        }
    }
}

/// What can be done about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Another transaction was faster: decide again on what it left.
    DecideAgain,
    /// The connection is of no use any more: take another.
    Reconnect,
    /// More is asked than the server takes at once: come back later.
    ComeBack,
    /// Nothing may be done: it may have been stored.
    LeaveIt,
    /// Nothing helps: the statement or what it holds is at fault.
    None,
}

impl Fault {
    /// What the server said, if it was the server.
    fn state(&self) -> Option<&SqlState> {
        match self {
            Fault::Postgres(error) => error.code(),
            _ => None,
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        let Some(state) = self.state() else {
            return match self {
                Fault::Postgres(error) if error.is_closed() || is_io(error) => Remedy::Reconnect,
                Fault::Silent => Remedy::Reconnect,
                Fault::Anew => Remedy::DecideAgain,
                Fault::Unknown(_) => Remedy::LeaveIt,
                Fault::Pool(error) if matches!(**error, PoolError::Timeout(_)) => Remedy::ComeBack,
                _ => Remedy::None,
            };
        };
        match *state {
            SqlState::UNIQUE_VIOLATION
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::LOCK_NOT_AVAILABLE => Remedy::DecideAgain,
            // Of a server that is a standby, or has become one: the next connection finds the one
            // that takes writes.
            SqlState::READ_ONLY_SQL_TRANSACTION
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT => Remedy::Reconnect,
            SqlState::DISK_FULL => Remedy::None,
            SqlState::QUERY_CANCELED => Remedy::ComeBack,
            _ => match &state.code()[..2] {
                "08" => Remedy::Reconnect,
                "53" => Remedy::ComeBack,
                _ => Remedy::None,
            },
        }
    }

    /// What the seam shows of it.
    pub(crate) fn into_store(self) -> StoreError {
        if let Fault::Store(error) = self {
            return Arc::try_unwrap(error)
                .unwrap_or_else(|error| StoreError::Broken(error.to_string(), Some(Box::new(error))));
        }
        if let Fault::Unknown(_) = self {
            let words = "the connection to the database was lost: it is not known whether this was stored";
            return StoreError::Broken(words.to_owned(), Some(Box::new(self)));
        }
        if self.state() == Some(&SqlState::DISK_FULL) {
            return StoreError::Full(Box::new(self));
        }
        if let Fault::Postgres(error) = &self
            && let Some(words) = tls_words(&**error)
        {
            return StoreError::Broken(words.to_owned(), Some(Box::new(self)));
        }
        if let Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::DUPLICATE_PSTATEMENT) = self.state() {
            return StoreError::Broken(UNTOLD.to_owned(), Some(Box::new(self)));
        }
        let words = match self.remedy() {
            Remedy::DecideAgain | Remedy::ComeBack => return StoreError::Busy,
            Remedy::Reconnect if self.state() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                "the database takes no writes: it is a standby, or it is being moved"
            }
            Remedy::Reconnect => "the database cannot be reached",
            Remedy::None if matches!(&self, Fault::Postgres(error) if error.code().is_none()) => {
                "the database cannot be reached"
            }
            Remedy::LeaveIt | Remedy::None => "the database refused the statement: nothing was stored",
        };
        StoreError::Broken(words.to_owned(), Some(Box::new(self)))
    }
}

/// Whether the network or the server's host is at fault.
fn is_io(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<std::io::Error>())
}

/// The store has been closed, or its writer has died.
pub(crate) fn stopped() -> StoreError {
    StoreError::broken("the store has been closed")
}

//! The seam between requests and the wire: one connection carries one request and is then gone.
//!
//! What it must get right is the border between *certainly not sent* and *maybe sent*: everything above relies
//! on it to decide whether a person may be dialled again. Knows nothing of what is asked for. Implemented by
//! [`crate::Socket`] and by whatever plays the carrier in tests; called by the requests of this crate.

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use carrier::Gate;
use http::{Request, Response};

/// Opens connections to the one place where the carrier is reached.
#[async_trait]
pub trait Transport: Send + Sync {
    /// A fresh connection, ready to carry a request, after at most `within`.
    ///
    /// # Errors
    /// [`ConnectError`]: nothing was sent.
    async fn connect(&self, within: Duration) -> Result<Box<dyn Connection>, ConnectError>;
}

/// A connection that has carried nothing yet.
#[async_trait]
pub trait Connection: Send {
    /// Sends one request once, and gives its whole answer after at most `within`. The gate is asked once, right
    /// before the first byte. Redirects are answers like
    /// any other; nothing is ever sent a second time.
    ///
    /// A caller who drops the future has to treat the request as maybe sent.
    ///
    /// # Errors
    /// [`SendError`], which says whether the request may have reached the carrier.
    async fn send(
        self: Box<Self>,
        request: Request<Bytes>,
        gate: &dyn Gate,
        within: Duration,
    ) -> Result<Response<Bytes>, SendError>;
}

/// Why there is no connection. Nothing was sent in any of these cases.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address, or the resolver did not answer.
    #[error("the name of the carrier cannot be resolved")]
    Name(#[source] std::io::Error),
    /// No address of the carrier took the connection.
    #[error("the carrier does not take the connection")]
    Refused(#[source] std::io::Error),
    /// The carrier could not prove who it is, or does not speak TLS.
    #[error("no secure connection to the carrier")]
    Tls(#[source] std::io::Error),
    /// Name, connection and TLS together took too long.
    #[error("no connection to the carrier within {} ms", within.as_millis())]
    TooSlow {
        /// The time that was allowed.
        within: Duration,
    },
}

/// Why there is no answer, and what that proves.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The gate kept the request back: not one byte was written.
    #[error("kept back before the first byte")]
    KeptBack,
    /// The connection failed before the first byte was written.
    #[error("the connection failed before the first byte was written")]
    NotWritten(#[source] Box<dyn Error + Send + Sync>),
    /// Something failed after bytes had left: the request may have been received, whole.
    #[error("the request may have been received, its answer was not")]
    InDoubt(#[source] Box<dyn Error + Send + Sync>),
}

/// An error and what caused it, in one line for the record.
pub(crate) fn in_words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        // Some libraries repeat their cause in their own words; once is enough for a reader.
        if !text.ends_with(&next_text) {
            text.push_str(": ");
            text.push_str(&next_text);
        }
        cause = next.source();
    }
    text
}

//! A stream that asks the gate before its first byte leaves, and remembers whether any did. Called by
//! [`super::Open`] alone.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use carrier::Gate;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Nothing was written, the gate was not asked.
pub(super) const UNTOUCHED: u8 = 0;
/// The gate said no.
pub(super) const KEPT_BACK: u8 = 1;
/// The gate said yes: from here on bytes may have left.
pub(super) const LET_THROUGH: u8 = 2;

pub(super) struct Gated<'g, S> {
    stream: S,
    gate: Option<&'g dyn Gate>,
    border: Arc<AtomicU8>,
}

impl<'g, S> Gated<'g, S> {
    pub(super) fn new(stream: S, gate: &'g dyn Gate, border: Arc<AtomicU8>) -> Self {
        Self {
            stream,
            gate: Some(gate),
            border,
        }
    }

    /// Asks the gate once; afterwards its first answer stands.
    fn pass(&mut self) -> io::Result<()> {
        if let Some(gate) = self.gate.take() {
            let border = if gate.is_open() { LET_THROUGH } else { KEPT_BACK };
            self.border.store(border, Ordering::Release);
        }
        match self.border.load(Ordering::Acquire) {
            LET_THROUGH => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::PermissionDenied, "kept back")),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gated<'_, S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gated<'_, S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.pass()?;
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.pass()?;
        Pin::new(&mut this.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

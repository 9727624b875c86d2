//! A socket that does not wait for ever: for the head of a request, for the next request, for a peer
//! that does not read. Called by hyper, as it would call the bare socket.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::Bounds;

/// Whose turn it is on a connection: counts up when a request is handed to its handler and when its
/// answer is there. Even: the peer's; odd: ours.
#[derive(Debug, Default)]
pub(super) struct Turns(AtomicU64);

/// Ours, until dropped.
pub(super) struct Turn(Arc<Turns>);

impl Turns {
    pub(super) fn begin(self: &Arc<Turns>) -> Turn {
        self.0.fetch_add(1, Ordering::Relaxed);
        Turn(Arc::clone(self))
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A socket with bounds.
pub(super) struct Socket {
    inner: TokioIo<TcpStream>,
    bounds: Bounds,
    turns: Arc<Turns>,
    /// The turn as of the last read.
    seen: u64,
    /// Something of a head has come, or the connection is new: the rest must follow soon.
    in_head: bool,
    head: Alarm,
    idle: Alarm,
    /// The turn when the idle alarm was set: set again only when it rings, not for each request.
    idle_since: u64,
    write: Alarm,
}

/// A time that is set when something is first waited for, and unset when it has come.
#[derive(Default)]
struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Whether the time is up; sets it where it was not set.
    fn is_up(&mut self, gap: Duration, cx: &mut Context<'_>) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep(gap)));
        sleep.as_mut().poll(cx).is_ready()
    }

    fn is_set(&self) -> bool {
        self.0.is_some()
    }

    fn unset(&mut self) {
        self.0 = None;
    }
}

impl Socket {
    pub(super) fn new(stream: TcpStream, turns: Arc<Turns>, bounds: Bounds) -> Socket {
        Socket {
            inner: TokioIo::new(stream),
            bounds,
            turns,
            seen: 0,
            in_head: true,
            head: Alarm::default(),
            idle: Alarm::default(),
            idle_since: 0,
            write: Alarm::default(),
        }
    }

    /// Nothing has come: whether that has lasted too long. Bodies have their own bound elsewhere.
    fn waits_too_long(&mut self, cx: &mut Context<'_>) -> bool {
        match (self.is_peers_turn(), self.in_head) {
            (false, _) => false,
            (true, true) => self.head.is_up(self.bounds.head_within, cx),
            (true, false) => self.is_idle_too_long(cx),
        }
    }

    /// Whether no request has come since the idle alarm was set, and its time is up. The alarm stays
    /// set across requests; one that has rung is set anew.
    fn is_idle_too_long(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            if !self.idle.is_set() {
                self.idle_since = self.seen;
            }
            if !self.idle.is_up(self.bounds.idle_within, cx) {
                return false;
            }
            self.idle.unset();
            if self.is_peers_turn() && self.idle_since == self.seen {
                return true;
            }
        }
    }

    fn is_peers_turn(&self) -> bool {
        self.seen.is_multiple_of(2)
    }

    fn follow_turns(&mut self) {
        let turn = self.turns.count();
        if turn != self.seen {
            self.seen = turn;
            self.in_head = false;
            self.head.unset();
        }
    }

    fn after_write<T>(&mut self, done: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.write.unset();
        } else if self.write.is_up(self.bounds.write_within, cx) {
            return Poll::Ready(Err(too_late("the peer does not read its answer")));
        }
        done
    }
}

fn too_late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

impl Read for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.follow_turns();
        match Pin::new(&mut this.inner).poll_read(cx, buf) {
            Poll::Pending if this.waits_too_long(cx) => Poll::Ready(Err(too_late("the peer does not send"))),
            Poll::Ready(Ok(())) if this.is_peers_turn() => {
                this.in_head = true;
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}

impl Write for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.after_write(done, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let done = Pin::new(&mut this.inner).poll_write_vectored(cx, bytes);
        this.after_write(done, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // After an answer nobody may read before there is something to be read; a flush there always
        // is. So the alarm is set here, and whoever it wakes reads.
        this.follow_turns();
        while this.is_idle_too_long(cx) {}
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

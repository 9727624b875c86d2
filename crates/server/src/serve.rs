//! The accept loop: connections with bounds on everything that a peer could drag out. Ours, because
//! the framework's own loop cannot set them. Knows nothing of what is served.

mod socket;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use socket::{Socket, Turns};

/// After the listener itself has failed (no more file descriptors, mostly), this long until the next
/// try: connections end meanwhile.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// Most bytes of a request's head, and of the buffer behind each connection.
const HEAD_BYTES: usize = 64 * 1024;

/// How long and how much a connection may hold up.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once. More than the requests that are taken at once, so that a slot is free for
    /// a callback while the API is full.
    pub connections: usize,
    /// From a request's first byte to the end of its headers; also until a new connection says
    /// anything at all.
    pub head_within: Duration,
    /// A connection without a request for this long is closed. Longer than the idle time of usual
    /// proxies (60 s), which would otherwise now and then send into a closed connection.
    pub idle_within: Duration,
    /// A peer that takes none of our answer for this long is cut off.
    pub write_within: Duration,
    /// After the stop, requests in hand get this long: the five seconds that a request for a call
    /// may wait, and some more.
    pub stop_within: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            connections: 10_240,
            head_within: Duration::from_secs(5),
            idle_within: Duration::from_secs(75),
            write_within: Duration::from_secs(10),
            stop_within: Duration::from_secs(8),
        }
    }
}

/// Serves until `shutdown` is over; then accepts nothing more, and returns when the requests in hand
/// are answered or their time is up.
///
/// # Errors
/// None at present: a listener that fails is tried again.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    serve_within(Bounds::default(), listener, router, shutdown).await
}

/// As [`serve`], with other bounds.
///
/// # Errors
/// As [`serve`].
pub async fn serve_within(
    bounds: Bounds,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let mut shutdown = pin!(shutdown);
    let places = Arc::new(Semaphore::new(bounds.connections));
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        // Answers are small and written whole: waiting for more to send with them only delays them.
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(
            bounds,
            stream,
            router.clone(),
            stopping.clone(),
            place,
        ));
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
    Ok(())
}

/// The next connection, once there is a place for it; until then it waits in the kernel.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .expect("the places are never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            // The peer was gone before we came.
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!("no connection can be accepted: {error}");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Serves one connection to its end.
async fn connection(
    bounds: Bounds,
    stream: TcpStream,
    router: Router,
    stopping: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    let turns = Arc::new(Turns::default());
    let service = service_fn(|request: Request<Incoming>| {
        let turn = turns.begin();
        let answer = router.clone().oneshot(request);
        async move {
            let answer = answer.await;
            drop(turn);
            answer
        }
    });
    // hyper's own time-out for a head counts the idle time before it too; the socket keeps them apart.
    let served = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(Socket::new(stream, Arc::clone(&turns), bounds), service);
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            match tokio::time::timeout(bounds.stop_within, served).await {
                Ok(ended) => ended,
                Err(_) => {
                    tracing::warn!("a connection was cut off: its request took longer than the stop may take");
                    return;
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection failed: {error}");
    }
}

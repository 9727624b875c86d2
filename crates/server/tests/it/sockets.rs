//! Over real sockets: what a peer cannot drag out, and how the server stops.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use server::Bounds;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::{World, body};

/// Far beyond every bound under test: reached only by what never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A bound that a test waits for.
const SOON: Duration = Duration::from_millis(150);

/// Bounds that no test reaches; each test shortens the one that it is about.
fn wide() -> Bounds {
    Bounds {
        connections: 8,
        head_within: PATIENCE * 2,
        idle_within: PATIENCE * 2,
        write_within: PATIENCE * 2,
        stop_within: PATIENCE * 2,
    }
}

struct Served {
    world: World,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn start(bounds: Bounds) -> Served {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (stop, stopped) = oneshot::channel::<()>();
    let router = world.app.clone();
    let task = tokio::spawn(server::serve_within(bounds, listener, router, async {
        let _ = stopped.await;
    }));
    Served {
        world,
        address,
        stop,
        task,
    }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("the server listens")
    }

    /// Stops the server, which must end.
    async fn end(self) {
        let _ = self.stop.send(());
        let ended = timeout(PATIENCE, self.task).await.expect("the server ends");
        ended.expect("no panic").expect("no error");
    }
}

/// Reads until the server closes; must happen.
async fn to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is an end, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes))
        .await
        .expect("the server closes");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer whose body has no line breaks.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    let read = async {
        loop {
            let count = stream.read(&mut buffer).await.expect("an answer");
            assert_ne!(count, 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            });
            if length.is_none_or(|length: usize| body.len() >= length) {
                return;
            }
        }
    };
    timeout(PATIENCE, read).await.expect("an answer in time");
    text
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let served = start(wide()).await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream.write_all(HEALTH).await.expect("sent");
        let text = answer(&mut stream).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    }
    served.end().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_half_a_head_is_closed() {
    let served = start(Bounds {
        head_within: SOON,
        ..wide()
    })
    .await;
    let mut silent = served.connect().await;
    let mut halting = served.connect().await;
    halting
        .write_all(b"POST /calls/outbound HTTP/1.1\r\nHost: loc")
        .await
        .expect("sent");
    let mut second = served.connect().await;
    second.write_all(HEALTH).await.expect("sent");
    answer(&mut second).await;
    second.write_all(b"GET /healthz").await.expect("sent");
    for stream in [&mut silent, &mut halting, &mut second] {
        to_end(stream).await;
    }
    served.end().await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed_after_a_while_only() {
    let served = start(Bounds {
        idle_within: SOON * 3,
        head_within: SOON,
        ..wide()
    })
    .await;
    let mut stream = served.connect().await;
    stream.write_all(HEALTH).await.expect("sent");
    answer(&mut stream).await;
    // Longer than a head may take: between requests another bound holds.
    let early = timeout(SOON * 2, stream.read_u8()).await;
    assert!(early.is_err(), "closed while it might still be used: {early:?}");
    to_end(&mut stream).await;
    served.end().await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off() {
    let served = start(Bounds {
        write_within: SOON,
        ..wide()
    })
    .await;
    for _ in 0..200 {
        let created = served
            .world
            .create(&body(json!({"scheduled_at": "2026-12-24T18:00:00Z"})))
            .await;
        assert_eq!(created.status, 202, "{created:?}");
    }
    let mut stream = served.connect().await;
    let request = b"GET /users/u1/calls?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // Some 40 kB of answer each, none of which is read: what the kernel does not hold blocks the server.
    let flood = async { while stream.write_all(request).await.is_ok() {} };
    timeout(PATIENCE, flood).await.expect("the server closes");
    served.end().await;
}

#[tokio::test]
async fn a_large_body_is_read_to_its_end_so_that_its_sender_hears_why_not() {
    let served = start(wide()).await;
    let mut stream = served.connect().await;
    let head = "POST /calls/outbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4194304\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(&vec![b' '; 4 << 20]).await.expect("sent");
    let text = answer(&mut stream).await;
    assert!(
        text.starts_with("HTTP/1.1 413") && text.contains("body_too_large"),
        "{text}"
    );
    served.end().await;
}

#[tokio::test]
async fn who_asks_before_sending_a_large_body_is_refused_at_once() {
    let served = start(wide()).await;
    let mut stream = served.connect().await;
    let head = "POST /calls/outbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4194304\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let text = answer(&mut stream).await;
    assert!(text.starts_with("HTTP/1.1 413"), "{text}");
    served.end().await;
}

#[tokio::test]
async fn a_connection_beyond_the_bound_waits_for_a_place() {
    let served = start(Bounds {
        connections: 1,
        ..wide()
    })
    .await;
    let mut first = served.connect().await;
    first.write_all(HEALTH).await.expect("sent");
    answer(&mut first).await;
    let mut second = served.connect().await;
    second.write_all(HEALTH).await.expect("sent");
    let early = timeout(SOON, second.read_u8()).await;
    assert!(early.is_err(), "answered beyond the bound: {early:?}");
    drop(first);
    let text = answer(&mut second).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    drop(second);
    served.end().await;
}

#[tokio::test]
async fn a_stop_lets_requests_in_hand_finish_and_closes_the_rest() {
    let served = start(wide()).await;
    let mut idle = served.connect().await;
    idle.write_all(HEALTH).await.expect("sent");
    answer(&mut idle).await;
    let fresh = served.connect().await;
    let mut busy = served.connect().await;
    let text = body(json!({})).to_string();
    let (first, rest) = text.split_at(10);
    let head = format!(
        "POST /calls/outbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{first}",
        text.len()
    );
    busy.write_all(head.as_bytes()).await.expect("sent");
    // Whatever comes later on another connection was accepted later.
    idle.write_all(HEALTH).await.expect("sent");
    answer(&mut idle).await;
    let address = served.address;
    let world = served.world;
    let _ = served.stop.send(());
    assert_eq!(to_end(&mut idle).await, "");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
    busy.write_all(rest.as_bytes()).await.expect("sent");
    let text = to_end(&mut busy).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    assert_eq!(world.carrier.dials().len(), 1);
    drop(fresh);
    timeout(PATIENCE, served.task)
        .await
        .expect("the server ends")
        .expect("no panic")
        .expect("no error");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let served = start(Bounds {
        stop_within: SOON,
        ..wide()
    })
    .await;
    let mut busy = served.connect().await;
    let head = "POST /calls/outbound HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{";
    busy.write_all(head.as_bytes()).await.expect("sent");
    let mut other = served.connect().await;
    other.write_all(HEALTH).await.expect("sent");
    answer(&mut other).await;
    served.end().await;
    to_end(&mut busy).await;
}

//! The address that the carrier calls back: hands each connection to the next node, and to the one after it when that
//! one does not take it. It stays up whatever happens to the nodes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

/// How long a node may take to accept: a stopped process does not, once its queue is full.
const CONNECT_WITHIN: Duration = Duration::from_millis(300);

/// Listens on a port of its own and hands on to `nodes`, for as long as the runtime lives.
///
/// # Errors
/// No port can be had.
pub fn open(runtime: &Handle, nodes: Vec<SocketAddr>) -> io::Result<SocketAddr> {
    let address = SocketAddr::from(([127, 0, 0, 1], e2e::free_port()));
    let listener = runtime.block_on(TcpListener::bind(address))?;
    let (nodes, turn) = (Arc::new(nodes), Arc::new(AtomicUsize::new(0)));
    runtime.spawn(async move {
        loop {
            let Ok((client, _)) = listener.accept().await else {
                continue;
            };
            let (nodes, turn) = (Arc::clone(&nodes), Arc::clone(&turn));
            tokio::spawn(async move { hand_on(client, &nodes, &turn).await });
        }
    });
    Ok(address)
}

async fn hand_on(mut client: TcpStream, nodes: &[SocketAddr], turn: &AtomicUsize) {
    for _ in nodes {
        let next = turn.fetch_add(1, Ordering::Relaxed) % nodes.len();
        let connect = TcpStream::connect(nodes[next]);
        if let Ok(Ok(mut server)) = tokio::time::timeout(CONNECT_WITHIN, connect).await {
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            // A connection that breaks is the carrier's to notice.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            return;
        }
    }
}

//! The transport over real sockets: fresh TCP and TLS for each request, HTTP/1.1, no pool, no proxy taken from
//! the environment, no redirects, no second try.
//!
//! Two socket options bound how long a request can linger in the kernel: unacknowledged bytes are given up
//! after [`UNACKNOWLEDGED_FOR`], and closing drops what was not delivered, so that the request of a process
//! that has died does not reach the carrier a minute later. Knows nothing of what is asked for.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use carrier::Gate;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use socket2::{Domain, Protocol, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::transport::{ConnectError, Connection, SendError, Transport};
use gated::Gated;

mod gated;

/// How long sent bytes may stay unacknowledged before the kernel drops the connection. Long enough for the
/// retransmissions of a bad line, short enough that a look-up made later than this sees whatever the request did.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED_FOR: Duration = Duration::from_secs(10);

/// How long one address of several may take: a silent first one still leaves time for two others within the
/// five seconds that a connection has.
const ADDRESS_SHARE: Duration = Duration::from_millis(1_500);

/// Addresses tried per connection. The carrier publishes a handful; more cannot be reached in the time anyway.
const MOST_ADDRESSES: usize = 4;

/// Largest answer read. A list page of 200 calls is about 350 kB.
const MOST_ANSWER_BYTES: usize = 1024 * 1024;

/// Largest head of an answer: some thirty header lines are usual, and hyper takes at least 8 KiB.
const MOST_HEAD_BYTES: usize = 64 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Reaches the host of one address over TCP, with TLS when its scheme is `https`.
pub struct Socket {
    host: Box<str>,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

/// The address cannot be reached by any socket.
#[derive(Debug, thiserror::Error)]
#[error("`{address}` is no http:// or https:// address with a host")]
pub struct UnusableAddress {
    address: String,
}

impl Socket {
    /// For the host of `address` (`https://api.twilio.com`). The carrier's certificate is checked against
    /// Mozilla's root certificates.
    ///
    /// # Errors
    /// [`UnusableAddress`] when the scheme is neither http nor https, or the host is missing.
    pub fn new(address: &Uri) -> Result<Self, UnusableAddress> {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        Self::trusting(address, roots)
    }

    /// As [`Socket::new`], trusting `roots` alone.
    fn trusting(address: &Uri, roots: RootCertStore) -> Result<Self, UnusableAddress> {
        let unusable = || UnusableAddress {
            address: address.to_string(),
        };
        let host = address
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(unusable)?;
        let host = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        let (port, is_secure) = match address.scheme_str() {
            Some("https") => (443, true),
            Some("http") => (80, false),
            _ => return Err(unusable()),
        };
        let tls = if is_secure {
            let name = ServerName::try_from(host.to_owned()).map_err(|_| unusable())?;
            Some((TlsConnector::from(Arc::new(client_config(roots))), name))
        } else {
            None
        };
        Ok(Self {
            host: host.into(),
            port: address.port_u16().unwrap_or(port),
            tls,
        })
    }

    async fn open(&self) -> Result<Box<dyn Connection>, ConnectError> {
        let addresses = tokio::net::lookup_host((&*self.host, self.port))
            .await
            .map_err(ConnectError::Name)?;
        let addresses: Vec<SocketAddr> = addresses.take(MOST_ADDRESSES).collect();
        let stream = dial_any(&addresses).await.map_err(ConnectError::Refused)?;
        match &self.tls {
            None => Ok(Box::new(Open { stream })),
            Some((connector, name)) => {
                let stream = connector
                    .connect(name.clone(), stream)
                    .await
                    .map_err(ConnectError::Tls)?;
                Ok(Box::new(Open { stream }))
            }
        }
    }
}

#[async_trait]
impl Transport for Socket {
    async fn connect(&self, within: Duration) -> Result<Box<dyn Connection>, ConnectError> {
        match tokio::time::timeout(within, self.open()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ConnectError::TooSlow { within }),
        }
    }
}

fn client_config(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Early data can be replayed by anybody on the way: a replayed create phones a person twice.
    config.enable_early_data = false;
    config
}

/// The first address that takes a connection, or the last address's error.
async fn dial_any(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (index, &address) in addresses.iter().enumerate() {
        let outcome = if index + 1 == addresses.len() {
            dial(address).await
        } else {
            let silent = |_| Err(io::Error::from(io::ErrorKind::TimedOut));
            tokio::time::timeout(ADDRESS_SHARE, dial(address))
                .await
                .unwrap_or_else(silent)
        };
        match outcome {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    // Closing, and the end of the process, drop undelivered bytes instead of sending them behind our back. An
    // exchange that succeeded has read its whole answer, so its close has nothing left to lose.
    socket.set_linger(Some(Duration::ZERO))?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_FOR))?;
    TcpSocket::from_std_stream(socket.into()).connect(address).await
}

/// An open stream that has carried nothing.
struct Open<S> {
    stream: S,
}

#[async_trait]
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Connection for Open<S> {
    async fn send(
        self: Box<Self>,
        request: Request<Bytes>,
        gate: &dyn Gate,
        within: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let border = Arc::new(AtomicU8::new(gated::UNTOUCHED));
        let stream = Gated::new(self.stream, gate, Arc::clone(&border));
        let outcome = match tokio::time::timeout(within, exchange(stream, request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} ms", within.as_millis()).into()),
        };
        outcome.map_err(|error| match border.load(Ordering::Acquire) {
            gated::UNTOUCHED => SendError::NotWritten(error),
            gated::KEPT_BACK => SendError::KeptBack,
            _ => SendError::InDoubt(error),
        })
    }
}

/// Writes the request and reads the whole answer. The stream lives and dies with this future: there is no task
/// that could go on writing after the caller has given up.
async fn exchange<S>(stream: S, request: Request<Bytes>) -> Result<Response<Bytes>, BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MOST_HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let answer = async move {
        let response = sender.send_request(request.map(Full::new)).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MOST_ANSWER_BYTES).collect().await?.to_bytes();
        Ok::<_, BoxError>(Response::from_parts(head, body))
    };
    let (mut answer, mut connection) = (pin!(answer), pin!(connection));
    tokio::select! {
        biased;
        ended = &mut connection => {
            // Everything that the connection read before it ended is already with the answer.
            answer.await.map_err(|error| ended.err().map_or(error, BoxError::from))
        }
        answer = &mut answer => answer,
    }
}

#[cfg(test)]
mod tests;

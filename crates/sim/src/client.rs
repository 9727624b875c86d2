//! The small HTTP client that reaches the customer: signed, with the customer's own patience, over
//! connections that are kept for a moment. It must not know what a request is about. Plain http only: an
//! https URL counts as one that cannot be connected. Called by the server's performer.

use crate::call::Method;
use crate::notice::Request;
use crate::signature::sign;
use crate::target::{Patience, Target};
use crate::twiml;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

/// Requests in flight at once. The rest wait without their patience running: a customer who is slow delays
/// callbacks but does not lose them.
const MOST_AT_ONCE: usize = 512;
/// Connections kept for one customer.
const MOST_IDLE: usize = 128;
/// How long an unused connection is trusted. Servers close idle ones after some seconds, and a request sent
/// at that very moment would be lost for no fault of the customer's.
const TRUSTED: Duration = Duration::from_secs(2);

type Line = SendRequest<Full<Bytes>>;

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection, or a URL that cannot be asked for.
    Connect,
    /// A connection, but no whole answer.
    Read,
    /// The time for everything ran out.
    Total,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// Its `Content-Type`, empty when there was none.
    pub content_type: String,
    /// Its body, cut a little beyond the largest document.
    pub body: Bytes,
}

/// A client that signs with one token.
pub struct Client {
    token: String,
    permits: Semaphore,
    idle: Mutex<HashMap<String, Vec<(Line, Instant)>>>,
}

impl Client {
    /// A client without connections.
    pub fn new(token: String) -> Self {
        Self {
            token,
            permits: Semaphore::new(MOST_AT_ONCE),
            idle: Mutex::default(),
        }
    }

    /// Sends a request, repeating it as its URL's fragment or the vendor's defaults say, and gives back the
    /// last answer or the last trouble.
    pub async fn send(&self, request: &Request) -> Result<Answered, Trouble> {
        let target = Target::parse(&request.url)
            .filter(|target| !target.is_https())
            .ok_or(Trouble::Connect)?;
        let patience = Patience::of(target.fragment);
        let _permit = self.permits.acquire().await.map_err(|_| Trouble::Connect)?;
        let until = Instant::now() + patience.total;
        let mut repeats = 0;
        loop {
            let result = timeout_at(until, self.send_once(request, &target, &patience)).await;
            let result = result.unwrap_or(Err(Trouble::Total));
            let again = match &result {
                Ok(answered) => match answered.status {
                    400..=499 => patience.on_4xx,
                    500.. => patience.on_5xx,
                    _ => false,
                },
                Err(Trouble::Connect) => patience.on_connect,
                Err(Trouble::Read) => patience.on_read,
                Err(Trouble::Total) => false,
            };
            if !again || repeats == patience.repeats || Instant::now() >= until {
                return result;
            }
            repeats += 1;
        }
    }

    async fn send_once(
        &self,
        request: &Request,
        target: &Target<'_>,
        patience: &Patience,
    ) -> Result<Answered, Trouble> {
        let authority = format!("{}:{}", target.host, target.port.unwrap_or(80));
        let mut message = self.message(request, target).ok_or(Trouble::Connect)?;
        let (line, response) = loop {
            let (mut line, is_fresh) = match self.kept(&authority) {
                Some(line) => (line, false),
                None => {
                    let line = timeout(patience.connect, connect(&authority)).await;
                    (line.map_err(|_| Trouble::Connect)??, true)
                }
            };
            if line.ready().await.is_err() {
                if is_fresh {
                    return Err(Trouble::Read);
                }
                continue;
            }
            let sent = timeout(patience.read, line.try_send_request(message)).await;
            match sent.map_err(|_| Trouble::Read)? {
                Ok(response) => break (line, response),
                // Given back untouched: the kept connection had been closed, and nothing was sent.
                Err(mut error) => {
                    message = error.take_message().filter(|_| !is_fresh).ok_or(Trouble::Read)?;
                }
            }
        };
        let status = response.status().as_u16();
        let content_type = response.headers().get(http::header::CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let (body, whole) = read(response.into_body(), patience.read).await?;
        if whole && !line.is_closed() {
            self.keep(authority, line);
        }
        Ok(Answered {
            status,
            content_type,
            body,
        })
    }

    /// The request as it goes out; `None` when its URL cannot be asked for.
    fn message(&self, request: &Request, target: &Target<'_>) -> Option<http::Request<Full<Bytes>>> {
        let params: Vec<(&str, &str)> = request
            .form
            .iter()
            .map(|(key, value)| (*key, value.as_ref()))
            .collect();
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&params)
            .finish();
        let host = match target.port {
            Some(port) => format!("{}:{port}", target.host),
            None => target.host.to_owned(),
        };
        let mut builder = http::Request::builder()
            .header("host", host)
            .header("user-agent", "TwilioProxy/1.1")
            .header("accept", "*/*")
            .header(
                "i-twilio-idempotency-token",
                format!("{}-{:?}-{}", request.sid, request.kind, request.turn),
            );
        if let Some(userinfo) = target.userinfo {
            builder = builder.header("authorization", format!("Basic {}", STANDARD.encode(userinfo)));
        }
        match request.method {
            Method::Post => builder
                .method("POST")
                .uri(target.request_target())
                .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
                .header("x-twilio-signature", sign(&self.token, &request.url, &params))
                .body(Full::new(form.into())),
            Method::Get => {
                let joint = if target.path_and_query.contains('?') {
                    '&'
                } else {
                    '?'
                };
                let asked = format!("{}{joint}{form}", target.path_and_query);
                let url = format!("{}{asked}", target.signed_origin());
                let slash = if asked.starts_with('/') { "" } else { "/" };
                builder
                    .method("GET")
                    .uri(format!("{slash}{asked}"))
                    .header("x-twilio-signature", sign(&self.token, &url, &[]))
                    .body(Full::default())
            }
        }
        .ok()
    }

    fn kept(&self, authority: &str) -> Option<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = idle.get_mut(authority)?;
        while let Some((line, since)) = lines.pop() {
            if since.elapsed() > TRUSTED {
                // The rest were left even earlier.
                lines.clear();
            } else if !line.is_closed() {
                return Some(line);
            }
        }
        None
    }

    fn keep(&self, authority: String, line: Line) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = idle.entry(authority).or_default();
        if lines.len() < MOST_IDLE {
            lines.push((line, Instant::now()));
        }
    }
}

async fn connect(authority: &str) -> Result<Line, Trouble> {
    let stream = TcpStream::connect(authority)
        .await
        .map_err(|_| Trouble::Connect)?;
    // Small requests that wait for an answer gain nothing from being gathered.
    stream.set_nodelay(true).map_err(|_| Trouble::Connect)?;
    let (line, connection) = handshake(TokioIo::new(stream))
        .await
        .map_err(|_| Trouble::Connect)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the customer broke");
        }
    });
    Ok(line)
}

/// The body as far as it matters, and whether that was all of it.
async fn read(mut body: Incoming, patience: Duration) -> Result<(Bytes, bool), Trouble> {
    let mut bytes = BytesMut::new();
    loop {
        match timeout(patience, body.frame()).await.map_err(|_| Trouble::Read)? {
            None => return Ok((bytes.freeze(), true)),
            Some(Err(_)) => return Err(Trouble::Read),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
        }
        if bytes.len() > twiml::LARGEST {
            return Ok((bytes.freeze(), false));
        }
    }
}

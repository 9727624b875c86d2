//! The exchange behind HTTP: real time, real connections. It must not decide anything about calls. Started
//! by the binary; one task keeps the timetable, one task each performs an action or serves a connection.

use crate::Options;
use crate::client::Client;
use crate::exchange::Exchange;
use crate::fault::{Faults, Refusal};
use crate::notice::{Action, Answer, Document, Request};
use crate::report;
use crate::rest::{self, Incoming};
use crate::wire;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use futures_util::stream;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// Ledger entries rendered while the exchange is held, so that a long ledger does not stop the telephones.
const ENTRIES_AT_ONCE: usize = 1_000;
/// How long connections may finish what they are at when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Pause after a connection could not be accepted, which happens when file descriptors run out.
const BREATH: Duration = Duration::from_millis(20);

/// Serves a simulated carrier on `listener` until `shutdown` completes. Beside the vendor's API it answers
/// `GET /_sim/health`, `GET /_sim/calls` (the ledger), `GET /_sim/totals`, and `GET` and `POST
/// /_sim/faults`, these four without credentials. Callbacks that are under way when it ends are dropped.
pub async fn serve(listener: TcpListener, options: Options, shutdown: impl Future<Output = ()>) {
    let shared = Arc::new(Shared::new(options));
    let mut timetable = JoinSet::new();
    timetable.spawn(keep_timetable(shared.clone()));
    let router = router(shared);
    let connections = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => serve_connection(stream, router.clone(), &connections),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            },
        }
    }
    if tokio::time::timeout(LAST_WORDS, connections.shutdown())
        .await
        .is_err()
    {
        tracing::debug!("connections were still open at the end");
    }
}

struct Shared {
    exchange: Mutex<Exchange>,
    client: Client,
    /// What the clock read at `since`, in milliseconds since 1970; it is not asked again, so that time never
    /// runs backwards here.
    started_ms: u64,
    since: Instant,
    /// When the timetable's keeper next wakes of itself.
    wakes_ms: AtomicU64,
    earlier: Notify,
    served: AtomicU64,
}

impl Shared {
    fn new(options: Options) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            client: Client::new(options.auth_token.clone()),
            exchange: Mutex::new(Exchange::new(options)),
            started_ms: u64::try_from(since_1970.as_millis()).unwrap_or(0),
            since: Instant::now(),
            wakes_ms: AtomicU64::new(0),
            earlier: Notify::new(),
            served: AtomicU64::new(0),
        }
    }

    fn now_ms(&self) -> u64 {
        self.started_ms + u64::try_from(self.since.elapsed().as_millis()).unwrap_or(0)
    }

    /// Does something with the exchange, and wakes the keeper if that planned something earlier than it
    /// expects.
    fn with<R>(&self, act: impl FnOnce(&mut Exchange, u64) -> R) -> R {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let result = act(&mut exchange, self.now_ms());
        if exchange
            .next_due()
            .is_some_and(|due_ms| due_ms < self.wakes_ms.load(Ordering::Relaxed))
        {
            self.earlier.notify_one();
        }
        result
    }

    /// What is to be done now, and when there will be more.
    fn due(&self) -> (Vec<Action>, Option<Instant>) {
        let mut exchange = self.exchange.lock().unwrap_or_else(PoisonError::into_inner);
        let actions = exchange.advance(self.now_ms());
        let next_ms = exchange.next_due();
        // Stored while the exchange is held: whoever plans something earlier afterwards sees it.
        self.wakes_ms
            .store(next_ms.unwrap_or(u64::MAX), Ordering::Relaxed);
        let wait = |due_ms: u64| Duration::from_millis(due_ms.saturating_sub(self.started_ms));
        (actions, next_ms.map(|due_ms| self.since + wait(due_ms)))
    }
}

/// Performs what is due when it is due. Ends only by being aborted, and its tasks with it.
async fn keep_timetable(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    loop {
        let (actions, next) = shared.due();
        for action in actions {
            tasks.spawn(perform(shared.clone(), action));
        }
        while tasks.try_join_next().is_some() {}
        match next {
            Some(next) => tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = shared.earlier.notified() => {}
            },
            None => shared.earlier.notified().await,
        }
    }
}

async fn perform(shared: Arc<Shared>, action: Action) {
    match action {
        Action::Callbacks(requests) => deliver(&shared, &requests).await,
        Action::Document(request) => {
            let document = match shared.client.send(&request).await {
                Ok(answered) if (200..300).contains(&answered.status) => Document::Body {
                    content_type: answered.content_type,
                    text: String::from_utf8_lossy(&answered.body).into_owned(),
                },
                other => {
                    let result = other.map(|answered| answered.status);
                    tracing::warn!(call.id = %request.sid, ?result, "no document");
                    Document::Failed
                }
            };
            shared.with(|exchange, now_ms| exchange.document(now_ms, &request, &document));
        }
    }
}

async fn deliver(shared: &Shared, requests: &[Request]) {
    for request in requests {
        match shared.client.send(request).await {
            Ok(answered) if answered.status < 400 => {}
            other => {
                let result = other.map(|answered| answered.status);
                tracing::warn!(call.id = %request.sid, request.turn, ?result, "a callback was not taken");
            }
        }
    }
}

/// Marks an answer that must not be given.
#[derive(Clone, Copy, Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut on purpose")
    }
}

impl std::error::Error for Cut {}

fn serve_connection(stream: TcpStream, router: Router, connections: &GracefulShutdown) {
    // Only a delay is at stake if this fails.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response = router
                .oneshot(request.map(Body::new))
                .await
                .unwrap_or_else(|never| match never {});
            if response.extensions().get::<Cut>().is_some() {
                Err(Cut)
            } else {
                Ok(response)
            }
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(
            "/_sim/health",
            get(|| async { Json(serde_json::json!({ "status": "ok" })) }),
        )
        .route("/_sim/calls", get(calls))
        .route("/_sim/totals", get(totals))
        .route("/_sim/faults", get(faults).post(set_faults))
        .fallback(any(api))
        .with_state(shared)
}

async fn api(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let incoming = Incoming {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query(),
        authorization: headers.get("authorization").and_then(|value| value.to_str().ok()),
        body: &body,
    };
    let (outcome, date) = shared.with(|exchange, now_ms| {
        let outcome = rest::answer(exchange, now_ms, &incoming);
        let ahead_s = i64::from(exchange.faults().date_ahead_s);
        // Without the fault the server's own date is sent, which is the system's.
        let date = (ahead_s != 0).then(|| wire::http_date(now_ms.saturating_add_signed(ahead_s * 1_000)));
        (outcome, date)
    });
    deliver(&shared, &outcome.first).await;
    match outcome.answer {
        Answer::Cut => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(Cut);
            response
        }
        Answer::Reply { status, body } => {
            let request_id = format!("RQ{:032x}", shared.served.fetch_add(1, Ordering::Relaxed));
            let headers = [
                ("content-type", "application/json"),
                ("twilio-request-id", &request_id),
            ];
            (
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                headers,
                date.map(|date| [("date", date)]),
                body,
            )
                .into_response()
        }
    }
}

/// The ledger, piece by piece: as it was long when it was asked for, each call as it stands when its piece
/// is rendered.
async fn calls(State(shared): State<Arc<Shared>>) -> Response {
    let length = shared.with(|exchange, _| exchange.calls().len());
    let pieces = stream::unfold(Some(0), move |from: Option<usize>| {
        let shared = shared.clone();
        async move {
            let from = from?;
            let to = (from + ENTRIES_AT_ONCE).min(length);
            let entries = shared.with(|exchange, _| report::json(exchange, from..to));
            let opening = if from == 0 { "[" } else { "," };
            let (closing, next) = if to == length { ("]", None) } else { ("", Some(to)) };
            Some((Ok::<_, Infallible>(format!("{opening}{entries}{closing}")), next))
        }
    });
    ([("content-type", "application/json")], Body::from_stream(pieces)).into_response()
}

async fn totals(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.with(|exchange, _| exchange.totals())).into_response()
}

async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    Json(shared.with(|exchange, _| exchange.faults())).into_response()
}

/// Switches to set; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    down: Option<bool>,
    suspended: Option<bool>,
    trial: Option<bool>,
    date_ahead_s: Option<i32>,
    answer: Option<Refusal>,
}

async fn set_faults(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let switches: Switches = match serde_json::from_slice(&body) {
        Ok(switches) => switches,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let faults = shared.with(|exchange, _| {
        let old = exchange.faults();
        exchange.set_faults(Faults {
            down: switches.down.unwrap_or(old.down),
            suspended: switches.suspended.unwrap_or(old.suspended),
            trial: switches.trial.unwrap_or(old.trial),
            date_ahead_s: switches.date_ahead_s.unwrap_or(old.date_ahead_s),
            answer: switches.answer.unwrap_or(old.answer),
        });
        exchange.faults()
    });
    Json(faults).into_response()
}

#[cfg(test)]
mod tests;

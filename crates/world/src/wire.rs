//! The way to the carrier and back: the client's transport, played without a socket. A request that was handed over
//! reaches the carrier whatever becomes of the process that sent it. Knows what each fault of the way does, and tells
//! the checks what was sent and what was made of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use carrier::Gate;
use carrier_twilio::{ConnectError, Connection, SendError, Transport};
use domain::CallId;
use engine::clock::Clock as _;
use http::{Request, Response};
use sim::{Answer, Incoming};
use tokio::sync::oneshot;

use crate::callbacks;
use crate::fault::Fault;
use crate::hub::{Event, Hub, State};
use crate::life::Life;

/// What can go wrong with the request that makes a call.
const OF_DIALS: [Fault; 10] = [
    Fault::CrashOnSend,
    Fault::CutBefore,
    Fault::CutAfter,
    Fault::AnswerSlow,
    Fault::RequestLate,
    Fault::TooMany,
    Fault::BrokenWithout,
    Fault::BrokenWith,
    Fault::Foreign,
    Fault::MadeTwice,
];

/// What can go wrong with a question.
const OF_QUESTIONS: [Fault; 3] = [Fault::AskCut, Fault::AskBroken, Fault::AskSlow];

/// For so long a call is left to the node that was told of it.
const CLAIMED_MS: u64 = 30_000;

type Result3 = Result<Response<Bytes>, SendError>;

/// The way of one process's client to the carrier.
#[derive(Clone)]
pub struct Wire {
    /// What all share.
    pub hub: Arc<Hub>,
    /// Whose way it is.
    pub life: Arc<Life>,
}

/// A connection of it.
struct Open(Wire);

/// A request on its way to the carrier.
pub struct Arriving {
    request: Request<Bytes>,
    dial: Option<(CallId, u32)>,
    fault: Option<Fault>,
    back: Option<oneshot::Sender<Result3>>,
}

/// An answer on its way back.
pub struct Returning {
    answer: Result3,
    back: oneshot::Sender<Result3>,
}

impl Returning {
    /// It is there. Whoever asked may be gone.
    pub fn arrive(self) {
        let _ = self.back.send(self.answer);
    }
}

#[async_trait]
impl Transport for Wire {
    async fn connect(&self, within: Duration) -> Result<Box<dyn Connection>, ConnectError> {
        self.life.alive().await;
        let (fails, takes) = {
            let mut state = self.hub.lock();
            let fails = state.outage || state.strikes(Fault::ConnectFails);
            let takes = if state.strikes(Fault::ConnectSlow) {
                state.millis(500, 7_000)
            } else {
                state.millis(1, 30)
            };
            (fails, takes)
        };
        self.life.clock.wait(takes.min(within)).await;
        self.life.alive().await;
        if fails {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return Err(ConnectError::Refused(refused));
        }
        if takes > within {
            return Err(ConnectError::TooSlow { within });
        }
        Ok(Box::new(Open(self.clone())))
    }
}

#[async_trait]
impl Connection for Open {
    async fn send(self: Box<Self>, request: Request<Bytes>, gate: &dyn Gate, within: Duration) -> Result3 {
        let Wire { hub, life } = self.0;
        // Taken first of all: it belongs to this very request.
        let dial = hub.lock().dialling.take();
        life.alive().await;
        if dial.is_some() && hub.lock().strikes(Fault::NotWritten) {
            return Err(SendError::NotWritten("broken pipe".into()));
        }
        if !gate.is_open() {
            let mut state = hub.lock();
            state.goals.reach("a permit grew too old and was not used");
            let now_ms = state.now_ms();
            if dial.is_some_and(|dial| state.checks.permit_age(now_ms, dial) > CLAIMED_MS) {
                state
                    .goals
                    .reach("a node that slept past its claim gave its permit back");
            }
            return Err(SendError::KeptBack);
        }
        let (back, answer) = oneshot::channel();
        let is_create =
            request.method() == http::Method::POST && request.uri().path().ends_with("/Calls.json");
        let fault = {
            let mut state = hub.lock();
            if is_create {
                let now_ms = state.now_ms();
                state.checks.sends(now_ms, life.who, dial);
                if let Some((call, attempt)) = dial {
                    state.tell(|| {
                        format!(
                            "node {} sends the request for attempt {attempt} of {call}",
                            life.who.node
                        )
                    });
                }
            }
            let fault = state.first(if is_create { &OF_DIALS } else { &OF_QUESTIONS });
            leave(&mut state, request, dial, fault, back);
            fault
        };
        if fault == Some(Fault::CrashOnSend) {
            life.dies(&hub, Fault::CrashOnSend).await;
        }
        let answered = tokio::select! {
            biased;
            answered = answer => answered,
            () = life.clock.wait(within) => {
                hub.lock().checks.doubtful(dial);
                return Err(SendError::InDoubt("no answer in time".into()));
            }
        };
        life.alive().await;
        answered.unwrap_or_else(|_| Err(SendError::InDoubt("connection reset".into())))
    }
}

/// The request leaves, or is lost on the way.
fn leave(
    state: &mut State,
    request: Request<Bytes>,
    dial: Option<(CallId, u32)>,
    fault: Option<Fault>,
    back: oneshot::Sender<Result3>,
) {
    let soon = state.millis(5, 60);
    let cut = || Err(SendError::InDoubt("connection reset".into()));
    let (takes, back) = match fault {
        Some(Fault::CutBefore | Fault::AskCut) => {
            state.checks.doubtful(dial);
            let answer = cut();
            return state.after(soon, Event::Returns(Box::new(Returning { answer, back })));
        }
        Some(Fault::RequestLate) => {
            state.checks.doubtful(dial);
            let answer = cut();
            state.after(soon, Event::Returns(Box::new(Returning { answer, back })));
            // A kernel holds on to what it could not deliver for ten seconds.
            (state.millis(200, 10_000), None)
        }
        _ => (soon, Some(back)),
    };
    let arriving = Arriving {
        request,
        dial,
        fault,
        back,
    };
    state.after(takes, Event::Arrives(Box::new(arriving)));
}

/// A request has reached the carrier: it is executed, or not, and answered.
pub fn arrive(state: &mut State, arriving: Arriving) {
    let Arriving {
        request,
        dial,
        fault,
        back,
    } = arriving;
    let answer = match fault {
        Some(Fault::TooMany) => reply(state, 429, problem(429, 20_429, "Too Many Requests")),
        Some(Fault::BrokenWithout) => {
            state.checks.doubtful(dial);
            reply(state, 503, problem(503, 20_503, "Service unavailable"))
        }
        Some(Fault::AskBroken) => reply(state, 500, "<html>Internal Server Error</html>".to_owned()),
        Some(Fault::Foreign) => {
            state.checks.doubtful(dial);
            if state.dice.happens(0.5) {
                let _ = execute(state, &request, dial, false);
            }
            let status = state.dice.one_of(&[302, 403, 404, 502]);
            reply(state, status, "<html>not the carrier</html>".to_owned())
        }
        Some(Fault::BrokenWith) => {
            state.checks.doubtful(dial);
            let _ = execute(state, &request, dial, false);
            reply(state, 500, problem(500, 20_500, "Internal server error"))
        }
        Some(Fault::CutAfter) => {
            state.checks.doubtful(dial);
            let _ = execute(state, &request, dial, false);
            Err(SendError::InDoubt("connection reset".into()))
        }
        Some(Fault::MadeTwice) => {
            let answer = execute(state, &request, dial, false);
            let _ = execute(state, &request, dial, true);
            answer
        }
        Some(Fault::CrashOnSend | Fault::RequestLate) => {
            state.checks.doubtful(dial);
            execute(state, &request, dial, false)
        }
        _ => execute(state, &request, dial, false),
    };
    let takes = match fault {
        Some(Fault::AnswerSlow | Fault::AskSlow) => state.millis(1_000, 45_000),
        _ => state.millis(5, 300),
    };
    if let Some(back) = back {
        state.after(takes, Event::Returns(Box::new(Returning { answer, back })));
    }
}

/// The carrier does as it is asked. `again`: its own mistake, nobody asked twice.
/// What it answers may be lost on the way.
fn execute(state: &mut State, request: &Request<Bytes>, dial: Option<(CallId, u32)>, again: bool) -> Result3 {
    let text = |name: http::HeaderName| request.headers().get(name).and_then(|it| it.to_str().ok());
    let path = request.uri().path();
    if let Some(sid) = path.rsplit('/').next().and_then(|it| it.strip_suffix(".json"))
        && is_hidden(state, sid)
    {
        return reply(
            state,
            404,
            problem(404, 20_404, "The requested resource was not found"),
        );
    }
    let is_list = request.method() == http::Method::GET && path.ends_with("/Calls.json");
    let mut query = request.uri().query().map(str::to_owned);
    let oddity = (is_list && state.strikes(Fault::ListPaged)).then(|| state.dice.one_of(&ODDITIES));
    if let Some(Oddity::Empty) = oddity {
        return reply(state, 200, empty(path, query.as_deref()));
    }
    if oddity.is_some() {
        query = Some(short(
            query.as_deref().unwrap_or_default(),
            state.dice.between(1, 3),
        ));
    }
    let incoming = Incoming {
        method: request.method().as_str(),
        path,
        query: query.as_deref(),
        authorization: text(http::header::AUTHORIZATION),
        body: request.body(),
    };
    let (now_ms, placed) = (state.now_ms(), state.exchange.totals().placed);
    let outcome = sim::answer(&mut state.exchange, now_ms, &incoming);
    if state.exchange.totals().placed > placed {
        made(state, dial, again);
    }
    for first in outcome.first {
        callbacks::send(state, first);
    }
    match outcome.answer {
        Answer::Cut => Err(SendError::InDoubt("connection reset".into())),
        Answer::Reply { status, body } if is_list => {
            let body = shown(state, body, oddity);
            reply(state, status, body)
        }
        Answer::Reply { status, body } => reply(state, status, body),
    }
}

/// A call was made: it is in the carrier's ledger from here on.
fn made(state: &mut State, dial: Option<(CallId, u32)>, again: bool) {
    let placed = usize::try_from(state.exchange.totals().placed).unwrap_or(usize::MAX);
    let Some(entry) = sim::ledger(&state.exchange).nth(placed - 1) else {
        return;
    };
    let (sid, named) = (entry.sid, entry.url.and_then(callbacks::named));
    let now_ms = state.now_ms();
    let mut shown_ms = now_ms;
    if state.strikes(Fault::ListLags) {
        let lag = state.plan.lag;
        shown_ms += state.dice.between(0, crate::hub::whole(lag));
        state.hidden.insert(sid.clone(), shown_ms);
    }
    state.tell(|| match dial {
        Some((call, attempt)) => format!("the carrier makes {sid} for attempt {attempt} of {call}"),
        None => format!("the carrier makes {sid}, which nobody asked for"),
    });
    state.checks.rings(now_ms, &sid, dial, named, again, shown_ms);
}

fn is_hidden(state: &State, sid: &str) -> bool {
    !state.faults.over && state.hidden.get(sid).is_some_and(|from| *from > state.now_ms())
}

/// What a page of a list may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    /// It has fewer calls than were asked for, and more follow.
    Short,
    /// It has none, and all of them follow.
    Empty,
    /// Its last call stands there twice.
    Twice,
}

const ODDITIES: [Oddity; 3] = [Oddity::Short, Oddity::Empty, Oddity::Twice];

/// A page without a call, after which comes the one that was asked for.
fn empty(path: &str, query: Option<&str>) -> String {
    let next = format!("{path}?{}", query.unwrap_or_default());
    serde_json::json!({ "calls": [], "next_page_uri": next }).to_string()
}

/// The same question for so many calls a page.
fn short(query: &str, size: u64) -> String {
    let others = query.split('&').filter(|pair| !pair.starts_with("PageSize="));
    let size = format!("PageSize={size}");
    others.chain([size.as_str()]).collect::<Vec<_>>().join("&")
}

/// What the carrier shows of a list: what is not on it yet is left out.
fn shown(state: &State, body: String, oddity: Option<Oddity>) -> String {
    let is_whole = oddity != Some(Oddity::Twice) && !state.hidden.keys().any(|sid| is_hidden(state, sid));
    if is_whole {
        return body;
    }
    let Ok(mut page) = serde_json::from_str::<serde_json::Value>(&body) else {
        return body;
    };
    if let Some(calls) = page.get_mut("calls").and_then(|it| it.as_array_mut()) {
        calls.retain(|call| !call["sid"].as_str().is_some_and(|sid| is_hidden(state, sid)));
        let again = calls.last().filter(|_| oddity == Some(Oddity::Twice)).cloned();
        calls.extend(again);
    }
    page.to_string()
}

fn problem(status: u16, code: u32, message: &str) -> String {
    format!(r#"{{"code":{code},"message":"{message}","more_info":"","status":{status}}}"#)
}

fn reply(state: &State, status: u16, body: String) -> Result3 {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::BAD_GATEWAY);
    let now = i64::try_from(state.now_ms()).unwrap_or(0);
    let date = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = http::HeaderValue::try_from(date) {
        response.headers_mut().insert(http::header::DATE, date);
    }
    Ok(response)
}

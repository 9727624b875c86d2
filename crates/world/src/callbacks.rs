//! What the carrier asks of the server: callbacks and documents, on their way with all that may happen to them, and
//! handed to the engine as the server's routes do.

use std::sync::Arc;

use domain::CallId;
use engine::{Heard as Taken, Webhook, WebhookKind};
use http::{HeaderMap, HeaderValue, header};
use sim::{Document, Kind, Request};

use crate::clients::Heard;
use crate::fault::Fault;
use crate::hub::{Event, Hub, PUBLIC, State, TOKEN};
use crate::process::Process;

/// How often a request is repeated after a failure, as our URLs ask for.
const REPEATS: u32 = 3;

/// One request of the carrier's.
#[derive(Clone)]
pub struct Delivery {
    request: Request,
    tries: u32,
    /// Somebody else wrote it.
    forged: bool,
}

/// What came of one.
pub struct Delivered {
    delivery: Delivery,
    begun_ms: u64,
    outcome: Outcome,
}

enum Outcome {
    Taken,
    Document(String),
    Refused,
    Failed,
}

/// The carrier sends a request, unless it is lost.
pub fn send(state: &mut State, request: Request) {
    if state.strikes(Fault::CallbackLost) {
        return;
    }
    let soon = state.millis(10, 120);
    let takes = match state.first(&[Fault::CallbackShuffled, Fault::CallbackLate]) {
        Some(Fault::CallbackShuffled) => state.millis(0, 8_000),
        Some(_) if request.kind == Kind::Callback => state.millis(20_000, 1_800_000),
        _ => soon,
    };
    let delivery = Delivery {
        request,
        tries: 0,
        forged: false,
    };
    if state.strikes(Fault::CallbackTwice) {
        let again = state.millis(0, 20_000);
        state.after(again, Event::Delivers(Box::new(delivery.clone())));
    }
    if state.strikes(Fault::CallbackForged) {
        let forged = Box::new(Delivery {
            forged: true,
            ..delivery.clone()
        });
        state.after(soon, Event::Delivers(forged));
    }
    state.after(takes, Event::Delivers(Box::new(delivery)));
}

/// A request reaches the server; without one, or on a failure, it is repeated.
pub fn deliver(hub: &Arc<Hub>, process: Option<&Process>, delivery: Delivery) {
    let Some(process) = process.filter(|process| process.up) else {
        return repeat(&mut hub.lock(), delivery);
    };
    {
        let mut state = hub.lock();
        let node = process.life.who.node;
        state.tell(|| format!("{}, at node {node}", shown(&delivery)));
        let by = named(&delivery.request.url).and_then(|dial| state.checks.dialled_by(dial));
        if by.is_some_and(|by| by != node) {
            state.goals.reach("a callback came to another node than dialled");
        }
    }
    let (engine, hub) = (process.engine.clone(), Arc::clone(hub));
    let number = {
        let dropped = &mut hub.lock().dropped;
        dropped.delivered += 1;
        dropped.delivered
    };
    let mut under_way = UnderWay {
        hub,
        number,
        delivery: Some(delivery.clone()),
    };
    process.spawn(async move {
        let begun_ms = under_way.hub.lock().now_ms();
        let outcome = hand_over(&engine, &delivery).await;
        under_way.delivery = None;
        let mut state = under_way.hub.lock();
        state.heard.push_back(Heard::Delivered(Box::new(Delivered {
            delivery,
            begun_ms,
            outcome,
        })));
    });
}

/// A request that the server has not answered yet. Where the server dies, the carrier sees a cut and comes again.
struct UnderWay {
    hub: Arc<Hub>,
    /// Which delivery of this world.
    number: u64,
    delivery: Option<Delivery>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(delivery) = self.delivery.take() {
            let dropped = &mut self.hub.lock().dropped;
            dropped.deliveries.insert(self.number, Box::new(delivery));
        }
    }
}

async fn hand_over(engine: &engine::Engine, delivery: &Delivery) -> Outcome {
    let request = &delivery.request;
    let mut form: Vec<(&str, &str)> = request
        .form
        .iter()
        .map(|(key, value)| (*key, value.as_ref()))
        .collect();
    let signature = sim::sign(TOKEN, &request.url, &form);
    if delivery.forged {
        // A true signature, over other words.
        for (key, value) in &mut form {
            if *key == "CallStatus" {
                *value = if *value == "completed" {
                    "busy"
                } else {
                    "completed"
                };
            }
        }
    }
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&form)
        .finish();
    let mut headers = HeaderMap::new();
    let media_type = HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");
    headers.insert(header::CONTENT_TYPE, media_type);
    if let Ok(signature) = HeaderValue::try_from(signature) {
        headers.insert("x-twilio-signature", signature);
    }
    let path = request.url.strip_prefix(PUBLIC).unwrap_or(&request.url);
    let kind = match request.kind {
        Kind::Document => WebhookKind::Answer,
        Kind::Callback | Kind::Detection => WebhookKind::Status,
    };
    let webhook = Webhook {
        kind,
        path_and_query: path.split('#').next().unwrap_or_default(),
        headers: &headers,
        body: body.as_bytes(),
    };
    match kind {
        WebhookKind::Status => match engine.callback(&webhook).await {
            Ok(Taken::Taken(())) => Outcome::Taken,
            Ok(Taken::Refused(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        },
        WebhookKind::Answer => match engine.answer(&webhook).await {
            Ok(Taken::Taken(text)) => Outcome::Document(text),
            Ok(Taken::Refused(_)) => Outcome::Refused,
            Err(_) => Outcome::Failed,
        },
    }
}

/// The server has answered the carrier.
pub fn answered(state: &mut State, delivered: Delivered) {
    let Delivered {
        delivery,
        begun_ms,
        outcome,
    } = delivered;
    let request = &delivery.request;
    if delivery.forged {
        state.goals.reach("a forged callback was refused");
        if !matches!(outcome, Outcome::Refused) {
            state.checks.forged_taken(&request.sid.to_string());
        }
        return;
    }
    match outcome {
        // What the store that answered knew may be gone with it.
        Outcome::Taken if state.checks.was_put_back_since(begun_ms) => {}
        Outcome::Taken => {
            let status = field(request, "CallStatus");
            let number = field(request, "SequenceNumber").and_then(|it| it.parse().ok());
            let (sid, named) = (request.sid.to_string(), named(&request.url));
            state
                .checks
                .callback_kept(&sid, named, status.unwrap_or_default(), number);
        }
        Outcome::Document(text) => {
            let hangs_up = !text.contains("<Say");
            state.goals.reach(if hangs_up {
                "whoever answered an unwanted leg was hung up on"
            } else {
                "somebody heard the message"
            });
            let (now_ms, document) = (
                state.now_ms(),
                Document::Body {
                    content_type: "text/xml".to_owned(),
                    text,
                },
            );
            state.exchange.document(now_ms, request, &document);
        }
        Outcome::Refused => state.checks.true_one_refused(&request.sid.to_string()),
        Outcome::Failed => {
            state
                .goals
                .reach("a callback that could not be stored came again");
            repeat(state, delivery);
        }
    }
}

/// What was under way when the process died comes again.
pub fn repeat(state: &mut State, delivery: Delivery) {
    if delivery.tries < REPEATS && !delivery.forged {
        let gap = state.millis(1_000, 4_000);
        let tries = delivery.tries + 1;
        state.after(gap, Event::Delivers(Box::new(Delivery { tries, ..delivery })));
    }
}

/// The call and the attempt that a URL of ours names.
pub fn named(url: &str) -> Option<(CallId, u32)> {
    let query = url.split('#').next()?.split_once('?')?.1;
    let value = |wanted: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == wanted).then_some(value))
    };
    Some((value("call")?.parse().ok()?, value("attempt")?.parse().ok()?))
}

fn field<'a>(request: &'a Request, wanted: &str) -> Option<&'a str> {
    let mut found = request.form.iter().filter(|(key, _)| *key == wanted);
    found.next().map(|(_, value)| value.as_ref())
}

fn shown(delivery: &Delivery) -> String {
    let request = &delivery.request;
    let word = field(request, "CallStatus").unwrap_or_default();
    let what = match (delivery.forged, request.kind) {
        (true, _) => "somebody forges a callback",
        (false, Kind::Document) => "the carrier asks what to say",
        (false, _) => "the carrier calls back",
    };
    format!("{what}: {} is {word}", request.sid)
}

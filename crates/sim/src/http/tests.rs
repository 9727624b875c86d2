//! Over loopback: a whole call with a small customer, and connections that are cut.

use super::*;
use serde_json::Value;
use std::collections::VecDeque;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};

const TOKEN: &str = "secret";

/// What the customer got: path with query, signature, decoded form.
#[derive(Debug)]
struct Got {
    target: String,
    signature: String,
    form: Vec<(String, String)>,
}

impl Got {
    fn value(&self, name: &str) -> &str {
        self.form
            .iter()
            .find(|(key, _)| key == name)
            .map_or("-", |(_, value)| value)
    }

    fn is_signed_for(&self, address: SocketAddr) -> bool {
        let params: Vec<(&str, &str)> = self
            .form
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        crate::sign(TOKEN, &format!("http://{address}{}", self.target), &params) == self.signature
    }
}

/// A customer who answers `/voice` with a document, and everything else with the next of `statuses`, then
/// 200.
async fn customer(statuses: &[u16]) -> (SocketAddr, mpsc::UnboundedReceiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (sender, receiver) = mpsc::unbounded_channel();
    let statuses = Arc::new(Mutex::new(statuses.iter().copied().collect::<VecDeque<u16>>()));
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
        let (sender, statuses) = (sender.clone(), statuses.clone());
        async move {
            let signature = headers["x-twilio-signature"].to_str().expect("text").to_owned();
            let form = form_urlencoded::parse(&body).into_owned().collect();
            let target = uri.to_string();
            let is_voice = uri.path() == "/voice";
            // The test may be over.
            let _ = sender.send(Got {
                target,
                signature,
                form,
            });
            if is_voice {
                return (
                    [("content-type", "text/xml")],
                    "<Response><Say>Hello</Say></Response>",
                )
                    .into_response();
            }
            let status = statuses
                .lock()
                .expect("no holder panics")
                .pop_front()
                .unwrap_or(200);
            StatusCode::from_u16(status).expect("valid").into_response()
        }
    });
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (address, receiver)
}

#[tokio::test]
async fn it_ends_when_told_even_with_an_open_connection() {
    let (carrier, running) = carrier().await;
    let mut idle = TcpStream::connect(carrier).await.expect("listening");
    assert_eq!(ask(carrier, "GET", "/_sim/health", "").await.0, 200);
    drop(running);
    let ended = tokio::time::timeout(Duration::from_secs(10), idle.read(&mut [0; 1])).await;
    assert_eq!(ended.expect("in time").expect("closed in order"), 0);
}

/// A running carrier, sixty times as fast as life; it ends with the sender.
async fn carrier() -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (sender, receiver) = oneshot::channel::<()>();
    let options = Options {
        account_sid: "AC1".into(),
        auth_token: TOKEN.into(),
        speed: 60.0,
        ..Options::default()
    };
    tokio::spawn(serve(listener, options, async move {
        let _ = receiver.await;
    }));
    (address, sender)
}

/// One request on its own connection: status (0 when cut) and body.
async fn ask(address: SocketAddr, method: &str, target: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(address).await.expect("listening");
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nauthorization: Basic QUMxOnNlY3JldA==\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("an answer or an end");
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return (0, Value::Null);
    };
    let json = &body[body.find(['{', '[']).unwrap_or(0)..=body.rfind(['}', ']']).unwrap_or(0)];
    (
        head[9..12].parse().expect("a status"),
        serde_json::from_str(json).unwrap_or_default(),
    )
}

async fn create(address: SocketAddr, customer: SocketAddr, to: &str, fragment: &str) -> (u16, Value) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("To", to).append_pair("From", "+15557770001");
    form.append_pair("Url", &format!("http://{customer}/voice?call=1{fragment}"));
    form.append_pair(
        "StatusCallback",
        &format!("http://{customer}/status?call=1{fragment}"),
    );
    for event in ["initiated", "ringing", "answered", "completed"] {
        form.append_pair("StatusCallbackEvent", event);
    }
    ask(
        address,
        "POST",
        "/2010-04-01/Accounts/AC1/Calls.json",
        &form.finish(),
    )
    .await
}

async fn next(receiver: &mut mpsc::UnboundedReceiver<Got>) -> Got {
    let waited = tokio::time::timeout(Duration::from_secs(10), receiver.recv()).await;
    waited.expect("in time").expect("the customer is there")
}

#[tokio::test]
async fn a_call_is_told_signed_and_in_the_ledger() {
    let (carrier, _running) = carrier().await;
    let (customer, mut got) = customer(&[]).await;
    let (status, created) = create(carrier, customer, "+15551230100", "#rc=3&rp=5xx,ct,rt").await;
    assert_eq!(status, 201);
    let mut told = Vec::new();
    while told.last().is_none_or(|word| word != "completed") {
        let request = next(&mut got).await;
        assert!(request.is_signed_for(customer), "{request:?}");
        assert_eq!(request.value("CallSid"), created["sid"].as_str().expect("a name"));
        let word = if request.target.starts_with("/voice") {
            "document"
        } else {
            request.value("CallStatus")
        };
        told.push(word.to_owned());
    }
    told.sort();
    assert_eq!(
        told,
        ["completed", "document", "in-progress", "initiated", "ringing"]
    );
    let (_, ledger) = ask(carrier, "GET", "/_sim/calls", "").await;
    assert_eq!(ledger[0]["sid"], created["sid"]);
    assert_eq!(ledger[0]["status"], "completed");
    assert_eq!(ledger[0]["to"], "+15551230100");
}

#[tokio::test]
async fn a_lost_answer_is_a_cut_connection_and_a_call() {
    let (carrier, _running) = carrier().await;
    let (customer, mut got) = customer(&[]).await;
    assert_eq!(create(carrier, customer, "+15551230110", "").await.0, 0);
    let (_, ledger) = ask(carrier, "GET", "/_sim/calls", "").await;
    assert_eq!(
        next(&mut got).await.value("CallSid"),
        ledger[0]["sid"].as_str().expect("a name")
    );
    assert_eq!(
        ask(carrier, "POST", "/_sim/faults", "{\"down\":true}").await.1["down"],
        true
    );
    assert_eq!(create(carrier, customer, "+15551230100", "").await.0, 0);
    let (_, ledger) = ask(carrier, "GET", "/_sim/calls", "").await;
    assert_eq!(ledger.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_callback_comes_before_the_answer_when_scripted() {
    let (carrier, _running) = carrier().await;
    let (customer, mut got) = customer(&[]).await;
    let (_, created) = create(carrier, customer, "+15551230117", "").await;
    let first = got.try_recv().expect("it was there before the answer");
    assert_eq!(first.value("CallStatus"), "initiated");
    assert_eq!(first.value("CallSid"), created["sid"].as_str().expect("a name"));
}

#[tokio::test]
async fn a_refused_callback_is_repeated_only_when_the_fragment_says_so() {
    let (carrier, _running) = carrier().await;
    let (insistent, mut got) = customer(&[503, 503]).await;
    create(carrier, insistent, "+15551230103", "#rc=3&rp=5xx").await;
    let mut told = sequence_numbers(&mut got, 4).await;
    assert_eq!(
        (told.remove(0), told.pop()),
        ("0".to_owned(), Some("1".to_owned())),
        "two events, two repeats"
    );
    let (plain, mut got) = customer(&[503]).await;
    create(carrier, plain, "+15551230103", "").await;
    assert_eq!(sequence_numbers(&mut got, 2).await, ["0", "1"]);
}

/// The sequence numbers of the next `count` callbacks, sorted.
async fn sequence_numbers(receiver: &mut mpsc::UnboundedReceiver<Got>, count: usize) -> Vec<String> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        numbers.push(next(receiver).await.value("SequenceNumber").to_owned());
    }
    numbers.sort();
    numbers
}

//! A carrier that answers at once: it makes a leg of every request, notes when it came, and, when it is told to,
//! reports the whole life of each leg without ever letting it ring. On one thread and by hand, because it runs on
//! the cores of what is measured; it promises nothing else of a carrier.

mod callers;

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::LocalSet;

use crate::args;
use crate::failure::Failure;
use crate::{clock, forms, head};
use callers::Life;

/// Where the run reads what happened.
pub const LEDGER: &str = "/_bench/ledger";
/// The same without the arrivals, to be asked for often.
pub const COUNTS: &str = "/_bench/counts";

/// What the carrier has seen.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Requests for a leg.
    pub created: u64,
    /// Legs of which everything was reported and accepted.
    pub ended: u64,
    /// Reports and questions that were not answered 200.
    pub refused: u64,
    /// When the last leg ended, in microseconds since 1970.
    pub last_ended_us: i64,
    /// Who was dialled, and when the request came, in microseconds since 1970.
    pub arrivals: Vec<(String, i64)>,
}

struct Exchange {
    account: String,
    token: String,
    ledger: RefCell<Ledger>,
    /// The current second and how it is written.
    date: RefCell<(i64, String)>,
    lives: Option<UnboundedSender<Life>>,
}

/// Serves until told to stop.
///
/// # Errors
/// No port.
pub fn run(part: &args::Carrier) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        let (lives, queue) = tokio::sync::mpsc::unbounded_channel();
        let exchange = Rc::new(Exchange {
            account: part.account.clone(),
            token: part.token.clone(),
            ledger: RefCell::default(),
            date: RefCell::default(),
            lives: (part.callers > 0).then_some(lives),
        });
        callers::start(&exchange, part.callers, queue);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        eprintln!("listening on http://{}", listener.local_addr()?);
        let mut terminate = signal(SignalKind::terminate())?;
        loop {
            tokio::select! {
                taken = listener.accept() => {
                    let (stream, _) = taken?;
                    let exchange = Rc::clone(&exchange);
                    tokio::task::spawn_local(async move { exchange.serve(stream).await });
                }
                _ = terminate.recv() => return Ok(()),
            }
        }
    })
}

impl Exchange {
    /// One request, one answer, and the connection is over.
    async fn serve(&self, mut stream: TcpStream) {
        let mut buffer = Vec::with_capacity(2_048);
        let message = loop {
            match stream.read_buf(&mut buffer).await {
                Ok(1..) => {}
                // Whoever went away has asked for nothing.
                _ => return,
            }
            if let Some(message) = head::message(&buffer) {
                break message;
            }
        };
        let Some((method, target)) = head::request_line(&buffer) else {
            return;
        };
        let answer = self.answer(method, target, &buffer[message.body_at..message.length]);
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    fn answer(&self, method: &str, target: &str, body: &[u8]) -> String {
        let path = target.split('?').next().unwrap_or_default();
        let (status, body) = match (method, path) {
            ("GET", LEDGER) => (
                "200 OK",
                serde_json::to_string(&*self.ledger.borrow()).unwrap_or_default(),
            ),
            ("GET", COUNTS) => {
                let ledger = self.ledger.borrow();
                let counts = Ledger {
                    arrivals: Vec::new(),
                    ..*ledger
                };
                ("200 OK", serde_json::to_string(&counts).unwrap_or_default())
            }
            ("POST", path) if path.ends_with("/Calls.json") => ("201 Created", self.create(body)),
            ("GET", path) if path.ends_with("/Calls.json") => {
                ("200 OK", r#"{"calls":[],"next_page_uri":null}"#.to_owned())
            }
            _ => (
                "404 Not Found",
                r#"{"code":20404,"message":"not here","status":404}"#.to_owned(),
            ),
        };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nDate: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len(),
            self.date(),
        )
    }

    fn create(&self, body: &[u8]) -> String {
        let arrived = clock::micros();
        let (mut to, mut from, mut status_callback, mut url) = Default::default();
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "To" => to = value.into_owned(),
                "From" => from = value.into_owned(),
                "StatusCallback" => status_callback = value.into_owned(),
                "Url" => url = value.into_owned(),
                _ => {}
            }
        }
        let mut ledger = self.ledger.borrow_mut();
        ledger.created += 1;
        ledger.arrivals.push((to.clone(), arrived));
        let sid = format!(
            "CA{:032x}",
            u128::from(ledger.created).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
        );
        let answer = resource(&self.account, &sid, &to, &from, &self.date());
        if let Some(lives) = &self.lives {
            // The receivers live as long as the exchange.
            let _ = lives.send(Life {
                sid,
                to,
                from,
                status_callback,
                url,
            });
        }
        answer
    }

    /// The date of this second.
    fn date(&self) -> String {
        let second = clock::micros() / 1_000_000;
        let mut date = self.date.borrow_mut();
        if date.0 != second {
            *date = (
                second,
                forms::date(domain::Timestamp::from_millis(second * 1_000)),
            );
        }
        date.1.clone()
    }
}

/// A leg as the carrier describes it right after it was asked for.
fn resource(account: &str, sid: &str, to: &str, from: &str, date: &str) -> String {
    format!(
        "{{\"date_updated\":\"{date}\",\"price_unit\":\"USD\",\"parent_call_sid\":null,\"caller_name\":null,\
         \"duration\":null,\"from\":\"{from}\",\"to\":\"{to}\",\"annotation\":null,\"answered_by\":null,\
         \"sid\":\"{sid}\",\"queue_time\":\"0\",\"price\":null,\"api_version\":\"2010-04-01\",\"status\":\"queued\",\
         \"direction\":\"outbound-api\",\"start_time\":null,\"date_created\":\"{date}\",\
         \"from_formatted\":\"{from}\",\"group_sid\":null,\"trunk_sid\":\"\",\"forwarded_from\":null,\
         \"uri\":\"/2010-04-01/Accounts/{account}/Calls/{sid}.json\",\"account_sid\":\"{account}\",\
         \"end_time\":null,\"to_formatted\":\"{to}\",\"phone_number_sid\":null,\"subresource_uris\":{{}}}}"
    )
}

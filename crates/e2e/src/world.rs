//! One test's world: a folder, a simulated carrier, a server with its database, and a client of both.
//!
//! Times are short (retries after a fifth of a second, a carrier sixty times as fast) and nothing is shared, so that
//! tests run side by side. Built by each test for itself.

mod builder;

use std::process;
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

pub use builder::{Builder, free_port};

use crate::client::{Answer, Client};
use crate::database::Database;
use crate::ledger::Ring;
use crate::process::Process;
use crate::signature;
use crate::store::{Place, Store};
use crate::wait::wait_for;

/// The number that calls come from: any valid one but the simulator's few special ones.
pub const FROM: &str = "+15550009999";

/// The account of every world's carrier.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000e2e";

/// Its token.
pub const AUTH_TOKEN: &str = "an-invented-token";

/// A call as a test refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Call {
    /// Whose call it is.
    pub user_id: String,
    /// The server's name for it.
    pub call_id: String,
}

/// A running server and its carrier.
pub struct World {
    /// The server; nothing while it is down.
    serve: Option<Process>,
    /// The carrier, which outlives every restart of the server.
    sim: Process,
    environment: Vec<(String, String)>,
    folder: TempDir,
    base: String,
    client: Client,
    key: Option<String>,
    calls: Mutex<Vec<Call>>,
    /// Goes last: nobody is connected to it any more.
    place: Option<Place>,
}

impl World {
    /// A world with nothing special about it.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// A world whose calls are in a file, for what is true of a file alone.
    #[must_use]
    pub fn on_a_file() -> Self {
        Self::builder().on(Store::Sqlite).start()
    }

    /// A world with something special about it.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            environment: Vec::new(),
            sim_args: Vec::new(),
            key: None,
            store: None,
        }
    }

    /// The server's own address, as the carrier knows it.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The carrier's address.
    pub fn carrier(&self) -> &str {
        &self.sim.address
    }

    /// Switches faults of the carrier, as its `/_sim/faults` takes them.
    #[track_caller]
    pub fn faults(&self, switches: &Value) {
        let carrier = Client::new(&self.sim.address);
        let answer = carrier.send("POST", "/_sim/faults", &[], switches.to_string().as_bytes());
        let answer = answer.expect("the carrier is up");
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The last lines of the server's log.
    pub fn log(&self) -> String {
        self.serve.as_ref().expect("the server is up").log()
    }

    /// The environment that the server runs with, for a second process on the same database.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The database on a server that holds the calls.
    ///
    /// # Panics
    /// When they are in a file, or in a database that the test gave by its address.
    pub fn database(&self) -> &Database {
        let database = self.place.as_ref().and_then(|it| it.database.as_ref());
        database.expect("the world was made on a server")
    }

    /// The folder that holds the database, where it is a file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Sends a request to the server exactly as given.
    ///
    /// # Panics
    /// When no answer comes.
    #[track_caller]
    pub fn send_as_is(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let sent = self.client.send(method, path, headers, body);
        sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Sends a request to the server, with the bearer key if the world has one.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = self.key.as_ref().map(|it| format!("Bearer {it}"));
        let mut headers = headers.to_vec();
        headers.extend(bearer.as_ref().map(|it| ("Authorization", it.as_str())));
        self.send_as_is(method, path, &headers, body)
    }

    /// Reads a JSON page.
    #[track_caller]
    pub fn get(&self, path: &str) -> (u16, Value) {
        let answer = self.send("GET", path, &[], b"");
        (answer.status, answer.json())
    }

    /// Posts without a body, as `cancel`, `pause` and `resume` want it.
    #[track_caller]
    pub fn post(&self, path: &str) -> (u16, Value) {
        let answer = self.send("POST", path, &[], b"");
        (answer.status, answer.json())
    }

    /// Asks for a call and gives back status and body; a call that was accepted is remembered for `assert_truth`.
    #[track_caller]
    pub fn create(&self, body: &Value) -> (u16, Value) {
        self.create_with(&[], body)
    }

    /// As `create`, with further headers.
    #[track_caller]
    pub fn create_with(&self, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
        let mut headers = headers.to_vec();
        headers.push(("Content-Type", "application/json"));
        let answer = self.send("POST", "/calls/outbound", &headers, body.to_string().as_bytes());
        let json = answer.json();
        if let Some(call_id) = json["call_id"].as_str() {
            let user_id = body["user_id"].as_str().unwrap_or_default().to_owned();
            self.remember(Call {
                user_id,
                call_id: call_id.to_owned(),
            });
        }
        (answer.status, json)
    }

    /// Asks for a call to `to` with `more` fields, which must be accepted.
    #[track_caller]
    pub fn ask(&self, to: &str, more: Value) -> Call {
        let mut body = json!({"to": to, "from": FROM, "user_id": "u1"});
        let fields = body.as_object_mut().expect("an object");
        fields.extend(more.as_object().cloned().unwrap_or_default());
        let (status, answer) = self.create(&body);
        assert!(
            matches!(status, 200 | 202),
            "{body} was answered {status} {answer}"
        );
        let call_id = answer["call_id"]
            .as_str()
            .expect("an accepted call has an id")
            .to_owned();
        Call {
            user_id: body["user_id"].as_str().unwrap_or_default().to_owned(),
            call_id,
        }
    }

    /// The record of a call.
    #[track_caller]
    pub fn record(&self, call: &Call) -> Value {
        let (status, record) = self.get(&format!("/users/{}/calls/{}", call.user_id, call.call_id));
        assert_eq!(status, 200, "{record}");
        record
    }

    /// Asks for a call's end.
    #[track_caller]
    pub fn cancel(&self, call: &Call) -> (u16, Value) {
        self.post(&format!("/users/{}/calls/{}/cancel", call.user_id, call.call_id))
    }

    /// Waits until the record satisfies `reached`, and gives it back.
    #[track_caller]
    pub fn wait_until(&self, call: &Call, what: &str, reached: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || {
            let record = self.record(call);
            if reached(&record) {
                Ok(record)
            } else {
                Err(record.to_string())
            }
        })
    }

    /// Waits until nothing more can happen to the call, and gives back its record.
    #[track_caller]
    pub fn ended(&self, call: &Call) -> Value {
        self.wait_until(call, "the end of the call", is_over)
    }

    /// Every call that was asked for in this world.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("no test panics in here").clone()
    }

    /// The carrier's ledger.
    #[track_caller]
    pub fn ledger(&self) -> Vec<Ring> {
        let answer = Client::new(&self.sim.address)
            .send("GET", "/_sim/calls", &[], b"")
            .expect("the carrier is up");
        let rows = answer.json();
        rows.as_array()
            .expect("the ledger is an array")
            .iter()
            .map(Ring::read)
            .collect()
    }

    /// Posts a status callback as the carrier would, signed over the URL that it would use.
    #[track_caller]
    pub fn callback(&self, query: &str, params: &[(&str, &str)]) -> Answer {
        self.carrier_posts("/twilio/status", query, params)
    }

    /// Asks what to say, as the carrier would.
    #[track_caller]
    pub fn voice(&self, query: &str, params: &[(&str, &str)]) -> Answer {
        self.carrier_posts("/twilio/voice", query, params)
    }

    fn carrier_posts(&self, path: &str, query: &str, params: &[(&str, &str)]) -> Answer {
        let target = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        let signature = signature::sign(AUTH_TOKEN, &format!("{}{target}", self.base), params);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(params)
            .finish();
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        self.send_as_is(
            "POST",
            &target,
            &[form, (signature::HEADER, &signature)],
            body.as_bytes(),
        )
    }

    /// Posts a JSON callback, signed as the carrier signs JSON.
    #[track_caller]
    pub fn json_callback(&self, query: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let url =
            signature::signed_json_url(&format!("{}/twilio/status?{query}", self.base), body.as_bytes());
        let signature = signature::sign(AUTH_TOKEN, &url, &[]);
        let headers = [
            ("Content-Type", "application/json"),
            (signature::HEADER, signature.as_str()),
        ];
        self.send_as_is("POST", &url[self.base.len()..], &headers, body.as_bytes())
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.serve.as_ref().expect("the server is up").pid()
    }

    /// Kills the server as `kill -9` does.
    pub fn kill_dash_nine(&mut self) {
        self.serve.take().expect("the server is up").kill_dash_nine();
    }

    /// Asks the server to stop and waits for its end.
    pub fn stop(&mut self) -> process::ExitStatus {
        self.serve.take().expect("the server is up").stop()
    }

    /// Starts the server again on the same database and port. A world that is up is killed first.
    pub fn restart(&mut self) {
        self.restart_with(&[]);
    }

    /// As `restart`, with settings that hold for this start alone.
    pub fn restart_with(&mut self, settings: &[(&str, &str)]) {
        if self.serve.is_some() {
            self.kill_dash_nine();
        }
        let mut environment = self.environment.clone();
        environment.extend(
            settings
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned())),
        );
        self.serve = Some(Process::start(&["serve"], &environment, self.folder.path()));
    }

    /// Waits until the server has ended by itself.
    pub fn wait_for_death(&mut self) -> process::ExitStatus {
        self.serve.take().expect("the server is up").wait()
    }

    /// Takes a call that was asked for by other means into the final check.
    pub fn remember(&self, call: Call) {
        let mut calls = self.calls.lock().expect("no test panics in here");
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
}

/// Whether nothing more can happen to a call by itself.
pub fn is_over(record: &Value) -> bool {
    let finals = [
        "completed",
        "busy",
        "no-answer",
        "failed",
        "canceled",
        "unconfirmed",
    ];
    record["status"].as_str().is_some_and(|it| finals.contains(&it)) && record["should_retry"] == false
}

//! Every script in virtual time, and what must hold for all calls.

use super::*;
use crate::notice::Kind;

const START_MS: u64 = 1_795_000_000_000;
const ALL: [&str; 4] = ["initiated", "ringing", "answered", "completed"];

/// An exchange, a virtual clock, and a customer who answers every request for a document alike.
struct World {
    exchange: Exchange,
    now_ms: u64,
    document: Document,
    /// What was delivered: when, what, in this order.
    delivered: Vec<(u64, Request)>,
}

impl World {
    fn new(options: Options) -> Self {
        let document = said("<Response><Say>Hello</Say></Response>");
        Self {
            exchange: Exchange::new(options),
            now_ms: START_MS,
            document,
            delivered: Vec::new(),
        }
    }

    fn create(&mut self, form: Form) -> Outcome {
        let outcome = self.exchange.create(self.now_ms, &form);
        self.delivered
            .extend(outcome.first.iter().map(|request| (self.now_ms, request.clone())));
        outcome
    }

    /// Lets virtual time pass until nothing is planned, or until `until_ms`.
    fn run_until(&mut self, until_ms: u64) {
        while let Some(due_ms) = self.exchange.next_due().filter(|due_ms| *due_ms <= until_ms) {
            self.now_ms = self.now_ms.max(due_ms);
            for action in self.exchange.advance(self.now_ms) {
                match action {
                    Action::Callbacks(requests) => {
                        self.delivered
                            .extend(requests.into_iter().map(|request| (self.now_ms, request)));
                    }
                    Action::Document(request) => {
                        self.exchange.document(self.now_ms, &request, &self.document);
                        self.delivered.push((self.now_ms, request));
                    }
                }
            }
        }
    }

    fn run(&mut self) {
        self.run_until(u64::MAX);
    }

    /// What the customer was told since the start: `ringing/1` is the word and its sequence number.
    fn told(&self) -> Vec<String> {
        let told = |request: &Request| {
            format!(
                "{}/{}",
                value(request, "CallStatus"),
                value(request, "SequenceNumber")
            )
        };
        self.callbacks().map(told).collect()
    }

    fn callbacks(&self) -> impl Iterator<Item = &Request> {
        self.delivered
            .iter()
            .map(|(_, request)| request)
            .filter(|request| request.kind == Kind::Callback)
    }

    fn documents(&self) -> Vec<&Request> {
        self.delivered
            .iter()
            .map(|(_, request)| request)
            .filter(|request| request.kind == Kind::Document)
            .collect()
    }

    fn ledger(&self) -> Vec<&'static str> {
        self.exchange
            .calls()
            .iter()
            .map(|call| call.status.word())
            .collect()
    }
}

fn said(text: &str) -> Document {
    Document::Body {
        content_type: "text/xml; charset=utf-8".into(),
        text: text.into(),
    }
}

fn value<'a>(request: &'a Request, name: &str) -> &'a str {
    request
        .form
        .iter()
        .find(|(key, _)| *key == name)
        .map_or("-", |(_, value)| value.as_ref())
}

/// A create as a careful customer sends it, with more parameters.
fn form_with(to: &str, more: &[(&str, &str)]) -> Form {
    let mut pairs = vec![
        ("To", to),
        ("From", "+15557770001"),
        ("Url", "http://customer.test/voice?call=1"),
    ];
    pairs.push((
        "StatusCallback",
        "http://customer.test/status?call=1#rc=3&rp=5xx,ct,rt",
    ));
    pairs.extend(ALL.map(|event| ("StatusCallbackEvent", event)));
    pairs.extend(more);
    pairs.into_iter().collect()
}

fn form(to: &str) -> Form {
    form_with(to, &[])
}

fn status_of(outcome: &Outcome) -> u16 {
    match &outcome.answer {
        Answer::Reply { status, .. } => *status,
        Answer::Cut => 0,
    }
}

fn body_of(answer: &Answer) -> serde_json::Value {
    match answer {
        Answer::Reply { body, .. } => serde_json::from_str(body).expect("bodies are JSON"),
        Answer::Cut => panic!("the connection was cut"),
    }
}

/// Creates to a number with this script one after the other, each run to its end: the answers' statuses (0
/// is a cut), what became of the calls, and what the customer was told.
fn check(script: &str, creates: usize, statuses: &[u16], ledger: &[&str], told: &[&str]) {
    let mut world = World::new(Options::default());
    let to = format!("+1555123{script}");
    let mut answered = Vec::new();
    for _ in 0..creates {
        answered.push(status_of(&world.create(form(&to))));
        assert_eq!(
            world.exchange.totals().placed as usize,
            world.exchange.calls().len(),
            "a call is in the ledger at once"
        );
        world.run();
    }
    assert_eq!(answered, statuses, "answers of script {script}");
    assert_eq!(world.ledger(), ledger, "ledger of script {script}");
    assert_eq!(world.told(), told, "callbacks of script {script}");
}

const REACHED: [&str; 4] = ["initiated/0", "ringing/1", "in-progress/2", "completed/3"];

#[test]
fn the_scripts_without_faults_end_as_their_table_says() {
    check("0100", 1, &[201], &["completed"], &REACHED);
    check(
        "0101",
        1,
        &[201],
        &["busy"],
        &["initiated/0", "ringing/1", "busy/2"],
    );
    check(
        "0102",
        1,
        &[201],
        &["no-answer"],
        &["initiated/0", "ringing/1", "no-answer/2"],
    );
    check("0103", 1, &[201], &["failed"], &["initiated/0", "failed/1"]);
    check("0106", 1, &[201], &["completed"], &REACHED);
    check(
        "0107",
        1,
        &[201],
        &["canceled"],
        &["initiated/0", "ringing/1", "canceled/2"],
    );
    check("0108", 1, &[201], &["completed"], &REACHED);
    check("0109", 1, &[201], &["completed"], &REACHED);
}

#[test]
fn scripts_with_steps_count_accepted_creates_and_begin_again() {
    let busy = ["initiated/0", "ringing/1", "busy/2"];
    let silent = ["initiated/0", "ringing/1", "no-answer/2"];
    let ends = ["busy", "busy", "completed", "busy"];
    check(
        "0104",
        4,
        &[201; 4],
        &ends,
        &[&busy[..], &busy, &REACHED, &busy].concat(),
    );
    let ends = ["no-answer", "completed", "no-answer"];
    check(
        "0105",
        3,
        &[201; 3],
        &ends,
        &[&silent[..], &REACHED, &silent].concat(),
    );
}

#[test]
fn the_answer_may_be_lost_but_the_call_is_in_the_ledger() {
    check("0110", 1, &[0], &["completed"], &REACHED);
    check("0111", 1, &[503], &["completed"], &REACHED);
}

#[test]
fn a_refused_create_places_no_call() {
    check("0112", 4, &[503; 4], &[], &[]);
    let twice = [&REACHED[..], &REACHED].concat();
    check(
        "0113",
        6,
        &[429, 429, 201, 429, 429, 201],
        &["completed", "completed"],
        &twice,
    );
}

#[test]
fn callbacks_are_missing_doubled_reversed_or_early() {
    check("0114", 1, &[201], &["no-answer"], &[]);
    let doubled: Vec<&str> = REACHED.iter().flat_map(|word| [*word, *word]).collect();
    check("0115", 1, &[201], &["completed"], &doubled);
    let reversed: Vec<&str> = REACHED.into_iter().rev().collect();
    check("0116", 1, &[201], &["completed"], &reversed);
    check("0117", 1, &[201], &["completed"], &REACHED);
    check("0119", 1, &[201], &["completed"], &REACHED[..3]);
}

#[test]
fn an_early_callback_is_handed_out_with_the_answer() {
    let mut world = World::new(Options::default());
    let outcome = world.create(form("+15551230117"));
    assert_eq!(outcome.first.len(), 1);
    assert_eq!(value(&outcome.first[0], "CallStatus"), "initiated");
    assert_eq!(body_of(&outcome.answer)["status"], "queued");
    assert_eq!(
        body_of(&outcome.answer)["sid"],
        value(&outcome.first[0], "CallSid")
    );
}

#[test]
fn a_late_callback_of_the_first_attempt_arrives_while_the_second_rings() {
    let mut world = World::new(Options::default());
    for _ in 0..2 {
        world.create(form("+15551230118"));
        world.run();
    }
    assert_eq!(world.ledger(), ["busy", "completed"]);
    let expected = [
        "initiated/0",
        "ringing/1",
        "busy/2",
        "initiated/0",
        "ringing/1",
        "ringing/1",
    ];
    assert_eq!(world.told()[..6], expected);
    let callbacks: Vec<&Request> = world.callbacks().collect();
    assert_eq!(callbacks[5], callbacks[1], "it is a faithful repeat");
    assert_eq!(world.told()[6..], ["in-progress/2", "completed/3"]);
}

#[test]
fn the_last_callback_carries_duration_and_sip_code() {
    for (script, duration, code) in [
        ("0109", "1", "200"),
        ("0101", "0", "486"),
        ("0102", "0", "487"),
        ("0103", "0", "503"),
    ] {
        let mut world = World::new(Options::default());
        world.create(form(&format!("+1555123{script}")));
        world.run();
        let last = world.callbacks().last().expect("there are callbacks");
        assert_eq!(value(last, "CallDuration"), duration, "{script}");
        assert_eq!(value(last, "SipResponseCode"), code, "{script}");
        assert_eq!(value(last, "CallbackSource"), "call-progress-events");
    }
}

#[test]
fn speed_divides_durations_but_not_what_is_reported() {
    let lasted = |speed: f64| {
        let mut world = World::new(Options {
            speed,
            ..Options::default()
        });
        world.create(form("+15551230100"));
        world.run_until(START_MS + 60_000);
        let call = &world.exchange.calls()[0];
        (
            call.ended_ms.expect("it ended") - START_MS,
            call.duration_s.expect("it was answered"),
        )
    };
    let (plain_ms, plain_s) = lasted(1.0);
    let (fast_ms, fast_s) = lasted(60.0);
    assert!(
        fast_ms.abs_diff(plain_ms / 60) < 5,
        "{fast_ms} against {plain_ms}"
    );
    assert_eq!(fast_s, plain_s);
}

#[test]
fn a_phone_rings_no_longer_than_asked_and_nobody_talks_longer() {
    let mut world = World::new(Options::default());
    world.create(form_with("+15551230108", &[("Timeout", "5")]));
    world.create(form_with("+15551230100", &[("TimeLimit", "2")]));
    world.run();
    assert_eq!(world.ledger(), ["no-answer", "completed"]);
    assert_eq!(world.exchange.calls()[1].duration_s, Some(2));
}

#[test]
fn without_events_only_the_last_is_told_and_with_none_but_unknown_ones_nothing() {
    let plain = [
        ("To", "+15551230102"),
        ("From", "+15557770001"),
        ("Twiml", "<Response/>"),
        ("StatusCallback", "http://c.test/s"),
    ];
    let mut world = World::new(Options::default());
    world.create(plain.into_iter().collect());
    world.run();
    assert_eq!(world.told(), ["no-answer/0"]);
    let mut world = World::new(Options::default());
    world.create(
        plain
            .into_iter()
            .chain([("StatusCallbackEvent", "completed busy")])
            .collect(),
    );
    world.run();
    assert!(world.told().is_empty());
    assert_eq!(world.ledger(), ["no-answer"]);
}

#[test]
fn a_machine_is_told_from_a_person_before_the_document_is_asked_for() {
    for (script, mode, word) in [
        ("0106", "Enable", "machine_start"),
        ("0106", "DetectMessageEnd", "machine_end_beep"),
        ("0100", "Enable", "human"),
    ] {
        let mut world = World::new(Options::default());
        world.create(form_with(
            &format!("+1555123{script}"),
            &[("MachineDetection", mode)],
        ));
        world.run();
        assert_eq!(value(world.documents()[0], "AnsweredBy"), word);
        let last = world.callbacks().last().expect("there are callbacks");
        assert_eq!(value(last, "AnsweredBy"), word);
    }
}

#[test]
fn an_asynchronous_verdict_has_its_own_callback() {
    let mut world = World::new(Options::default());
    let more = [
        ("MachineDetection", "Enable"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", "http://c.test/amd"),
    ];
    world.create(form_with("+15551230106", &more));
    world.run();
    assert_eq!(value(world.documents()[0], "AnsweredBy"), "-");
    let verdicts: Vec<&(u64, Request)> = world
        .delivered
        .iter()
        .filter(|(_, request)| request.kind == Kind::Detection)
        .collect();
    assert_eq!(verdicts.len(), 1);
    assert_eq!(value(&verdicts[0].1, "AnsweredBy"), "machine_start");
}

#[test]
fn what_the_document_says_decides_when_the_call_ends() {
    let ended_after = |document: Document| {
        let mut world = World::new(Options::default());
        world.document = document;
        world.create(form("+15551230100"));
        world.run();
        assert_eq!(world.ledger(), ["completed"]);
        (
            world.exchange.calls()[0].duration_s.expect("it was answered"),
            world.documents().len(),
        )
    };
    assert_eq!(ended_after(said("<Response><Hangup/></Response>")), (0, 1));
    assert_eq!(ended_after(said("<Response/>")), (0, 1));
    assert_eq!(ended_after(Document::Failed), (3, 1));
    assert_eq!(ended_after(said("no document at all")), (3, 1));
    assert_eq!(
        ended_after(said("<Response><Redirect>/next</Redirect></Response>")),
        (3, 11)
    );
    assert!(ended_after(said("<Response><Say>Hello</Say><Hangup/></Response>")).0 >= 5);
}

#[test]
fn a_document_that_never_comes_is_given_up() {
    let mut exchange = Exchange::new(Options::default());
    exchange.create(START_MS, &form("+15551230100"));
    while let Some(due_ms) = exchange.next_due() {
        exchange.advance(due_ms);
    }
    assert_eq!(exchange.calls()[0].status, Status::Completed);
    assert_eq!(exchange.calls()[0].duration_s, Some(19));
}

#[test]
fn a_call_is_ended_on_request_and_only_once() {
    let mut world = World::new(Options::default());
    let sid = body_of(&world.create(form("+15551230102")).answer)["sid"]
        .as_str()
        .expect("a name")
        .to_owned();
    world.run_until(START_MS + 5_000);
    let cancel: Form = [("Status", "canceled")].into_iter().collect();
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &cancel))["status"],
        "canceled"
    );
    world.run();
    assert_eq!(world.told(), ["initiated/0", "ringing/1", "canceled/2"]);
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &cancel))["code"],
        21_220
    );
}

#[test]
fn only_completed_ends_an_answered_call() {
    let mut world = World::new(Options::default());
    let sid = body_of(&world.create(form("+15551230100")).answer)["sid"]
        .as_str()
        .expect("a name")
        .to_owned();
    world.run_until(START_MS + 8_000);
    let form = |status: &str| [("Status", status)].into_iter().collect::<Form>();
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &form("canceled")))["status"],
        "in-progress"
    );
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &form("completed")))["status"],
        "completed"
    );
    world.run();
    assert_eq!(world.told(), REACHED);
}

#[test]
fn an_answered_call_takes_another_document() {
    let mut world = World::new(Options::default());
    let sid = body_of(&world.create(form("+15551230100")).answer)["sid"]
        .as_str()
        .expect("a name")
        .to_owned();
    let change: Form = [("Twiml", "<Response><Hangup/></Response>")]
        .into_iter()
        .collect();
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &change))["code"],
        21_220
    );
    world.run_until(START_MS + 8_000);
    assert_eq!(
        body_of(&world.exchange.update(world.now_ms, &sid, &change))["status"],
        "completed"
    );
}

#[test]
fn creates_above_the_pace_are_queued_in_order() {
    let mut world = World::new(Options {
        cps: Some(2.0),
        speed: 1_000.0,
        ..Options::default()
    });
    let waits: Vec<String> = (0..5)
        .map(|_| {
            body_of(&world.create(form("+15551230101")).answer)["queue_time"]
                .as_str()
                .expect("text")
                .to_owned()
        })
        .collect();
    assert_eq!(waits, ["0", "0", "1000", "1000", "2000"]);
    world.run_until(START_MS + 500);
    assert_eq!(world.ledger(), ["busy", "busy", "queued", "queued", "queued"]);
    world.run();
    assert_eq!(world.ledger(), ["busy"; 5]);
}

#[test]
fn a_create_that_would_wait_longer_than_a_day_is_refused() {
    let mut world = World::new(Options {
        cps: Some(0.000_01),
        ..Options::default()
    });
    assert_eq!(status_of(&world.create(form("+15551230100"))), 201);
    assert_eq!(
        body_of(&world.create(form("+15551230100")).answer)["code"],
        22_005
    );
    assert_eq!(world.exchange.calls().len(), 1);
}

#[test]
fn the_same_seed_and_the_same_requests_tell_the_same_story() {
    let story = |seed: u64, step_ms: u64| {
        let mut world = World::new(Options {
            seed,
            ..Options::default()
        });
        for number in 0..40 {
            world.now_ms = START_MS + number * 100;
            world.create(form(&format!("+1555200{:04}", number % 25)));
        }
        // However often time is looked at, the same things happen at the same times.
        for turn in 1..=(200_000 / step_ms) {
            world.run_until(START_MS + turn * step_ms);
        }
        world
            .delivered
            .sort_by_key(|(_, request)| (value(request, "Timestamp").to_owned(), request.sid.to_string()));
        let told: Vec<String> = world
            .delivered
            .into_iter()
            .map(|(_, request)| format!("{request:?}"))
            .collect();
        (ledger_of(&world.exchange), told)
    };
    assert_eq!(story(7, 100_000), story(7, 10));
    assert_ne!(story(7, 100_000).0, story(8, 100_000).0);
}

fn ledger_of(exchange: &Exchange) -> String {
    crate::report::json(exchange, 0..usize::MAX)
}

#[test]
fn the_answer_rate_is_roughly_kept() {
    let mut world = World::new(Options {
        answer_rate: 0.6,
        ..Options::default()
    });
    for number in 0..2_000 {
        world.create(form(&format!("+155530{number:05}")));
    }
    world.run();
    let answered = world.ledger().iter().filter(|word| **word == "completed").count();
    assert!((1_100..1_300).contains(&answered), "{answered} of 2000");
}

#[test]
fn switched_faults_refuse_without_placing() {
    let mut world = World::new(Options::default());
    for (refusal, status) in [
        (Refusal::TooMany, 429),
        (Refusal::Broken, 500),
        (Refusal::Unavailable, 503),
    ] {
        world.exchange.set_faults(Faults {
            answer: refusal,
            ..Faults::default()
        });
        assert_eq!(status_of(&world.create(form("+15551230100"))), status);
    }
    world.exchange.set_faults(Faults::default());
    assert_eq!(status_of(&world.create(form("+15551230100"))), 201);
    assert_eq!(world.exchange.calls().len(), 1);
}

//! Calls to write: named examples of every state, and random lives.

use std::time::Duration;

use domain::retry::RetryOn;
use domain::step::accept;
use domain::{
    Answer, AttemptStatus, Call, CallId, Event, Fact, HoldReason, Input, Leg, MachineDetection, Moment,
    Policy, Request, Rules, Script, Sid, Source, Timestamp, UserId, Word, step,
};
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);

fn sid(name: &str) -> Sid {
    Sid::new(name).expect("a valid name")
}

fn plain_request() -> Request {
    Request {
        user_id: UserId::new("user-1").expect("a valid id"),
        to: "+15551230100".parse().expect("a valid number"),
        from: "+15551230000".parse().expect("a valid number"),
        script: None,
        policy: Policy {
            max_attempts: 3,
            retry_delays: [120, 300, 600].map(Duration::from_secs).to_vec(),
            retry_on: RetryOn::default(),
            ring_timeout: Duration::from_secs(60),
            time_limit: Duration::from_secs(14_400),
            give_up_after: Duration::from_secs(86_400),
            machine_detection: MachineDetection::Off,
        },
        scheduled_at: None,
        given: None,
    }
}

/// Takes the inputs that apply, each when it can; gives every call on the way, and its history.
pub fn life(request: Request, inputs: Vec<(u64, Input)>) -> (Vec<Call>, Vec<Event>) {
    let rules = Rules {
        settle_after: Duration::from_secs(120),
        silence_after: Duration::from_secs(120),
        stop_on_unconfirmed: false,
        poll: false,
    };
    let begun = accept(CallId::new(START, [7; 10]), request, START);
    let (mut calls, mut events, mut now) = (vec![begun.call], begun.events, START);
    for (seconds, input) in inputs {
        let call = calls.last().expect("there is always a last one");
        now = now + Duration::from_secs(seconds);
        if let Input::Due { .. } = input {
            now = now.max(call.due_at().unwrap_or(now));
        }
        let moment = Moment {
            now,
            dice: 5,
            rules: &rules,
        };
        if let Ok(step) = step(call, input, moment) {
            calls.push(step.call);
            events.extend(step.events);
        }
    }
    (calls, events)
}

fn told(status: AttemptStatus) -> Fact {
    Fact {
        sequence: Some(3),
        at: Some(START + Duration::from_secs(30)),
        duration_seconds: Some(12),
        answered_by: Some("human".into()),
        sip_response_code: Some(200),
        error_code: Some(13_224),
        error_message: Some("said \"no\"".into()),
        ..Fact::new(Word::Known(status), Source::Callback)
    }
}

fn heard(attempt: u32, fact: Fact) -> Input {
    Input::Fact {
        attempt: Some(attempt),
        sid: sid(&format!("leg-{attempt}")),
        fact,
    }
}

const DUE: Input = Input::Due { held: None };

/// The last call of a life with these inputs, one second apart.
fn last(name: &'static str, request: Request, inputs: Vec<Input>) -> (&'static str, Call) {
    let expected = inputs.len();
    let (mut calls, _) = life(request, inputs.into_iter().map(|input| (1, input)).collect());
    assert_eq!(calls.len(), expected + 1, "every input of {name} applies");
    (name, calls.pop().expect("there is always a last one"))
}

/// One call for every state and every field that is written.
pub fn calls() -> Vec<(&'static str, Call)> {
    let placed = |attempt: u32| Input::Placed {
        attempt,
        sid: sid(&format!("leg-{attempt}")),
    };
    let not_sent = Input::NotSent {
        attempt: 1,
        permit_at: None,
        reason: HoldReason::Carrier,
        message: "too many requests".into(),
        retry_after: Some(Duration::from_millis(1_500)),
    };
    let refused = Input::Refused {
        attempt: 1,
        code: Some(21_211),
        message: "not a number".into(),
    };
    let doubt = Input::InDoubt {
        attempt: 1,
        why: "cut after the last byte".into(),
    };
    let busy = heard(1, Fact::new(Word::Known(AttemptStatus::Busy), Source::Callback));
    let parked = heard(1, Fact::new(Word::Other("parked".into()), Source::Callback));
    let stray = Input::Placed {
        attempt: 1,
        sid: sid("stray"),
    };
    vec![
        last("waiting for its first dial", plain_request(), vec![]),
        last("with every option", full_request(), vec![]),
        last("held back", plain_request(), vec![DUE, not_sent]),
        last("dialling", plain_request(), vec![DUE]),
        last("in doubt", plain_request(), vec![DUE, doubt]),
        last(
            "live, canceled, with a second leg",
            plain_request(),
            vec![DUE, placed(1), parked, stray, Input::Cancel],
        ),
        last("waiting for a retry", plain_request(), vec![DUE, placed(1), busy]),
        last(
            "completed",
            plain_request(),
            vec![DUE, placed(1), heard(1, told(AttemptStatus::Completed))],
        ),
        last("refused", plain_request(), vec![DUE, refused]),
        given_up(),
        late_and_unwanted(),
    ]
}

fn given_up() -> (&'static str, Call) {
    let (mut calls, _) = life(plain_request(), vec![(86_400, Input::GiveUp)]);
    ("given up", calls.pop().expect("there is always a last one"))
}

fn late_and_unwanted() -> (&'static str, Call) {
    let begun_at = START + Duration::from_secs(200);
    let inputs = vec![
        (0, DUE),
        (
            0,
            Input::InDoubt {
                attempt: 1,
                why: "cut".into(),
            },
        ),
        (
            200,
            Input::Asked {
                attempt: 1,
                begun_at,
                answer: Answer::Nothing,
            },
        ),
        (0, DUE),
        (
            1,
            heard(
                1,
                Fact::new(Word::Known(AttemptStatus::InProgress), Source::Answer),
            ),
        ),
    ];
    let (mut calls, _) = life(plain_request(), inputs);
    (
        "a late leg while the next permit is out",
        calls.pop().expect("there is always a last one"),
    )
}

fn full_request() -> Request {
    let mut request = plain_request();
    request.script = Some(Script::Say {
        message: "Good morning \u{2615} \"you\"".into(),
        language: Some("de-DE".into()),
        voice: Some("Polly.Vicki".into()),
    });
    request.policy.max_attempts = 1;
    request.policy.retry_delays = vec![Duration::from_millis(1_500)];
    request.policy.retry_on = RetryOn {
        busy: true,
        no_answer: false,
        failed: false,
    };
    request.policy.machine_detection = MachineDetection::DetectMessageEnd;
    request.scheduled_at = Some(START + Duration::from_secs(3_600));
    request.given = Some(r#"{"metadata":{"order":7}}"#.into());
    request
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,12}",
        "\\PC{0,12}",
        Just("a \"quote\" and a \\ and a \n line".to_owned())
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let say = (text(), prop::option::of(text()), prop::option::of(text()));
    prop_oneof![
        say.prop_map(|(message, language, voice)| Script::Say {
            message,
            language,
            voice
        }),
        text().prop_map(Script::Document),
        text().prop_map(Script::Url),
    ]
}

pub fn request() -> impl Strategy<Value = Request> {
    let detection = prop::sample::select(vec![
        MachineDetection::Off,
        MachineDetection::Enable,
        MachineDetection::DetectMessageEnd,
    ]);
    let policy = (
        1_u32..=4,
        prop::collection::vec(1_u64..700_000, 1..4),
        any::<[bool; 3]>(),
        detection,
    );
    let rest = (
        prop::option::of(script()),
        prop::option::of(0_u64..9_000),
        prop::option::of(text()),
    );
    (policy, rest).prop_map(
        |((max_attempts, delays, on, detection), (script, schedule, given))| {
            let mut request = plain_request();
            request.policy.max_attempts = max_attempts;
            request.policy.retry_delays = delays.into_iter().map(Duration::from_millis).collect();
            let [busy, no_answer, failed] = on;
            request.policy.retry_on = RetryOn {
                busy,
                no_answer,
                failed,
            };
            request.policy.machine_detection = detection;
            request.script = script;
            request.scheduled_at = schedule.map(|seconds| START + Duration::from_secs(seconds));
            request.given = given.map(String::into_boxed_str);
            request
        },
    )
}

fn word() -> impl Strategy<Value = Word> {
    let ours = AttemptStatus::Unconfirmed;
    let known: Vec<_> = AttemptStatus::ALL
        .into_iter()
        .filter(|status| *status != ours)
        .collect();
    prop_oneof![
        8 => prop::sample::select(known).prop_map(Word::Known),
        1 => Just(Word::Queued),
        1 => text().prop_map(|text| Word::Other(text.into())),
    ]
}

pub fn fact() -> impl Strategy<Value = Fact> {
    let source = prop::sample::select(vec![Source::Callback, Source::Answer, Source::LookUp]);
    let numbers = (
        any::<Option<u32>>(),
        any::<Option<u32>>(),
        any::<Option<u16>>(),
        any::<Option<u32>>(),
    );
    let at = prop::option::of(0_i64..4_000_000_000_000);
    let texts = (prop::option::of(text()), prop::option::of(text()));
    (word(), source, numbers, at, texts).prop_map(|(word, source, numbers, at, texts)| {
        let (sequence, duration_seconds, sip_response_code, error_code) = numbers;
        let (answered_by, error_message) = texts;
        let at = at.map(Timestamp::from_millis);
        Fact {
            word,
            source,
            sequence,
            at,
            duration_seconds,
            answered_by,
            sip_response_code,
            error_code,
            error_message,
        }
    })
}

/// An input, and how many seconds after the one before it comes.
pub fn input() -> impl Strategy<Value = (u64, Input)> {
    let attempt = || 1_u32..4;
    let leg = |attempt: u32, stray: bool| sid(&format!("{}-{attempt}", if stray { "stray" } else { "leg" }));
    let reason = || prop::sample::select(HoldReason::ALL.to_vec());
    let answer = prop_oneof![
        fact().prop_map(Answer::Leg),
        fact().prop_map(|fact| Answer::Legs(vec![Leg {
            sid: sid("leg-listed"),
            created_at: START,
            fact
        }])),
        Just(Answer::Nothing),
        text().prop_map(Answer::Failed),
    ];
    let input = prop_oneof![
        6 => Just(DUE),
        1 => (reason(), text()).prop_map(|(reason, message)| Input::Held { reason, message, retry_after: None }),
        1 => (attempt(), reason(), text())
            .prop_map(|(attempt, reason, message)| Input::NotSent { attempt, permit_at: None, reason, message, retry_after: None }),
        3 => (attempt(), prop::bool::weighted(0.2))
            .prop_map(move |(attempt, stray)| Input::Placed { attempt, sid: leg(attempt, stray) }),
        1 => (attempt(), any::<Option<u32>>(), text())
            .prop_map(|(attempt, code, message)| Input::Refused { attempt, code, message }),
        3 => (attempt(), text()).prop_map(|(attempt, why)| Input::InDoubt { attempt, why }),
        6 => (attempt(), prop::bool::weighted(0.1), fact())
            .prop_map(move |(attempt, stray, fact)| Input::Fact { attempt: Some(attempt), sid: leg(attempt, stray), fact }),
        1 => attempt().prop_map(|attempt| Input::Misdirected { attempt, sid: sid("elsewhere") }),
        3 => (attempt(), answer).prop_map(|(attempt, answer)| Input::Asked {
            attempt, begun_at: START + Duration::from_secs(9_999_999), answer,
        }),
        1 => any::<bool>().prop_map(|done| Input::HungUp { sid: sid("stray-1"), done }),
        1 => prop_oneof![Just(Input::Cancel), Just(Input::GiveUp)],
    ];
    (prop_oneof![Just(0), 0_u64..300, Just(90_000)], input)
}

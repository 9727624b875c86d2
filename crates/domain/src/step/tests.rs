//! The whole step as one table, state by input, to be read from end to end and to fail on any
//! change. What the table means is told in the scenarios, one file for each part of a call's life.

mod asking;
mod doubt;
mod endings;
mod forgotten;
mod given;
mod holds;
mod late;
mod legs;
mod shown;
mod stops;

use std::fmt::Write;
use std::time::Duration;

use given::{
    DUE, HOUR, Life, MINUTE, fact, fetched, held, leg_of, not_sent, pushed, refused, request, stray_leg,
};

use super::{Answer, Input};
use crate::event::HoldReason;
use crate::fact::{Fact, Leg, Source, Word};
use crate::outcome::AttemptStatus::{self, *};

/// Example calls, one for every state that inputs meet, at the moment when they meet it.
fn states() -> Vec<(&'static str, Life)> {
    let second = Duration::from_secs(1);
    let one_attempt = || Life::with(|policy| policy.max_attempts = 1);
    let retried = || Life::begin().dialled().hears(1, Busy);
    let doubted = || Life::begin().unconfirmed();
    let mut scheduled = request();
    scheduled.scheduled_at = Some(given::TEN_O_CLOCK + HOUR);
    vec![
        ("queued and due", Life::begin()),
        ("queued until its time", Life::of(scheduled)),
        (
            "held back after a 429",
            Life::begin().permitted().not_sent(1, HoldReason::Carrier),
        ),
        ("the first permit is out", Life::begin().permitted()),
        (
            "the first permit is out, cancel requested",
            Life::begin().permitted().then(Input::Cancel),
        ),
        ("the first dial is in doubt", Life::begin().in_doubt()),
        ("initiated", Life::begin().dialled()),
        ("ringing", Life::begin().dialled().hears(1, Ringing)),
        ("in progress", Life::begin().dialled().hears(1, InProgress)),
        (
            "in progress, cancel requested",
            Life::begin().dialled().hears(1, InProgress).then(Input::Cancel),
        ),
        ("busy, the retry is not due", retried().after(second)),
        ("busy, the retry is due", retried().when_due()),
        ("the second permit is out after busy", retried().permitted()),
        ("live again after busy", retried().dialled()),
        ("unconfirmed, the retry is not due", doubted().after(second)),
        (
            "the second permit is out after unconfirmed",
            doubted().permitted(),
        ),
        ("live again after unconfirmed", doubted().dialled()),
        ("over: completed", Life::begin().dialled().hears(1, Completed)),
        (
            "over: busy, no attempt left",
            one_attempt().dialled().hears(1, Busy),
        ),
        ("over: unconfirmed, no attempt left", one_attempt().unconfirmed()),
        (
            "over: refused by the carrier",
            Life::begin().permitted().then(refused(1)),
        ),
        (
            "over: canceled by the carrier",
            Life::begin().dialled().hears(1, Canceled),
        ),
        (
            "over: canceled on request before any dial",
            Life::begin().then(Input::Cancel),
        ),
        (
            "over: canceled on request while live",
            Life::begin().dialled().then(Input::Cancel).hears(1, Completed),
        ),
        (
            "over: given up before any dial",
            Life::begin().after(24 * HOUR).then(Input::GiveUp),
        ),
        (
            "over: given up after unconfirmed",
            doubted().when_due().after(24 * HOUR).then(Input::GiveUp),
        ),
    ]
}

/// Everything that can happen to a call whose newest attempt, permitted or made, is `this`.
fn inputs(life: &Life) -> Vec<(String, Input)> {
    let permitted = match life.call.state {
        crate::CallState::Dialling { attempt, .. } => Some(attempt),
        _ => None,
    };
    let this = permitted.unwrap_or(life.next_number() - 1).max(1);
    let mut inputs = permits(this);
    inputs.extend(facts(this));
    inputs.extend(answers(life, this));
    let mut more = |name: &str, input| inputs.push((name.to_owned(), input));
    more(
        "hung up the stray leg",
        Input::HungUp {
            sid: stray_leg(),
            done: true,
        },
    );
    let forgotten = |is_certain| Input::Forgotten {
        leg: Leg {
            sid: stray_leg(),
            created_at: life.now,
            fact: fetched(NoAnswer),
        },
        is_certain,
    };
    more("forgotten: no-answer", forgotten(true));
    more("forgotten: this call's or another's", forgotten(false));
    more("cancel", Input::Cancel);
    more("give up", Input::GiveUp);
    inputs
}

fn permits(this: u32) -> Vec<(String, Input)> {
    let why = "cut".to_owned();
    vec![
        ("due".to_owned(), DUE),
        ("held".to_owned(), held(HoldReason::Carrier)),
        (
            format!("not sent #{this}"),
            not_sent(this, HoldReason::Carrier, None),
        ),
        (
            format!("placed #{this}"),
            Input::Placed {
                attempt: this,
                sid: leg_of(this),
            },
        ),
        (
            format!("placed #{this} as a stray leg"),
            Input::Placed {
                attempt: this,
                sid: stray_leg(),
            },
        ),
        (format!("refused #{this}"), refused(this)),
        (format!("refused #{}", this + 1), refused(this + 1)),
        (format!("in doubt #{this}"), Input::InDoubt { attempt: this, why }),
    ]
}

fn facts(this: u32) -> Vec<(String, Input)> {
    let words = [
        Initiated, Ringing, InProgress, Completed, Busy, NoAnswer, Failed, Canceled,
    ];
    let mut inputs = vec![(
        format!("fact #{this} queued"),
        fact(this, Fact::new(Word::Queued, Source::Callback)),
    )];
    inputs.extend(words.map(|word| (format!("fact #{this} {}", word.word()), fact(this, pushed(word)))));
    let unknown = Fact::new(Word::Other("parked".into()), Source::Callback);
    inputs.push((format!("fact #{this} parked"), fact(this, unknown)));
    if this > 1 {
        inputs.extend(
            [Ringing, Completed, NoAnswer]
                .map(|word| (format!("fact #1 {}", word.word()), fact(1, pushed(word)))),
        );
    }
    let (next, beyond) = (this + 1, this + 2);
    let stray = |attempt| Input::Fact {
        attempt,
        sid: stray_leg(),
        fact: pushed(Ringing),
    };
    inputs.extend([
        (format!("fact #{next} ringing"), fact(next, pushed(Ringing))),
        (format!("fact #{beyond} ringing"), fact(beyond, pushed(Ringing))),
        (format!("fact #{this} of a stray leg"), stray(Some(this))),
        ("fact of a stray leg, no attempt named".to_owned(), stray(None)),
        (
            format!("misdirected #{this}"),
            Input::Misdirected {
                attempt: this,
                sid: stray_leg(),
            },
        ),
    ]);
    inputs
}

fn answers(life: &Life, this: u32) -> Vec<(String, Input)> {
    let permit_at = life.call.attempt(this).map_or(life.now, |a| a.permit_at);
    let asked = |age: Duration, answer| Input::Asked {
        attempt: this,
        begun_at: permit_at + age,
        answer,
    };
    let soon = Duration::from_millis(500);
    let listed = Leg {
        sid: leg_of(this),
        created_at: permit_at,
        fact: fetched(Ringing),
    };
    let foreign = Leg {
        created_at: permit_at + HOUR,
        ..listed.clone()
    };
    vec![
        (
            format!("looked up #{this}: ringing"),
            asked(soon, Answer::Leg(fetched(Ringing))),
        ),
        (
            format!("looked up #{this}: no-answer"),
            asked(soon, Answer::Leg(fetched(NoAnswer))),
        ),
        (
            format!("listed #{this}: its leg"),
            asked(soon, Answer::Legs(vec![listed])),
        ),
        (
            format!("listed #{this}: a leg of another time"),
            asked(soon, Answer::Legs(vec![foreign])),
        ),
        (format!("asked #{this}: nothing"), asked(soon, Answer::Nothing)),
        (
            format!("asked #{this} after settling: nothing"),
            asked(3 * MINUTE, Answer::Nothing),
        ),
        (
            format!("asked #{this}: in vain"),
            asked(3 * MINUTE, Answer::Failed("no answer".into())),
        ),
    ]
}

#[test]
fn every_state_meets_every_input_as_the_table_says() {
    let mut table = String::new();
    for (name, life) in states() {
        let _ = writeln!(table, "## {name}\n   {}", shown::call(&life.call, life.now));
        for (input_name, input) in inputs(&life) {
            let outcome = shown::outcome(&life, &life.attempted(input));
            let _ = writeln!(table, "{input_name:<37} -> {outcome}");
        }
        table.push('\n');
    }
    insta::assert_snapshot!("state_by_input", table);
}

#[test]
fn no_word_of_the_carrier_is_left_out_of_the_table() {
    let ours = AttemptStatus::Unconfirmed;
    let told = facts(1);
    for status in AttemptStatus::ALL.into_iter().filter(|status| *status != ours) {
        let name = format!("fact #1 {}", status.word());
        assert!(told.iter().any(|(known, _)| *known == name), "{name}");
    }
}

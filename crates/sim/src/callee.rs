//! What the called person, or their line, does: chosen by the last four digits of the number, otherwise
//! drawn. It must not know about requests, callbacks or what goes wrong on the way. Called by the exchange
//! when a call is accepted.

use crate::dice::Dice;

/// How a call would end if nobody interfered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A person answers.
    Person,
    /// A machine answers.
    Machine,
    /// The line is busy.
    Busy,
    /// It rings until the time-out.
    NoAnswer,
    /// It cannot be put through.
    Failed,
    /// The carrier gives up on it while it rings.
    Canceled,
}

/// One call's course in undivided milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Story {
    /// From leaving the queue to dialling.
    pub setup_ms: u32,
    /// From dialling to the first ring (or to the failure).
    pub progress_ms: u32,
    /// From the first ring to the ending, unless the ring time-out comes first.
    pub ring_ms: u32,
    /// How long whoever answered stays on the line.
    pub talk_ms: u32,
    /// The line drops `talk_ms` after the answer, whatever the document says.
    pub drops: bool,
    /// How long it takes to tell a person from a machine.
    pub detection_ms: u32,
    /// How much longer a machine's greeting lasts.
    pub greeting_ms: u32,
    /// What happens after the ring.
    pub ending: Ending,
}

/// The script that a number's last four digits name, if it is one of ours (100 to 119).
pub fn script(number: &str) -> Option<u16> {
    let digits = number.get(number.len().checked_sub(4)?..)?;
    digits.parse().ok().filter(|script| (100..=119).contains(script))
}

/// The course of the `nth` accepted call (from 0) to `number`.
pub fn story(number: &str, nth: u64, seed: u64, answer_rate: f64) -> Story {
    let mut dice = Dice::new(seed, number, nth);
    let script = script(number);
    let ending = match script {
        Some(script) => scripted(script, nth),
        None => drawn(&mut dice, answer_rate),
    };
    let mut story = Story {
        setup_ms: dice.between(100, 400),
        progress_ms: dice.between(300, 900),
        ring_ms: dice.between(3_000, 6_000),
        talk_ms: dice.between(5_000, 20_000),
        drops: false,
        detection_ms: dice.between(1_500, 3_500),
        greeting_ms: dice.between(4_000, 9_000),
        ending,
    };
    match ending {
        Ending::Busy => story.ring_ms = dice.between(500, 1_500),
        Ending::NoAnswer => story.ring_ms = u32::MAX,
        Ending::Canceled => story.ring_ms = dice.between(2_000, 4_000),
        Ending::Person | Ending::Machine | Ending::Failed => {}
    }
    match script {
        Some(108) => story.ring_ms = 20_000,
        Some(109) => (story.talk_ms, story.drops) = (1_000, true),
        _ => {}
    }
    story
}

fn scripted(script: u16, nth: u64) -> Ending {
    match (script, nth) {
        (101, _) => Ending::Busy,
        (102 | 114, _) => Ending::NoAnswer,
        (103, _) => Ending::Failed,
        (104, n) if n % 3 < 2 => Ending::Busy,
        (105, n) if n % 2 == 0 => Ending::NoAnswer,
        (106, _) => Ending::Machine,
        (107, _) => Ending::Canceled,
        (118, n) if n % 2 == 0 => Ending::Busy,
        _ => Ending::Person,
    }
}

/// Shares of what is not answered, roughly as in outbound traffic: most ring out, some are busy, few fail.
/// One answered call in six meets a machine.
fn drawn(dice: &mut Dice, answer_rate: f64) -> Ending {
    if dice.share() < answer_rate {
        return if dice.share() < 1.0 / 6.0 {
            Ending::Machine
        } else {
            Ending::Person
        };
    }
    match dice.share() {
        share if share < 0.50 => Ending::NoAnswer,
        share if share < 0.85 => Ending::Busy,
        _ => Ending::Failed,
    }
}

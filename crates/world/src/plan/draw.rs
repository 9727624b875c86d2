//! How a world is drawn from its seed.

use std::time::Duration;

use domain::retry::RetryOn;
use domain::{MachineDetection, Policy, Rate, Rules};

use super::{CallPlan, Deed, Operator, Plan};
use crate::dice::Dice;
use crate::fault::{COUNT, Fault, KINDS};

/// Whether the database is shared, and by how many nodes: half of all worlds are of one process that has its store for
/// itself.
const DATABASES: [(bool, usize); 10] = [
    (false, 1),
    (false, 1),
    (false, 1),
    (false, 1),
    (false, 1),
    (true, 1),
    (true, 2),
    (true, 2),
    (true, 3),
    (true, 3),
];

impl Plan {
    /// The world of a seed.
    pub fn draw(seed: u64) -> Plan {
        let mut dice = Dice::new(seed, 1);
        let wild = dice.one_of(&[0.0, 0.1, 0.1, 0.3, 0.3, 0.3, 0.6, 0.6, 1.0, 1.0]);
        let span = dice.millis(20_000, 900_000);
        let count = match dice.between(0, 9) {
            0..=2 => dice.between(1, 4),
            3..=8 => dice.between(4, 30),
            _ => dice.between(30, 80),
        };
        let people = Strangers::draw(&mut dice);
        // In some worlds everything comes at once; in a few of these nothing happens but that a process is killed while
        // the crowd waits for a slow pace.
        let crowd = dice.happens(0.03);
        let rush = crowd || dice.happens(0.3);
        let (busy, count) = match rush {
            true => (Duration::from_secs(5), count.max(dice.between(10, 50))),
            false => (span, count),
        };
        let mut calls: Vec<CallPlan> = (0..count).map(|_| call(&mut dice, &people, busy, wild)).collect();
        calls.sort_by_key(|call| call.at);
        for (number, call) in calls.iter_mut().enumerate() {
            call.number = number;
        }
        let inline = dice.happens(0.1);
        let (shared, nodes) = dice.one_of(&DATABASES);
        let mut deeds = deeds(&mut dice, busy, wild, nodes);
        let mut lag = Duration::from_secs(dice.one_of(&[2, 30, 60, 60, 300, 1_800]));
        if crowd {
            let kill = |dice: &mut Dice| Deed::Kill(0, dice.millis(10, 300));
            deeds = [6, 8, 10]
                .map(|at| (Duration::from_secs(at), kill(&mut dice)))
                .to_vec();
        } else if dice.happens(0.2) {
            copies(&mut dice, &mut deeds, busy, shared);
            // What the list lacks longer than the hold waits nobody can know of.
            lag = lag.min(Duration::from_secs(30));
        }
        Plan {
            seed,
            span,
            calls,
            deeds,
            nodes,
            shared,
            drift: (0..nodes)
                .map(|_| i64::try_from(dice.between(0, 400)).unwrap_or(0) - 200)
                .collect(),
            operator: if crowd {
                slow(&mut dice, inline)
            } else {
                operator(&mut dice, inline)
            },
            later: (!crowd && dice.happens(0.3)).then(|| operator(&mut dice, inline)),
            faults: faults(&mut dice, if crowd { 0.0 } else { wild }),
            most_faults: u64::MAX,
            lag,
            answer_rate: 0.1 + 0.8 * dice.share(),
            carrier_cps: dice.happens(0.1).then(|| dice.one_of(&[1.0, 0.1])),
            inline,
        }
    }
}

/// The numbers of one world: few, so that calls meet.
struct Strangers {
    from: Vec<String>,
    to: Vec<String>,
}

impl Strangers {
    fn draw(dice: &mut Dice) -> Strangers {
        let (from, to) = (dice.between(1, 2), dice.one_of(&[1, 3, 10, 40, 40]));
        Strangers {
            from: (0..from).map(|it| format!("+1555000{:04}", 9_000 + it)).collect(),
            // None of the endings by which the simulated carrier is told what to do.
            to: (0..to).map(|it| format!("+1555123{:04}", 1_000 + it)).collect(),
        }
    }
}

fn call(dice: &mut Dice, people: &Strangers, span: Duration, wild: f64) -> CallPlan {
    let latest = u64::try_from(span.as_millis()).unwrap_or(0) * 3 / 4;
    let pick = |dice: &mut Dice, all: &[String]| {
        let place = dice.between(0, all.len() as u64 - 1);
        all[usize::try_from(place).unwrap_or(0)].clone()
    };
    let key = dice.happens(0.6);
    CallPlan {
        number: 0,
        at: dice.millis(0, latest),
        scheduled: dice.happens(0.1).then(|| dice.millis(100, 120_000)),
        // One that the carrier never puts through is refused for good.
        to: if dice.happens(0.04) {
            "+15005550002".to_owned()
        } else {
            pick(dice, &people.to)
        },
        from: pick(dice, &people.from),
        policy: policy(dice, wild),
        key,
        rival: (key && dice.happens(0.2)).then(|| {
            let latest = dice.one_of(&[0, 50, 3_000]);
            (dice.millis(0, latest), dice.happens(0.7))
        }),
        cancel: dice.happens(0.15).then(|| {
            let latest = dice.one_of(&[50, 1_000, 10_000, 200_000]);
            dice.millis(0, latest)
        }),
        leaves: dice.happens(0.1).then(|| dice.millis(0, 6_000)),
    }
}

fn policy(dice: &mut Dice, wild: f64) -> Policy {
    let gaps = dice.between(1, 3);
    Policy {
        max_attempts: u32::try_from(dice.between(1, 4)).unwrap_or(1),
        retry_delays: (0..gaps)
            .map(|_| Duration::from_secs(dice.one_of(&[1, 5, 30, 120])))
            .collect(),
        retry_on: RetryOn {
            busy: dice.happens(0.95),
            no_answer: dice.happens(0.95),
            failed: dice.happens(0.95),
        },
        ring_timeout: Duration::from_secs(dice.one_of(&[5, 20, 60])),
        time_limit: Duration::from_secs(dice.one_of(&[60, 600])),
        give_up_after: if wild > 0.0 && dice.happens(0.2) {
            dice.millis(3_000, 300_000)
        } else {
            Duration::from_secs(24 * 3_600)
        },
        machine_detection: dice.one_of(&[
            MachineDetection::Off,
            MachineDetection::Off,
            MachineDetection::Enable,
            MachineDetection::DetectMessageEnd,
        ]),
    }
}

fn operator(dice: &mut Dice, inline: bool) -> Operator {
    Operator {
        rules: Rules {
            settle_after: Duration::from_secs(dice.one_of(&[60, 120, 120, 120])),
            silence_after: Duration::from_secs(dice.one_of(&[30, 120, 120])),
            stop_on_unconfirmed: dice.happens(0.2),
            poll: inline,
        },
        rate: rate(dice),
        max_live: dice
            .happens(0.15)
            .then(|| u32::try_from(dice.between(1, 4)).unwrap_or(1)),
    }
}

/// A pace that a crowd waits for.
fn slow(dice: &mut Dice, inline: bool) -> Operator {
    Operator {
        rate: Rate {
            per_second: 1.0,
            burst: 10,
        },
        max_live: None,
        ..operator(dice, inline)
    }
}

fn rate(dice: &mut Dice) -> Rate {
    let (per_second, burst) =
        dice.one_of(&[(1.0, 1), (1.0, 10), (1.0, 10), (5.0, 3), (50.0, 50), (50.0, 50)]);
    Rate { per_second, burst }
}

fn deeds(dice: &mut Dice, span: Duration, wild: f64, nodes: usize) -> Vec<(Duration, Deed)> {
    let most = (wild * 6.0).ceil() as u64 * nodes as u64;
    let count = dice.between(0, most);
    let latest = u64::try_from(span.as_millis()).unwrap_or(0);
    let mut deeds: Vec<_> = (0..count)
        .map(|_| {
            let at = dice.millis(0, latest);
            (at, deed(dice, nodes))
        })
        .collect();
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}

/// The store is put back to what it was a while before. Clocks are right then: a list by a wrong one proves nothing.
fn copies(dice: &mut Dice, deeds: &mut Vec<(Duration, Deed)>, span: Duration, shared: bool) {
    deeds.retain(|(_, deed)| !matches!(deed, Deed::Clock(..)));
    let latest = u64::try_from(span.as_millis()).unwrap_or(0);
    let at = dice.millis(0, latest);
    if shared && dice.happens(0.6) {
        deeds.push((at, Deed::Failover(dice.millis(0, 10_000))));
    } else {
        let most = dice.one_of(&[5_000, 60_000, 300_000]);
        deeds.push((at, Deed::Copy));
        let then = at + dice.millis(0, most);
        deeds.push((then.min(span), Deed::PutBack(dice.millis(10, 5_000))));
    }
    deeds.sort_by_key(|(at, _)| *at);
}

fn deed(dice: &mut Dice, nodes: usize) -> Deed {
    let most = dice.one_of(&[300, 1_000, 10_000, 100_000]);
    let long = dice.millis(10, most);
    let node = usize::try_from(dice.between(0, nodes as u64 - 1)).unwrap_or(0);
    match dice.between(0, 10) {
        0..=2 => Deed::Kill(node, long),
        3 => Deed::Stop(node, long),
        4 => Deed::Freeze(node, long),
        // Longer than a claim lasts, and than the age at which a permit is in doubt.
        5 => Deed::Freeze(
            node,
            if nodes > 1 {
                dice.millis(25_000, 70_000)
            } else {
                long
            },
        ),
        6 => {
            let by = dice.one_of(&[
                1_000, 4_000, 20_000, 60_000, 3_600_000, -4_000, -20_000, -60_000, -3_600_000,
            ]);
            Deed::Clock((nodes > 1 && dice.happens(0.5)).then_some(node), by, long)
        }
        7 => Deed::Pause(long),
        8 => Deed::Refuse(long),
        9 => Deed::Change(node, long),
        _ => Deed::Outage(long),
    }
}

/// Half of all kinds at random, so that every world is strange in its own way.
fn faults(dice: &mut Dice, wild: f64) -> [f64; COUNT] {
    // In some worlds the carrier is hard to see through: answers lost, the list behind, callbacks late.
    let dim = wild > 0.0 && dice.happens(0.1);
    KINDS.map(|(fault, _, most)| {
        let (in_play, share) = (dice.happens(0.5), dice.share());
        match fault {
            Fault::CutAfter | Fault::ListLags | Fault::CallbackLate if dim => most,
            Fault::CallbackLost if dim => most / 4.0,
            _ if in_play => most * wild * share,
            _ => 0.0,
        }
    })
}

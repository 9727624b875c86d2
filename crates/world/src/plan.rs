//! What happens in one world: who is called when, what operators and machines do, how often what goes wrong. Drawn from
//! the seed before anything runs, and plain, so that a failing world can be made shorter by leaving things out.

use std::time::Duration;

use domain::Rate;
use domain::retry::RetryOn;
use domain::{MachineDetection, Policy, Rules};

use crate::dice::Dice;
use crate::fault::{COUNT, Fault, KINDS};

/// One world.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whence it was drawn.
    pub seed: u64,
    /// Everything begins and goes wrong within this; afterwards all faults stop.
    pub span: Duration,
    /// The calls, in order of time.
    pub calls: Vec<CallPlan>,
    /// What is done at set moments, in order of time.
    pub deeds: Vec<(Duration, Deed)>,
    /// The probability of each fault.
    pub faults: [f64; COUNT],
    /// Most faults that strike.
    pub most_faults: u64,
    /// How long a call may be missing from the carrier's list.
    pub lag: Duration,
    /// How many nodes there are.
    pub nodes: usize,
    /// Whether their database is one that several share, also where there is one only.
    pub shared: bool,
    /// By how many millionths the clock of each node's machine runs fast.
    pub drift: Vec<i64>,
    /// The operator's settings.
    pub operator: Operator,
    /// ... and those with which nodes are started again midway.
    pub later: Option<Operator>,
    /// How many dialled people answer.
    pub answer_rate: f64,
    /// How many calls a second the carrier starts.
    pub carrier_cps: Option<f64>,
    /// The carrier cannot call back: every live leg is watched by asking.
    pub inline: bool,
}

/// What an operator decides.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// The rules of a step.
    pub rules: Rules,
    /// Dials a second.
    pub rate: Rate,
    /// Most calls live at once.
    pub max_live: Option<u32>,
}

/// One call that a client wants.
#[derive(Debug, Clone)]
pub struct CallPlan {
    /// Which of the plan as it was drawn: names its user and its key.
    pub number: usize,
    /// When it is asked for.
    pub at: Duration,
    /// Not dialled before this long after that.
    pub scheduled: Option<Duration>,
    /// Who is called.
    pub to: String,
    /// From which number.
    pub from: String,
    /// How often, how soon, for how long.
    pub policy: Policy,
    /// Asked for under a key, so that it may be asked for again.
    pub key: bool,
    /// A second client asks under the same key this long after, with an equal body or another.
    pub rival: Option<(Duration, bool)>,
    /// Somebody cancels it this long after.
    pub cancel: Option<Duration>,
    /// The client goes away after this long.
    pub leaves: Option<Duration>,
}

/// Something done at a set moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The process of a node is killed, and started again after this long.
    Kill(usize, Duration),
    /// It is told to stop, and started again after this long.
    Stop(usize, Duration),
    /// ... and with the operator's later settings.
    Change(usize, Duration),
    /// It stands still for this long.
    Freeze(usize, Duration),
    /// The wall clock that a node reads, or all of them, is wrong by so many milliseconds for this long.
    Clock(Option<usize>, i64, Duration),
    /// An operator copies the store.
    Copy,
    /// ... and puts the copy back; everything is started again after this long.
    PutBack(Duration),
    /// The standby of the database does not follow for this long, and takes over then.
    Failover(Duration),
    /// An operator pauses dialling for this long.
    Pause(Duration),
    /// The carrier refuses the account for this long.
    Refuse(Duration),
    /// The carrier cannot be reached for this long.
    Outage(Duration),
}

impl Deed {
    /// Which node it is about, if it is about one.
    pub fn node(self) -> Option<usize> {
        match self {
            Deed::Kill(node, _) | Deed::Stop(node, _) | Deed::Change(node, _) | Deed::Freeze(node, _) => {
                Some(node)
            }
            Deed::Clock(node, ..) => node,
            Deed::Copy
            | Deed::PutBack(_)
            | Deed::Failover(_)
            | Deed::Pause(_)
            | Deed::Refuse(_)
            | Deed::Outage(_) => None,
        }
    }

    /// In words.
    pub fn words(self) -> String {
        match self {
            Deed::Kill(node, down) => {
                format!("node {node} is killed, and started again after {}", shown(down))
            }
            Deed::Stop(node, down) => format!(
                "node {node} is told to stop, and started again after {}",
                shown(down)
            ),
            Deed::Change(node, down) => format!(
                "node {node} is told to stop, and started again with other settings after {}",
                shown(down)
            ),
            Deed::Freeze(node, long) => format!("node {node} stands still for {}", shown(long)),
            Deed::Clock(None, by, long) => format!("the wall clock is wrong by {by} ms for {}", shown(long)),
            Deed::Clock(Some(node), by, long) => {
                format!(
                    "node {node} reads a wall clock that is wrong by {by} ms for {}",
                    shown(long)
                )
            }
            Deed::Copy => "an operator copies the store".to_owned(),
            Deed::PutBack(down) => format!(
                "an operator puts the copy back; all starts again after {}",
                shown(down)
            ),
            Deed::Failover(lag) => {
                format!(
                    "the standby does not follow for {}, and takes over then",
                    shown(lag)
                )
            }
            Deed::Pause(long) => format!("an operator pauses dialling for {}", shown(long)),
            Deed::Refuse(long) => format!("the carrier refuses the account for {}", shown(long)),
            Deed::Outage(long) => format!("the carrier cannot be reached for {}", shown(long)),
        }
    }
}

/// A gap as people read it.
pub fn shown(gap: Duration) -> String {
    domain::time::show_duration(gap)
}

impl Plan {
    /// The same with one process, that has its store for itself.
    pub fn alone(&self) -> Plan {
        let mut plan = self.clone();
        (plan.nodes, plan.shared) = (1, false);
        // A file has no standby.
        plan.deeds.retain(|(_, deed)| !matches!(deed, Deed::Failover(_)));
        plan
    }

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
        // Half of all worlds are of one process that has its store for itself.
        let (shared, nodes) = dice.one_of(&[
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
        ]);
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
            operator: match crowd {
                true => Operator {
                    rate: Rate {
                        per_second: 1.0,
                        burst: 10,
                    },
                    max_live: None,
                    ..operator(&mut dice, inline)
                },
                false => operator(&mut dice, inline),
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

//! What happens in one world: who is called when, what operators and machines do, how often what goes wrong. Drawn from
//! the seed before anything runs, and plain, so that a failing world can be made shorter by leaving things out.

mod draw;

use std::time::Duration;

use domain::{Policy, Rate, Rules};

use crate::fault::COUNT;

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

/// Every kind of deed, as [`Deed::kind`] names it.
pub const DEEDS: [&str; 11] = [
    "a process killed",
    "a process told to stop",
    "a process started again with other settings",
    "a process that stood still",
    "a wall clock set wrong",
    "the store copied",
    "the copy put back",
    "a standby that took over",
    "dialling paused",
    "the account refused",
    "the carrier out of reach",
];

impl Deed {
    /// Its kind, in words.
    pub fn kind(self) -> &'static str {
        let place = match self {
            Deed::Kill(..) => 0,
            Deed::Stop(..) => 1,
            Deed::Change(..) => 2,
            Deed::Freeze(..) => 3,
            Deed::Clock(..) => 4,
            Deed::Copy => 5,
            Deed::PutBack(_) => 6,
            Deed::Failover(_) => 7,
            Deed::Pause(_) => 8,
            Deed::Refuse(_) => 9,
            Deed::Outage(_) => 10,
        };
        DEEDS[place]
    }

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
}

//! Nodes on a database whose primary is lost again and again: Patroni makes another of three servers the primary, no
//! commit counts that only one of them has, and redial finds it by itself. The same rules hold as under torture.
//!
//! The servers are in network namespaces of their own, so that one can be cut off; nodes, carrier and clients are on the
//! loopback address here.

mod cluster;
mod network;

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::balancer;
use crate::carrier::Carrier;
use crate::check::Window;
use crate::clock;
use crate::dice::Dice;
use crate::failure::Failure;
use crate::link::Link;
use crate::load::{Load, Pressure};
use crate::node::{self, Node};
use crate::settle::{self, Ending, Witnesses};
use cluster::{Cluster, ETCD_PORT};

/// How long a node may take to answer after its start.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);
/// What was lost is brought back so long after somebody else took over, at most.
const MOST_AWAY: Duration = Duration::from_secs(8);
/// Calls go on undisturbed for so long between two losses.
const QUIET: Duration = Duration::from_secs(6);
/// How often it is looked whether all is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A loss can leave a dial without proof for so long after all servers are back.
const AFTER: Duration = Duration::from_secs(5);

/// How a primary is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Server and Patroni are killed as by `kill -9`.
    Killed,
    /// Its cable is pulled.
    CutOff,
    /// It reaches neither etcd nor the other servers; the nodes still reach it.
    Parted,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Loss::Killed => "killed (-9)",
            Loss::CutOff => "cable pulled",
            Loss::Parted => "cut off from etcd and standbys only",
        })
    }
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many nodes.
    pub nodes: usize,
    /// What decides.
    pub seed: u64,
    /// No loss begins later than this.
    pub lasts: Duration,
}

/// One loss of the primary.
pub struct Failover {
    /// How it was lost.
    pub loss: Loss,
    /// Until another said that it was the primary.
    pub took: Duration,
    /// From the last dial before to the first after.
    pub no_dial: Duration,
    /// From the last create that was taken before to the first after.
    pub no_create: Duration,
}

/// What came of it.
pub struct Report {
    /// Each loss.
    pub failovers: Vec<Failover>,
    /// Nodes that ended by themselves.
    pub ended_by_themselves: u64,
    /// Servers that did not find back and were made anew.
    pub made_anew: u64,
    /// How it ended.
    pub ending: Ending,
}

/// A loss as it went, in milliseconds since 1970.
struct Lost {
    loss: Loss,
    begun: i64,
    another: i64,
    whole: i64,
}

struct Stage {
    nodes: Vec<Node>,
    to_carrier: Vec<Link>,
    addresses: Vec<SocketAddr>,
    carrier: Carrier,
    cluster: Cluster,
    ended_by_themselves: u64,
    folder: TempDir,
    _runtime: Runtime,
}

/// Runs it.
///
/// # Errors
/// The run could not be made: not root, a program is missing, the servers do not come together.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let mut stage = Stage::set(plan)?;
    let pressure = Pressure {
        clients: 4,
        most_gap: Duration::from_millis(300),
    };
    let load = Load::start(stage.addresses.clone(), pressure, plan.seed);
    let lost = stage.lose_primaries(plan);
    load.no_more();
    let lost = match lost {
        Ok(lost) => lost,
        Err(failure) => {
            load.end();
            stage.folder.disable_cleanup(true);
            return Err(failure);
        }
    };
    let witnesses = Witnesses {
        nodes: &stage.addresses,
        carrier: &stage.carrier,
    };
    let account = || {
        let windows = windows(&lost);
        let chances = stage
            .to_carrier
            .iter()
            .map(|link| link.dials_within(&windows))
            .sum();
        (windows, chances)
    };
    let keep_up = || start_what_ended(&mut stage.nodes, &mut stage.ended_by_themselves);
    let (ending, evidence) = settle::end(load, &mut stage.folder, &witnesses, account, keep_up)?;
    let dials: Vec<i64> = evidence.rings.iter().map(|it| it.created_at).collect();
    let taken: Vec<i64> = ending
        .answers
        .creates
        .iter()
        .filter(|it| it.1)
        .map(|it| it.0)
        .collect();
    let failovers = lost.iter().map(|lost| Failover {
        loss: lost.loss,
        took: millis(lost.another - lost.begun),
        no_dial: longest_gap(&dials, lost),
        no_create: longest_gap(&taken, lost),
    });
    Ok(Report {
        failovers: failovers.collect(),
        ended_by_themselves: stage.ended_by_themselves,
        made_anew: stage.cluster.made_anew,
        ending,
    })
}

impl Stage {
    fn set(plan: &Plan) -> Result<Stage, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let folder = tempfile::Builder::new().prefix("redial-patroni-").tempdir()?;
        let cluster = match Cluster::start(folder.path()) {
            Ok(cluster) => cluster,
            Err(failure) => {
                let kept = folder.keep();
                return Err(format!("{failure} (logs are kept in {})", kept.display()).into());
            }
        };
        cluster.sql("CREATE ROLE redial LOGIN PASSWORD 'secret'")?;
        cluster.sql("GRANT pg_read_all_stats TO redial")?;
        cluster.sql("CREATE DATABASE redial OWNER redial TEMPLATE template0")?;
        let carrier = Carrier::start(plan.seed, folder.path())?;
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let addresses: Vec<SocketAddr> = (0..plan.nodes).map(|_| loopback(e2e::free_port())).collect();
        let public = balancer::open(runtime.handle(), addresses.clone())?;
        let (mut nodes, mut to_carrier) = (Vec::new(), Vec::new());
        for (number, address) in addresses.iter().enumerate() {
            let dice = Dice::new(plan.seed, 10 + number as u64);
            let link = Link::open(runtime.handle(), carrier.address(), dice)?;
            let url = Cluster::url("redial", "redial");
            let mut environment = node::environment(*address, public, link.address, &url);
            // No dial whose permit only one server has.
            environment.push(("REDIAL_DURABILITY".to_owned(), "required".to_owned()));
            let name = format!("node-{}", number + 1);
            let mut node = Node::new(&name, *address, &["serve"], environment, folder.path());
            node.start()?;
            node.wait_until_it_answers(BEGINS_WITHIN)?;
            nodes.push(node);
            to_carrier.push(link);
        }
        Ok(Stage {
            nodes,
            to_carrier,
            addresses,
            carrier,
            cluster,
            ended_by_themselves: 0,
            folder,
            _runtime: runtime,
        })
    }

    /// Loses one primary after the other, each only when all servers are back.
    fn lose_primaries(&mut self, plan: &Plan) -> Result<Vec<Lost>, Failure> {
        let (begun, mut dice, mut lost) = (Instant::now(), Dice::new(plan.seed, 1), Vec::new());
        let mut turn = vec![Loss::Killed, Loss::CutOff, Loss::Parted];
        while begun.elapsed() < plan.lasts {
            self.stay(QUIET)?;
            let at = usize::try_from(dice.below(turn.len() as u64))?;
            let loss = turn.swap_remove(at);
            if turn.is_empty() {
                turn = vec![Loss::Killed, Loss::CutOff, Loss::Parted];
            }
            let away = dice.between(Duration::ZERO, MOST_AWAY);
            lost.push(self.lose(loss, away)?);
        }
        self.stay(QUIET)?;
        Ok(lost)
    }

    fn lose(&mut self, loss: Loss, away: Duration) -> Result<Lost, Failure> {
        let old = self.cluster.primary().ok_or("there is no primary")?;
        let begun = clock::millis();
        match loss {
            Loss::Killed => self.cluster.kill(old)?,
            Loss::CutOff => self.cluster.network.cable_is(old, false)?,
            Loss::Parted => self.cluster.network.part(old, ETCD_PORT)?,
        }
        let new = self.cluster.wait_for_another(old)?;
        let another = clock::millis();
        eprintln!(
            "the primary was {loss}: {:.1} s until server {} took over",
            millis(another - begun).as_secs_f64(),
            new + 1
        );
        self.stay(away)?;
        match loss {
            Loss::Killed => self.cluster.start_member(old)?,
            Loss::CutOff => self.cluster.network.cable_is(old, true)?,
            Loss::Parted => self.cluster.network.join(old)?,
        }
        self.cluster.wait_until_whole()?;
        Ok(Lost {
            loss,
            begun,
            another,
            whole: clock::millis(),
        })
    }

    fn stay(&mut self, long: Duration) -> Result<(), Failure> {
        let until = Instant::now() + long;
        while Instant::now() < until {
            start_what_ended(&mut self.nodes, &mut self.ended_by_themselves)?;
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

/// Starts the nodes that have ended by themselves, and counts them.
fn start_what_ended(nodes: &mut [Node], ended_by_themselves: &mut u64) -> Result<(), Failure> {
    for node in nodes {
        if node.has_ended()? {
            *ended_by_themselves += 1;
            node.start()?;
        }
    }
    Ok(())
}

fn windows(lost: &[Lost]) -> Vec<Window> {
    let after = i64::try_from(AFTER.as_millis()).unwrap_or(0);
    let window = |it: &Lost| Window {
        begin: it.begun,
        end: it.whole + after,
        is_late: false,
        is_clock: false,
    };
    lost.iter().map(window).collect()
}

/// The longest time without any of these moments, begun before the servers were whole again.
fn longest_gap(moments: &[i64], lost: &Lost) -> Duration {
    let mut moments = moments.to_vec();
    moments.sort_unstable();
    let gaps = moments.windows(2).map(|it| (it[0], it[1]));
    let gaps = gaps.filter(|(from, to)| *to >= lost.begun && *from <= lost.whole);
    millis(gaps.map(|(from, to)| to - from).max().unwrap_or(0))
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

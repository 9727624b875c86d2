//! One run: a carrier, nodes, clients, faults; then peace, and the check.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::balancer;
use crate::carrier::Carrier;
use crate::course::{Course, Parts};
use crate::dice::Dice;
use crate::failure::{Failure, Saying as _};
use crate::fault::Fault;
use crate::link::Link;
use crate::load::{Load, Pressure};
use crate::node::{self, Node};
use crate::place::{Place, Store};
use crate::settle::{self, Ending, Witnesses};
use crate::tools::FalseClock;

/// How long a node may take to answer after its start.
const BEGINS_WITHIN: Duration = Duration::from_secs(40);
/// How often it is looked whether all is over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What is to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where calls are remembered.
    pub store: Store,
    /// How many nodes; a file has one.
    pub nodes: usize,
    /// What decides.
    pub seed: u64,
    /// How long faults go on; with `kills` at most so long.
    pub lasts: Duration,
    /// Ends once so many processes were killed, and kills far more often than it does anything else.
    pub kills: Option<u64>,
    /// The longest time that a node is frozen.
    pub most_frozen: Duration,
    /// The gap between two faults, at most.
    pub most_gap: Duration,
    /// How much is asked for.
    pub pressure: Pressure,
}

/// What came of a run.
pub struct Report {
    /// How often each fault was done.
    pub done: BTreeMap<Fault, u64>,
    /// What could not be done, and why.
    pub skipped: BTreeMap<Fault, String>,
    /// How many processes were killed.
    pub kills: u64,
    /// Nodes that ended because the store could not be opened or used.
    pub ended_by_themselves: u64,
    /// How long the faults went on.
    pub faults_lasted: Duration,
    /// How it ended.
    pub ending: Ending,
}

/// Nodes with their carrier and their links. The runtime, which moves the links' bytes, goes last.
struct Stage {
    course: Course,
    carrier: Carrier,
    addresses: Vec<SocketAddr>,
    folder: TempDir,
    _runtime: Runtime,
}

/// Runs it.
///
/// # Errors
/// The run could not be made, or a node did what no program should.
pub fn run(plan: &Plan) -> Result<Report, Failure> {
    let mut stage = Stage::set(plan)?;
    let load = Load::start(stage.addresses.clone(), plan.pressure, plan.seed);
    let begun = Instant::now();
    let struck = stage.strike(plan);
    let faults_lasted = begun.elapsed();
    load.no_more();
    let ended = struck.and_then(|()| stage.course.end());
    if let Err(failure) = ended {
        load.end();
        return Err(stage.keep(failure));
    }
    let account = stage.course.account();
    let course = &mut stage.course;
    let witnesses = Witnesses {
        nodes: &stage.addresses,
        carrier: &stage.carrier,
    };
    let keep_up = || course.start_what_ended();
    let (ending, _) = settle::end(load, &mut stage.folder, &witnesses, || account, keep_up)?;
    Ok(Report {
        done: stage.course.done.clone(),
        skipped: stage.course.skipped.clone(),
        kills: stage.course.kills,
        ended_by_themselves: stage.course.ended_by_themselves,
        faults_lasted,
        ending,
    })
}

impl Stage {
    /// Starts everything and waits until every node answers.
    fn set(plan: &Plan) -> Result<Stage, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let folder = tempfile::Builder::new().prefix("redial-torture-").tempdir()?;
        let place = Place::make(plan.store, folder.path())?;
        let carrier = Carrier::start(plan.seed, folder.path())?;
        let nodes = if plan.store == Store::Sqlite {
            1
        } else {
            plan.nodes
        };
        let addresses: Vec<SocketAddr> = (0..nodes)
            .map(|_| SocketAddr::from(([127, 0, 0, 1], e2e::free_port())))
            .collect();
        let public = balancer::open(runtime.handle(), addresses.clone())?;
        let clock = FalseClock::make(folder.path()).map_err(|it| it.to_string());
        let (mut course_nodes, mut to_carrier, mut to_database) = (Vec::new(), Vec::new(), Vec::new());
        for (number, address) in addresses.iter().enumerate() {
            let part = |of: u64| Dice::new(plan.seed, of + number as u64);
            let link = Link::open(runtime.handle(), carrier.address(), part(10))?;
            let database = place
                .address()
                .map(|server| Link::open(runtime.handle(), server, part(20)));
            let database = database.transpose()?;
            let url = place.url(database.as_ref().map(|it| it.address));
            let mut environment = node::environment(*address, public, link.address, &url);
            environment.extend(clock.iter().flat_map(FalseClock::environment));
            let name = format!("node-{}", number + 1);
            let mut node = Node::new(&name, *address, &["serve"], environment, folder.path());
            node.start()?;
            course_nodes.push(node);
            to_carrier.push(link);
            to_database.extend(database);
        }
        for node in &mut course_nodes {
            node.wait_until_it_answers(BEGINS_WITHIN)?;
        }
        let course = Course::new(Parts {
            nodes: course_nodes,
            to_carrier,
            to_database,
            place,
            store: plan.store,
            most_frozen: plan.most_frozen,
            clock,
            dice: Dice::new(plan.seed, 1),
        });
        Ok(Stage {
            course,
            carrier,
            addresses,
            folder,
            _runtime: runtime,
        })
    }

    /// Does one fault after another until it is enough.
    fn strike(&mut self, plan: &Plan) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut gaps = Dice::new(plan.seed, 2);
        let mut next = begun;
        while begun.elapsed() < plan.lasts && plan.kills.is_none_or(|most| self.course.kills < most) {
            let undo = self.course.mend()?;
            self.course.start_what_ended()?;
            if Instant::now() >= next {
                self.course.strike(plan.kills.is_some())?;
                next = Instant::now() + gaps.between(Duration::from_millis(20), plan.most_gap);
            }
            let until = undo.map_or(next, |undo| undo.min(next));
            std::thread::sleep(until.saturating_duration_since(Instant::now()).min(LOOK_EVERY));
        }
        Ok(())
    }

    /// The failure, and where the logs are kept for it.
    fn keep(mut self, failure: Failure) -> Failure {
        self.folder.disable_cleanup(true);
        format!("{failure}; logs are kept in {}", self.folder.path().display()).into()
    }
}

impl Report {
    /// Whether every rule held.
    ///
    /// # Errors
    /// The first that did not, in words.
    pub fn is_sound(&self) -> Result<(), Failure> {
        match &self.ending.verdict {
            Ok(_) => Ok(()),
            Err(broken) => Err(format!("{}:\n{}", broken.rule, broken.rows.join("\n"))).saying("broken"),
        }
    }
}

//! The course of faults: what is done to whom, when, and how it is undone.
//!
//! One thread, one heap of what is still to be undone. Faults at different nodes overlap. It knows nothing of calls;
//! it counts the dials that the faults can have left without proof, by the connections to the carrier that were open
//! while one of them lasted.

mod undo;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::{Duration, Instant};

use crate::check::Window;
use crate::clock;
use crate::dice::Dice;
use crate::failure::Failure;
use crate::fault::{FAULTS, Fault};
use crate::link::{How, Link, Trouble};
use crate::node::Node;
use crate::place::{Place, Store};
use crate::tools::{FalseClock, SyncError};

/// A node that was killed or stopped stays away so long at most.
const MOST_AWAY: Duration = Duration::from_millis(900);
/// A link is in trouble so long at most: the carrier's below the time after which a dial in doubt is decided.
const MOST_TROUBLE: Duration = Duration::from_secs(4);
/// The longest delay of bytes on a link: below the time after which a dial in doubt is decided, because a request that
/// rings later than that is a case of its own.
const MOST_DELAY: Duration = Duration::from_millis(1_500);
/// After how many bytes at most something happens to a connection: a request to the carrier and its answer have some
/// hundreds, a connection to the database lives long.
const CARRIER_BYTES: u64 = 1_500;
const DATABASE_BYTES: u64 = 12_000;
/// What is done after a fault is over still counts as its consequence: while nodes find back to the database, and
/// otherwise for the moment that it takes to notice.
const AFTER_THE_DATABASE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_millis(500);
/// By how many seconds a wall clock is moved: below what the engine takes for a jump, above it, and above what it lets
/// itself differ from the carrier's.
const CLOCKS: [i64; 6] = [-40, -8, -2, 2, 8, 40];

/// Ends every connection of the nodes.
const END_BACKENDS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'redial'";

/// What is still to be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Undo {
    Start(usize),
    Thaw(usize),
    HealCarrier(usize),
    HealDatabase(usize),
    StartServer,
    EmptyDisk,
    LetGo,
    SetClock,
    Nothing,
}

/// Everything that can be hurt.
pub struct Course {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// From each node to the carrier.
    pub to_carrier: Vec<Link>,
    /// From each node to the database server, if there is one.
    pub to_database: Vec<Link>,
    /// Where calls are remembered.
    pub place: Place,
    /// What each fault was done how often.
    pub done: BTreeMap<Fault, u64>,
    /// What could not be done at all, and why.
    pub skipped: BTreeMap<Fault, String>,
    /// How many processes were killed.
    pub kills: u64,
    /// Nodes that ended although nobody told them to, while the store was in trouble.
    pub ended_by_themselves: u64,
    store: Store,
    most_frozen: Duration,
    clock: Option<FalseClock>,
    sync: Option<SyncError>,
    dice: Dice,
    undo: BinaryHeap<Reverse<(Instant, Undo)>>,
    /// When something was wrong, and with which nodes.
    windows: Vec<(Window, Vec<usize>)>,
}

/// What a course is made of.
pub struct Parts {
    /// The nodes, up.
    pub nodes: Vec<Node>,
    /// From each node to the carrier.
    pub to_carrier: Vec<Link>,
    /// From each node to the database server, if there is one.
    pub to_database: Vec<Link>,
    /// Where calls are remembered.
    pub place: Place,
    /// Which store that is.
    pub store: Store,
    /// The longest time a node is frozen.
    pub most_frozen: Duration,
    /// The nodes' wall clock, where it can be moved.
    pub clock: Result<FalseClock, String>,
    /// What decides.
    pub dice: Dice,
}

impl Course {
    /// A course at its beginning: nothing is wrong.
    pub fn new(parts: Parts) -> Course {
        let reasons = [
            (Fault::DiskFull, parts.place.disk().refused.clone()),
            (Fault::SyncError, crate::tools::no_strace()),
            (Fault::Clock, parts.clock.as_ref().err().cloned()),
        ];
        let skipped = reasons.into_iter().filter_map(|(fault, why)| Some((fault, why?)));
        let skipped = BTreeMap::from_iter(skipped);
        Course {
            nodes: parts.nodes,
            to_carrier: parts.to_carrier,
            to_database: parts.to_database,
            place: parts.place,
            done: BTreeMap::new(),
            skipped,
            kills: 0,
            ended_by_themselves: 0,
            store: parts.store,
            most_frozen: parts.most_frozen,
            clock: parts.clock.ok(),
            sync: None,
            dice: parts.dice,
            undo: BinaryHeap::new(),
            windows: Vec::new(),
        }
    }

    /// Draws a fault and does it, unless what it would hurt is hurt already. With `kills` every other fault is rare.
    ///
    /// # Errors
    /// A program that injects does not do as it should, or the set-up cannot be brought back.
    pub fn strike(&mut self, only_kills: bool) -> Result<(), Failure> {
        let (store, skipped) = (self.store, &self.skipped);
        let fits = FAULTS
            .iter()
            .copied()
            .filter(|(it, _)| it.fits(store) && !skipped.contains_key(it));
        let fits: Vec<(Fault, u64)> = fits
            .map(|(fault, weight)| {
                (
                    fault,
                    if only_kills && fault == Fault::Kill {
                        40 * weight
                    } else {
                        weight
                    },
                )
            })
            .collect();
        let fault = self.dice.weighted(&fits);
        // A kill counts where it interrupts something: a process that is still starting has begun nothing.
        let may_be_hurt = |it: &usize| self.nodes[*it].is_up() && (!only_kills || self.nodes[*it].listens());
        let up: Vec<usize> = (0..self.nodes.len()).filter(may_be_hurt).collect();
        // The same draws whatever is up, so that a seed's course is the same for longer.
        let (at, long) = (
            self.dice.below(1 << 20),
            self.dice
                .stretched(Duration::from_millis(1), Duration::from_secs(1)),
        );
        if up.is_empty() {
            return Ok(());
        }
        let node = up[usize::try_from(at).unwrap_or(0) % up.len()];
        self.inject(fault, node, &up, long)
    }

    fn inject(&mut self, fault: Fault, node: usize, up: &[usize], share: Duration) -> Result<(), Failure> {
        // From a thousandth of the longest to the longest.
        let lasts = |most: Duration| most.mul_f64(share.as_secs_f64());
        match fault {
            Fault::Kill => {
                self.begin(fault, vec![node], lasts(MOST_AWAY), Undo::Start(node));
                self.nodes[node].kill();
                self.kills += 1;
            }
            Fault::KillAll => {
                self.begin(fault, up.to_vec(), lasts(MOST_AWAY), Undo::Start(up[0]));
                for &node in up {
                    self.nodes[node].kill();
                    self.kills += 1;
                }
                for &node in &up[1..] {
                    self.later(lasts(MOST_AWAY), Undo::Start(node));
                }
            }
            Fault::Terminate => {
                self.begin(fault, vec![node], lasts(MOST_AWAY), Undo::Start(node));
                self.nodes[node].ask_to_stop();
            }
            Fault::Freeze => {
                self.begin(fault, vec![node], lasts(self.most_frozen), Undo::Thaw(node));
                self.nodes[node].freeze();
            }
            Fault::Carrier(how) => {
                let trouble = self.trouble(how, CARRIER_BYTES);
                self.to_carrier[node].trouble(trouble);
                self.begin(fault, vec![node], lasts(MOST_TROUBLE), Undo::HealCarrier(node));
            }
            Fault::Database(how) => {
                let trouble = self.trouble(how, DATABASE_BYTES);
                self.to_database[node].trouble(trouble);
                self.begin(
                    fault,
                    vec![node],
                    lasts(2 * MOST_TROUBLE),
                    Undo::HealDatabase(node),
                );
            }
            Fault::Backends | Fault::RestartFast | Fault::RestartImmediate => {
                return self.inject_at_the_server(fault, lasts(MOST_TROUBLE));
            }
            Fault::DiskFull | Fault::SyncError | Fault::Clock => {
                return self.inject_on_the_machine(fault, node, lasts(MOST_TROUBLE));
            }
        }
        Ok(())
    }

    fn inject_at_the_server(&mut self, fault: Fault, lasts: Duration) -> Result<(), Failure> {
        if self.server_is_hurt() {
            return Ok(());
        }
        let all = (0..self.nodes.len()).collect();
        if fault == Fault::Backends {
            self.begin(fault, all, Duration::ZERO, Undo::Nothing);
            return self.place.sql(END_BACKENDS).map(drop);
        }
        self.begin(fault, all, lasts, Undo::StartServer);
        let mode = if fault == Fault::RestartFast {
            "fast"
        } else {
            "immediate"
        };
        match &mut self.place {
            Place::Server(server, _) => Ok(server.stop(mode)?),
            Place::Folder(_) => Ok(()),
        }
    }

    /// Whether something is done to the server already, or it is not over it yet: then it is left alone.
    fn server_is_hurt(&self) -> bool {
        let mut undo = [Undo::StartServer, Undo::EmptyDisk, Undo::LetGo].into_iter();
        undo.any(|it| self.waits(it)) || self.place.sql("SELECT 1").is_err()
    }

    fn inject_on_the_machine(&mut self, fault: Fault, node: usize, lasts: Duration) -> Result<(), Failure> {
        let undo = match fault {
            Fault::DiskFull => Undo::EmptyDisk,
            Fault::Clock => Undo::SetClock,
            _ => Undo::LetGo,
        };
        let is_of_the_server = self.store == Store::Postgres && fault != Fault::Clock;
        if self.waits(undo) || is_of_the_server && self.server_is_hurt() {
            return Ok(());
        }
        match (fault, &self.clock) {
            (Fault::DiskFull, _) => self.place.disk().fill()?,
            (Fault::Clock, Some(clock)) => clock.ahead(*self.dice.one_of(&CLOCKS))?,
            (Fault::SyncError, _) => {
                let pid = match &self.place {
                    Place::Folder(_) => self.nodes[node].pid(),
                    Place::Server(server, _) => Some(server.pid()),
                };
                let Some(pid) = pid else {
                    return Ok(());
                };
                // A server's process syncs for one connection, a node for all that it does.
                let most = if self.store == Store::Postgres { 8 } else { 40 };
                let nth = 1 + self.dice.below(most);
                match SyncError::inject(pid, nth) {
                    Ok(sync) => {
                        self.sync = Some(sync);
                        if self.store == Store::Postgres {
                            // Only what the server begins from now on is held: let all be begun anew.
                            self.place.sql(END_BACKENDS)?;
                        }
                    }
                    Err(failure) => {
                        self.skipped.insert(fault, failure.to_string());
                        return Ok(());
                    }
                }
            }
            _ => return Ok(()),
        }
        // A failed sync needs its moment; a clock is read every ten seconds.
        let lasts = match fault {
            Fault::SyncError => lasts.max(Duration::from_secs(1)),
            Fault::Clock => 5 * lasts,
            _ => lasts,
        };
        let all = self.store == Store::Postgres || fault == Fault::Clock;
        let hurt = if all {
            (0..self.nodes.len()).collect()
        } else {
            vec![node]
        };
        self.begin(fault, hurt, lasts, undo);
        Ok(())
    }

    fn trouble(&mut self, how: How, bytes: u64) -> Trouble {
        let all = self.dice.happens(0.4);
        Trouble {
            how,
            share: if all || how == How::Refuse { 2.0 } else { 0.6 },
            within_bytes: bytes,
            most_delay: MOST_DELAY,
        }
    }

    fn waits(&self, undo: Undo) -> bool {
        self.undo.iter().any(|Reverse((_, it))| *it == undo)
    }

    fn later(&mut self, gap: Duration, undo: Undo) {
        self.undo.push(Reverse((Instant::now() + gap, undo)));
    }

    /// Notes that a fault begins, and when it is undone.
    fn begin(&mut self, fault: Fault, nodes: Vec<usize>, lasts: Duration, undo: Undo) {
        *self.done.entry(fault).or_default() += 1;
        let after = if fault.is_of_the_database() {
            AFTER_THE_DATABASE
        } else {
            AFTER
        };
        let begin = clock::millis();
        let whole = i64::try_from((lasts + after).as_millis()).unwrap_or(i64::MAX);
        let window = Window {
            begin,
            end: begin.saturating_add(whole),
            is_late: fault.makes_late(),
            // On a server the server's clock decides: nothing is forgiven for the nodes' own.
            is_clock: fault == Fault::Clock && self.store == Store::Sqlite,
        };
        self.windows.push((window, nodes));
        self.later(lasts, undo);
    }

    /// When something was wrong, and how many dials can have been left without proof by it: those whose connection was
    /// open while something was wrong with their node.
    pub fn account(&self) -> (Vec<Window>, u64) {
        let hit = |(node, link): (usize, &Link)| {
            let windows: Vec<Window> = self
                .windows
                .iter()
                .filter(|it| it.1.contains(&node))
                .map(|it| it.0)
                .collect();
            link.dials_within(&windows)
        };
        let chances = self.to_carrier.iter().enumerate().map(hit).sum();
        (self.windows.iter().map(|it| it.0).collect(), chances)
    }
}

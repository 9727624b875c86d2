//! The states and what leads from one to the next.

use stateright::{Model, Property};

use crate::configuration::{AfterFailover, Configuration, Flaw, Unknown};

/// Two processes that may dial.
pub const NODES: usize = 2;
/// Two attempts of the one call.
const ATTEMPTS: usize = 2;

/// What the database says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permit {
    /// No request may have been sent.
    None,
    /// A node has the right to send the one request.
    Granted(usize),
    /// The leg is known.
    Placed,
    /// No evidence was found; it counts as used.
    Unconfirmed,
}

/// Where a node is in a dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeStep {
    /// Nothing is in its hands.
    Idle,
    /// It has the permit of an attempt.
    Permitted(usize),
    /// The gate has let it through: the permit is young.
    PastGate(usize),
    /// The last byte is written; the answer is awaited.
    Sent(usize),
    /// The permit was too old at the gate.
    TooOld(usize),
}

/// Everything at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct State {
    primary: [Permit; ATTEMPTS],
    standby: [Permit; ATTEMPTS],
    nodes: [NodeStep; NODES],
    /// Requests that the network holds.
    under_way: [u8; ATTEMPTS],
    /// Requests that the carrier has executed: each is a ringing telephone.
    executed: [u8; ATTEMPTS],
    /// Every leg of the attempt is in the carrier's list.
    listed: [bool; ATTEMPTS],
    /// The settle time has passed.
    settled: [bool; ATTEMPTS],
    kills_left: u8,
    failovers_left: u8,
    in_quarantine: bool,
    /// The permits in each node's own journal, a bit for each attempt.
    journals: [u8; NODES],
    /// A leg rang after its attempt was closed and the next one begun.
    late_leg: bool,
}

/// Something that happens; attempts and nodes are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// `Input::Due` is committed: a node holds the permit of an attempt.
    Permit(usize, usize),
    /// The permit is young enough: the request is about to leave.
    Gate(usize),
    /// The permit was too old: it is given back unsent (`Input::NotSent`).
    GiveBack(usize),
    /// The last byte of the request leaves the process.
    Send(usize),
    /// 201 arrives and `Input::Placed` is committed.
    Answer(usize),
    /// No answer in time: the attempt is in doubt (`Input::InDoubt`).
    TimeOut(usize),
    /// `kill -9`.
    Kill(usize),
    /// The carrier executes a request.
    Execute(usize),
    /// The network loses a request.
    Lose(usize),
    /// A leg gets into the carrier's list.
    List(usize),
    /// A callback is committed.
    Callback(usize),
    /// The flaw of configuration A: a lease expires and the attempt is free again.
    LeaseExpires(usize),
    /// The settle time of an attempt passes.
    Settle(usize),
    /// A look-up finds the leg (`Input::Asked`, with legs).
    LookUpFinds(usize),
    /// A look-up that began after the settle time finds nothing (`Input::Asked`, without).
    LookUpIsEmpty(usize),
    /// The standby catches up.
    Replicate,
    /// The standby takes the primary's place.
    Failover,
    /// The carrier's calls since were listed, the journals read.
    Audit,
}

impl State {
    /// The attempt whose turn it is, if one's is.
    fn due(&self) -> Option<usize> {
        match self.primary {
            [Permit::None, _] => Some(0),
            [Permit::Placed | Permit::Unconfirmed, Permit::None] => Some(1),
            _ => None,
        }
    }

    /// The call is over: every attempt is known, or given up in words.
    pub fn is_resolved(&self) -> bool {
        let known = |permit: &Permit| matches!(permit, Permit::Placed | Permit::Unconfirmed);
        !self.in_quarantine && self.primary.iter().all(known)
    }

    /// How often the carrier has executed an attempt's request.
    pub fn executed(&self, attempt: usize) -> u8 {
        self.executed[attempt]
    }

    fn is_granted(&self, attempt: usize) -> bool {
        matches!(self.primary[attempt], Permit::Granted(_))
    }

    fn is_unlisted(&self, attempt: usize) -> bool {
        self.executed[attempt] > 0 && !self.listed[attempt]
    }
}

impl Configuration {
    /// Whether the settle time of an attempt may pass now: what is bounded is over by then.
    fn may_settle(&self, state: &State, attempt: usize) -> bool {
        let asleep = state.nodes.contains(&NodeStep::PastGate(attempt));
        !(self.bounds.gate && asleep
            || self.bounds.packet && state.under_way[attempt] > 0
            || self.bounds.list && state.is_unlisted(attempt))
    }

    /// Whether the audit may be finished now.
    fn may_audit(&self, state: &State) -> bool {
        let AfterFailover::Audit { waits: true, .. } = self.after_failover else {
            return true;
        };
        let dials = |step: &NodeStep| matches!(step, NodeStep::Permitted(_) | NodeStep::PastGate(_));
        !(state.nodes.iter().any(dials)
            || state.under_way.iter().any(|requests| *requests > 0)
            || self.bounds.list && (0..ATTEMPTS).any(|attempt| state.is_unlisted(attempt)))
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn keeps_journals(&self) -> bool {
        matches!(self.after_failover, AfterFailover::Audit { journals: true, .. })
    }

    fn events_of_node(&self, state: &State, node: usize, events: &mut Vec<Event>) {
        let step = state.nodes[node];
        match step {
            NodeStep::Idle => {
                if let Some(attempt) = state.due().filter(|_| !state.in_quarantine) {
                    events.push(Event::Permit(node, attempt));
                }
            }
            NodeStep::Permitted(_) => events.push(Event::Gate(node)),
            NodeStep::PastGate(_) => events.push(Event::Send(node)),
            NodeStep::TooOld(_) => events.push(Event::GiveBack(node)),
            NodeStep::Sent(attempt) => {
                if state.executed[attempt] > 0 {
                    events.push(Event::Answer(node));
                }
                events.push(Event::TimeOut(node));
            }
        }
        if step != NodeStep::Idle && state.kills_left > 0 {
            events.push(Event::Kill(node));
        }
    }

    fn events_of_attempt(&self, state: &State, attempt: usize, events: &mut Vec<Event>) {
        if state.under_way[attempt] > 0 {
            events.extend([Event::Execute(attempt), Event::Lose(attempt)]);
        }
        if state.is_unlisted(attempt) {
            events.push(Event::List(attempt));
        }
        if state.executed[attempt] > 0 && state.primary[attempt] != Permit::Placed {
            events.push(Event::Callback(attempt));
        }
        if !state.is_granted(attempt) {
            return;
        }
        if self.has(Flaw::LeaseExpirySends) {
            events.push(Event::LeaseExpires(attempt));
        }
        if !state.settled[attempt] && self.may_settle(state, attempt) {
            events.push(Event::Settle(attempt));
        }
        if state.executed[attempt] > 0 && state.listed[attempt] {
            events.push(Event::LookUpFinds(attempt));
        } else if state.settled[attempt] {
            events.push(Event::LookUpIsEmpty(attempt));
        }
    }

    fn node_does(&self, state: &mut State, event: Event) {
        let (Event::Gate(node)
        | Event::GiveBack(node)
        | Event::Send(node)
        | Event::Answer(node)
        | Event::TimeOut(node)
        | Event::Kill(node)) = event
        else {
            return;
        };
        let (NodeStep::Permitted(attempt)
        | NodeStep::PastGate(attempt)
        | NodeStep::Sent(attempt)
        | NodeStep::TooOld(attempt)) = state.nodes[node]
        else {
            return;
        };
        let own = state.primary[attempt] == Permit::Granted(node);
        state.nodes[node] = match event {
            Event::Gate(_) => NodeStep::PastGate(attempt),
            Event::Send(_) => NodeStep::Sent(attempt),
            _ => NodeStep::Idle,
        };
        match event {
            Event::Send(_) => state.under_way[attempt] += 1,
            Event::Answer(_) => state.primary[attempt] = Permit::Placed,
            Event::GiveBack(_) if own => state.primary[attempt] = Permit::None,
            Event::TimeOut(_) if own && self.has(Flaw::TimeOutIsRetried) => {
                state.primary[attempt] = Permit::None;
            }
            Event::Kill(_) => {
                state.kills_left -= 1;
                if self.disks_are_lost {
                    state.journals[node] = 0;
                }
            }
            _ => {}
        }
    }

    fn settle(&self, state: &mut State, attempt: usize) {
        state.settled[attempt] = true;
        if !self.has(Flaw::NoGate) {
            for step in &mut state.nodes {
                if *step == NodeStep::Permitted(attempt) {
                    *step = NodeStep::TooOld(attempt);
                }
            }
        }
    }

    fn audit(&self, state: &mut State) {
        for (node, journal) in state.journals.into_iter().enumerate() {
            for attempt in 0..ATTEMPTS {
                let written = self.keeps_journals() && journal & (1 << attempt) != 0;
                if written && state.primary[attempt] == Permit::None {
                    state.primary[attempt] = Permit::Granted(node);
                    state.settled[attempt] = false;
                }
            }
        }
        for attempt in 0..ATTEMPTS {
            if state.executed[attempt] > 0 && state.listed[attempt] {
                state.primary[attempt] = Permit::Placed;
            }
        }
        state.in_quarantine = false;
    }
}

impl Model for Configuration {
    type State = State;
    type Action = Event;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            primary: [Permit::None; ATTEMPTS],
            standby: [Permit::None; ATTEMPTS],
            nodes: [NodeStep::Idle; NODES],
            under_way: [0; ATTEMPTS],
            executed: [0; ATTEMPTS],
            listed: [false; ATTEMPTS],
            settled: [false; ATTEMPTS],
            kills_left: self.kills,
            failovers_left: self.failovers,
            in_quarantine: false,
            journals: [0; NODES],
            late_leg: false,
        }]
    }

    fn actions(&self, state: &State, events: &mut Vec<Event>) {
        for node in 0..NODES {
            self.events_of_node(state, node, events);
        }
        for attempt in 0..ATTEMPTS {
            self.events_of_attempt(state, attempt, events);
        }
        if !self.synchronous && state.standby != state.primary {
            events.push(Event::Replicate);
        }
        if state.failovers_left > 0 {
            events.push(Event::Failover);
        }
        if state.in_quarantine && self.may_audit(state) {
            events.push(Event::Audit);
        }
    }

    fn next_state(&self, before: &State, event: Event) -> Option<State> {
        let mut state = *before;
        match event {
            Event::Permit(node, attempt) => {
                state.primary[attempt] = Permit::Granted(node);
                state.nodes[node] = NodeStep::Permitted(attempt);
                state.settled[attempt] = false;
                if self.keeps_journals() {
                    state.journals[node] |= 1 << attempt;
                }
            }
            Event::Gate(_)
            | Event::GiveBack(_)
            | Event::Send(_)
            | Event::Answer(_)
            | Event::TimeOut(_)
            | Event::Kill(_) => self.node_does(&mut state, event),
            Event::Execute(attempt) => {
                state.under_way[attempt] -= 1;
                state.listed[attempt] &= state.executed[attempt] > 0;
                state.executed[attempt] += 1;
                let closed =
                    matches!(before.primary, [Permit::Unconfirmed, second] if second != Permit::None);
                state.late_leg |= attempt == 0 && closed;
            }
            Event::Lose(attempt) => state.under_way[attempt] -= 1,
            Event::List(attempt) => state.listed[attempt] = true,
            Event::Callback(attempt) | Event::LookUpFinds(attempt) => {
                state.primary[attempt] = Permit::Placed;
            }
            Event::LeaseExpires(attempt) => state.primary[attempt] = Permit::None,
            Event::Settle(attempt) => self.settle(&mut state, attempt),
            Event::LookUpIsEmpty(attempt) => match self.unknown {
                Unknown::Hold => state.primary[attempt] = Permit::Unconfirmed,
                Unknown::Redial => {
                    state.primary[attempt] = Permit::None;
                    state.settled[attempt] = false;
                }
            },
            Event::Replicate => state.standby = state.primary,
            Event::Failover => {
                state.primary = state.standby;
                state.failovers_left -= 1;
                state.in_quarantine = self.after_failover != AfterFailover::GoesOn;
            }
            Event::Audit => self.audit(&mut state),
        }
        if self.synchronous {
            state.standby = state.primary;
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no attempt is executed twice", |_, state: &State| {
                state.executed.iter().all(|rings| *rings <= 1)
            }),
            Property::always(
                "nobody is phoned more often than there are attempts",
                |_, state: &State| {
                    state
                        .executed
                        .iter()
                        .map(|rings| usize::from(*rings))
                        .sum::<usize>()
                        <= ATTEMPTS
                },
            ),
            Property::always("what is said to be placed was executed", |_, state: &State| {
                (0..ATTEMPTS).all(|it| state.primary[it] != Permit::Placed || state.executed[it] > 0)
            }),
            Property::sometimes(LATE_LEG, |_, state: &State| state.late_leg),
        ]
    }
}

/// The property that a leg can ring after its attempt was closed and the next begun.
pub(crate) const LATE_LEG: &str = "a late leg";

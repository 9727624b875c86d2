//! The exchange: requests and a time in, answers and timed actions out. Pure and seeded: no I/O, no clock,
//! no async, so that a simulation in virtual time drives the very code that the HTTP server drives. It must
//! not know who performs its actions. Times are milliseconds since 1970 and never run backwards; a time that
//! does is taken for the latest one known.

mod course;

use crate::Options;
use crate::call::{Call, Sid, Status};
use crate::callee;
use crate::dice::mixed;
use crate::fault::{self, Fate, Faults, Refusal, Reply};
use crate::notice::{Action, Answer, Document, Outcome, Request};
use crate::order::{self, Order};
use crate::pace::Pace;
use crate::wire::{self, Form, Problem, Resource};
use course::Due;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// Longest queue the vendor keeps: a create that would wait longer than a day is refused.
const LONGEST_QUEUE_MS: u64 = 24 * 60 * 60 * 1_000;

/// A carrier's exchange with one account.
pub struct Exchange {
    options: Options,
    /// Every call ever placed, in order: the ledger.
    calls: Vec<Call>,
    by_sid: HashMap<Sid, usize>,
    by_to: HashMap<Box<str>, Vec<usize>>,
    /// Creates asked for, by number, where a script counts refused ones too.
    asked: HashMap<Box<str>, u64>,
    /// What is remembered to be repeated during the next call, by number.
    remembered: HashMap<Box<str>, Request>,
    timetable: BinaryHeap<Reverse<Due>>,
    /// Entries ever made in the timetable: equal times keep the order in which they were entered.
    entered: u64,
    actions: Vec<Action>,
    pace: Pace,
    faults: Faults,
    totals: Totals,
    now_ms: u64,
}

/// What was asked of the carrier since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Requests to create a call that got as far as being read.
    pub asked: u64,
    /// Calls placed, which is the length of the ledger.
    pub placed: u64,
    /// Refused for what they asked.
    pub refused: u64,
    /// Refused for reasons of the carrier's own (429, 5xx); no call was created.
    pub failed: u64,
    /// Placed, although the answer was lost or said otherwise.
    pub placed_in_doubt: u64,
    /// Requests to change a call.
    pub updates: u64,
    /// Callbacks fired, lost ones included, repeats not.
    pub callbacks: u64,
    /// Documents asked for.
    pub documents: u64,
}

impl Exchange {
    /// An exchange without a call.
    pub fn new(options: Options) -> Self {
        let speed = if options.speed.is_finite() && options.speed > 0.0 {
            options.speed
        } else {
            1.0
        };
        let pace = Pace::new(options.cps);
        Self {
            options: Options { speed, ..options },
            calls: Vec::new(),
            by_sid: HashMap::new(),
            by_to: HashMap::new(),
            asked: HashMap::new(),
            remembered: HashMap::new(),
            timetable: BinaryHeap::new(),
            entered: 0,
            actions: Vec::new(),
            pace,
            faults: Faults::default(),
            totals: Totals::default(),
            now_ms: 0,
        }
    }

    /// Takes a request to create a call. Whatever the answer, a call that it created is in the ledger when
    /// this returns, and one that it did not create never will be.
    pub fn create(&mut self, now_ms: u64, form: &Form) -> Outcome {
        self.reach(now_ms);
        self.totals.asked += 1;
        let order = match Order::read(form) {
            Ok(order) => order,
            Err(problem) => {
                self.totals.refused += 1;
                return Answer::from(problem).into();
            }
        };
        let reply = match self.fate(&order.to) {
            Fate::Refused(refusal) => {
                self.totals.failed += 1;
                return refused(refusal).into();
            }
            Fate::Placed(reply) => reply,
        };
        if self.pace.wait_ms(self.now_ms) > LONGEST_QUEUE_MS {
            self.totals.refused += 1;
            return Answer::from(Problem::bad(22_005, "The call queue of this account is full")).into();
        }
        let (index, first) = self.place(order);
        let answer = match reply {
            Reply::Normal => {
                let body = wire::json(&Resource::of(&self.options.account_sid, &self.calls[index]));
                return Outcome {
                    first,
                    answer: Answer::Reply { status: 201, body },
                };
            }
            Reply::Lost => Answer::Cut,
            Reply::Unavailable => refused(Refusal::Unavailable),
        };
        self.totals.placed_in_doubt += 1;
        Outcome { first, answer }
    }

    fn fate(&mut self, to: &str) -> Fate {
        if self.faults.answer != Refusal::Normal {
            return Fate::Refused(self.faults.answer);
        }
        if callee::script(to).is_none() {
            return Fate::Placed(Reply::Normal);
        }
        let asked = self.asked.entry(to.into()).or_default();
        *asked += 1;
        fault::fate(to, *asked - 1)
    }

    /// Enters a call into the ledger and its first step into the timetable.
    fn place(&mut self, order: Order) -> (usize, Vec<Request>) {
        let index = self.calls.len();
        let queue_ms = self.pace.take(self.now_ms);
        let Options {
            seed, answer_rate, ..
        } = self.options;
        let to: Box<str> = order.to.into();
        let siblings = self.by_to.entry(to.clone()).or_default();
        let nth = siblings.len() as u64;
        siblings.push(index);
        let sid = name(seed, self.now_ms, index as u64);
        self.by_sid.insert(sid, index);
        self.totals.placed += 1;
        self.calls.push(Call {
            sid,
            from: order.from.into(),
            status: Status::Queued,
            created_ms: self.now_ms,
            updated_ms: self.now_ms,
            dialled_ms: None,
            answered_ms: None,
            ended_ms: None,
            queue_ms,
            url: order.url.map(Into::into),
            method: order.method,
            came_with_twiml: order.twiml.is_some(),
            twiml: order.twiml.map(Into::into),
            status_callback: order.status_callback.map(Into::into),
            status_callback_method: order.status_callback_method,
            events: order.events,
            ring_timeout_s: order.ring_timeout_s,
            time_limit_s: order.time_limit_s,
            detection: order.detection.map(Box::new),
            answered_by: None,
            sip_response_code: None,
            duration_s: None,
            story: callee::story(&to, nth, seed, answer_rate),
            callbacks: fault::callbacks(&to, nth),
            fired: 0,
            held: Vec::new(),
            ends_ms: None,
            fetches: 0,
            awaits_document: false,
            redirects: 0,
            to,
        });
        let first = self.start(index);
        (index, first)
    }

    /// The resource of one call.
    pub fn fetch(&self, sid: &str) -> Answer {
        match self.find(sid) {
            Ok(index) => self.shown(index),
            Err(problem) => problem.into(),
        }
    }

    /// Changes one call: ends it (`Status`), or gives it another document (`Url` or `Twiml`).
    pub fn update(&mut self, now_ms: u64, sid: &str, form: &Form) -> Answer {
        self.reach(now_ms);
        self.totals.updates += 1;
        match self
            .find(sid)
            .and_then(|index| self.change(index, form).map(|()| index))
        {
            Ok(index) => self.shown(index),
            Err(problem) => problem.into(),
        }
    }

    fn change(&mut self, index: usize, form: &Form) -> Result<(), Problem> {
        let status = self.calls[index].status;
        let over = || Problem::bad(21_220, "Call is not in-progress. Cannot redirect.");
        if status.is_over() {
            return Err(over());
        }
        match form.get("Status") {
            // Only `completed` ends a call that was answered.
            Some("canceled") if status == Status::InProgress => return Ok(()),
            Some("canceled" | "completed") => {
                let end = if status == Status::InProgress {
                    Status::Completed
                } else {
                    Status::Canceled
                };
                self.finish(index, self.now_ms, end);
                return Ok(());
            }
            Some(other) => {
                return Err(Problem::bad(
                    order::INVALID_PARAMETER,
                    format!("Invalid Status: {other}"),
                ));
            }
            None => {}
        }
        let url = order::url(form, "Url", 21_205)?;
        let twiml = form.get("Twiml");
        if url.is_some() == twiml.is_some() {
            return Err(Problem::bad(
                order::INVALID_PARAMETER,
                "One of Status, Url and Twiml is required",
            ));
        }
        if status != Status::InProgress {
            return Err(over());
        }
        let call = &mut self.calls[index];
        call.method = order::method(form, "Method")?;
        call.url = url.map(Into::into);
        call.twiml = twiml.map(Into::into);
        call.ends_ms = None;
        call.redirects = 0;
        self.seek_document(index, self.now_ms, None);
        Ok(())
    }

    /// Reports what came of an [`Action::Document`]. An answer to anything but the call's latest such
    /// request is ignored, so that late ones do no harm.
    pub fn document(&mut self, now_ms: u64, request: &Request, document: &Document) {
        self.reach(now_ms);
        if let Some(&index) = self.by_sid.get(&request.sid) {
            self.heard(index, self.now_ms, request, document);
        }
    }

    /// When [`Self::advance`] will next have something to do; `None` while nothing is planned.
    pub fn next_due(&self) -> Option<u64> {
        if self.actions.is_empty() {
            self.timetable.peek().map(|Reverse(due)| due.at_ms)
        } else {
            Some(self.now_ms)
        }
    }

    /// Brings every call up to `now_ms` and gives out what is to be done, in order. What happens is stamped
    /// with the time it was planned for, so that it does not matter how often this is called.
    pub fn advance(&mut self, now_ms: u64) -> Vec<Action> {
        self.reach(now_ms);
        while let Some(Reverse(due)) = self.timetable.peek() {
            if due.at_ms > self.now_ms {
                break;
            }
            if let Some(Reverse(due)) = self.timetable.pop() {
                self.take_step(due);
            }
        }
        std::mem::take(&mut self.actions)
    }

    /// The faults in force.
    pub fn faults(&self) -> Faults {
        self.faults
    }

    /// Puts other faults in force, from the next request on.
    pub fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// What was asked so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How it was set up.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Every call placed, in order.
    pub(crate) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The calls to one number, as places in [`Self::calls`], in order.
    pub(crate) fn calls_to(&self, number: &str) -> &[usize] {
        self.by_to.get(number).map_or(&[], Vec::as_slice)
    }

    /// Where a call stands in [`Self::calls`].
    pub(crate) fn place_of(&self, sid: Sid) -> Option<usize> {
        self.by_sid.get(&sid).copied()
    }

    fn find(&self, sid: &str) -> Result<usize, Problem> {
        let path = || {
            format!(
                "/{}/Accounts/{}/Calls/{sid}.json",
                wire::API_VERSION,
                self.options.account_sid
            )
        };
        Sid::parse(sid)
            .and_then(|sid| self.place_of(sid))
            .ok_or_else(|| Problem::not_found(&path()))
    }

    fn shown(&self, index: usize) -> Answer {
        let body = wire::json(&Resource::of(&self.options.account_sid, &self.calls[index]));
        Answer::Reply { status: 200, body }
    }

    fn reach(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
    }
}

/// A call's name: unlike any other of this exchange (the lower half is a bijection of its place), and,
/// because of the time in it, unlike those of an earlier run with the same seed.
fn name(seed: u64, now_ms: u64, place: u64) -> Sid {
    let upper = mixed(mixed(seed) ^ now_ms);
    Sid(u128::from(upper) << 64 | u128::from(mixed(place.wrapping_add(seed))))
}

fn refused(refusal: Refusal) -> Answer {
    let (status, code, message) = match refusal {
        Refusal::TooMany => (429, 20_429, "Too Many Requests"),
        Refusal::Broken | Refusal::Normal => (500, 20_500, "Internal Server Error"),
        Refusal::Unavailable => (503, 20_503, "Service Unavailable"),
    };
    Problem {
        status,
        code,
        message: message.into(),
    }
    .into()
}

#[cfg(test)]
mod tests;

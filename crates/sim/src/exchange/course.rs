//! How one call proceeds: dialled, ringing, answered, over, each step planned by the one before. It must not
//! know about REST. Called by the exchange when a step is due, a document has come, or a call is changed.

use super::Exchange;
use crate::call::{Call, Event, Method, Status};
use crate::callee::Ending;
use crate::fault::Callbacks;
use crate::notice::{self, Action, Document, Request};
use crate::target::Target;
use crate::twiml::{self, Verb};

/// A document that was not reported this long after it was asked for has failed: the vendor's limit for all
/// requests about a call is 15 s, and the driver needs a moment to say so. Real time: never divided.
const DOCUMENT_OVERDUE_MS: u64 = 16_000;
/// How long the apology for a broken document takes, undivided.
const APOLOGY_MS: u64 = 3_000;
/// How often one call is sent on before the vendor gives up.
const MOST_REDIRECTS: u8 = 10;

/// A planned step. Ordered by time, then by when it was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub at_ms: u64,
    entered: u64,
    index: usize,
    step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Dial,
    /// The first ring, or the failure that comes instead.
    Progress,
    /// What the callee, the line or the ring time-out does.
    Resolve,
    /// The repeat of an earlier call's callback.
    Haunt,
    /// Person or machine is decided.
    Decide,
    /// The document with this number has not come.
    Overdue(u8),
    End,
}

impl Exchange {
    /// Plans a fresh call's first step. Under [`Callbacks::Early`] it is dialled on the spot, and what that
    /// fires is given back to be delivered before the answer.
    pub(super) fn start(&mut self, index: usize) -> Vec<Request> {
        let call = &self.calls[index];
        if call.callbacks == Callbacks::Early && call.queue_ms == 0 {
            let waiting = std::mem::take(&mut self.actions);
            self.dial(index, self.now_ms);
            let fired = std::mem::replace(&mut self.actions, waiting);
            return fired
                .into_iter()
                .flat_map(|action| match action {
                    Action::Callbacks(requests) => requests,
                    Action::Document(request) => vec![request],
                })
                .collect();
        }
        let at_ms = self.now_ms + call.queue_ms + self.shortened(call.story.setup_ms.into());
        self.plan(at_ms, index, Step::Dial);
        Vec::new()
    }

    /// Performs a planned step; what has been overtaken does nothing.
    pub(super) fn take_step(&mut self, due: Due) {
        let Due { at_ms, index, .. } = due;
        let status = self.calls[index].status;
        match (due.step, status) {
            (Step::Dial, Status::Queued) => self.dial(index, at_ms),
            (Step::Progress, Status::Initiated) => self.progress(index, at_ms),
            (Step::Resolve, Status::Ringing) => self.resolve(index, at_ms),
            (Step::Haunt, _) => {
                if let Some(request) = self.remembered.remove(&self.calls[index].to) {
                    self.actions.push(Action::Callbacks(vec![request]));
                }
            }
            (Step::Decide, Status::InProgress) => self.decide(index, at_ms),
            (Step::Overdue(number), Status::InProgress) if self.calls[index].awaits(number) => {
                self.obey(index, at_ms, Verb::Broken, None);
            }
            (Step::End, Status::InProgress) if self.calls[index].ends_ms == Some(at_ms) => {
                self.finish(index, at_ms, Status::Completed);
            }
            _ => {}
        }
    }

    fn dial(&mut self, index: usize, at_ms: u64) {
        self.enter(index, at_ms, Status::Initiated);
        self.calls[index].dialled_ms = Some(at_ms);
        self.fire(index, Event::Initiated, at_ms);
        let progress_ms = self.calls[index].story.progress_ms;
        self.plan_in(at_ms, progress_ms.into(), index, Step::Progress);
    }

    fn progress(&mut self, index: usize, at_ms: u64) {
        if self.calls[index].story.ending == Ending::Failed {
            return self.finish(index, at_ms, Status::Failed);
        }
        self.enter(index, at_ms, Status::Ringing);
        self.fire(index, Event::Ringing, at_ms);
        let call = &self.calls[index];
        let rings_ms = u64::from(call.story.ring_ms).min(u64::from(call.ring_timeout_s) * 1_000);
        let haunted = call.callbacks == Callbacks::Haunted;
        self.plan_in(at_ms, rings_ms, index, Step::Resolve);
        if haunted {
            self.plan_in(at_ms, rings_ms / 2, index, Step::Haunt);
        }
    }

    fn resolve(&mut self, index: usize, at_ms: u64) {
        let call = &self.calls[index];
        let rang_out = call.story.ring_ms >= call.ring_timeout_s.saturating_mul(1_000);
        match call.story.ending {
            _ if rang_out => self.finish(index, at_ms, Status::NoAnswer),
            Ending::Busy => self.finish(index, at_ms, Status::Busy),
            Ending::Canceled => self.finish(index, at_ms, Status::Canceled),
            Ending::NoAnswer => self.finish(index, at_ms, Status::NoAnswer),
            Ending::Failed => self.finish(index, at_ms, Status::Failed),
            Ending::Person | Ending::Machine => self.answer(index, at_ms),
        }
    }

    fn answer(&mut self, index: usize, at_ms: u64) {
        self.enter(index, at_ms, Status::InProgress);
        self.calls[index].answered_ms = Some(at_ms);
        self.fire(index, Event::Answered, at_ms);
        let call = &self.calls[index];
        if call.story.drops {
            let talk_ms = call.story.talk_ms.into();
            self.end_in(index, at_ms, talk_ms);
        }
        let call = &self.calls[index];
        if call.detection.is_some() {
            let (after_ms, _) = verdict(call);
            self.plan_in(at_ms, after_ms.into(), index, Step::Decide);
        }
        if self.calls[index].waits_for_detection() {
            return;
        }
        self.seek_document(index, at_ms, None);
    }

    fn decide(&mut self, index: usize, at_ms: u64) {
        let (after_ms, word) = verdict(&self.calls[index]);
        self.calls[index].answered_by = Some(word);
        if self.calls[index].waits_for_detection() {
            return self.seek_document(index, at_ms, Some((word, after_ms)));
        }
        let call = &self.calls[index];
        if call.callbacks != Callbacks::None
            && let Some(request) = notice::detection(&self.options.account_sid, call, word, after_ms)
        {
            self.actions.push(Action::Callbacks(vec![request]));
        }
    }

    /// Asks for the call's document, or takes the one it came with.
    pub(super) fn seek_document(&mut self, index: usize, at_ms: u64, verdict: Option<(&'static str, u32)>) {
        let call = &mut self.calls[index];
        match (call.twiml.take(), call.url.clone()) {
            (Some(text), _) => self.obey(index, at_ms, twiml::first_verb(&text), None),
            (None, Some(url)) => {
                self.request_document(index, at_ms, url.into(), self.calls[index].method, verdict)
            }
            (None, None) => self.obey(index, at_ms, Verb::Broken, None),
        }
    }

    fn request_document(
        &mut self,
        index: usize,
        at_ms: u64,
        url: String,
        method: Method,
        verdict: Option<(&'static str, u32)>,
    ) {
        let call = &mut self.calls[index];
        call.fetches = call.fetches.wrapping_add(1);
        call.awaits_document = true;
        self.totals.documents += 1;
        let request = notice::document(&self.options.account_sid, call, url, method, verdict);
        let number = call.fetches;
        self.actions.push(Action::Document(request));
        self.plan(at_ms + DOCUMENT_OVERDUE_MS, index, Step::Overdue(number));
    }

    /// Takes in what came of a request for a document.
    pub(super) fn heard(&mut self, index: usize, at_ms: u64, request: &Request, document: &Document) {
        let call = &self.calls[index];
        if call.status == Status::InProgress && call.awaits(request.turn) {
            self.obey(index, at_ms, twiml::fetched(document), Some(&request.url));
        }
    }

    /// Does what a document, found at `base`, wants.
    fn obey(&mut self, index: usize, at_ms: u64, verb: Verb, base: Option<&str>) {
        let call = &mut self.calls[index];
        call.awaits_document = false;
        let talk_ms = call.story.talk_ms.into();
        match verb {
            Verb::Talk => self.end_in(index, at_ms, talk_ms),
            Verb::Hangup => self.finish(index, at_ms, Status::Completed),
            Verb::Broken => self.end_in(index, at_ms, APOLOGY_MS.min(talk_ms)),
            Verb::Redirect(reference, method) => {
                let url = match base.and_then(Target::parse) {
                    Some(base) => Some(base.join(&reference)),
                    None => Some(reference).filter(|url| Target::parse(url).is_some()),
                };
                let call = &mut self.calls[index];
                call.redirects += 1;
                match url.filter(|_| call.redirects <= MOST_REDIRECTS) {
                    Some(url) => self.request_document(index, at_ms, url, method, None),
                    None => self.end_in(index, at_ms, APOLOGY_MS.min(talk_ms)),
                }
            }
        }
    }

    /// Plans the end of a talk, unless an earlier one stands or the time limit comes first.
    fn end_in(&mut self, index: usize, at_ms: u64, talk_ms: u64) {
        let call = &self.calls[index];
        let limit_ms =
            call.answered_ms.unwrap_or(at_ms) + self.shortened(u64::from(call.time_limit_s) * 1_000);
        let ends_ms = (at_ms + self.shortened(talk_ms)).min(limit_ms.max(at_ms));
        if call.ends_ms.is_none_or(|earlier| ends_ms < earlier) {
            self.calls[index].ends_ms = Some(ends_ms);
            self.plan(ends_ms, index, Step::End);
        }
    }

    /// Ends a call, whatever it was doing.
    pub(super) fn finish(&mut self, index: usize, at_ms: u64, status: Status) {
        self.enter(index, at_ms, status);
        let speed = self.options.speed;
        let call = &mut self.calls[index];
        call.ended_ms = Some(at_ms);
        call.twiml = None;
        call.sip_response_code = Some(match status {
            Status::Busy => 486,
            Status::NoAnswer | Status::Canceled => 487,
            Status::Failed => 503,
            _ => 200,
        });
        if status == Status::Completed {
            let lasted_ms = at_ms.saturating_sub(call.answered_ms.unwrap_or(at_ms));
            call.duration_s = Some((lasted_ms as f64 * speed / 1_000.0).round() as u64);
            if call.detection.is_some() {
                call.answered_by.get_or_insert("unknown");
            }
        }
        self.fire(index, Event::Completed, at_ms);
    }

    fn enter(&mut self, index: usize, at_ms: u64, status: Status) {
        self.calls[index].status = status;
        self.calls[index].updated_ms = at_ms;
    }

    /// Sends the callback for `event` if it was asked for, by way of whatever goes wrong with it.
    fn fire(&mut self, index: usize, event: Event, at_ms: u64) {
        let call = &mut self.calls[index];
        if !call.events.has(event) {
            return;
        }
        let Some(request) = notice::callback(&self.options.account_sid, call, event, call.fired, at_ms)
        else {
            return;
        };
        call.fired += 1;
        self.totals.callbacks += 1;
        let last = event == Event::Completed;
        let sent = match call.callbacks {
            Callbacks::None => Vec::new(),
            Callbacks::NoLast if last => Vec::new(),
            Callbacks::Twice => vec![request.clone(), request],
            Callbacks::Reversed => {
                call.held.push(request);
                if !last {
                    return;
                }
                std::mem::take(&mut call.held).into_iter().rev().collect()
            }
            Callbacks::Remembered => {
                // The first ring is the most misleading thing to hear again; anything else only without it.
                if event == Event::Ringing || !self.remembered.contains_key(&call.to) {
                    self.remembered.insert(call.to.clone(), request.clone());
                }
                vec![request]
            }
            Callbacks::Normal | Callbacks::Early | Callbacks::Haunted | Callbacks::NoLast => vec![request],
        };
        if !sent.is_empty() {
            self.actions.push(Action::Callbacks(sent));
        }
    }

    fn plan_in(&mut self, at_ms: u64, undivided_ms: u64, index: usize, step: Step) {
        self.plan(at_ms + self.shortened(undivided_ms), index, step);
    }

    fn plan(&mut self, at_ms: u64, index: usize, step: Step) {
        self.entered += 1;
        self.timetable.push(std::cmp::Reverse(Due {
            at_ms,
            entered: self.entered,
            index,
            step,
        }));
    }

    /// A simulated duration as it passes in real time.
    fn shortened(&self, undivided_ms: u64) -> u64 {
        (undivided_ms as f64 / self.options.speed).round() as u64
    }
}

impl Call {
    /// Whether the document with this number is still to come.
    fn awaits(&self, number: u8) -> bool {
        self.awaits_document && self.fetches == number
    }

    /// Whether nothing is said before person or machine is decided.
    fn waits_for_detection(&self) -> bool {
        self.detection
            .as_deref()
            .is_some_and(|detection| !detection.is_async)
    }
}

/// What a detection finds, and after how many undivided milliseconds.
fn verdict(call: &Call) -> (u32, &'static str) {
    let machine = call.story.ending == Ending::Machine;
    let message_end = call
        .detection
        .as_deref()
        .is_some_and(|detection| detection.message_end);
    let limit_ms = call
        .detection
        .as_deref()
        .map_or(u32::MAX, |detection| detection.timeout_s.saturating_mul(1_000));
    let (after_ms, word) = match (machine, message_end) {
        (false, _) => (call.story.detection_ms, "human"),
        (true, false) => (call.story.detection_ms, "machine_start"),
        (true, true) => (
            call.story.detection_ms + call.story.greeting_ms,
            "machine_end_beep",
        ),
    };
    if after_ms > limit_ms {
        (limit_ms, "unknown")
    } else {
        (after_ms, word)
    }
}

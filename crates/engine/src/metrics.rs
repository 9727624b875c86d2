//! What this process has done, in figures: counters and histograms in the text form of OpenMetrics.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use carrier::{NotSent, Placement};
use domain::{Answer, Call, CallId, Fact, Timestamp};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use store::Depths;

/// One word that tells the rows of a family apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Word {
    word: &'static str,
}

type ByWord = Family<Word, Counter>;

/// How an attempt or a call ends.
const ENDINGS: &[&str] = &[
    "completed",
    "busy",
    "no-answer",
    "failed",
    "canceled",
    "unconfirmed",
];
/// What becomes of a request for a call.
const PLACEMENTS: &[&str] = &[
    "placed",
    "refused",
    "account_refused",
    "carrier_busy",
    "not_sent",
    "in_doubt",
];
/// What a question to the carrier brings.
const ANSWERS: &[&str] = &["leg", "legs", "nothing", "failed"];
/// What the carrier tells by itself.
const REPORTS: &[&str] = &[
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "no-answer",
    "failed",
    "canceled",
    "other",
];

/// The figures.
pub struct Metrics {
    registry: Registry,
    pub(crate) accepted: Counter,
    pub(crate) unreachable: Counter,
    pub(crate) sent: Counter,
    pub(crate) asked: Counter,
    ended: ByWord,
    attempts: ByWord,
    /// Calls that are live, as far as this process has seen.
    alive: Mutex<HashSet<CallId>>,
    placements: ByWord,
    questions: ByWord,
    callbacks: ByWord,
    latency: Histogram,
    lateness: Histogram,
    callback_lag: Histogram,
    depths: Family<Word, Gauge>,
    oldest_due: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("redial"),
            accepted: Counter::default(),
            unreachable: Counter::default(),
            sent: Counter::default(),
            asked: Counter::default(),
            ended: by_word(ENDINGS),
            attempts: by_word(ENDINGS),
            alive: Mutex::default(),
            placements: by_word(PLACEMENTS),
            questions: by_word(ANSWERS),
            callbacks: by_word(REPORTS),
            latency: seconds(&[
                0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            ]),
            lateness: seconds(&[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 60.0, 3_600.0]),
            callback_lag: seconds(&[0.1, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 3_600.0]),
            depths: Family::default(),
            oldest_due: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("calls_accepted", "Calls taken", self.accepted.clone());
        r.register(
            "calls_ended",
            "Calls ended, by how they ended",
            self.ended.clone(),
        );
        r.register(
            "attempts_ended",
            "Attempts ended, by how they ended",
            self.attempts.clone(),
        );
        r.register(
            "dials",
            "Requests to the carrier for a call, by what became of them",
            self.placements.clone(),
        );
        r.register(
            "carrier_unreachable",
            "Dials held back because no connection came about",
            self.unreachable.clone(),
        );
        r.register(
            "carrier_questions",
            "Questions to the carrier about an attempt, by answer",
            self.questions.clone(),
        );
        r.register(
            "callbacks",
            "What the carrier told us, by its word",
            self.callbacks.clone(),
        );
        r.register(
            "dial_seconds",
            "From the request to the carrier to its answer",
            self.latency.clone(),
        );
        r.register(
            "dial_late_seconds",
            "From a dial's due time to its permit",
            self.lateness.clone(),
        );
        r.register(
            "callback_lag_seconds",
            "From the carrier's time of an event to its arrival",
            self.callback_lag.clone(),
        );
        r.register(
            "queue_depth",
            "Calls waiting, due, live, undecided, and orphaned callbacks",
            self.depths.clone(),
        );
        r.register(
            "oldest_due_seconds",
            "How long the longest due dial has been due",
            self.oldest_due.clone(),
        );
    }

    /// All figures, as a scraper reads them.
    pub(crate) fn text(&self, depths: &Depths) -> String {
        let rows = [
            ("waiting", depths.waiting),
            ("due", depths.due),
            ("live", depths.live),
            ("undecided", depths.undecided),
            ("orphans", depths.orphans),
        ];
        for (word, count) in rows {
            self.depths
                .get_or_create(&Word { word })
                .set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.oldest_due
            .set(depths.oldest_due.unwrap_or_default().as_secs_f64());
        let mut out = String::new();
        if text::encode(&mut out, &self.registry).is_err() {
            let _ = write!(out, "# EOF");
        }
        out
    }

    pub(crate) fn lateness(&self, late: Duration) {
        self.lateness.observe(late.as_secs_f64());
    }

    pub(crate) fn dial_latency(&self, took: Duration) {
        self.latency.observe(took.as_secs_f64());
    }

    pub(crate) fn placement(&self, placement: &Placement) {
        let word = match placement {
            Placement::Placed(_) => "placed",
            Placement::Refused { .. } => "refused",
            Placement::AccountRefused { .. } => "account_refused",
            Placement::NotSent(NotSent::Busy { .. }) => "carrier_busy",
            Placement::NotSent(_) => "not_sent",
            Placement::InDoubt { .. } => "in_doubt",
        };
        self.placements.get_or_create(&Word { word }).inc();
        self.sent.inc();
    }

    pub(crate) fn question(&self, answer: &Answer) {
        let word = match answer {
            Answer::Leg(_) => "leg",
            Answer::Legs(_) => "legs",
            Answer::Nothing => "nothing",
            Answer::Failed(_) => "failed",
        };
        self.questions.get_or_create(&Word { word }).inc();
        self.asked.inc();
    }

    pub(crate) fn callback(&self, fact: &Fact, now: Timestamp) {
        let word = fact.word.status().map_or("other", domain::AttemptStatus::word);
        self.callbacks.get_or_create(&Word { word }).inc();
        if let Some(at) = fact.at {
            self.callback_lag.observe(now.since(at).as_secs_f64());
        }
    }

    /// Follows a call that has just changed: counts the end of an attempt that this process saw alive,
    /// and the end of its call. What changes after that is not counted again.
    pub(crate) fn follow(&self, call: &Call) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if call.is_live() {
            alive.insert(call.id);
        } else if alive.remove(&call.id) {
            if let Some(attempt) = call.attempts.last() {
                self.attempts
                    .get_or_create(&Word {
                        word: attempt.status.word(),
                    })
                    .inc();
            }
            if call.is_over() {
                self.stopped(call);
            }
        }
    }

    /// Counts a call that has just ended without anything of it being alive.
    pub(crate) fn stopped(&self, call: &Call) {
        self.ended
            .get_or_create(&Word {
                word: call.status().word(),
            })
            .inc();
    }
}

/// A family that has every word from the start: a rule over what was never seen sees nothing, and a counter that
/// begins at 1 has not grown.
fn by_word(words: &'static [&'static str]) -> ByWord {
    let family = ByWord::default();
    for word in words {
        drop(family.get_or_create(&Word { word }));
    }
    family
}

fn seconds(buckets: &[f64]) -> Histogram {
    Histogram::new(buckets.iter().copied())
}

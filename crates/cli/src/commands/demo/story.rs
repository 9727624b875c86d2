//! Tells what happens, a line for each event, with a summary that keeps itself up to date.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::{AttemptStatus, Call, CallId, CallState, CallStatus, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::output;

/// The summary is written this often where it cannot be redrawn.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);

/// What has been told so far.
pub struct Story {
    calls: u32,
    address: String,
    began: Instant,
    bar: ProgressBar,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    people: HashMap<CallId, Person>,
    first_ring: Option<Duration>,
    last_summary: Option<Instant>,
}

struct Person {
    attempts: Vec<(AttemptStatus, bool)>,
    status: CallStatus,
    over: bool,
}

impl Story {
    /// A story about so many calls.
    pub fn new(calls: u32, address: String) -> Story {
        let bar = ProgressBar::new(u64::from(calls));
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} ended  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Story {
            calls,
            address,
            began: Instant::now(),
            bar,
            told: Mutex::default(),
        }
    }

    /// Tells what happens until every call has ended; then, at a terminal, waits to be stopped.
    pub async fn tell(&self, mut feed: broadcast::Receiver<Arc<Call>>) {
        loop {
            match feed.recv().await {
                Ok(call) => self.hear(&call),
                Err(RecvError::Lagged(missed)) => {
                    output::say(format_args!("({missed} events too fast to tell)"))
                }
                Err(RecvError::Closed) => return,
            }
            if self.all_over() {
                break;
            }
        }
        if std::io::stdout().is_terminal() {
            self.bar.suspend(|| {
                output::say(format_args!(
                    "\nall have ended; look around at {}/users/demo/calls, Ctrl-C ends",
                    self.address
                ))
            });
            std::future::pending::<()>().await;
        }
    }

    fn all_over(&self) -> bool {
        let told = self.lock();
        told.people.len() == self.calls as usize && told.people.values().all(|person| person.over)
    }

    fn hear(&self, call: &Call) {
        let lines = self.lock().hear(call, self.began.elapsed());
        let summary = self.summary();
        self.bar.set_position(self.ended());
        self.bar.set_message(summary.clone());
        self.bar.suspend(|| {
            for line in lines {
                output::data(format_args!(
                    "{}  {:<16} {line}",
                    clock(call.updated_at),
                    call.request.to.reveal()
                ));
            }
        });
        if self.bar.is_hidden() && self.lock().summary_is_due() {
            output::say(format_args!(
                "-- {}/{} ended  {summary}",
                self.ended(),
                self.calls
            ));
        }
    }

    fn ended(&self) -> u64 {
        self.lock().people.values().filter(|person| person.over).count() as u64
    }

    fn summary(&self) -> String {
        let told = self.lock();
        let count =
            |wanted: fn(&Person) -> bool| told.people.values().filter(|person| wanted(person)).count();
        let live = count(|p| !p.over && p.attempts.last().is_some_and(|(status, _)| status.is_open()));
        let waiting = count(|p| !p.over) - live;
        format!("{live} live  {waiting} waiting  {}", self.address)
    }

    /// Says how everything ended.
    pub fn totals(&self) {
        self.bar.finish_and_clear();
        let told = self.lock();
        let mut table = output::table(&["ended", "calls", "attempts"]);
        for status in CallStatus::ALL {
            let people: Vec<&Person> = told
                .people
                .values()
                .filter(|p| p.over && p.status == status)
                .collect();
            if !people.is_empty() {
                let attempts: usize = people.iter().map(|p| p.attempts.len()).sum();
                table.add_row([
                    status.word().to_owned(),
                    people.len().to_string(),
                    attempts.to_string(),
                ]);
            }
        }
        output::data(format_args!("\n{table}"));
        let open = told.people.values().filter(|p| !p.over).count();
        if open > 0 {
            output::data(format_args!("{open} had not ended yet"));
        }
        let ring = told.first_ring.map_or_else(String::new, |ring| {
            format!(", the first ring after {:.1} s", ring.as_secs_f64())
        });
        output::data(format_args!(
            "{:.0} s in all{ring}",
            self.began.elapsed().as_secs_f64()
        ));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    /// Takes a call as it stands and says what is new.
    fn hear(&mut self, call: &Call, elapsed: Duration) -> Vec<String> {
        let known = self.people.remove(&call.id);
        let mut lines = Vec::new();
        for (index, attempt) in call.attempts.iter().enumerate() {
            let before = known
                .as_ref()
                .and_then(|person| person.attempts.get(index))
                .copied();
            if before == Some((attempt.status, attempt.in_doubt())) {
                continue;
            }
            if attempt.status == AttemptStatus::Ringing {
                self.first_ring.get_or_insert(elapsed);
            }
            let number = attempt.number;
            lines.push(match attempt.status {
                AttemptStatus::Initiated if attempt.in_doubt() => {
                    format!("attempt {number} sent, but its answer was lost: asking the carrier")
                }
                AttemptStatus::Initiated if before.is_some() => {
                    format!("attempt {number} found at the carrier")
                }
                AttemptStatus::Initiated => format!("attempt {number} dialled"),
                AttemptStatus::Ringing => format!("attempt {number} rings"),
                AttemptStatus::InProgress => format!("attempt {number} answered"),
                AttemptStatus::Completed => format!(
                    "attempt {number} completed after {} s",
                    attempt.duration_seconds.unwrap_or(0)
                ),
                AttemptStatus::Unconfirmed => format!("attempt {number} unconfirmed: no proof either way"),
                other => format!("attempt {number} {}", other.word()),
            });
        }
        if let (CallState::Waiting { due_at, .. }, false) = (&call.state, lines.is_empty()) {
            lines.push(format!("  again at {}", clock(*due_at)));
        }
        let over = call.is_over();
        if over && known.as_ref().is_none_or(|person| !person.over) {
            lines.push(format!(
                "ENDED {} after {} attempts",
                call.status().word(),
                call.attempts.len()
            ));
        }
        let attempts = call.attempts.iter().map(|a| (a.status, a.in_doubt())).collect();
        self.people.insert(
            call.id,
            Person {
                attempts,
                status: call.status(),
                over,
            },
        );
        lines
    }

    fn summary_is_due(&mut self) -> bool {
        let due = self
            .last_summary
            .is_none_or(|last| last.elapsed() >= SUMMARY_EVERY);
        if due {
            self.last_summary = Some(Instant::now());
        }
        due
    }
}

/// The time of day, UTC.
fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

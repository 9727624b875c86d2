//! The clients: each asks for calls as a careful program does, with a key and again until it is answered, at whichever
//! node it happens to choose; repeats some, and cancels some.
//!
//! What they were answered is the ledger that records are held against. They know nothing of the faults.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use e2e::Client;
use serde_json::{Value, json};

use crate::clock;
use crate::dice::Dice;
use crate::ledger::Wish;

/// Longer than the five seconds in which every request is answered; a node that is frozen is not waited for.
const PATIENCE: Duration = Duration::from_secs(7);
/// Before a request is made again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Whose calls they are: few, so that their lists are long.
const USERS: u64 = 8;
/// How the numbers that are called end, and how often each is: endings of every kind, and everything that goes wrong
/// between the carrier and its customer. Those of the second line are drawn by the carrier.
const ENDINGS: &[(u16, u64)] = &[
    (100, 4),
    (101, 3),
    (102, 2),
    (103, 2),
    (104, 4),
    (105, 3),
    (106, 1),
    (107, 1),
    (108, 1),
    (109, 1),
    (5555, 4),
    (7777, 2),
    (110, 2),
    (111, 2),
    (112, 1),
    (113, 2),
    (114, 1),
    (115, 2),
    (116, 2),
    (117, 2),
    (118, 2),
    (119, 2),
];
/// Which share is asked for again with the same key, for a later time, and canceled.
const REPEATED: f64 = 0.15;
const SCHEDULED: f64 = 0.15;
const CANCELED: f64 = 0.08;

/// How much is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pressure {
    /// Clients, each with one request at a time.
    pub clients: u64,
    /// The longest gap between two calls of one client.
    pub most_gap: Duration,
}

/// What came of the requests, by the second.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// How often each status; 0 is a request without an answer.
    pub statuses: BTreeMap<u16, u64>,
    /// When a create was answered with 2xx (true) or with anything else, in order of time.
    pub creates: Vec<(i64, bool)>,
}

struct Shared {
    nodes: Vec<SocketAddr>,
    no_more: AtomicBool,
    give_up: AtomicBool,
    answers: Mutex<Answers>,
}

/// Clients at work.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<Vec<Wish>>>,
}

impl Load {
    /// Lets clients begin.
    pub fn start(nodes: Vec<SocketAddr>, pressure: Pressure, seed: u64) -> Load {
        let shared = Arc::new(Shared {
            nodes,
            no_more: AtomicBool::new(false),
            give_up: AtomicBool::new(false),
            answers: Mutex::default(),
        });
        let clients = (0..pressure.clients).map(|number| {
            let shared = Arc::clone(&shared);
            let (dice, ways) = (Dice::new(seed, 100 + number), Dice::new(seed, 200 + number));
            let one = One {
                number,
                dice,
                ways,
                shared,
            };
            std::thread::spawn(move || one.work(pressure.most_gap))
        });
        let clients = clients.collect();
        Load { shared, clients }
    }

    /// Asks for nothing new any more; what is being asked for is asked for until it is answered.
    pub fn no_more(&self) {
        self.shared.no_more.store(true, Ordering::SeqCst);
    }

    /// Whether every client has its answers.
    pub fn is_done(&self) -> bool {
        self.clients.iter().all(JoinHandle::is_finished)
    }

    /// What they asked for and what came of it. Whoever still has no answer gives up.
    ///
    /// # Panics
    /// When a client did.
    pub fn end(self) -> (Vec<Wish>, Answers) {
        self.no_more();
        self.shared.give_up.store(true, Ordering::SeqCst);
        let wishes = self
            .clients
            .into_iter()
            .flat_map(|it| it.join().expect("no client panics"))
            .collect();
        let answers =
            std::mem::take(&mut *self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner));
        (wishes, answers)
    }
}

/// One client.
struct One {
    number: u64,
    /// What it wants: the same with the same seed.
    dice: Dice,
    /// Which node it asks, as often as it takes.
    ways: Dice,
    shared: Arc<Shared>,
}

impl One {
    fn work(mut self, most_gap: Duration) -> Vec<Wish> {
        let mut wishes = Vec::new();
        while !self.shared.no_more.load(Ordering::SeqCst) {
            let (mut wish, body) = self.wish(wishes.len());
            self.until_answered(&mut wish, &body);
            if self.dice.happens(REPEATED) {
                self.until_answered(&mut wish, &body);
            }
            if self.dice.happens(CANCELED) {
                let gap = self.dice.between(Duration::ZERO, Duration::from_secs(1));
                std::thread::sleep(gap);
                self.cancel(&mut wish);
            }
            wishes.push(wish);
            std::thread::sleep(self.dice.between(Duration::ZERO, most_gap));
        }
        wishes
    }

    /// What to ask for next: a call to somebody whom nobody else calls, so that its script is its own.
    fn wish(&mut self, count: usize) -> (Wish, String) {
        let ending = self.dice.weighted(ENDINGS);
        let later = self.dice.happens(SCHEDULED);
        let later = later.then(|| self.dice.between(Duration::from_secs(1), Duration::from_secs(5)));
        let later = later.and_then(|it| i64::try_from(it.as_millis()).ok());
        let wish = Wish {
            key: format!("{}-{count}", self.number),
            user: format!("user-{}", self.dice.below(USERS)),
            to: format!("+1555{}{count:05}{ending:04}", self.number),
            max_attempts: 1 + self.dice.below(4),
            scheduled_at: later.map(|it| clock::millis() + it),
            ids: BTreeSet::new(),
            answers: 0,
            canceled_at: None,
        };
        let mut body = json!({
            "to": wish.to, "from": e2e::FROM, "user_id": wish.user, "max_attempts": wish.max_attempts,
            "message": "Your parcel is here.",
        });
        if let Some(at) = wish.scheduled_at {
            body["scheduled_at"] = clock::written(at).into();
        }
        (wish, body.to_string())
    }

    fn until_answered(&mut self, wish: &mut Wish, body: &str) {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", wish.key.as_str()),
        ];
        while !self.shared.give_up.load(Ordering::SeqCst) {
            let (status, answer) = self.send("/calls/outbound", &headers, body);
            let taken = matches!(status, 200 | 202);
            self.note(status, Some(taken));
            if taken {
                wish.answers += 1;
                wish.ids.extend(answer["call_id"].as_str().map(str::to_owned));
                return;
            }
            std::thread::sleep(AGAIN_AFTER);
        }
    }

    fn cancel(&mut self, wish: &mut Wish) {
        let Some(id) = wish.ids.first() else { return };
        let path = format!("/users/{}/calls/{id}/cancel", wish.user);
        while !self.shared.give_up.load(Ordering::SeqCst) {
            let (status, _) = self.send(&path, &[], "");
            self.note(status, None);
            match status {
                200 => {
                    wish.canceled_at = Some(clock::millis());
                    return;
                }
                409 => return,
                _ => std::thread::sleep(AGAIN_AFTER),
            }
        }
    }

    /// Posts to some node. The status is 0 when no answer came.
    fn send(&mut self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let node = *self.ways.one_of(&self.shared.nodes);
        let client = Client::with_patience(&format!("http://{node}"), PATIENCE);
        match client.send("POST", path, headers, body.as_bytes()) {
            Ok(answer) => (
                answer.status,
                serde_json::from_str(&answer.text).unwrap_or_default(),
            ),
            Err(_) => (0, Value::Null),
        }
    }

    fn note(&self, status: u16, create: Option<bool>) {
        let mut answers = self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner);
        *answers.statuses.entry(status).or_default() += 1;
        answers
            .creates
            .extend(create.map(|taken| (clock::millis(), taken)));
    }
}

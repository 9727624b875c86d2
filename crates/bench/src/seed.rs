//! Databases that a row starts from: many calls in a chosen state, written through the store by the same steps that
//! the engine takes, only faster, because nobody is asked and many are under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::retry::RetryOn;
use domain::{
    AttemptStatus, CallId, EventKind, Fact, Input, MachineDetection, Policy, Request, Rules, Sid, Source,
    Step, Timestamp, UserId, Word, step,
};
use store::{Accepted, At, Imported, NewCall, Store, StoreError, Stray, Terms};
use tokio::runtime::Runtime;

use crate::clock;
use crate::database::{Database, Purpose};
use crate::failure::{Failure, Saying};
use crate::world::{ACCOUNT, FROM};

/// Pieces of work under way at once: twice a batch of the writer, so that one is ready when the last is written.
const AT_ONCE: u32 = 1_024;

/// The calls of the past begin so long ago, one each millisecond.
const PAST: Duration = Duration::from_secs(2 * 3_600);

/// Calls of the past that are stored in one transaction: the indexes take them all over the place, so that a
/// transaction of few writes as many pages as one of many.
const IMPORTED_AT_ONCE: usize = 50_000;

/// How far a call has come.
#[derive(Clone, Copy)]
pub enum Stage {
    /// Accepted, its first dial not before this.
    Waiting(Timestamp),
    /// Dialled; the carrier has made the leg.
    Placed,
    /// Dialled, busy, to be dialled again at this moment.
    Retrying(Timestamp),
}

/// A database that is being filled, and the calls that it will hold: everything of a call follows from its number.
pub struct Field<'a> {
    database: Database,
    runtime: &'a Runtime,
    begun: Timestamp,
}

/// A call as the outside knows it.
pub struct Sown {
    /// Its id.
    pub id: CallId,
    /// Its first leg.
    pub sid: Sid,
    /// Who is called.
    pub to: String,
    /// Whose it is.
    pub user: String,
}

/// The user that has every fifth call.
pub const BIG_USER: &str = "user-big";

impl<'a> Field<'a> {
    /// For an empty database.
    pub fn new(database: &Database, runtime: &'a Runtime) -> Self {
        Self {
            database: database.clone(),
            runtime,
            begun: clock::now() - PAST,
        }
    }

    /// Writes the calls `from..to`, each as far as `stage` says.
    ///
    /// # Errors
    /// What the store says.
    pub fn sow(
        &self,
        from: u32,
        to: u32,
        stage: impl Fn(u32) -> Stage + Send + Sync + 'static,
    ) -> Result<(), Failure> {
        let store = self.runtime.block_on(self.database.open(Purpose::Dial))?;
        let (next, stage) = (Arc::new(AtomicU32::new(from)), Arc::new(stage));
        self.runtime.block_on(async {
            let tasks: Vec<_> = (0..AT_ONCE.min(to - from))
                .map(|_| {
                    let (store, next, stage) = (Arc::clone(&store), Arc::clone(&next), Arc::clone(&stage));
                    let begun = self.begun;
                    tokio::spawn(async move {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= to {
                                return Ok::<(), Failure>(());
                            }
                            grow(&*store, begun, number, stage(number))
                                .await
                                .saying("a call cannot be written")?;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await??;
            }
            Ok(())
        })
    }

    /// Writes the calls `0..to`, all over and answered. Millions are imported, in far less time than steps that are
    /// committed one after the other would take; the rows are the same.
    ///
    /// # Errors
    /// What the store says.
    pub fn sow_finished(&self, to: u32) -> Result<(), Failure> {
        let store = self.runtime.block_on(self.database.open(Purpose::Alone))?;
        let mut numbers = 0..to;
        loop {
            let calls: Vec<Step> = numbers
                .by_ref()
                .take(IMPORTED_AT_ONCE)
                .map(|number| finished(self.begun, number))
                .collect::<Result<_, _>>()?;
            if calls.is_empty() {
                return Ok(());
            }
            let at = at(self.begun + PAST);
            let taken = self.runtime.block_on(store.import(calls, at))?;
            if taken.iter().any(|it| *it != Imported::New) {
                return Err("a call of the past was not taken".into());
            }
        }
    }

    /// The call with this number.
    pub fn call(&self, number: u32) -> Sown {
        call(self.begun, number)
    }

    /// How many of the calls `from..to` are completed with all four callbacks in their record.
    ///
    /// # Errors
    /// What the store says.
    pub fn complete(&self, from: u32, to: u32) -> Result<u32, Failure> {
        let store = self.runtime.block_on(self.database.open(Purpose::Beside))?;
        self.runtime.block_on(async {
            let mut complete = 0;
            for number in from..to {
                let sown = self.call(number);
                let user = UserId::new(&sown.user).ok_or("no user")?;
                let Some(record) = store.record(&user, sown.id).await? else {
                    continue;
                };
                let heard = record
                    .events
                    .iter()
                    .filter(|event| matches!(event.kind, EventKind::Heard { .. }))
                    .count();
                let ended = record
                    .call
                    .attempts
                    .first()
                    .is_some_and(|attempt| attempt.status == AttemptStatus::Completed);
                complete += u32::from(heard == 4 && ended);
            }
            Ok(complete)
        })
    }
}

fn call(begun: Timestamp, number: u32) -> Sown {
    let mut chance = [0; 10];
    chance[6..].copy_from_slice(&number.to_be_bytes());
    // Spread like the carrier's own, which follow no order.
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Sown {
        id: CallId::new(created_at(begun, number), chance),
        sid: Sid::new(&format!("CA{spread:032x}")).expect("34 visible letters are a SID"),
        to: format!("+1{}", 2_000_000_000 + u64::from(number)),
        user: if number.is_multiple_of(5) {
            BIG_USER.to_owned()
        } else {
            format!("user-{}", number % 500)
        },
    }
}

fn created_at(begun: Timestamp, number: u32) -> Timestamp {
    begun + Duration::from_millis(u64::from(number))
}

/// A call that was dialled once and answered, and what happened to it.
fn finished(begun: Timestamp, number: u32) -> Result<Step, Failure> {
    let (sown, created) = (call(begun, number), created_at(begun, number));
    let at = at(created);
    let completed = Fact {
        sequence: Some(3),
        ..Fact::new(Word::Known(AttemptStatus::Completed), Source::Callback)
    };
    let sid = sown.sid.clone();
    let inputs = [
        Input::Due { held: None },
        Input::Placed {
            attempt: 1,
            sid: sid.clone(),
        },
        Input::Fact {
            attempt: Some(1),
            sid,
            fact: completed,
        },
    ];
    let mut whole = step::accept(sown.id, request(&sown, created, Stage::Placed), created);
    for input in inputs {
        let next = step::step(&whole.call, input, at.moment());
        let next = next.map_err(|refusal| format!("a call of the past cannot be finished: {refusal:?}"))?;
        whole.call = next.call;
        whole.events.extend(next.events);
    }
    Ok(whole)
}

/// What the engine would have done, step by step.
async fn grow(store: &dyn Store, begun: Timestamp, number: u32, stage: Stage) -> Result<(), StoreError> {
    let (sown, created) = (call(begun, number), created_at(begun, number));
    let terms = Terms {
        account: ACCOUNT.to_owned(),
        max_live: None,
        pace_clear_at: created,
        held: None,
    };
    let permit = (!matches!(stage, Stage::Waiting(_))).then_some(terms);
    let new = NewCall {
        id: sown.id,
        request: request(&sown, created, stage),
        key: None,
        permit,
    };
    let accepted = store.accept(new, at(created)).await?;
    if matches!(stage, Stage::Waiting(_)) {
        return Ok(());
    }
    if !matches!(&accepted, Accepted::New(call) if call.is_live()) {
        return Err(StoreError::broken("a call of the past was not permitted"));
    }
    let placed = Input::Placed {
        attempt: 1,
        sid: sown.sid.clone(),
    };
    store.apply(sown.id, placed, at(created)).await?;
    if matches!(stage, Stage::Placed) {
        return Ok(());
    }
    let fact = Fact {
        sequence: Some(3),
        ..Fact::new(Word::Known(AttemptStatus::Busy), Source::Callback)
    };
    let stray = Stray {
        sid: sown.sid,
        named: Some((sown.id, 1)),
        fact,
    };
    store.report(stray, at(created)).await?;
    Ok(())
}

/// What a program would have asked for, the defaults filled in.
fn request(sown: &Sown, created: Timestamp, stage: Stage) -> Request {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let (retry_delays, scheduled_at) = match stage {
        Stage::Retrying(due_at) => (vec![due_at.since(created)], None),
        Stage::Waiting(due_at) => (vec![minutes(2), minutes(5), minutes(10)], Some(due_at)),
        Stage::Placed => (vec![minutes(2), minutes(5), minutes(10)], None),
    };
    Request {
        user_id: UserId::new(&sown.user).expect("a short word is a user"),
        to: sown.to.parse().expect("eleven digits are a number"),
        from: FROM.parse().expect("eleven digits are a number"),
        script: None,
        policy: Policy {
            max_attempts: 3,
            retry_delays,
            retry_on: RetryOn::default(),
            ring_timeout: minutes(1),
            time_limit: minutes(240),
            give_up_after: minutes(24 * 60),
            machine_detection: MachineDetection::Off,
        },
        scheduled_at,
        given: None,
    }
}

/// The outside of a step at `now`.
pub fn at(now: Timestamp) -> At {
    let rules = Rules {
        settle_after: Duration::from_secs(120),
        // No call of the past is asked about while a row runs.
        silence_after: Duration::from_secs(6 * 3_600),
        stop_on_unconfirmed: false,
        poll: false,
    };
    At {
        now,
        dice: 7,
        rules: Arc::new(rules),
    }
}

//! How many small durable changes a second the store takes, by how many callers ask at once: calls
//! accepted, calls accepted with their permit and then placed, and status callbacks. Bounded by
//! counts, prints one line per figure.
//!
//! `cargo run --release -p store-sqlite --example writer_rate [folder] [changes]`; the folder decides
//! which disk is measured and defaults to the system's temporary one.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::retry::RetryOn;
use domain::step::Input;
use domain::{
    AttemptStatus, CallId, Fact, MachineDetection, Policy, Request, Rules, Sid, Source, Timestamp, UserId,
    Word,
};
use store::{Accepted, At, NewCall, Store, Stray, Terms};
use store_sqlite::{Purpose, SqliteStore};

const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
/// Callers at once: one alone, a few, and as many as the server's load test holds connections.
const CALLERS: [u32; 3] = [1, 16, 256];
/// Users that the calls are spread over.
const USERS: u32 = 500;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let changes = args.next().map_or(Ok(20_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(folder)?;
    let store = SqliteStore::open(
        &folder.path().join("rate.db"),
        Purpose::Dial { wait: Duration::ZERO },
    )?;
    let bench = Bench {
        store: Arc::new(store),
        made: Arc::new(AtomicU32::new(0)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        for callers in CALLERS {
            // One alone waits for every sync: fewer changes say as much.
            bench
                .measure(callers, if callers == 1 { changes / 10 } else { changes })
                .await?;
        }
        Ok(())
    })
}

#[derive(Clone)]
struct Bench {
    store: Arc<SqliteStore>,
    made: Arc<AtomicU32>,
}

impl Bench {
    async fn measure(&self, callers: u32, changes: u32) -> Result<(), Failure> {
        let waiting = Bench::accept_waiting;
        self.timed("accepted", callers, changes, move |bench, number| async move {
            waiting(&bench, number).await
        })
        .await?;
        let first = self.made.load(Ordering::Relaxed);
        let calls = changes / 5;
        self.timed("permitted + placed", callers, calls, |bench, number| async move {
            bench.dial(number).await
        })
        .await?;
        for (word, status, sequence) in [
            ("ringing", AttemptStatus::Ringing, 1),
            ("in-progress", AttemptStatus::InProgress, 2),
            ("completed", AttemptStatus::Completed, 3),
        ] {
            self.made.store(first, Ordering::Relaxed);
            self.timed(word, callers, calls, move |bench, number| async move {
                bench.hear(number, status, sequence).await
            })
            .await?;
        }
        Ok(())
    }

    async fn timed<W, F>(&self, what: &str, callers: u32, changes: u32, work: W) -> Result<(), Failure>
    where
        W: Fn(Bench, u32) -> F + Copy + Send + 'static,
        F: Future<Output = Result<(), Failure>> + Send,
    {
        let last = self.made.load(Ordering::Relaxed) + changes;
        let began = self.store.clock().await?;
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let bench = self.clone();
                tokio::spawn(async move {
                    loop {
                        let number = bench.made.fetch_add(1, Ordering::Relaxed);
                        if number >= last {
                            return Ok::<(), Failure>(());
                        }
                        work(bench.clone(), number).await?;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await??;
        }
        self.made.store(last, Ordering::Relaxed);
        let took = self.store.clock().await?.since(began).as_secs_f64();
        println!(
            "{callers:>4} callers {what:<20} {:>9.0} /s  ({changes} in {took:.2} s)",
            f64::from(changes) / took
        );
        Ok(())
    }

    async fn accept_waiting(&self, number: u32) -> Result<(), Failure> {
        let mut new = new_call(number)?;
        new.request.scheduled_at = Some(NOW + Duration::from_secs(86_400));
        self.store.accept(new, at()).await?;
        Ok(())
    }

    async fn dial(&self, number: u32) -> Result<(), Failure> {
        let terms = Terms {
            account: "AC1".to_owned(),
            max_live: None,
            pace_clear_at: NOW,
            held: None,
        };
        let new = NewCall {
            permit: Some(terms),
            ..new_call(number)?
        };
        let id = new.id;
        let Accepted::New(_) = self.store.accept(new, at()).await? else {
            return Err("not new".into());
        };
        self.store
            .apply(
                id,
                Input::Placed {
                    attempt: 1,
                    sid: sid(number)?,
                },
                at(),
            )
            .await?;
        Ok(())
    }

    async fn hear(&self, number: u32, status: AttemptStatus, sequence: u32) -> Result<(), Failure> {
        let fact = Fact {
            sequence: Some(sequence),
            ..Fact::new(Word::Known(status), Source::Callback)
        };
        let stray = Stray {
            sid: sid(number)?,
            named: Some((id(number), 1)),
            fact,
        };
        self.store.report(stray, at()).await?;
        Ok(())
    }
}

fn at() -> At {
    let rules = Rules {
        settle_after: Duration::from_secs(120),
        silence_after: Duration::from_secs(120),
        stop_on_unconfirmed: false,
        poll: false,
    };
    At {
        now: NOW,
        dice: 7,
        rules: Arc::new(rules),
    }
}

fn id(number: u32) -> CallId {
    let mut chance = [0; 10];
    chance[6..].copy_from_slice(&number.to_be_bytes());
    CallId::new(NOW + Duration::from_millis(u64::from(number)), chance)
}

/// Spread like the carrier's own, which follow no order.
fn sid(number: u32) -> Result<Sid, Failure> {
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Sid::new(&format!("CA{spread:032x}")).ok_or_else(|| "no leg's name".into())
}

fn new_call(number: u32) -> Result<NewCall, Failure> {
    let policy = Policy {
        max_attempts: 3,
        retry_delays: vec![
            Duration::from_secs(120),
            Duration::from_secs(300),
            Duration::from_secs(600),
        ],
        retry_on: RetryOn::default(),
        ring_timeout: Duration::from_secs(60),
        time_limit: Duration::from_secs(14_400),
        give_up_after: Duration::from_secs(86_400),
        machine_detection: MachineDetection::Off,
    };
    let request = Request {
        user_id: UserId::new(&format!("user-{}", number % USERS)).ok_or("no user id")?,
        to: format!("+1555{:07}", number.wrapping_mul(7_919) % 10_000_000).parse()?,
        from: "+15550000000".parse()?,
        script: None,
        policy,
        scheduled_at: None,
        given: None,
    };
    Ok(NewCall {
        id: id(number),
        request,
        key: None,
        permit: None,
    })
}

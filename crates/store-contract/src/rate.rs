//! How many small durable changes a second a store takes, by how many callers ask at once: calls
//! accepted, calls accepted with their permit and then placed, and status callbacks. Bounded by counts,
//! prints one line per figure. Called by an example of each store.

pub mod given;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::step::Input;
use domain::{AttemptStatus, Fact, Source, Word};
use given::{Failure, NOW, at, id, new_call, sid, terms};
use store::{Accepted, Store, Stray};

/// Fewer callers than this wait for every sync: a tenth of the changes says as much.
const FEW: u32 = 16;

/// Measures an empty store with so many callers, one number after the other.
///
/// # Errors
/// The store's.
pub async fn measure(store: Arc<dyn Store>, changes: u32, callers: &[u32]) -> Result<(), Failure> {
    let made = Arc::default();
    let bench = Bench { store, made };
    for callers in callers {
        let changes = if *callers < FEW { changes / 10 } else { changes };
        bench.measure(*callers, changes).await?;
    }
    Ok(())
}

#[derive(Clone)]
struct Bench {
    store: Arc<dyn Store>,
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
        let mut new = new_call(number, None)?;
        new.request.scheduled_at = Some(NOW + Duration::from_secs(86_400));
        self.store.accept(new, at()).await?;
        Ok(())
    }

    async fn dial(&self, number: u32) -> Result<(), Failure> {
        let new = new_call(number, Some(terms()))?;
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

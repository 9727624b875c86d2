//! How long a backup and a prune of many calls take, and how long a writer beside them waits at worst.
//! Bounded by a count, prints one line per figure.
//!
//! `cargo run --release -p store-sqlite --example upkeep [folder] [calls]`; the folder decides which disk
//! is measured and defaults to the system's temporary one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use domain::{AttemptStatus, Fact, Source, Word};
use store::{Store, Stray};
use store_contract::rate::given::{Failure, NOW, at, new_call, sid, terms};
use store_sqlite::{Purpose, SqliteStore, back_up, prune};

/// Callers that fill the database at once.
const CALLERS: u32 = 256;

fn main() -> Result<(), Failure> {
    let mut args = std::env::args().skip(1);
    let folder = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let calls: u32 = args.next().map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join("upkeep.db");
    let store = SqliteStore::open(&path, Purpose::Dial { wait: Duration::ZERO })?;
    let (store, made) = (Arc::new(store), Arc::new(AtomicU32::new(0)));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let tasks: Vec<_> = (0..CALLERS)
            .map(|_| tokio::spawn(fill(Arc::clone(&store), Arc::clone(&made), calls)))
            .collect();
        for task in tasks {
            task.await??;
        }
        println!(
            "{calls} ended calls, {} MiB",
            std::fs::metadata(&path)?.len() >> 20
        );
        let to = folder.path().join("copy.db");
        beside("backup", &store, &made, &path, move |path| {
            back_up(path, &to, &mut |_, _| ()).map(|copied| copied.calls)
        })
        .await?;
        let before = NOW + Duration::from_secs(86_400);
        beside("prune", &store, &made, &path, move |path| {
            prune(path, before, false, &mut |_| ()).map(|pruned| pruned.calls)
        })
        .await
    })
}

/// Does `work` while one caller writes one call after the other, and says how long each took.
async fn beside(
    what: &str,
    store: &Arc<SqliteStore>,
    made: &AtomicU32,
    path: &Path,
    work: impl FnOnce(&Path) -> Result<u64, store::StoreError> + Send + 'static,
) -> Result<(), Failure> {
    let (path, done) = (path.to_owned(), Arc::new(AtomicBool::new(false)));
    let begun = store.clock().await?;
    let told = Arc::clone(&done);
    let working = tokio::task::spawn_blocking(move || {
        let worked = work(&path);
        told.store(true, Ordering::Relaxed);
        worked
    });
    let mut waits = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let asked = store.clock().await?;
        store
            .accept(new_call(made.fetch_add(1, Ordering::Relaxed), None)?, at())
            .await?;
        waits.push(store.clock().await?.since(asked));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let calls = working.await??;
    let took = store.clock().await?.since(begun);
    waits.sort();
    let nth = |share: usize| {
        waits
            .get(waits.len() * share / 1_000)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{what}: {calls} calls in {took:.1?}; {} writes beside it, p50 {:?}, p99 {:?}, longest {:?}",
        waits.len(),
        nth(500),
        nth(990),
        waits.last().copied().unwrap_or_default()
    );
    Ok(())
}

/// Calls that were dialled and answered, until there are enough.
async fn fill(store: Arc<SqliteStore>, made: Arc<AtomicU32>, calls: u32) -> Result<(), Failure> {
    loop {
        let number = made.fetch_add(1, Ordering::Relaxed);
        if number >= calls {
            return Ok(());
        }
        let new = new_call(number, Some(terms()))?;
        let named = Some((new.id, 1));
        store.accept(new, at()).await?;
        for status in [AttemptStatus::Ringing, AttemptStatus::Completed] {
            let stray = Stray {
                sid: sid(number)?,
                named,
                fact: Fact::new(Word::Known(status), Source::Callback),
            };
            store.report(stray, at()).await?;
        }
    }
}

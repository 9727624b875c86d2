//! Grouping, isolation, order, bounds and survival of the writer thread, on a real file.

use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use domain::CallStatus;
use rusqlite::OptionalExtension;
use tempfile::TempDir;

use super::*;
use crate::{connect, migrate};

struct Desk {
    writer: Arc<Writer>,
    health: Health,
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self::with_bounds(HAPPENED_BOUND, ASKED_BOUND)
    }

    fn with_bounds(happened: usize, asked: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("test.db");
        connect::prepare_file(&path).expect("a new file");
        let mut conn = connect::writer(&path).expect("a new database");
        migrate::run(&mut conn, 0).expect("the schema");
        conn.execute_batch(
            "CREATE TABLE t (
                 k INTEGER PRIMARY KEY,
                 parent INTEGER REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED
             )",
        )
        .expect("a table");
        let health = Health::default();
        let writer = Writer::with_bounds(conn, health.clone(), happened, asked).expect("a writer");
        Self {
            writer: Arc::new(writer),
            health,
            folder,
        }
    }

    async fn insert(&self, k: i64) -> Result<(), StoreError> {
        self.writer.asked(move |tx| put(tx, k)).await
    }

    /// Looked at through another connection: what has been committed.
    fn keys(&self) -> Vec<i64> {
        let conn = connect::reader(&self.folder.path().join("test.db")).expect("a second connection");
        let mut all = conn.prepare("SELECT k FROM t ORDER BY k").expect("a statement");
        all.query_map([], |row| row.get(0))
            .expect("rows")
            .map(|k| k.expect("a key"))
            .collect()
    }

    fn total(&self, user: &str, status: u8) -> Option<i64> {
        let conn = connect::reader(&self.folder.path().join("test.db")).expect("a second connection");
        conn.query_row(
            "SELECT n FROM totals WHERE user_id = ?1 AND status = ?2",
            (user, status),
            |row| row.get(0),
        )
        .optional()
        .expect("a counter")
    }

    /// Keeps the thread busy until the returned gate is opened, so that what is sent meanwhile is
    /// one batch.
    async fn hold(&self) -> Gate {
        let (open, opened) = mpsc::channel::<()>();
        let (running, runs) = tokio::sync::oneshot::channel();
        let mut running = Some(running);
        let writer = Arc::clone(&self.writer);
        let holder = tokio::spawn(async move {
            writer
                .happened(move |_| {
                    if let Some(running) = running.take() {
                        let _ = running.send(());
                    }
                    let _ = opened.recv_timeout(Duration::from_secs(20));
                    Ok(())
                })
                .await
        });
        runs.await.expect("the holding work runs");
        Gate { open, holder }
    }

    /// Waits until so many pieces of work are queued.
    async fn queued(&self, happened: usize, asked: usize) {
        // The callers are tasks of this very thread: a few turns are enough.
        for _ in 0..10_000 {
            if self.writer.lanes.lengths() == (happened, asked) {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!(
            "queued: {:?}, awaited: {:?}",
            self.writer.lanes.lengths(),
            (happened, asked)
        );
    }
}

struct Gate {
    open: mpsc::Sender<()>,
    holder: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Gate {
    async fn open(self) {
        self.open.send(()).expect("the holding work waits");
        self.holder
            .await
            .expect("no panic")
            .expect("the holding work is stored");
    }
}

fn put(tx: &Tx<'_>, k: i64) -> Result<(), Fault> {
    tx.prepare_cached("INSERT INTO t (k) VALUES (?1)")?.execute([k])?;
    Ok(())
}

fn is_broken(result: &Result<(), StoreError>) -> bool {
    matches!(result, Err(StoreError::Broken { .. }))
}

#[tokio::test]
async fn an_answered_write_is_seen_by_another_connection() {
    let desk = Desk::new();
    desk.insert(7).await.expect("stored");
    assert_eq!(desk.keys(), [7]);
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let before = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for k in 0..100 {
        let writer = Arc::clone(&desk.writer);
        let seen = Arc::clone(&before);
        tasks.push(tokio::spawn(async move {
            writer
                .asked(move |tx| {
                    put(tx, k)?;
                    let rows: i64 = tx.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?;
                    seen.lock().expect("no panic").push(rows);
                    Ok(())
                })
                .await
        }));
    }
    desk.queued(0, 100).await;
    gate.open().await;
    for task in tasks {
        task.await.expect("no panic").expect("stored");
    }
    // Each saw those before it, though another connection saw none of them until the end.
    assert_eq!(*before.lock().expect("no panic"), (1..=100).collect::<Vec<i64>>());
    assert_eq!(desk.keys().len(), 100);
}

#[tokio::test]
async fn work_that_fails_is_undone_alone() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let bad = Arc::clone(&desk.writer);
    let failing = tokio::spawn(async move {
        bad.happened(move |tx| {
            put(tx, 1)?;
            tx.tally().total("ann", CallStatus::Queued, 1);
            Err::<(), _>(StoreError::Busy.into())
        })
        .await
    });
    desk.queued(1, 0).await;
    let good = Arc::clone(&desk.writer);
    let fine = tokio::spawn(async move {
        good.happened(move |tx| {
            put(tx, 2)?;
            tx.tally().total("ann", CallStatus::Queued, 1);
            tx.tally().total("ann", CallStatus::Initiated, 1);
            tx.tally().total("ann", CallStatus::Initiated, -1);
            Ok(())
        })
        .await
    });
    desk.queued(2, 0).await;
    gate.open().await;
    assert!(matches!(failing.await.expect("no panic"), Err(StoreError::Busy)));
    fine.await.expect("no panic").expect("stored");
    assert_eq!(desk.keys(), [2]);
    assert_eq!(desk.total("ann", 0), Some(1));
    assert_eq!(desk.total("ann", 1), None);
}

#[tokio::test]
async fn work_that_is_alone_and_fails_leaves_nothing() {
    let desk = Desk::new();
    let result = desk
        .writer
        .asked(|tx| {
            put(tx, 1)?;
            tx.tally().total("ann", CallStatus::Queued, 1);
            Err::<(), _>(StoreError::Busy.into())
        })
        .await;
    assert!(matches!(result, Err(StoreError::Busy)));
    desk.insert(2).await.expect("stored");
    assert_eq!(desk.keys(), [2]);
    assert_eq!(desk.total("ann", 0), None);
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_thread_lives_on() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let writer = Arc::clone(&desk.writer);
    let panicking = tokio::spawn(async move {
        writer
            .happened(|tx| -> Result<(), Fault> {
                put(tx, 1)?;
                panic!("on purpose")
            })
            .await
    });
    desk.queued(1, 0).await;
    let writer = Arc::clone(&desk.writer);
    let fine = tokio::spawn(async move { writer.happened(|tx| put(tx, 2)).await });
    desk.queued(2, 0).await;
    gate.open().await;
    assert!(is_broken(&panicking.await.expect("caught")));
    fine.await.expect("no panic").expect("stored");
    desk.insert(3).await.expect("the thread lives on");
    assert_eq!(desk.keys(), [2, 3]);
    assert_eq!(desk.health.broken(), None);
}

#[tokio::test]
async fn a_commit_that_fails_fails_everyone_in_it_and_nobody_after() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let writer = Arc::clone(&desk.writer);
    let innocent = tokio::spawn(async move {
        writer
            .happened(|tx| {
                tx.tally().total("ann", CallStatus::Queued, 1);
                put(tx, 1)
            })
            .await
    });
    desk.queued(1, 0).await;
    let writer = Arc::clone(&desk.writer);
    // The rule is only looked at when the transaction is committed.
    let culprit = tokio::spawn(async move {
        writer
            .happened(|tx| {
                Ok(tx
                    .execute("INSERT INTO t (k, parent) VALUES (2, 99)", [])
                    .map(drop)?)
            })
            .await
    });
    desk.queued(2, 0).await;
    gate.open().await;
    assert!(is_broken(&innocent.await.expect("no panic")));
    assert!(is_broken(&culprit.await.expect("no panic")));
    assert!(desk.keys().is_empty());
    desk.insert(3).await.expect("the next batch is tried anew");
    assert_eq!(desk.keys(), [3]);
    assert_eq!(desk.total("ann", 0), None);
}

#[tokio::test]
async fn a_full_disk_fails_the_batch_and_passes() {
    let desk = Desk::new();
    let pages: i64 = desk
        .writer
        .asked(|tx| Ok(tx.pragma_query_value(None, "page_count", |row| row.get(0))?))
        .await
        .expect("a number");
    desk.writer
        .asked(move |tx| Ok(tx.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?))
        .await
        .expect("a small disk");
    let full = desk
        .writer
        .happened(|tx| {
            for k in 0..100_000 {
                put(tx, k)?;
            }
            Ok(())
        })
        .await;
    assert!(matches!(full, Err(StoreError::Full(_))), "{full:?}");
    assert_eq!(desk.health.broken(), None);
    desk.writer
        .asked(|tx| Ok(tx.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(()))?))
        .await
        .expect("a larger disk");
    desk.insert(1).await.expect("stored");
    assert_eq!(desk.keys(), [1]);
}

#[tokio::test]
async fn work_that_ends_the_transaction_itself_is_not_called_stored() {
    let desk = Desk::new();
    let result = desk
        .writer
        .asked(|tx| {
            put(tx, 1)?;
            tx.execute_batch("ROLLBACK")?;
            Ok(())
        })
        .await;
    assert!(is_broken(&result));
    assert!(desk.keys().is_empty());
    desk.insert(2).await.expect("stored");
}

#[tokio::test]
async fn what_has_happened_goes_before_what_is_asked_for() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for name in ["asked", "happened"] {
        let (writer, order) = (Arc::clone(&desk.writer), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let note = move |_: &mut Tx<'_>| {
                order.lock().expect("no panic").push(name);
                Ok(())
            };
            if name == "asked" {
                writer.asked(note).await
            } else {
                writer.happened(note).await
            }
        }));
        let queued = if name == "asked" { (0, 1) } else { (1, 1) };
        desk.queued(queued.0, queued.1).await;
    }
    gate.open().await;
    for task in tasks {
        task.await.expect("no panic").expect("stored");
    }
    assert_eq!(*order.lock().expect("no panic"), ["happened", "asked"]);
}

#[tokio::test]
async fn a_full_second_lane_refuses_while_the_first_waits() {
    let desk = Desk::with_bounds(2, 1);
    let gate = desk.hold().await;
    let mut tasks = Vec::new();
    let writer = Arc::clone(&desk.writer);
    tasks.push(tokio::spawn(async move { writer.asked(|tx| put(tx, 1)).await }));
    desk.queued(0, 1).await;
    assert!(matches!(desk.insert(2).await, Err(StoreError::Busy)));
    for k in 10..16 {
        let writer = Arc::clone(&desk.writer);
        tasks.push(tokio::spawn(async move {
            writer.happened(move |tx| put(tx, k)).await
        }));
    }
    desk.queued(2, 1).await;
    gate.open().await;
    for task in tasks {
        task.await.expect("no panic").expect("stored in the end");
    }
    assert_eq!(desk.keys(), [1, 10, 11, 12, 13, 14, 15]);
}

#[test]
fn a_storm_in_the_first_lane_leaves_places_to_the_second() {
    let lanes = Lanes::new(10_000, 10_000);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for _ in 0..1_000 {
        let (job, _) = job::job(|_: &mut Tx<'_>| Ok(()));
        runtime.block_on(lanes.push_happened(job)).expect("room");
        let (job, _) = job::job(|_: &mut Tx<'_>| Ok(()));
        lanes.push_asked(job).expect("room");
    }
    let mut batch = Vec::new();
    assert_eq!(lanes.take(&mut batch, None), lanes::Taken::Batch);
    assert_eq!(batch.len(), lanes::BATCH);
    let (happened, asked) = lanes.lengths();
    assert_eq!(1_000 - asked, 64);
    assert_eq!(1_000 - happened, lanes::BATCH - 64);
}

#[tokio::test]
async fn closing_finishes_what_waits_and_refuses_what_comes_after() {
    let mut desk = Desk::new();
    let gate = desk.hold().await;
    let writer = Arc::clone(&desk.writer);
    let waiting = tokio::spawn(async move { writer.happened(|tx| put(tx, 1)).await });
    desk.queued(1, 0).await;
    desk.writer.lanes.close();
    assert!(is_broken(&desk.insert(2).await));
    gate.open().await;
    waiting.await.expect("no panic").expect("stored");
    Arc::get_mut(&mut desk.writer)
        .expect("nobody else holds it")
        .close();
    assert_eq!(desk.keys(), [1]);
    let log = desk.folder.path().join("test.db-wal");
    assert!(
        std::fs::metadata(log).is_ok_and(|log| log.len() == 0)
            || !desk.folder.path().join("test.db-wal").exists()
    );
}

#[tokio::test]
async fn a_damaged_file_ends_all_writing() {
    let desk = Desk::new();
    let result = desk
        .writer
        .happened(|_| {
            Err::<(), _>(
                rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_FSYNC),
                    None,
                )
                .into(),
            )
        })
        .await;
    assert!(is_broken(&result));
    assert!(desk.health.broken().is_some());
    assert!(is_broken(&desk.insert(1).await));
    assert!(desk.keys().is_empty());
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_back() {
    let desk = Desk::new();
    let gate = desk.hold().await;
    let writer = Arc::clone(&desk.writer);
    let gone = tokio::spawn(async move { writer.asked(|tx| put(tx, 1)).await });
    desk.queued(0, 1).await;
    gone.abort();
    assert!(gone.await.is_err_and(|error| error.is_cancelled()));
    gate.open().await;
    desk.insert(2).await.expect("stored");
    assert_eq!(desk.keys(), [1, 2]);
}

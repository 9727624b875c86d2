//! Reading only, one state per query, and bounded.

use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;

struct Place {
    _folder: TempDir,
    writer: Connection,
    path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("x.db");
    connect::prepare_file(&path).expect("made");
    let writer = connect::writer(&path).expect("a database");
    writer
        .execute_batch("CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (1)")
        .expect("written");
    Place {
        _folder: folder,
        writer,
        path,
    }
}

fn rows(conn: &Connection) -> Result<i64, Fault> {
    Ok(conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
}

#[tokio::test]
async fn a_query_sees_one_state_while_writing_goes_on() {
    let place = place();
    let readers = Readers::open(place.path.clone(), Health::default()).expect("opened");
    let (looked, first_look) = tokio::sync::oneshot::channel();
    let (go_on, written) = mpsc::channel();
    let query = tokio::spawn({
        let readers = readers.clone();
        async move {
            readers
                .read(move |conn| {
                    let before = rows(conn)?;
                    let _ = looked.send(());
                    let _ = written.recv_timeout(Duration::from_secs(20));
                    Ok((before, rows(conn)?))
                })
                .await
        }
    });
    first_look.await.expect("the query runs");
    place
        .writer
        .execute("INSERT INTO t VALUES (2)", [])
        .expect("nobody is waited for");
    go_on.send(()).expect("the query waits");
    assert_eq!(query.await.expect("no panic").expect("read"), (1, 1));
    assert_eq!(readers.read(rows).await.expect("read"), 2);
}

#[tokio::test]
async fn nothing_can_be_written() {
    let place = place();
    let readers = Readers::open(place.path.clone(), Health::default()).expect("opened");
    let refused = readers
        .read(|conn| Ok(conn.execute("INSERT INTO t VALUES (3)", [])?))
        .await;
    assert!(refused.is_err());
    assert_eq!(rows(&place.writer).expect("read"), 1);
}

#[tokio::test]
async fn a_panic_costs_one_connection_and_nothing_else() {
    let place = place();
    let readers = Readers::with_bounds(place.path.clone(), Health::default(), 1, 8).expect("opened");
    let refused = readers
        .read(|_| -> Result<(), Fault> { panic!("on purpose") })
        .await;
    assert!(matches!(refused, Err(StoreError::Broken { .. })));
    assert_eq!(readers.read(rows).await.expect("read"), 1);
}

#[tokio::test]
async fn too_many_waiting_are_refused() {
    let place = place();
    let readers = Readers::with_bounds(place.path.clone(), Health::default(), 1, 1).expect("opened");
    let (running, runs) = tokio::sync::oneshot::channel();
    let (go_on, opened) = mpsc::channel::<()>();
    let first = tokio::spawn({
        let readers = readers.clone();
        async move {
            readers
                .read(move |_| {
                    let _ = running.send(());
                    let _ = opened.recv_timeout(Duration::from_secs(20));
                    Ok(())
                })
                .await
        }
    });
    runs.await.expect("the query runs");
    assert!(matches!(readers.read(rows).await, Err(StoreError::Busy)));
    go_on.send(()).expect("the query waits");
    first.await.expect("no panic").expect("read");
    assert_eq!(readers.read(rows).await.expect("read"), 1);
}

//! A copy that is cut anywhere leaves one database that may be used, or none; never two.

use std::sync::{Arc, Mutex, MutexGuard};

use super::*;

/// What is on a disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Disk {
    rows: Vec<(u8, Row)>,
    seal: Option<Seal>,
}

/// A database in memory that fails after so many steps of both.
struct Fake {
    disk: Arc<Mutex<Disk>>,
    written: Disk,
    steps: Arc<Mutex<usize>>,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().expect("no panic")
}

impl Fake {
    fn on(disk: &Arc<Mutex<Disk>>, steps: &Arc<Mutex<usize>>) -> Fake {
        Fake {
            disk: Arc::clone(disk),
            written: lock(disk).clone(),
            steps: Arc::clone(steps),
        }
    }

    fn step(&self) -> Result<(), StoreError> {
        let mut left = lock(&self.steps);
        *left = left.checked_sub(1).ok_or_else(|| StoreError::broken("cut"))?;
        Ok(())
    }
}

#[async_trait]
impl Side for Fake {
    fn seal(&self) -> Option<&Seal> {
        self.written.seal.as_ref()
    }

    async fn empty(&mut self) -> Result<(), StoreError> {
        self.step()?;
        if !self.written.rows.is_empty() && self.written.seal.is_none() {
            return Err(StoreError::broken("not empty"));
        }
        self.written.rows.clear();
        Ok(())
    }

    async fn read(&mut self, kind: Kind, after: Option<&Row>) -> Result<Vec<Row>, StoreError> {
        self.step()?;
        let own = self.written.rows.iter().filter(|(it, _)| *it == kind as u8);
        let mut own: Vec<Row> = own.map(|(_, row)| row.clone()).collect();
        let from = after.map_or(0, |after| {
            own.iter().position(|row| row == after).map_or(0, |at| at + 1)
        });
        Ok(own.drain(from..).take(2).collect())
    }

    async fn write(&mut self, kind: Kind, rows: Vec<Row>) -> Result<(), StoreError> {
        self.step()?;
        self.written
            .rows
            .extend(rows.into_iter().map(|row| (kind as u8, row)));
        Ok(())
    }

    async fn keep(&mut self, seal: Option<Seal>) -> Result<(), StoreError> {
        self.step()?;
        self.written.seal = seal;
        *lock(&self.disk) = self.written.clone();
        // Whether it was heard of or not.
        self.step()
    }
}

fn full() -> Disk {
    let row = |n: i64| vec![Value::Number(n), Value::Text("x".to_owned())];
    let rows = Kind::ALL
        .into_iter()
        .flat_map(|kind| (0..5).map(move |n| (kind as u8, row(n))));
    Disk {
        rows: rows.collect(),
        seal: None,
    }
}

/// What a copy with so many steps makes of two databases.
async fn run(from: &Arc<Mutex<Disk>>, to: &Arc<Mutex<Disk>>, steps: usize) -> Result<Outcome, StoreError> {
    let steps = Arc::new(Mutex::new(steps));
    let (mut from, mut to) = (Fake::on(from, &steps), Fake::on(to, &steps));
    transfer(&mut from, &mut to, &mut |_, _| {}).await
}

#[tokio::test]
async fn a_copy_cut_anywhere_can_be_given_again_and_never_leaves_two() {
    let mut cuts = 0;
    for steps in 0.. {
        let (from, to) = (
            Arc::new(Mutex::new(full())),
            Arc::new(Mutex::new(Disk::default())),
        );
        let is_cut = run(&from, &to, steps).await.is_err();
        let usable = |disk: &Mutex<Disk>| *lock(disk) == full();
        assert!(!(usable(&from) && usable(&to)), "two after {steps} steps");
        let untouched = lock(&to).rows.is_empty();
        assert!(untouched || usable(&to) || lock(&to).seal.is_some(), "{steps}");
        if !is_cut {
            break;
        }
        cuts += 1;
        let done_already = usable(&to);
        let again = run(&from, &to, usize::MAX).await;
        assert!(again.is_ok() || done_already, "after {steps} steps: {again:?}");
        assert!(usable(&to) && !usable(&from), "after {steps} steps");
    }
    assert!(cuts > 50, "{cuts}");
}

#[tokio::test]
async fn what_was_moved_is_not_moved_again() {
    let (from, to) = (
        Arc::new(Mutex::new(full())),
        Arc::new(Mutex::new(Disk::default())),
    );
    let Ok(Outcome::Copied(sums)) = run(&from, &to, usize::MAX).await else {
        panic!("not copied");
    };
    assert!(sums.iter().all(|sum| sum.rows == 5));
    let other = Arc::new(Mutex::new(Disk::default()));
    let refused = run(&from, &other, usize::MAX).await.expect_err("refused");
    assert!(refused.to_string().contains("was moved"), "{refused}");
}

#[tokio::test]
async fn what_is_not_empty_is_left_alone() {
    let (from, to) = (Arc::new(Mutex::new(full())), Arc::new(Mutex::new(full())));
    run(&from, &to, usize::MAX).await.expect_err("refused");
    assert_eq!((lock(&from).clone(), lock(&to).clone()), (full(), full()));
}

#[test]
fn no_two_rows_look_alike() {
    let sum = |row: Row| {
        let mut digest = Sha256::new();
        row.iter().for_each(|value| add(&mut digest, value));
        hexadecimal(&digest.finalize())
    };
    let text = |text: &str| Value::Text(text.to_owned());
    assert_ne!(sum(vec![text("ab"), text("c")]), sum(vec![text("a"), text("bc")]));
    assert_ne!(sum(vec![Value::Nothing]), sum(vec![text("")]));
    assert_ne!(sum(vec![Value::Bytes(vec![97])]), sum(vec![text("a")]));
}

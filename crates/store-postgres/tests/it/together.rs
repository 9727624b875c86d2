//! What processes on one database agree on beside permits: who is told of which call, the common pace,
//! who leads, and what each is told of the others.

use std::time::Duration;

use domain::step::Input;
use domain::{CallId, Rate, Timestamp};
use store::{Accepted, CLAIMED_FOR, News, Permitted, Store, StoreError, Together};
use store_contract::rate::given::{NOW, at, new_call, terms};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

use crate::trouble::admin;

const MANY: usize = 40;
const SECOND: Duration = Duration::from_secs(1);

/// Longer than any hint takes.
const SOON: Duration = Duration::from_secs(20);

struct Several {
    stores: Vec<PostgresStore>,
    database: Database,
}

impl Several {
    async fn open(many: usize) -> Several {
        let database = Database::fresh();
        let mut stores = Vec::new();
        for _ in 0..many {
            let purpose = Purpose::Dial(Durability::Local);
            let store = PostgresStore::open(&database.url(), purpose).await;
            stores.push(store.expect("opened"));
        }
        Several { stores, database }
    }

    fn together(&self, number: usize) -> &dyn Together {
        self.stores[number].together().expect("it dials")
    }

    async fn calls(&self, many: usize) -> Vec<CallId> {
        let mut ids = Vec::new();
        for number in 0..many {
            let number = u32::try_from(number).expect("few");
            let new = new_call(number, None).expect("a call");
            match self.stores[0].accept(new, at()).await.expect("accepted") {
                Accepted::New(call) => ids.push(call.id),
                other => panic!("not new: {other:?}"),
            }
        }
        ids
    }

    async fn due(&self, number: usize, now: Timestamp) -> Vec<CallId> {
        let due = self.stores[number].due(now, 1_000).await.expect("read");
        due.into_iter().map(|due| due.id).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_call_is_told_to_one_process_at_a_time() {
    let all = Several::open(3).await;
    let mut ids = all.calls(MANY).await;
    let mut told = Vec::new();
    let looks = (0..12).map(|look| async move { (look % 3, look) });
    let answers = futures_util::future::join_all(looks.map(|look| async {
        let (process, _) = look.await;
        let due = all.stores[process].due(NOW, 4).await.expect("read");
        (process, due)
    }));
    let mut by_process = [const { Vec::new() }; 3];
    for (process, due) in answers.await {
        by_process[process].extend(due.into_iter().map(|due| due.id));
    }
    for own in &mut by_process {
        // A process may be told of its own again.
        own.sort();
        own.dedup();
        told.extend_from_slice(own);
    }
    let found = told.len();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), found, "two processes were told of one call");
    // Whatever is left goes to whoever asks.
    told.extend(all.due(0, NOW).await);
    told.extend(all.due(1, NOW).await);
    told.extend(all.due(2, NOW).await);
    told.sort();
    told.dedup();
    ids.sort();
    assert_eq!(told, ids);
}

#[tokio::test]
async fn what_a_silent_process_was_told_of_another_is_told_after_a_while() {
    let all = Several::open(2).await;
    let ids = all.calls(3).await;
    assert_eq!(all.due(0, NOW).await, ids);
    let again = NOW + 20 * SECOND;
    assert_eq!(all.due(0, again).await, ids, "its own, again");
    let last = again + CLAIMED_FOR;
    assert_eq!(all.due(1, last - SECOND).await, []);
    assert_eq!(all.due(1, last).await, ids);
    assert_eq!(all.due(0, last).await, []);
}

#[tokio::test]
async fn a_process_that_leaves_leaves_its_calls_to_the_others() {
    let all = Several::open(2).await;
    let ids = all.calls(3).await;
    assert_eq!(all.due(0, NOW).await, ids);
    all.together(0).leave().await.expect("left");
    assert_eq!(all.due(1, NOW).await, ids);
}

#[tokio::test]
async fn what_a_process_that_ended_was_told_of_others_are_told_at_once() {
    let mut all = Several::open(3).await;
    let ids = all.calls(3).await;
    let leads = async |all: &Several, process: usize| {
        let standing = all.together(process).check_in(NOW).await.expect("answered");
        standing.leads
    };
    assert!(leads(&all, 0).await);
    assert!(!leads(&all, 1).await);
    assert_eq!(all.due(0, NOW).await, ids);
    // Whoever is well keeps what it has, however often the others look.
    assert!(!leads(&all, 2).await);
    assert_eq!(all.due(2, NOW).await, []);

    let admin = admin(&all.database.url()).await;
    let first =
        "SELECT min(objid::bigint)::integer FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let first: i32 = admin.query_one(first, &[]).await.expect("read").get(0);
    // As its death does: without a word.
    drop(all.stores.remove(0));
    let gone = format!("SELECT pg_advisory_lock(x'726e6f64'::integer, {first}), pg_advisory_unlock_all()");
    let gone = tokio::time::timeout(SOON, admin.query_one(&gone, &[])).await;
    gone.expect("the server notices").expect("answered");

    assert!(leads(&all, 0).await, "the leader's place is free");
    assert_eq!(all.due(0, NOW).await, ids);
    assert!(!leads(&all, 1).await);
    assert_eq!(all.due(1, NOW).await, []);
}

#[tokio::test]
async fn a_call_in_doubt_is_looked_at_by_one_process_at_a_time() {
    let all = Several::open(2).await;
    let new = new_call(1, Some(terms())).expect("a call");
    let id = new.id;
    all.stores[0].accept(new, at()).await.expect("accepted");
    let why = "cut".to_owned();
    let doubt = Input::InDoubt { attempt: 1, why };
    all.stores[0].apply(id, doubt, at()).await.expect("taken");
    let look = async |process: usize, now| {
        let calls = all.stores[process].to_check(now, 10).await.expect("read");
        calls.len()
    };
    assert_eq!(look(1, NOW).await, 1);
    assert_eq!(look(0, NOW).await, 0);
    assert_eq!(look(1, NOW + SECOND).await, 1);
    assert_eq!(look(0, NOW + SECOND + CLAIMED_FOR).await, 1);
}

#[tokio::test]
async fn the_pace_of_all_together_is_that_of_one() {
    let all = Several::open(3).await;
    let rate = Rate {
        per_second: 7.0,
        burst: 3,
    };
    let (mut clear_us, mut now) = (0, NOW);
    let wishes = [1, 5, 2, 1, 1, 4, 0, 9];
    for (turn, gap) in [0, 1, 90, 400, 3_000, 20, 143, 142, 60_000, 5]
        .into_iter()
        .enumerate()
    {
        now = now + Duration::from_millis(gap);
        for (place, wish) in wishes.into_iter().enumerate() {
            let slots = all.together((turn + place) % 3).slots(wish, rate, now).await;
            let slots = slots.expect("answered");
            let expected;
            (expected, clear_us) = rate.take(clear_us, now, wish);
            assert_eq!(slots.taken, expected, "turn {turn}, wish {wish}");
            assert_eq!(slots.next_at, rate.next_at(clear_us));
        }
    }
}

#[tokio::test]
async fn one_process_leads_until_it_says_nothing_any_more() {
    let all = Several::open(2).await;
    let leads = async |process: usize, now| {
        let standing = all.together(process).check_in(now).await.expect("answered");
        standing.leads
    };
    assert!(leads(0, NOW).await);
    assert!(!leads(1, NOW).await);
    assert!(leads(0, NOW + 20 * SECOND).await);
    assert!(!leads(1, NOW + 40 * SECOND).await);
    assert!(leads(1, NOW + 51 * SECOND).await);
    assert!(!leads(0, NOW + 52 * SECOND).await);
    all.together(1).leave().await.expect("left");
    assert!(leads(0, NOW + 53 * SECOND).await);
}

#[tokio::test]
async fn another_server_in_its_place_stops_all_dialling_and_says_up_to_when_it_knows() {
    let all = Several::open(2).await;
    all.together(0).check_in(NOW).await.expect("answered");
    let [id] = all.calls(1).await[..] else {
        panic!("one call");
    };
    // As a standby that was promoted: what the log files are named after has changed.
    let admin = admin(&all.database.url()).await;
    let promote = "UPDATE dialling SET timeline = '000000F0'";
    admin.execute(promote, &[]).await.expect("promoted");
    let permit = all.stores[1].permit(id, terms(), at()).await;
    assert_eq!(permit.expect("answered"), Permitted::Paused);
    all.together(1).check_in(NOW + SECOND).await.expect("answered");
    let dialling = all.stores[0].dialling().await.expect("read");
    assert_eq!(
        dialling.restored,
        Some(NOW),
        "what came after this may be missing"
    );
    all.together(0)
        .check_in(NOW + 2 * SECOND)
        .await
        .expect("answered");
    let permit = all.stores[0].permit(id, terms(), at()).await;
    assert_eq!(
        permit.expect("answered"),
        Permitted::Paused,
        "until it is made good"
    );
    all.stores[0].set_restored(None).await.expect("made good");
    let permit = all.stores[1].permit(id, terms(), at()).await;
    assert!(matches!(permit.expect("answered"), Permitted::Granted(_)));
}

#[tokio::test]
async fn a_permit_that_no_standby_has_is_not_proven_where_that_is_required() {
    let all = Several::open(1).await;
    all.together(0).proven().await.expect("nobody requires it");
    let purpose = Purpose::Dial(Durability::Required);
    let store = PostgresStore::open(&all.database.url(), purpose).await;
    let store = store.expect("opened");
    let proven = store.together().expect("it dials").proven().await;
    let error = proven.expect_err("there is no standby");
    assert!(matches!(error, StoreError::Broken(..)));
    assert!(error.to_string().contains("synchronous_standby_names"), "{error}");
}

/// Waits until a process has been told of all of these, in any order.
async fn told(all: &Several, process: usize, mut what: Vec<News>) {
    let telling = async {
        while !what.is_empty() {
            let news = all.together(process).news().await;
            what.retain(|it| *it != news);
        }
    };
    tokio::time::timeout(SOON, telling).await.expect("told in time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_due_call_and_a_pause_are_told_to_the_others() {
    let all = Several::open(2).await;
    // At first each is told that something may have been missed.
    told(&all, 1, vec![News::Due, News::Dialling]).await;
    all.calls(1).await;
    told(&all, 1, vec![News::Due]).await;
    all.stores[0].set_paused(true, NOW).await.expect("paused");
    told(&all, 1, vec![News::Dialling]).await;
}

//! Several processes on one database: two stores that share nothing but the server. Whatever they do
//! at once, the record is as if they had done it one after the other.

use std::sync::Arc;
use std::time::Duration;

use domain::step::Input;
use domain::{AttemptStatus, CallId, CallState, CallStatus, Fact, Source, Word};
use store::{Accepted, Key, NewCall, Permitted, Reported, Store, Stray, Terms};
use store_postgres::{Durability, PostgresStore, Purpose};
use testkit::Database;

use store_contract::rate::given::{NOW, at, new_call, sid, terms};

/// Enough for transactions of both to be under way at once, again and again.
const MANY: u32 = 60;

/// Legs of one attempt that are noted at all.
const LEGS: u32 = 8;

struct Two {
    stores: [Arc<PostgresStore>; 2],
    _database: Database,
}

impl Two {
    async fn open() -> Two {
        let database = Database::fresh();
        let url = database.url();
        // At once: one of them brings the schema, the other waits.
        let (one, other) = tokio::join!(
            PostgresStore::open(&url, Purpose::Dial(Durability::Local)),
            PostgresStore::open(&url, Purpose::Dial(Durability::Local))
        );
        Two {
            stores: [one, other].map(|store| Arc::new(store.expect("opened"))),
            _database: database,
        }
    }

    /// Asks both in turn, all at once, and gives back every answer.
    async fn ask<T, F>(&self, many: u32, work: impl Fn(Arc<PostgresStore>, u32) -> F) -> Vec<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let tasks: Vec<_> = (0..many)
            .map(|number| {
                let store = &self.stores[usize::from(number % 2 == 0)];
                tokio::spawn(work(Arc::clone(store), number))
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("no panic"));
        }
        answers
    }

    async fn a_call(&self, number: u32) -> CallId {
        self.take(call(number, None)).await
    }

    async fn a_dial(&self, number: u32) -> CallId {
        self.take(call(number, Some(terms()))).await
    }

    async fn take(&self, new: NewCall) -> CallId {
        match self.stores[0].accept(new, at()).await.expect("accepted") {
            Accepted::New(call) => call.id,
            other => panic!("not new: {other:?}"),
        }
    }
}

fn call(number: u32, permit: Option<Terms>) -> NewCall {
    new_call(number, permit).expect("a call")
}

fn ringing() -> Fact {
    Fact {
        sequence: Some(1),
        ..Fact::new(Word::Known(AttemptStatus::Ringing), Source::Callback)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_dials_to_one_person_one_is_granted() {
    let two = Two::open().await;
    let answers = two.ask(MANY, |store, number| async move {
        let mut new = call(number, Some(terms()));
        new.request.to = "+15551230000".parse().expect("a number");
        store.accept(new, at()).await.expect("accepted")
    });
    let dialled = |answer: &&Accepted| matches!(answer, Accepted::New(call) if matches!(call.state, CallState::Dialling { .. }));
    assert_eq!(answers.await.iter().filter(dialled).count(), 1);
    assert_eq!(two.stores[1].granted().await.expect("read").len(), 1);
    assert_eq!(two.stores[0].dialling().await.expect("read").live, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_ask_for_one_permit_one_gets_it() {
    let two = Two::open().await;
    let id = two.a_call(1).await;
    let answers = two.ask(MANY, move |store, _| async move {
        store.permit(id, terms(), at()).await.expect("answered")
    });
    let granted = |answer: &&Permitted| matches!(answer, Permitted::Granted(_));
    assert_eq!(answers.await.iter().filter(granted).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_limit_holds_for_all_together() {
    let two = Two::open().await;
    let answers = two.ask(MANY, |store, number| async move {
        let limited = Terms {
            max_live: Some(7),
            ..terms()
        };
        store
            .accept(call(number, Some(limited)), at())
            .await
            .expect("accepted")
    });
    answers.await;
    assert_eq!(two.stores[0].granted().await.expect("read").len(), 7);
    assert_eq!(two.stores[1].dialling().await.expect("read").live, 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_one_call_whichever_process_is_asked() {
    let two = Two::open().await;
    let answers = two.ask(MANY, |store, number| async move {
        let key = Key {
            key: "order 17".to_owned(),
            body: [1; 32],
        };
        let new = NewCall {
            key: Some(key),
            ..call(number, None)
        };
        store.accept(new, at()).await.expect("accepted")
    });
    let mut ids = Vec::new();
    let mut new = 0;
    for answer in answers.await {
        match answer {
            Accepted::New(call) => {
                new += 1;
                ids.push(call.id);
            }
            Accepted::Repeat(call) => ids.push(call.id),
            Accepted::KeyTaken => panic!("the requests are equal"),
        }
    }
    ids.dedup();
    assert_eq!((new, ids.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leg_is_one_attempts_whoever_writes_first() {
    let two = Two::open().await;
    for round in 0..20 {
        let ids = [two.a_dial(2 * round).await, two.a_dial(2 * round + 1).await];
        two.ask(2, move |store, which| async move {
            let placed = Input::Placed {
                attempt: 1,
                sid: sid(round).expect("a leg"),
            };
            let id = ids[usize::from(which == 1)];
            store.apply(id, placed, at()).await.expect("stored")
        })
        .await;
        let mut owners = 0;
        for id in ids {
            let call = two.stores[0].call(id).await.expect("read").expect("there");
            owners += call.legs().count();
        }
        assert_eq!(owners, 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_meets_its_leg_on_the_way_is_never_left_over() {
    let two = Two::open().await;
    for round in 0..MANY {
        let id = two.a_dial(round).await;
        two.ask(2, move |store, which| async move {
            let sid = sid(round).expect("a leg");
            if which == 0 {
                let stray = Stray {
                    sid,
                    named: None,
                    fact: ringing(),
                };
                store.report(stray, at()).await.expect("stored");
            } else {
                let placed = Input::Placed { attempt: 1, sid };
                store.apply(id, placed, at()).await.expect("stored");
            }
        })
        .await;
        let call = two.stores[0].call(id).await.expect("read").expect("there");
        assert_eq!(call.status(), CallStatus::Ringing, "round {round}");
    }
    assert_eq!(two.stores[1].depths(NOW).await.expect("read").orphans, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_of_one_call_are_taken_one_by_one() {
    let two = Two::open().await;
    let id = two.a_dial(1).await;
    let answers = two.ask(LEGS, move |store, number| async move {
        let stray = Stray {
            sid: sid(number).expect("a leg"),
            named: Some((id, 1)),
            fact: ringing(),
        };
        store.report(stray, at()).await.expect("stored")
    });
    let applied = |answer: &Reported| matches!(answer, Reported::Applied(_));
    assert!(answers.await.iter().all(applied));
    let call = two.stores[0].call(id).await.expect("read").expect("there");
    assert_eq!(call.legs().count(), usize::try_from(LEGS).expect("few"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_permit_is_granted_after_a_pause_was_answered() {
    let two = Two::open().await;
    let mut ids = Vec::new();
    for number in 0..MANY {
        ids.push(two.a_call(number).await);
    }
    let ids = Arc::new(ids);
    let asking = two.ask(MANY, |store, number| {
        let ids = Arc::clone(&ids);
        async move {
            let id = ids[usize::try_from(number).expect("few")];
            store.permit(id, terms(), at()).await.expect("answered")
        }
    });
    let pausing = async {
        two.stores[1].set_paused(true, NOW).await.expect("paused");
        two.stores[1].granted().await.expect("read").len()
    };
    let (answers, granted_before) = tokio::join!(asking, pausing);
    let granted = answers.iter().filter(|it| matches!(it, Permitted::Granted(_)));
    assert_eq!(granted.count(), granted_before);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_agree_with_the_rows() {
    let two = Two::open().await;
    two.ask(MANY, |store, number| async move {
        let id = match store
            .accept(call(number, Some(terms())), at())
            .await
            .expect("accepted")
        {
            Accepted::New(call) => call.id,
            other => panic!("not new: {other:?}"),
        };
        for status in [AttemptStatus::Ringing, AttemptStatus::Completed] {
            let fact = Fact::new(Word::Known(status), Source::Callback);
            let stray = Stray {
                sid: sid(number).expect("a leg"),
                named: Some((id, 1)),
                fact,
            };
            if status == AttemptStatus::Ringing || number % 3 == 0 {
                store.report(stray, at()).await.expect("stored");
            }
        }
    })
    .await;
    let live = two.stores[0].dialling().await.expect("read").live;
    assert_eq!(live, u64::from(MANY - MANY.div_ceil(3)));
    let mut totals = [0; 3];
    for user in 0..MANY {
        let user = domain::UserId::new(&format!("user-{user}")).expect("a user id");
        let statuses = [None, Some(CallStatus::Ringing), Some(CallStatus::Completed)];
        for (total, status) in totals.iter_mut().zip(statuses) {
            let query = store::ListQuery {
                user: user.clone(),
                status,
                to: None,
                created_after: None,
                created_before: None,
                limit: 10,
                offset: 0,
                after: None,
            };
            let page = two.stores[1].page(query).await.expect("read");
            let shown = u64::try_from(page.calls.len()).expect("few");
            assert_eq!(page.total.count, shown, "{status:?}");
            *total += page.total.count;
        }
    }
    let (all, done) = (u64::from(MANY), u64::from(MANY.div_ceil(3)));
    assert_eq!(totals, [all, all - done, done]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_is_the_servers() {
    let two = Two::open().await;
    let (one, other) = tokio::join!(two.stores[0].clock(), two.stores[1].clock());
    let (one, other) = (one.expect("told"), other.expect("told"));
    let apart = one.since(other).max(other.since(one));
    assert!(apart < Duration::from_secs(60), "{one} and {other}");
    assert!(one > domain::Timestamp::from_millis(1_700_000_000_000));
}

//! Promises of a store that several processes share: who is told of which work, the common pace, who leads, what each is
//! told of the others, and what happens when another server takes the database over. None of it decides whether an
//! attempt is sent.

use std::sync::Arc;
use std::time::Duration;

use domain::rate::Owed;
use domain::{CallId, Rate, Timestamp};
use store::{CLAIMED_FOR, News, Permitted, Store, Together};

use crate::given::{SECOND, START, World, in_doubt};
use crate::{Factory, Several};

/// Longer than any hint takes.
const SOON: Duration = Duration::from_secs(20);

/// Each opened by a process of its own, the first one's calls in all of them.
struct Processes<'a> {
    world: World<'a>,
    stores: Vec<Arc<dyn Store>>,
}

impl<'a> Processes<'a> {
    async fn open(factory: &'a dyn Several, many: usize) -> Processes<'a> {
        let factory: &dyn Factory = factory;
        let world = World::new(factory).await;
        let mut stores = vec![Arc::clone(&world.store)];
        while stores.len() < many {
            stores.push(factory.open().await);
        }
        Processes { world, stores }
    }

    fn together(&self, number: usize) -> &dyn Together {
        let together = self.stores[number].together();
        together.expect("several processes may dial from it")
    }

    async fn calls(&mut self, many: usize) -> Vec<CallId> {
        let mut ids = Vec::new();
        for _ in 0..many {
            ids.push(self.world.a_call().await);
        }
        ids
    }

    async fn due(&self, number: usize, now: Timestamp, limit: usize) -> Vec<CallId> {
        let due = self.stores[number].due(now, limit).await;
        let due = due.expect("the queue can be read");
        due.into_iter().map(|due| due.id).collect()
    }

    async fn to_check(&self, number: usize, now: Timestamp) -> usize {
        let calls = self.stores[number].to_check(now, 10).await;
        calls.expect("the queue can be read").len()
    }

    async fn leads(&self, number: usize, now: Timestamp) -> bool {
        let standing = self.together(number).check_in(now).await;
        standing.expect("it is told its part").leads
    }

    /// Waits until a process has been told of all of these, in any order.
    async fn told(&self, number: usize, mut what: Vec<News>) {
        let telling = async {
            while !what.is_empty() {
                let news = self.together(number).news().await;
                what.retain(|it| *it != news);
            }
        };
        let told = tokio::time::timeout(SOON, telling).await;
        told.expect("it is told in time");
    }
}

/// Whoever looks at the same time finds different calls, and all are found.
pub async fn a_due_call_is_told_to_one_process_at_a_time(factory: &dyn Several) {
    let mut all = Processes::open(factory, 3).await;
    let mut ids = all.calls(40).await;
    let looks: Vec<_> = (0..12)
        .map(|look| {
            let store = Arc::clone(&all.stores[look % 3]);
            tokio::spawn(async move { (look % 3, store.due(START, 4).await.expect("it can be read")) })
        })
        .collect();
    let mut by_process = [const { Vec::new() }; 3];
    for look in looks {
        let (process, due) = look.await.expect("a look ends");
        by_process[process].extend(due.into_iter().map(|due| due.id));
    }
    let mut told = Vec::new();
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
    for process in 0..3 {
        told.extend(all.due(process, START, 1_000).await);
    }
    told.sort();
    told.dedup();
    ids.sort();
    assert_eq!(told, ids);
}

/// What is told to a process stays its own for a while from then on; the same again makes it longer only when it has
/// grown old.
pub async fn what_a_silent_process_was_told_of_another_is_told_after_a_while(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let ids = all.calls(3).await;
    assert_eq!(all.due(0, START, 9).await, ids);
    assert_eq!(all.due(0, START + 9 * SECOND, 9).await, ids, "its own, again");
    let again = START + 20 * SECOND;
    assert_eq!(all.due(0, again, 9).await, ids, "and again");
    let last = again + CLAIMED_FOR;
    assert_eq!(all.due(1, last - SECOND, 9).await, []);
    assert_eq!(all.due(1, last, 9).await, ids);
    assert_eq!(all.due(0, last, 9).await, []);
}

/// A second look soon after does not make it longer.
pub async fn what_is_told_again_at_once_is_kept_no_longer(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let ids = all.calls(2).await;
    assert_eq!(all.due(0, START, 9).await, ids);
    assert_eq!(all.due(0, START + 9 * SECOND, 9).await, ids);
    assert_eq!(all.due(1, START + CLAIMED_FOR, 9).await, ids);
}

/// Others' calls do not stand in the way of the rest of the queue.
pub async fn a_portion_is_filled_with_what_nobody_was_told_of(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let ids = all.calls(5).await;
    assert_eq!(all.due(0, START, 2).await, ids[..2]);
    assert_eq!(all.due(1, START, 2).await, ids[2..4]);
    assert_eq!(all.due(0, START, 3).await, [ids[0], ids[1], ids[4]]);
}

/// A process that ends in order leaves nothing that others wait for.
pub async fn a_process_that_leaves_leaves_its_calls_to_the_others(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let ids = all.calls(3).await;
    assert_eq!(all.due(0, START, 9).await, ids);
    all.together(0).leave().await.expect("a process can leave");
    assert_eq!(all.due(1, START, 9).await, ids);
}

/// The same for what is to be looked at.
pub async fn a_call_in_doubt_is_looked_at_by_one_process_at_a_time(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let id = all.world.a_dial().await;
    all.world.done(id, in_doubt(1)).await;
    assert_eq!(all.to_check(1, START).await, 1);
    assert_eq!(all.to_check(0, START).await, 0);
    assert_eq!(all.to_check(1, START + SECOND).await, 1);
    assert_eq!(all.to_check(0, START + SECOND + CLAIMED_FOR).await, 1);
}

/// It is of no meaning for a permit who was told of the call.
pub async fn a_permit_is_granted_to_whoever_asks_first(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    let ids = all.calls(1).await;
    assert_eq!(all.due(0, START, 9).await, ids);
    let (terms, at) = (all.world.terms(), all.world.at());
    let granted = all.stores[1].permit(ids[0], terms, at).await;
    assert!(matches!(granted, Ok(Permitted::Granted(_))), "{granted:?}");
    assert!(matches!(all.world.permit(ids[0]).await, Permitted::Refused(_)));
}

/// Counted by the same arithmetic, whoever takes.
pub async fn the_pace_of_all_together_is_that_of_one(factory: &dyn Several) {
    let all = Processes::open(factory, 3).await;
    let rate = Rate {
        per_second: 7.0,
        burst: 3,
    };
    let (mut owed, mut now) = (Owed::default(), START);
    let wishes = [1, 5, 2, 1, 1, 4, 0, 9];
    for (turn, gap) in [0, 1, 90, 400, 3_000, 20, 143, 142, 60_000, 5]
        .into_iter()
        .enumerate()
    {
        now = now + Duration::from_millis(gap);
        for (place, wish) in wishes.into_iter().enumerate() {
            let slots = all.together((turn + place) % 3).slots(wish, rate, now).await;
            let slots = slots.expect("slots can be asked for");
            let expected;
            (expected, owed) = rate.take(owed, now, wish);
            assert_eq!(slots.taken, expected, "turn {turn}, wish {wish}");
            assert_eq!(slots.next_at, rate.next_at(owed));
        }
    }
}

/// And another does after that, or once it has left.
pub async fn one_process_leads_until_it_says_nothing_any_more(factory: &dyn Several) {
    let all = Processes::open(factory, 2).await;
    assert!(all.leads(0, START).await);
    assert!(!all.leads(1, START).await);
    assert!(all.leads(0, START + 20 * SECOND).await);
    assert!(!all.leads(1, START + 40 * SECOND).await);
    assert!(all.leads(1, START + 51 * SECOND).await);
    assert!(!all.leads(0, START + 52 * SECOND).await);
    all.together(1).leave().await.expect("a process can leave");
    assert!(all.leads(0, START + 53 * SECOND).await);
}

/// Whoever looks first marks everything as a copy.
pub async fn another_server_in_its_place_stops_all_dialling_and_says_up_to_when_it_knows(
    factory: &dyn Several,
) {
    let mut all = Processes::open(factory, 2).await;
    all.leads(0, START).await;
    let id = all.calls(1).await[0];
    factory.take_over().await;
    assert_eq!(
        all.world.permit(id).await,
        Permitted::Paused,
        "before anybody looks"
    );
    all.leads(1, START + SECOND).await;
    let restored = async || {
        let dialling = all.stores[0].dialling().await;
        dialling.expect("the dialling can be read").restored
    };
    assert_eq!(
        restored().await,
        Some(START),
        "what came after this may be missing"
    );
    all.leads(0, START + 2 * SECOND).await;
    assert_eq!(restored().await, Some(START), "once");
    assert_eq!(
        all.world.permit(id).await,
        Permitted::Paused,
        "until it is made good"
    );
    all.stores[0].set_restored(None).await.expect("made good");
    all.world.granted(id).await;
}

/// While a copy is being made good, another server takes over once more: nobody may believe that it is done.
pub async fn a_server_that_nobody_noticed_is_not_made_good(factory: &dyn Several) {
    let mut all = Processes::open(factory, 1).await;
    all.leads(0, START).await;
    let id = all.calls(1).await[0];
    factory.take_over().await;
    all.leads(0, START + SECOND).await;
    let restored = async || {
        let dialling = all.stores[0].dialling().await;
        dialling.expect("the dialling can be read").restored
    };
    let first = restored().await;
    factory.take_over().await;
    all.stores[0].set_restored(None).await.expect("answered");
    assert_eq!(restored().await, first);
    all.leads(0, START + 2 * SECOND).await;
    let second = restored().await;
    assert!(second < first && second.is_some(), "another copy than before");
    assert_eq!(all.world.permit(id).await, Permitted::Paused);
    all.stores[0].set_restored(None).await.expect("made good");
    all.world.granted(id).await;
}

/// They need not wait for their next look; what a process has done it need not be told.
pub async fn a_due_call_and_a_pause_are_told_to_the_others(factory: &dyn Several) {
    let mut all = Processes::open(factory, 2).await;
    // At first each is told that something may have been missed.
    all.told(1, vec![News::Due, News::Dialling]).await;
    all.calls(1).await;
    all.told(1, vec![News::Due]).await;
    let paused = all.stores[0].set_paused(true, START).await;
    paused.expect("a pause is kept");
    all.told(1, vec![News::Dialling]).await;
}

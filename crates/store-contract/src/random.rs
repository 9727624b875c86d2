//! One promise in four moods: whatever is done to a store, in whatever order, it answers as the
//! model does and shows what the model shows. A failure names its seed; `STORE_CONTRACT_SEED` runs
//! one again or tries another, `STORE_CONTRACT_STEPS` makes the runs longer.

mod dice;
mod operations;
mod sight;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{CallId, Input, Rules, Sid, Step, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Dialling, Imported, NewCall, Permitted, Reported, Store, Stray, Terms,
};

use crate::Factory;
use crate::given::{SECOND, START};
use crate::model::Model;

use dice::Dice;
use sight::{agrees_on_looks, plain, plain_outcome, sight};

/// As many steps as find a wrong rule soon, and few enough for a slow disk.
const STEPS: u64 = 300;

/// How likely each kind of operation is, and how narrow the world.
struct Mood {
    seed: u64,
    /// So many people are called.
    numbers: u64,
    accept: u64,
    permit: u64,
    /// What came back for a permit.
    outcome: u64,
    /// Of ten dials so many are in doubt.
    doubt: u64,
    report: u64,
    ask: u64,
    /// Cancel, give up, hold, hang up, and what does not apply.
    other: u64,
    /// Pause, resume, account, looks put off, opened again.
    upkeep: u64,
    /// Calls of another program are taken over.
    import: u64,
    /// What must have been seen by the end, so that the run is worth its time.
    sees: &'static [&'static str],
}

/// An ordinary day: calls are taken, dialled, answered.
pub async fn an_ordinary_day_goes_as_in_the_model(factory: &dyn Factory) {
    let mood = Mood {
        seed: 1,
        numbers: 30,
        accept: 20,
        permit: 20,
        outcome: 20,
        doubt: 2,
        report: 25,
        ask: 5,
        other: 5,
        upkeep: 5,
        import: 2,
        sees: &[
            "new",
            "repeat",
            "key taken",
            "granted",
            "done",
            "applied",
            "known",
        ],
    };
    run(factory, mood).await;
}

/// Many calls to few people, and few at once: most dials are in each other's way.
pub async fn a_crowd_goes_as_in_the_model(factory: &dyn Factory) {
    let mood = Mood {
        seed: 2,
        numbers: 2,
        accept: 20,
        permit: 40,
        outcome: 20,
        doubt: 2,
        report: 10,
        ask: 10,
        other: 5,
        upkeep: 10,
        import: 0,
        sees: &["granted", "held", "paused", "live limit", "not permitted"],
    };
    run(factory, mood).await;
}

/// A bad line: answers are lost, dials are looked up, callbacks come late, twice and shuffled.
pub async fn a_bad_line_goes_as_in_the_model(factory: &dyn Factory) {
    let mood = Mood {
        seed: 3,
        numbers: 12,
        accept: 10,
        permit: 20,
        outcome: 15,
        doubt: 7,
        report: 25,
        ask: 40,
        other: 5,
        upkeep: 5,
        import: 3,
        sees: &["done", "refused", "applied", "known", "orphan", "unconfirmed"],
    };
    run(factory, mood).await;
}

/// Confusion: callbacks about unknown legs and wrong attempts, inputs that do not apply.
pub async fn confusion_goes_as_in_the_model(factory: &dyn Factory) {
    let mood = Mood {
        seed: 4,
        numbers: 6,
        accept: 8,
        permit: 12,
        outcome: 12,
        doubt: 2,
        report: 50,
        ask: 10,
        other: 20,
        upkeep: 10,
        import: 12,
        sees: &[
            "orphan",
            "misdirected",
            "refused",
            "reopened",
            "adopted",
            "extra",
            "imported",
            "there already",
            "leg taken",
        ],
    };
    run(factory, mood).await;
}

/// Something that is done to a store.
#[derive(Debug, Clone)]
enum Operation {
    Accept(Box<NewCall>),
    Import(Vec<Step>),
    Permit(CallId, Terms),
    Apply(CallId, Input),
    Report(Stray),
    Pause(bool),
    HoldAccount(Option<AccountHold>),
    PutOffLooks,
    Reopen,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Accepted(Accepted),
    Imported(Vec<Imported>),
    Permitted(Permitted),
    Applied(Applied),
    Reported(Reported),
    Dialling(Dialling),
    Nothing,
}

/// A store and the model beside it, to which the same is done.
struct Pair<'a> {
    factory: &'a dyn Factory,
    store: Arc<dyn Store>,
    model: Model,
    mood: Mood,
    dice: Dice,
    now: Timestamp,
    rules: Arc<Rules>,
    calls: Vec<CallId>,
    /// Whose each of them is.
    owners: Vec<UserId>,
    legs: Vec<Sid>,
    said: Vec<Stray>,
    keys: Vec<String>,
    seen: BTreeMap<&'static str, u32>,
}

async fn run(factory: &dyn Factory, mood: Mood) {
    let usual = mood.seed;
    let seed = setting("STORE_CONTRACT_SEED").unwrap_or(usual);
    let steps = setting("STORE_CONTRACT_STEPS").unwrap_or(STEPS);
    let mut dice = Dice::new(seed.wrapping_mul(1_000).wrapping_add(usual));
    let rules = Rules {
        settle_after: SECOND * 20,
        silence_after: SECOND * 120,
        stop_on_unconfirmed: dice.one_in(4),
        poll: dice.one_in(4),
    };
    let mut pair = Pair {
        factory,
        store: factory.open().await,
        model: Model::new(START),
        mood,
        dice,
        now: START,
        rules: Arc::new(rules),
        calls: Vec::new(),
        owners: Vec::new(),
        legs: Vec::new(),
        said: Vec::new(),
        keys: Vec::new(),
        seen: BTreeMap::new(),
    };
    for step in 0..steps {
        pair.now = pair.now + operations::gap(&mut pair.dice);
        let operation = pair.invent().await;
        let story = format!(
            "STORE_CONTRACT_SEED={seed}, step {step} at {}: {operation:?}",
            pair.now
        );
        pair.perform(operation, &story).await;
        pair.compare(&story).await;
    }
    if (seed, steps) == (usual, STEPS) {
        let missed: Vec<_> = pair
            .mood
            .sees
            .iter()
            .filter(|it| !pair.seen.contains_key(*it))
            .collect();
        assert!(
            missed.is_empty(),
            "the run has not seen {missed:?}, only {:?}",
            pair.seen
        );
    }
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a whole number, not {text:?}")),
    )
}

impl Pair<'_> {
    async fn perform(&mut self, operation: Operation, story: &str) {
        if let Operation::Reopen = operation {
            let unreachable: Arc<dyn Store> = Arc::new(Model::new(START));
            let store = std::mem::replace(&mut self.store, unreachable);
            self.store = self.factory.reopen(store).await;
            self.saw("reopened");
            return;
        }
        let at = At {
            now: self.now,
            dice: self.dice.next(),
            rules: Arc::clone(&self.rules),
        };
        let orphans = self.orphans().await;
        let expected = perform(&self.model, operation.clone(), at.clone()).await;
        if self.orphans().await < orphans {
            self.saw("adopted");
        }
        let got = perform(&*self.store, operation.clone(), at).await;
        assert_eq!(plain_outcome(got), plain_outcome(expected.clone()), "{story}");
        if let Operation::Report(stray) = &operation {
            self.said.push(stray.clone());
        }
        if let (Operation::Accept(new), Outcome::Accepted(Accepted::New(call))) = (&operation, &expected) {
            self.calls.push(call.id);
            self.owners.push(call.request.user_id.clone());
            self.keys.extend(new.key.as_ref().map(|key| key.key.clone()));
        }
        if let (Operation::Import(steps), Outcome::Imported(outcomes)) = (&operation, &expected) {
            let taken = steps.iter().zip(outcomes).filter(|(_, it)| **it == Imported::New);
            for (step, _) in taken {
                self.calls.push(step.call.id);
                self.owners.push(step.call.request.user_id.clone());
            }
        }
        self.witness(&expected);
        if let Operation::PutOffLooks = operation {
            let (model, store) = (&self.model, &self.store);
            let exact = (model.next_check(self.now).await, store.next_check(self.now).await);
            let (expected, got) = (exact.0.expect("it is kept"), exact.1.expect("it is kept"));
            assert_eq!(got, expected, "the next look once all are put off; {story}");
        }
    }

    async fn orphans(&self) -> u64 {
        self.model
            .depths(self.now)
            .await
            .expect("the model always answers")
            .orphans
    }

    async fn compare(&mut self, story: &str) {
        let queries = self.queries();
        if let Some(id) = self.dice.pick(&self.calls) {
            let expected = self.model.call(*id).await.expect("the model always answers");
            let got = self.store.call(*id).await.expect("a call can be read");
            assert_eq!(
                got.map(plain),
                expected.map(plain),
                "without its history; {story}"
            );
        }
        let expected = sight(&self.model, &self.calls, &self.owners, &queries, self.now).await;
        let got = sight(&*self.store, &self.calls, &self.owners, &queries, self.now).await;
        for (got, expected) in got.records.iter().zip(&expected.records) {
            assert_eq!(got, expected, "a record; {story}");
        }
        for ((got, expected), query) in got.pages.iter().zip(&expected.pages).zip(&queries) {
            assert_eq!(got, expected, "the page {query:?}; {story}");
        }
        assert_eq!(got, expected, "{story}");
        agrees_on_looks(&*self.store, &self.model, self.now, story).await;
    }

    fn saw(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// Notes what was seen, for the end of the run.
    fn witness(&mut self, outcome: &Outcome) {
        let what = match outcome {
            Outcome::Accepted(Accepted::New(_)) => "new",
            Outcome::Accepted(Accepted::Repeat(_)) => "repeat",
            Outcome::Accepted(Accepted::KeyTaken) => "key taken",
            Outcome::Imported(all) if all.contains(&Imported::AlreadyThere) => "there already",
            Outcome::Imported(all) if all.contains(&Imported::New) => "imported",
            Outcome::Imported(_) => "leg taken",
            Outcome::Permitted(Permitted::Granted(_)) => "granted",
            Outcome::Permitted(Permitted::Held(_)) => "held",
            Outcome::Permitted(Permitted::Paused) => "paused",
            Outcome::Permitted(Permitted::LiveLimit) => "live limit",
            Outcome::Permitted(Permitted::Refused(_)) => "not permitted",
            Outcome::Applied(Applied::Done(_)) => "done",
            Outcome::Applied(_) => "refused",
            Outcome::Reported(Reported::Applied(_)) => "applied",
            Outcome::Reported(Reported::Known(_)) => "known",
            Outcome::Reported(Reported::Orphan) => "orphan",
            Outcome::Reported(Reported::Misdirected) => "misdirected",
            Outcome::Dialling(_) | Outcome::Nothing => "upkeep",
        };
        self.saw(what);
        let call = match outcome {
            Outcome::Applied(Applied::Done(call)) => Some(call),
            Outcome::Reported(Reported::Applied(call)) => Some(&**call),
            _ => None,
        };
        if let Some(call) = call {
            if !call.extras.is_empty() {
                self.saw("extra");
            }
            let unproven = domain::AttemptStatus::Unconfirmed;
            if call.attempts.iter().any(|attempt| attempt.status == unproven) {
                self.saw("unconfirmed");
            }
        }
    }
}

async fn perform(store: &dyn Store, operation: Operation, at: At) -> Outcome {
    let outcome = match operation {
        Operation::Accept(new) => store.accept(*new, at).await.map(Outcome::Accepted),
        Operation::Import(calls) => store.import(calls, at).await.map(Outcome::Imported),
        Operation::Permit(id, terms) => store.permit(id, terms, at).await.map(Outcome::Permitted),
        Operation::Apply(id, input) => store.apply(id, input, at).await.map(Outcome::Applied),
        Operation::Report(stray) => store.report(stray, at).await.map(Outcome::Reported),
        Operation::Pause(paused) => store.set_paused(paused, at.now).await.map(Outcome::Dialling),
        Operation::HoldAccount(hold) => store.set_account_hold(hold).await.map(|()| Outcome::Nothing),
        Operation::PutOffLooks => {
            let far = at.now + Duration::from_secs(1_000 * 86_400);
            let listed = store.to_check(far, usize::from(u16::MAX)).await;
            let listed = listed.expect("looks can be listed");
            let calls = listed.into_iter().map(|call| call.id).collect();
            store.put_off_checks(calls).await.map(|()| Outcome::Nothing)
        }
        Operation::Reopen => unreachable!("only the pair can open its store again"),
    };
    outcome.expect("nothing is wrong with the store")
}

//! The simplest store: everything in memory, behind one lock, looked for by looking at all of it. It
//! keeps every promise of [`store::Store`] but durability, and is what other stores are compared
//! with. It reads no clock, starts no thread and draws no chance, so that a simulation may stand on
//! it. One process has it for itself, or any number share it, each through a handle of its own.

mod imports;
mod lists;
mod permits;
mod steps;
mod together;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use domain::{CallId, Input, Phone, Sid, Step, Timestamp, UserId};
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, News, Page,
    PermitState, Permitted, Record, Reported, Store, StoreError, Stray, Terms, Together,
};

use permits::Permit;
pub use together::Snapshot;
use together::{Node, Shared, Work};

/// The reference store. What it was told is there as long as a handle to it is.
pub struct Model {
    memory: Arc<Mutex<Memory>>,
    /// Which process's handle this is; `None` where one process has it for itself.
    node: Option<Node>,
}

/// All that is remembered.
#[derive(Clone)]
struct Memory {
    clock: Timestamp,
    calls: BTreeMap<CallId, Record>,
    /// Whose each leg is: which attempt of which call.
    legs: BTreeMap<Sid, (CallId, u32)>,
    /// In the order in which they were granted.
    permits: Vec<Permit>,
    keys: BTreeMap<String, ([u8; 32], CallId)>,
    /// In the order in which they came.
    orphans: VecDeque<Stray>,
    paused_at: Option<Timestamp>,
    account_hold: Option<AccountHold>,
    pace_clear_at: Option<Timestamp>,
    restored: Option<Timestamp>,
    shared: Shared,
}

impl Model {
    /// An empty store whose clock shows `clock`, for one process.
    pub fn new(clock: Timestamp) -> Model {
        let memory = Memory {
            clock,
            calls: BTreeMap::new(),
            legs: BTreeMap::new(),
            permits: Vec::new(),
            keys: BTreeMap::new(),
            orphans: VecDeque::new(),
            paused_at: None,
            account_hold: None,
            pace_clear_at: None,
            restored: None,
            shared: Shared::default(),
        };
        Model {
            memory: Arc::new(Mutex::new(memory)),
            node: None,
        }
    }

    fn number(&self) -> Option<u64> {
        self.node.as_ref().map(Node::number)
    }

    /// Sets what [`Store::clock`] answers from now on.
    pub fn set_clock(&self, now: Timestamp) {
        self.memory().clock = now;
    }

    /// Whether what was said of this leg is kept for whoever turns out to have it.
    pub fn has_orphan(&self, sid: &str) -> bool {
        let memory = self.memory();
        memory.orphans.iter().any(|orphan| orphan.sid.as_str() == sid)
    }

    /// The attempt that has this leg.
    pub(crate) fn owner(&self, sid: &Sid) -> Option<(CallId, u32)> {
        self.memory().legs.get(sid).copied()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory
            .lock()
            .expect("nobody panics while changing what is remembered")
    }
}

#[async_trait]
impl Store for Model {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        Ok(self.memory().clock)
    }

    async fn accept(&self, new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let mut memory = self.memory();
        let accepted = memory.accept(new, &at)?;
        if matches!(&accepted, Accepted::New(call) if call.due_at().is_some_and(|due| due <= at.now)) {
            memory.tell(News::Due, self.number());
        }
        Ok(accepted)
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        let mut memory = self.memory();
        Ok(calls.into_iter().map(|call| memory.import(call, &at)).collect())
    }

    async fn permit(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        Ok(self.memory().permit(id, terms, &at))
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        if matches!(input, Input::Due { .. }) {
            return Err(StoreError::broken("a dial is sent with a permit, never without"));
        }
        Ok(self.memory().apply(id, input, &at))
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        Ok(self.memory().report(stray, &at))
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let mut memory = self.memory();
        let due = memory.due(now);
        let told = memory.claim(self.number(), Work::Dial, due, now, limit);
        Ok(told.into_iter().map(|(due_at, id)| Due { id, due_at }).collect())
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.memory().next_due(after))
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<domain::Call>, StoreError> {
        let mut memory = self.memory();
        let wanted = memory.to_check(now);
        let told = memory.claim(self.number(), Work::Look, wanted, now, limit);
        Ok(told.into_iter().map(|(_, id)| memory.stands(id)).collect())
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.memory().next_check(after))
    }

    /// Nothing to do: the looks are read off the calls themselves, so none is ever out of date.
    async fn put_off_checks(&self, _calls: Vec<CallId>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        Ok(self.memory().undecided(PermitState::Granted))
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        Ok(self.memory().undecided(PermitState::InDoubt))
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<domain::Call>, StoreError> {
        Ok(self.memory().unsettled(from, to))
    }

    async fn call(&self, id: CallId) -> Result<Option<domain::Call>, StoreError> {
        Ok(self.memory().calls.get(&id).map(|record| record.call.clone()))
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        let memory = self.memory();
        let record = memory
            .calls
            .get(&id)
            .filter(|record| record.call.request.user_id == *user);
        Ok(record.cloned())
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        Ok(self.memory().page(&query))
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        Ok(self.memory().dialling())
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        let mut memory = self.memory();
        // Paused again: it has been so since the first time.
        memory.paused_at = paused.then(|| memory.paused_at.unwrap_or(now));
        memory.tell(News::Dialling, self.number());
        Ok(memory.dialling())
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        let mut memory = self.memory();
        memory.account_hold = hold;
        memory.tell(News::Dialling, self.number());
        Ok(())
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        let mut memory = self.memory();
        // Nothing is made good for a server that nobody has noticed yet.
        if copied_at.is_some() || !memory.shared.is_another() {
            memory.restored = copied_at;
        }
        memory.tell(News::Dialling, self.number());
        Ok(())
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        Ok(self.memory().depths(now))
    }

    fn health(&self) -> Result<(), String> {
        Ok(())
    }

    fn together(&self) -> Option<&dyn Together> {
        self.node.as_ref().map(|_| self as &dyn Together)
    }
}

#[cfg(test)]
mod tests;

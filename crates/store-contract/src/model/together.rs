//! Several processes on one model: who is told of which work, the common pace, who leads, what each is told of the
//! others; and a server whose place another takes, which has forgotten something.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use domain::rate::Owed;
use domain::{CallId, Rate, Timestamp};
use store::{CLAIMED_FOR, News, RENEWED_AFTER, Slots, Standing, StoreError, Together, furthest_claim};
use tokio::sync::Notify;

use super::{Memory, Model};

/// One process's part.
pub(super) struct Node {
    number: u64,
    ear: Arc<Ear>,
}

impl Node {
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}

/// What a process was not told yet.
#[derive(Default)]
struct Ear {
    due: Notify,
    dialling: Notify,
}

/// What a process was told of a call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Work {
    Dial,
    Look,
}

/// What processes agree on beside permits.
#[derive(Clone, Default)]
pub(super) struct Shared {
    /// The processes so far, and who of them listens.
    joined: u64,
    ears: Vec<(u64, Arc<Ear>)>,
    /// Who was told of what, and until when nobody else is.
    claims: BTreeMap<(CallId, Work), (u64, Timestamp)>,
    pace: Owed,
    leader: Option<(u64, Timestamp)>,
    /// When a process last said that it was there.
    seen_at: Option<Timestamp>,
    /// Which server this is, and which one was last noticed to be.
    server: u64,
    noticed: Option<u64>,
}

/// Everything as it stood at one moment.
pub struct Snapshot(Memory);

impl Model {
    /// A handle for one more process, which shares everything with the others.
    pub fn join(&self) -> Model {
        let mut memory = self.memory();
        memory.look();
        memory.shared.joined += 1;
        let number = memory.shared.joined;
        let ear = Arc::<Ear>::default();
        // As after a connection that was lost: whatever was told before may have been missed.
        ear.due.notify_one();
        ear.dialling.notify_one();
        memory.shared.ears.push((number, Arc::clone(&ear)));
        Model {
            memory: Arc::clone(&self.memory),
            node: Some(Node { number, ear }),
        }
    }

    /// Copies everything.
    pub fn copy(&self) -> Snapshot {
        Snapshot(self.memory().clone())
    }

    /// Puts everything back as it stood in the copy, by another server, which nobody has noticed yet. What is only
    /// of use to processes that run is not part of a copy.
    pub fn put_back(&self, copy: &Snapshot) {
        let mut memory = self.memory();
        let now = std::mem::replace(&mut *memory, copy.0.clone());
        memory.clock = now.clock;
        memory.shared.joined = now.shared.joined;
        memory.shared.ears = now.shared.ears;
        memory.shared.server = now.shared.server + 1;
        memory.shared.claims.clear();
    }

    fn member(&self) -> Result<(&Node, MutexGuard<'_, Memory>), StoreError> {
        let node = self.node.as_ref();
        let node = node.ok_or_else(|| StoreError::broken("one process has this store for itself"))?;
        Ok((node, self.memory()))
    }
}

impl Shared {
    /// Whether another server is in the place of the one that was last noticed.
    pub(super) fn is_another(&self) -> bool {
        self.noticed.is_some_and(|noticed| noticed != self.server)
    }
}

impl Memory {
    /// Tells everybody but `from`.
    pub(super) fn tell(&self, what: News, from: Option<u64>) {
        let others = self
            .shared
            .ears
            .iter()
            .filter(|(number, _)| Some(*number) != from);
        for (_, ear) in others {
            match what {
                News::Due => ear.due.notify_one(),
                News::Dialling => ear.dialling.notify_one(),
            }
        }
    }

    /// The first of a queue that no other process was told of lately; from here on they are this one's. Who has the
    /// store for itself is told of all.
    pub(super) fn claim(
        &mut self,
        node: Option<u64>,
        work: Work,
        queue: Vec<(Timestamp, CallId)>,
        now: Timestamp,
        limit: usize,
    ) -> Vec<(Timestamp, CallId)> {
        let claims = &mut self.shared.claims;
        let Some(node) = node else {
            return queue.into_iter().take(limit).collect();
        };
        let until = now + CLAIMED_FOR;
        let holds = |at: Timestamp| at > now && at <= furthest_claim(now);
        let mut told = Vec::new();
        for (at, id) in queue {
            if told.len() == limit {
                break;
            }
            let known = claims.get(&(id, work)).filter(|(_, until)| holds(*until));
            match known {
                Some((other, _)) if *other != node => continue,
                Some((_, own)) if *own >= until - RENEWED_AFTER => {}
                _ => {
                    claims.insert((id, work), (node, until));
                }
            }
            told.push((at, id));
        }
        told
    }

    /// Notices another server, which may have forgotten what came after the last moment at which a process said that
    /// it was there. The first that ever looks notes down which one it is.
    fn look(&mut self) {
        let known = self.shared.noticed.replace(self.shared.server);
        if known.is_some_and(|known| known != self.shared.server) {
            let least = Timestamp::from_millis(1);
            let mark = match self.restored {
                None => self.shared.seen_at.unwrap_or(least),
                // Another than before, so that whoever makes good what that copy did not know begins anew.
                Some(before) => before - Duration::from_millis(1),
            };
            self.restored = Some(mark.max(least));
            self.tell(News::Dialling, None);
        }
    }
}

#[async_trait]
impl Together for Model {
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        let (_, mut memory) = self.member()?;
        Ok(Slots::of(&mut memory.shared.pace, rate, wish, now))
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        let (node, mut memory) = self.member()?;
        memory.look();
        let shared = &mut memory.shared;
        shared.seen_at = Some(now);
        let most = furthest_claim(now);
        shared
            .claims
            .retain(|_, (_, until)| *until > now && *until <= most);
        let led = shared.leader.filter(|(leader, until)| {
            let is_silent = *until < now || *until > most;
            *leader != node.number && !is_silent
        });
        if led.is_none() {
            shared.leader = Some((node.number, now + CLAIMED_FOR));
        }
        Ok(Standing { leads: led.is_none() })
    }

    async fn leave(&self) -> Result<(), StoreError> {
        let (node, mut memory) = self.member()?;
        let shared = &mut memory.shared;
        shared.claims.retain(|_, (other, _)| *other != node.number);
        shared.leader = shared.leader.filter(|(leader, _)| *leader != node.number);
        Ok(())
    }

    /// What it was told is there as long as it is.
    async fn proven(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn news(&self) -> News {
        let Some(node) = &self.node else {
            return std::future::pending().await;
        };
        tokio::select! {
            biased;
            () = node.ear.due.notified() => News::Due,
            () = node.ear.dialling.notified() => News::Dialling,
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // Nobody hears what it is told any more.
        if let Some(number) = self.number()
            && let Ok(mut memory) = self.memory.lock()
        {
            memory.shared.ears.retain(|(other, _)| *other != number);
        }
    }
}

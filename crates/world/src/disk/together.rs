//! What several nodes agree on, as one of them sees it: the server fails and is slow for this as for everything else, and
//! what is only a hint comes late or never.

use async_trait::async_trait;
use domain::{Rate, Timestamp};
use engine::clock::Clock as _;
use store::{News, Slots, Standing, Store, StoreError, Together};

use super::Disk;
use crate::fault::Fault;
use crate::step::Kind;

/// What several processes have in a store.
///
/// # Errors
/// It is one process's.
pub fn shared(store: &dyn Store) -> Result<&dyn Together, StoreError> {
    let shared = store.together();
    shared.ok_or_else(|| StoreError::broken("one process has this store for itself"))
}

impl Disk {
    fn shared(&self) -> Result<&dyn Together, StoreError> {
        shared(&*self.inner)
    }
}

#[async_trait]
impl Together for Disk {
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        let slots = self.shared()?.slots(wish, rate, now);
        self.write(Kind::Other, slots, |_| None).await
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        self.stir();
        let check_in = self.shared()?.check_in(now);
        let standing = self.write(Kind::Other, check_in, |_| None).await?;
        let mut state = self.hub.lock();
        let state = &mut *state;
        state
            .checks
            .checks_in(self.life.who, standing.leads, &mut state.goals);
        Ok(standing)
    }

    async fn leave(&self) -> Result<(), StoreError> {
        let leave = self.shared()?.leave();
        self.write(Kind::Other, leave, |()| {
            self.hub.lock().checks.leaves(self.life.who);
            None
        })
        .await
    }

    async fn proven(&self) -> Result<(), StoreError> {
        let proven = self.shared()?.proven();
        self.read(proven).await
    }

    async fn news(&self) -> News {
        let Ok(shared) = self.shared() else {
            return std::future::pending().await;
        };
        loop {
            let news = shared.news().await;
            let (lost, takes) = {
                let mut state = self.hub.lock();
                (state.strikes(Fault::NewsLost), state.millis(1, 30))
            };
            if !lost {
                self.life.clock.wait(takes).await;
                return news;
            }
        }
    }
}

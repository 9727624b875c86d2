//! The store as one of several processes that dial together sees it: the model's own part for that process, until the
//! process is dead.

use async_trait::async_trait;
use domain::{Rate, Timestamp};
use store::{News, Slots, Standing, StoreError, Together};

use crate::store::TroubledStore;

#[async_trait]
impl Together for TroubledStore {
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        self.alive_model().await.slots(wish, rate, now).await
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        self.alive_model().await.check_in(now).await
    }

    async fn leave(&self) -> Result<(), StoreError> {
        self.alive_model().await.leave().await
    }

    async fn proven(&self) -> Result<(), StoreError> {
        self.alive_model().await.proven().await
    }

    async fn news(&self) -> News {
        self.alive_model().await.news().await
    }
}

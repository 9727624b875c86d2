//! What processes on the model store agree on: who leads. The pace is whatever each asks for. Used by the store, for
//! worlds in which several engines dial together.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use domain::{Rate, Timestamp};
use store::{CLAIMED_FOR, News, Slots, Standing, StoreError, Together};

use crate::process::Process;

/// Who leads, and until when without another word.
#[derive(Default)]
pub(crate) struct Leadership(Mutex<Option<(u32, Timestamp)>>);

/// One process's part in it.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) number: u32,
    pub(crate) leadership: Arc<Leadership>,
    pub(crate) process: Process,
}

#[async_trait]
impl Together for Member {
    async fn slots(&self, wish: u32, _rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        self.process.alive().await;
        Ok(Slots {
            taken: wish,
            next_at: now,
        })
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        self.process.alive().await;
        let mut leader = self.leadership.0.lock().unwrap_or_else(PoisonError::into_inner);
        let other = leader.filter(|(number, until)| *number != self.number && now < *until);
        if other.is_none() {
            *leader = Some((self.number, now + CLAIMED_FOR));
        }
        Ok(Standing {
            leads: other.is_none(),
        })
    }

    async fn leave(&self) -> Result<(), StoreError> {
        self.process.alive().await;
        let mut leader = self.leadership.0.lock().unwrap_or_else(PoisonError::into_inner);
        *leader = leader.filter(|(number, _)| *number != self.number);
        Ok(())
    }

    async fn proven(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn news(&self) -> News {
        // Whatever there is to know is found by looking.
        std::future::pending().await
    }
}

//! The model keeps every promise, of one process and of several.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use store::Store;
use store_contract::model::Model;
use store_contract::{Factory, Several};

/// Memory that outlives whoever opened it.
struct InMemory(Arc<Model>);

#[async_trait]
impl Factory for InMemory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0) as Arc<dyn Store>
    }
}

fn fresh() -> InMemory {
    InMemory(Arc::new(Model::new(Timestamp::from_millis(0))))
}

store_contract::tests!(fresh());

/// The same memory, to which every process has a handle of its own.
struct Shared(Model);

#[async_trait]
impl Factory for Shared {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(self.0.join())
    }
}

#[async_trait]
impl Several for Shared {
    async fn take_over(&self) {
        self.0.put_back(&self.0.copy());
    }
}

fn shared() -> Shared {
    Shared(Model::new(Timestamp::from_millis(0)))
}

/// By several processes, and by one among others.
mod among_others {
    use super::*;

    store_contract::tests!(shared());
    store_contract::tests_together!(shared());
}

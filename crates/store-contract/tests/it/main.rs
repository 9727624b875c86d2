//! The model keeps every promise.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use store::Store;
use store_contract::Factory;
use store_contract::model::Model;

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

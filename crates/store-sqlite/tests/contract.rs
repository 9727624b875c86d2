//! The promises that every store keeps, on a real file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::Store;
use store_contract::Factory;
use store_sqlite::{Purpose, SqliteStore};
use tempfile::TempDir;

/// One database in a folder of its own.
struct File(TempDir);

#[async_trait]
impl Factory for File {
    async fn open(&self) -> Arc<dyn Store> {
        let path = self.0.path().join("redial.db");
        // The wait is for the store before, which gives the right to dial back when its last owner
        // has gone.
        let opening = move || {
            SqliteStore::open(
                &path,
                Purpose::Dial {
                    wait: Duration::from_secs(10),
                },
            )
        };
        let store = tokio::task::spawn_blocking(opening)
            .await
            .expect("no panic")
            .expect("the file can be opened");
        Arc::new(store)
    }
}

fn file() -> File {
    File(tempfile::tempdir().expect("a temporary folder"))
}

store_contract::tests!(file());

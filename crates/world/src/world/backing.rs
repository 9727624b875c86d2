//! Where a world's calls are: in the model, or in a file that each process opens anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use store::Store;
use store_contract::model::Model;
use store_sqlite::{Purpose, SqliteStore};
use testkit::clock::START;
use tokio::runtime::{Builder, Runtime};

use crate::disk::finish;

/// Where calls are remembered while processes come and go.
pub(super) struct Backing {
    folder: Option<PathBuf>,
    /// Several processes may have it open.
    shared: bool,
    model: Arc<Model>,
    open: Option<Arc<dyn Store>>,
    /// For questions that no process asks: a database answers on threads of a runtime.
    pub(super) runtime: Option<Runtime>,
}

impl Backing {
    pub(super) fn new(folder: Option<PathBuf>, shared: bool) -> Backing {
        let runtime = folder.is_some().then(|| Builder::new_current_thread().build());
        Backing {
            folder,
            shared,
            model: Arc::new(Model::new(START)),
            open: None,
            runtime: runtime.and_then(Result::ok),
        }
    }

    /// Asks the store from outside of any process.
    pub(super) fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        let _outside = self.runtime.as_ref().map(Runtime::enter);
        finish(question)
    }

    /// Opens it for one more process.
    pub(super) fn open(&mut self) -> Arc<dyn Store> {
        if self.shared {
            return Arc::new(self.model.join());
        }
        self.outside()
    }

    /// The same, as somebody sees it who has no part in it.
    pub(super) fn outside(&mut self) -> Arc<dyn Store> {
        let Some(folder) = &self.folder else {
            return Arc::<Model>::clone(&self.model);
        };
        let open = self.open.get_or_insert_with(|| {
            let purpose = Purpose::Dial {
                wait: Duration::from_secs(5),
            };
            Arc::new(SqliteStore::open(&folder.join("world.db"), purpose).expect("a database can be opened"))
        });
        Arc::clone(open)
    }

    /// A process lets go of a database; the model is the disk itself.
    pub(super) fn close(&mut self) {
        if self.folder.is_some() {
            self.open = None;
        }
    }
}

//! Where a world's calls are: in the model, or in a file that each process opens anew.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use store::Store;
use store_contract::model::{Model, Snapshot};
use store_sqlite::{Purpose, SqliteStore, back_up};
use testkit::clock::START;
use tokio::runtime::{Builder, Runtime};

use crate::disk::finish;

/// Everything as it stood once.
pub(super) struct Copied {
    copied_at: Timestamp,
    model: Snapshot,
}

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

    /// Copies everything, as `redial backup` does it where there is a file.
    pub(super) fn copy(&mut self, now: Timestamp) -> Copied {
        let store = self.outside();
        let before = self
            .ask(store.dialling())
            .ok()
            .and_then(|dialling| dialling.restored);
        // What an older copy did not know is missing in this one, too.
        let copied_at = before.map_or(now, |before| before.min(now));
        let model = self.model.copy();
        if let Some(folder) = &self.folder {
            let (from, to) = (folder.join("world.db"), folder.join("copy.db"));
            let _ = std::fs::remove_file(&to);
            back_up(&from, &to, &mut |_, _| {}).expect("a database can be copied");
        }
        Copied { copied_at, model }
    }

    /// Puts a copy back, with no process about that knows the file; those that share a database may run.
    pub(super) fn put_back(&mut self, copied: &Copied) {
        self.model.put_back(&copied.model);
        if let Some(folder) = self.folder.clone() {
            self.open = None;
            for name in ["world.db", "world.db-wal", "world.db-shm"] {
                let _ = std::fs::remove_file(folder.join(name));
            }
            std::fs::copy(folder.join("copy.db"), folder.join("world.db")).expect("a file can be copied");
        }
        if !self.shared {
            // As the copy says of itself; by this world's time.
            let store = self.outside();
            let marked = self.ask(store.set_restored(Some(copied.copied_at)));
            marked.expect("a copy can be marked");
        }
    }

    /// Whether what the carrier says of this leg is kept for nobody; `None` where that cannot be asked.
    pub(super) fn is_orphan(&self, sid: &str) -> Option<bool> {
        self.folder.is_none().then(|| self.model.has_orphan(sid))
    }

    /// A process lets go of a database; the model is the disk itself.
    pub(super) fn close(&mut self) {
        if self.folder.is_some() {
            self.open = None;
        }
    }
}

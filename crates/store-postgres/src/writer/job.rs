//! One piece of work on its way through the writer: a closure, its result, and who waits for it.
//!
//! It knows nothing of batches or SQL: the batch runs it, keeps the result until the COMMIT, and
//! has it answered.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use store::StoreError;
use tokio::sync::oneshot;

use crate::error::Fault;
use crate::tx::{Stop, Tx};

/// How a run of a piece of work ended, before the batch is committed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It succeeded: what it changed is to be written.
    Kept,
    /// It failed or panicked: what it changed must go.
    Failed,
    /// It needs rows that have not been read; it is to be run again.
    Missing,
}

/// Work with its types erased.
pub(super) trait Job: Send {
    /// Runs the closure. A panic is caught and becomes the answer. A later run replaces what an
    /// earlier one answered.
    fn run(&mut self, tx: &mut Tx) -> Ran;

    /// Tells the caller: its own result, or `fault` instead if the batch was not committed.
    fn answer(self: Box<Self>, fault: Option<&Fault>);
}

struct Work<F, T> {
    work: F,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

/// Wraps a closure; the receiver gets its result after the COMMIT.
pub(super) fn job<F, T>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>)
where
    F: FnMut(&mut Tx) -> Result<T, Stop> + Send + 'static,
    T: Send + 'static,
{
    let (caller, answer) = oneshot::channel();
    let work = Work {
        work,
        result: None,
        caller,
    };
    (Box::new(work), answer)
}

impl<F, T> Job for Work<F, T>
where
    F: FnMut(&mut Tx) -> Result<T, Stop> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx) -> Ran {
        // What the closure could leave half done is dropped with the rest of what it changed.
        let (result, ran) = match catch_unwind(AssertUnwindSafe(|| (self.work)(tx))) {
            Ok(Ok(value)) => (Some(Ok(value)), Ran::Kept),
            Ok(Err(Stop::Missing)) => (None, Ran::Missing),
            Ok(Err(Stop::Failed(error))) => (Some(Err(error)), Ran::Failed),
            Err(panic) => {
                let words = panic_words(panic.as_ref());
                tracing::error!(panic = words, "a piece of work panicked in the writer");
                let error = StoreError::broken(format!("a fault in the program: {words}"));
                (Some(Err(error)), Ran::Failed)
            }
        };
        self.result = result;
        ran
    }

    fn answer(mut self: Box<Self>, fault: Option<&Fault>) {
        let result = match (fault, self.result.take()) {
            // Work that failed by itself has its own answer, whatever became of the others.
            (_, Some(Err(own))) => Err(own),
            (Some(fault), _) => Err(fault.clone().into_store()),
            (None, Some(Ok(value))) => Ok(value),
            (None, None) => unreachable!("a batch is committed only after each piece of work ran"),
        };
        // A caller that has gone away is no fault: what it asked for is stored all the same.
        let _ = self.caller.send(result);
    }
}

/// What a panic said, as far as it was text.
fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}

//! One piece of work on its way through the writer: a closure, its result, and who waits for it.
//!
//! It knows nothing of batches or SQL: the batch runs it, keeps the result until the COMMIT, and
//! has it answered.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use store::StoreError;
use tokio::sync::oneshot;

use super::Tx;
use crate::error::{self, Fault};
use crate::health::Health;

/// How a piece of work ended, before the batch is committed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// It succeeded: its writes stay if the COMMIT does.
    Kept,
    /// It failed or panicked: its writes must go.
    Failed,
}

/// Work with its types erased.
pub(super) trait Job: Send {
    /// Runs the closure. A panic is caught and becomes the answer. A later run replaces what an
    /// earlier one answered.
    fn run(&mut self, tx: &mut Tx<'_>, health: &Health) -> Ran;

    /// Tells the caller: its own result, or `batch_failure` instead if the batch was not committed.
    fn answer(self: Box<Self>, batch_failure: Option<&error::BatchFailure>);
}

struct Call<F, T> {
    work: F,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

/// Wraps a closure; the receiver gets its result after the COMMIT.
pub(super) fn job<F, T>(work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, StoreError>>)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send + 'static,
    T: Send + 'static,
{
    let (caller, answer) = oneshot::channel();
    (
        Box::new(Call {
            work,
            result: None,
            caller,
        }),
        answer,
    )
}

impl<F, T> Job for Call<F, T>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>, health: &Health) -> Ran {
        // What the closure could leave half done is the transaction, and that is rolled back.
        let (result, ran) = match catch_unwind(AssertUnwindSafe(|| (self.work)(tx))) {
            Ok(Ok(value)) => (Ok(value), Ran::Kept),
            Ok(Err(fault)) => {
                if let Fault::Sqlite(error) = &fault {
                    health.judge(error);
                }
                (Err(fault.into_store()), Ran::Failed)
            }
            Err(panic) => {
                let words = panic_words(panic.as_ref());
                tracing::error!(
                    panic = words,
                    "a piece of work panicked in the writer; it was rolled back"
                );
                (Err(error::panicked(words)), Ran::Failed)
            }
        };
        self.result = Some(result);
        ran
    }

    fn answer(mut self: Box<Self>, batch_failure: Option<&error::BatchFailure>) {
        let result = match (batch_failure, self.result.take()) {
            // Work that failed by itself has its own answer, whatever became of the others.
            (_, Some(Err(own))) => Err(own),
            (Some(failure), _) => Err(failure.to_store()),
            (None, Some(Ok(value))) => Ok(value),
            (None, None) => unreachable!("a batch is committed only after each piece of work ran"),
        };
        // A caller that has gone away is no fault: what it asked for is stored all the same.
        let _ = self.caller.send(result);
    }
}

/// What a panic said, as far as it was text.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no words")
}

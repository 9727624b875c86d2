//! One life of a node's process: a runtime of its own, so that killing it drops every task at its await, and
//! leaving it alone is a process that stands still.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use engine::Engine;
use tokio::runtime::{Builder, Runtime};

use crate::life::Life;

/// A running process.
pub struct Process {
    /// Which it is.
    pub life: Arc<Life>,
    /// The engine in it.
    pub engine: Engine,
    runtime: Runtime,
    idle: Arc<Idle>,
    /// Whether it has recovered and serves.
    pub up: bool,
    /// Whether it stands still.
    pub frozen: bool,
}

/// Whether the runtime has nothing more to do at this moment.
#[derive(Default)]
struct Idle {
    waiting: Mutex<Option<Waker>>,
}

impl Process {
    /// A process with this engine, in which nothing moves yet.
    ///
    /// # Panics
    /// When the machine gives no runtime.
    pub fn new(life: Arc<Life>, engine: Engine) -> Process {
        let idle = Arc::new(Idle::default());
        let seen = Arc::clone(&idle);
        let runtime = Builder::new_current_thread()
            .enable_time()
            // Called when no task can run: exactly then the world may let time pass.
            .on_thread_park(move || seen.wake())
            .build()
            .expect("a runtime without threads or sockets needs nothing of the machine");
        Process {
            life,
            engine,
            runtime,
            idle,
            up: false,
            frozen: false,
        }
    }

    /// Starts a task in it. It moves when the process runs.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> tokio::task::AbortHandle {
        self.runtime.spawn(task).abort_handle()
    }

    /// Runs every task as far as it goes while the clock stands.
    pub fn run(&self) {
        self.runtime.block_on(UntilIdle {
            idle: &self.idle,
            waits: false,
        });
    }
}

impl Idle {
    fn wake(&self) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }
}

/// Ready when the runtime is about to park.
struct UntilIdle<'a> {
    idle: &'a Idle,
    waits: bool,
}

impl Future for UntilIdle<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.idle.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.waits && waiting.is_none() {
            return Poll::Ready(());
        }
        *waiting = Some(context.waker().clone());
        drop(waiting);
        self.waits = true;
        Poll::Pending
    }
}

//! Looking at the store from outside of any process, and running what it promises to its end.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use domain::CallId;
use store::Store;

use crate::hub::Hub;
use crate::step::Kind;

/// Shows a call as it stands to the checks; `kind` of input brought it there.
pub fn look(store: &dyn Store, hub: &Hub, id: CallId, kind: Kind) {
    let Some(user) = hub.lock().checks.user_of(id) else {
        return;
    };
    let Ok(record) = finish(store.record(&user, id)) else {
        return;
    };
    let mut state = hub.lock();
    let state = &mut *state;
    let now_ms = state.now_ms();
    match record {
        Some(record) => state.checks.stands(now_ms, record, kind, &mut state.goals),
        None => state.checks.is_lost(id),
    }
}

/// Runs a future to its end on this thread, which sleeps while another works for it.
pub fn finish<T>(work: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    // A task's budget of wake-ups is no reason to wait here.
    let mut work = pin!(tokio::task::coop::unconstrained(work));
    let first = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    if let Poll::Ready(done) = first {
        return done;
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        std::thread::park();
    }
}

//! Notices when anything panics on this thread: a task that did is caught by the runtime, and would go unseen.

use std::cell::RefCell;
use std::panic;
use std::sync::Once;

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Watches from now on, on every thread, instead of writing each panic to the screen.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            LAST.with(|last| last.borrow_mut().get_or_insert_with(|| panic.to_string()).len());
        }));
    });
}

/// What panicked on this thread since the last time.
pub fn take() -> Option<String> {
    LAST.with(RefCell::take)
}

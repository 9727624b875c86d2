//! Notices when anything panics inside a process of the world: a task that did is caught by the runtime, and would go
//! unseen. A panic of the world itself goes its usual way.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a process; gives back what panicked in it first.
pub fn during(run: impl FnOnce()) -> Option<String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if INSIDE.get() {
                LAST.with(|last| last.borrow_mut().get_or_insert_with(|| panic.to_string()).len());
            } else {
                usual(panic);
            }
        }));
    });
    INSIDE.set(true);
    run();
    INSIDE.set(false);
    LAST.with(RefCell::take)
}

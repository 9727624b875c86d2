//! What the fake carrier is told to do with the dials to come.

use std::collections::VecDeque;
use std::time::Duration;

use carrier::{NotSent, Placement};
use tokio::sync::Semaphore;

use std::sync::Arc;

/// What becomes of one dial.
pub enum Order {
    /// It is made and answered at once.
    Place,
    /// The answer is this; no leg is made.
    Say(Placement),
    /// It is made, and the answer is lost.
    LoseTheAnswer,
    /// It is lost on its way: no leg is made, and nobody can tell.
    LoseTheRequest,
    /// Whoever sends it panics, before any leg is made.
    Panic,
    /// It is made, and answered when it is released.
    HeldAnswer(Hold),
    /// It waits at the gate until it is released, and is then made and answered.
    HeldBeforeTheGate(Hold),
}

impl Order {
    /// The carrier has too much to do: come again, after this long where it is said.
    pub fn too_many(retry_after: Option<Duration>) -> Order {
        let (code, message) = (Some(20_429), "too many requests".to_owned());
        Order::Say(Placement::NotSent(NotSent::Busy {
            code,
            message,
            retry_after,
        }))
    }

    /// The carrier refuses this dial for good.
    pub fn refuse() -> Order {
        Order::Say(Placement::Refused {
            code: Some(21_211),
            message: "not a valid number".to_owned(),
        })
    }

    pub(super) fn held_answer() -> (Order, Release) {
        let (hold, release) = hold();
        (Order::HeldAnswer(hold), release)
    }

    pub(super) fn held_before_the_gate() -> (Order, Release) {
        let (hold, release) = hold();
        (Order::HeldBeforeTheGate(hold), release)
    }
}

/// Something that waits to be released.
pub struct Hold(Arc<Semaphore>);

/// Lets it go on. Dropped, it never does.
pub struct Release(Arc<Semaphore>);

fn hold() -> (Hold, Release) {
    let released = Arc::new(Semaphore::new(0));
    (Hold(Arc::clone(&released)), Release(released))
}

impl Hold {
    pub(super) async fn released(&self) {
        let permit = self.0.acquire().await;
        permit.expect("nobody closes it").forget();
    }
}

impl Release {
    /// Lets it go on.
    pub fn release(self) {
        self.0.add_permits(1);
    }
}

#[derive(Default)]
pub(super) struct Orders {
    dials: VecDeque<Order>,
    connections: VecDeque<Hold>,
}

impl Orders {
    pub(super) fn push(&mut self, order: Order) {
        self.dials.push_back(order);
    }

    pub(super) fn hold_connection(&mut self) -> Release {
        let (hold, release) = hold();
        self.connections.push_back(hold);
        release
    }

    /// For want of an order, a dial is placed.
    pub(super) fn next_dial(&mut self) -> Order {
        self.dials.pop_front().unwrap_or(Order::Place)
    }

    pub(super) fn next_connection(&mut self) -> Option<Hold> {
        self.connections.pop_front()
    }
}

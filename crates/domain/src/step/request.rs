//! A call begins.

use crate::call::{Call, CallState};
use crate::event::{Event, EventKind, Hold, HoldReason};
use crate::ids::CallId;
use crate::request::Request;
use crate::step::Step;
use crate::time::Timestamp;

/// Makes the call that was asked for: due now, or at its scheduled time.
pub fn accept(id: CallId, request: Request, now: Timestamp) -> Step {
    let due_at = request.scheduled_at.map_or(now, |at| at.max(now));
    let call = Call {
        id,
        request,
        created_at: now,
        updated_at: now,
        state: CallState::Waiting {
            due_at,
            try_at: due_at,
            misses: 0,
        },
        attempts: Vec::new(),
        cancel_requested_at: None,
        hold: None,
        closing: None,
        extras: Vec::new(),
    };
    let mut events = vec![Event {
        at: now,
        kind: EventKind::Accepted,
    }];
    if due_at > now {
        let message = format!("not before {due_at}");
        let hold = Hold {
            reason: HoldReason::Schedule,
            since: now,
            until: Some(due_at),
            message,
        };
        events.push(Event {
            at: now,
            kind: EventKind::Held(hold),
        });
    }
    Step { call, events }
}

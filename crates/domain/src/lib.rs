//! What a call is and what happens next: values only, and one pure [`step()`].
//!
//! Nothing here reads a clock, draws chance, touches a disk or a socket, or knows how anything is
//! written down: time and dice come in as plain numbers, work goes out as plain data. Every other
//! crate of the workspace may use this one; it uses none of them.

pub mod attempt;
pub mod call;
pub mod effect;
pub mod event;
pub mod fact;
pub mod forgotten;
pub mod ids;
pub mod limits;
pub mod outcome;
pub mod phone;
pub mod rate;
pub mod refusal;
pub mod request;
pub mod retry;
pub mod step;
pub mod time;

pub use attempt::{Ask, Attempt, Proof};
pub use call::{Call, CallState, Closing, Extra};
pub use effect::Effect;
pub use event::{Event, EventKind, Hold, HoldReason};
pub use fact::{Fact, Leg, Source, Word};
pub use forgotten::Listed;
pub use ids::{CallId, Sid, UserId};
pub use outcome::{AttemptStatus, CallStatus};
pub use phone::Phone;
pub use rate::Rate;
pub use refusal::Refusal;
pub use request::{MachineDetection, Request, Script};
pub use retry::Policy;
pub use step::{Answer, Input, Moment, Rules, Step, step};
pub use time::Timestamp;

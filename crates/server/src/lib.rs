//! The HTTP side of redial: what programs ask for, and what the carrier calls. Translates requests
//! into the engine's words and the engine's answers into JSON; decides nothing about calls. The
//! binary hands it an engine, the operator's options and a listener.

mod router;
mod routes;
mod wire;

mod openapi;

mod auth;
mod extract;
mod guard;
mod idempotency;
mod page;

mod error;
mod request_id;
mod serve;
mod state;

pub use auth::keyless_is_safe;
pub use router::router;
pub use serve::{Bounds, serve, serve_within};
pub use state::{Limits, Options};

//! The dial protocol as a model: two nodes, two attempts of one call, a database with a standby, the carrier, and
//! everything that can happen between them, in every order.
//!
//! It depends on nothing of ours, so that it can say what the protocol promises without repeating how the code
//! keeps it; the names are those of the code (permit, gate, send, settle, look-up). Explored whole by the tests; what
//! is proved, and under which assumptions, is told in `docs/proof.md`.

mod configuration;
mod model;

pub use configuration::{AfterFailover, Bounds, CONFIGURATIONS, Configuration, Expected, Flaw, Unknown};
pub use model::{Event, NODES, NodeStep, Permit, State};

#[cfg(test)]
mod tests;

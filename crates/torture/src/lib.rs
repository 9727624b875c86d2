//! Torture of the real binary: nodes are killed, frozen and restarted, links are cut, the database goes away, the disk
//! fills; the simulated carrier, in a process that nothing is done to, keeps the ledger. When the faults have stopped,
//! everything must end, and records, ledger and what clients were answered must tell one story.
//!
//! One seed makes every choice; when each takes effect is the machine's. Only processes that a run has started are
//! hurt, and only what is in its own temporary folder. Called by the binary beside it and by the tests.

pub mod args;
mod balancer;
mod carrier;
pub mod check;
mod clock;
mod course;
mod dice;
mod failure;
mod fault;
mod ledger;
mod link;
mod load;
mod node;
pub mod patroni;
mod place;
pub mod report;
pub mod run;
mod settle;
mod tools;

pub use failure::Failure;
pub use ledger::{Ring, Wish};
pub use load::Pressure;
pub use place::Store;

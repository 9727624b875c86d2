//! Whole call lives in virtual time: the engine, the real client of the carrier and the played carrier in one process
//! and on one thread, with one seed for everything that goes wrong, and the invariants held against the carrier's own
//! ledger all the while. No run waits for real time.
//!
//! A world is drawn ([`plan`]), run ([`world`]), and, where an invariant breaks, made as short as can be ([`shrink`])
//! and told. The binary `redial-world` runs many; tests run a few.

mod bug;
mod callbacks;
mod check;
mod clients;
mod clock;
mod dice;
mod disk;
pub mod fault;
pub mod goal;
mod hub;
mod life;
mod line;
mod panics;
pub mod plan;
mod process;
pub mod shrink;
mod spoilt;
pub mod step;
mod wire;
pub mod world;

pub use bug::{BUGS, Bug};
pub use check::{Violation, invariant};

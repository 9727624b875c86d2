//! What tests of the engine stand on: a clock that is moved by hand, loaded dice, a carrier that does
//! as it is told, a store that fails when it is told to, and a [`World`] in which they are put
//! together. Nothing of that sleeps, listens or reads a real clock. Beside it a throwaway PostgreSQL, for the
//! tests that need one. Used by tests alone.

pub mod carrier;
pub mod clock;
pub mod database;
pub mod dice;
pub mod given;
pub mod journal;
pub mod pg;
pub mod pooler;
mod process;
pub mod store;
mod together;
pub mod world;

pub use carrier::FakeCarrier;
pub use clock::ManualClock;
pub use database::{Database, sql};
pub use dice::LoadedDice;
pub use given::{Given, a_call};
pub use journal::Entry;
pub use pooler::Pooler;
pub use store::{Op, TroubledStore};
pub use world::World;

//! A world for one test: the real binary serving, the simulated carrier beside it, and a client of both.
//!
//! Everything is seen from outside: processes, HTTP and the carrier's ledger. No other crate of ours is linked, so
//! that a mistake in one cannot hide itself here; the throwaway database server and the pooler are compiled from the
//! files that know how to start them. Used by the tests of this crate.

pub mod binary;
mod client;
#[path = "../../testkit/src/database.rs"]
pub mod database;
mod ledger;
mod page;
#[expect(dead_code)] // No test here restarts a server.
#[path = "../../testkit/src/pg.rs"]
mod pg;
#[path = "../../testkit/src/pooler.rs"]
mod pooler;
mod process;
mod proxy;
mod signature;
mod store;
mod truth;
mod wait;
mod world;

pub use client::{Answer, Client};
pub use ledger::{Ring, names};
pub use page::{Page, Step};
pub use process::{Process, run_to_end, run_with_input};
pub use proxy::renaming_proxy;
pub use signature::{sign, signed_json_url};
pub use store::Store;
pub use truth::assert_truth;
pub use wait::wait_for;
pub use world::{ACCOUNT_SID, AUTH_TOKEN, Builder, Call, FROM, World, free_port, is_over};

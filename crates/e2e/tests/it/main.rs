//! The real binary against the simulated carrier, one module for each part of the promise.
//!
//! Every test has its own world (folder, database, server, carrier) and ends by holding the record against the
//! carrier's ledger wherever a phone could have rung. No other crate of ours is linked; the throwaway database server is
//! compiled from the one file that knows how to start it.

mod auth;
mod backup;
mod callbacks;
mod cancel;
mod copy;
mod crash;
mod create;
#[path = "../../../testkit/src/database.rs"]
mod database;
mod dialing;
mod doctor;
mod endings;
mod faults;
mod idempotency;
mod import;
mod init;
mod list;
mod monitoring;
mod pages;
#[expect(dead_code)] // No test here restarts a server.
#[path = "../../../testkit/src/pg.rs"]
mod pg;
mod postgres;
mod record;
mod restart;
mod retry_due;
mod service;
mod voice;

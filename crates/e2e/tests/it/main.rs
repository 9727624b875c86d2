//! The real binary against the simulated carrier, one module for each part of the promise.
//!
//! Every test has its own world (folder, database, server, carrier) and ends by holding the record against the
//! carrier's ledger wherever a phone could have rung. No other crate of ours is linked. `REDIAL_E2E_STORE` says where the
//! worlds keep their calls that do not say so themselves.

mod auth;
mod backup;
mod callbacks;
mod cancel;
mod copy;
mod crash;
mod create;
mod dialing;
mod doctor;
mod endings;
mod faults;
mod idempotency;
mod import;
mod init;
mod kernel;
mod list;
mod monitoring;
mod pages;
mod postgres;
mod record;
mod restart;
mod retry_due;
mod service;
mod voice;

//! What may be wrong with a set-up, one file for each thing that is looked at. A check asks or measures, a
//! judgement makes a [`Finding`] of it: plain data, printed elsewhere. Called by `redial doctor`, and by `redial
//! init` for the account.

pub mod account;
pub mod address;
pub mod clock;
pub mod database;
pub mod disk;
pub mod files;
pub mod finding;
pub mod numbers;
pub mod postgres;
pub mod signatures;

pub use finding::{Finding, Level};

#[cfg(test)]
mod tests;

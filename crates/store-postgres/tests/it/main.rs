//! The store on a real server. `REDIAL_TEST_POSTGRES` names one; without it each test starts its own.

mod contract;
mod opening;
mod pooled;
mod prune;
mod several;
mod tls;
mod together;
mod transfer;
mod trouble;

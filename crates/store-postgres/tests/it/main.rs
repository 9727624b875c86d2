//! The store on a real server. `REDIAL_TEST_POSTGRES` names one; without it each test starts its own.

mod contract;
mod opening;
mod several;
mod together;
mod trouble;

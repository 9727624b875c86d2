//! A pretend carrier that speaks Twilio's REST API, for rehearsals, demonstrations and tests.
//!
//! It is written from the vendor's documents and shares no type with any client of theirs, so that a client
//! can be held against it: its ledger says exactly which calls were placed, whatever became of the answers.
//! Two layers: a pure, seeded [`Exchange`] that is driven with requests and a time and gives back answers
//! and things to do, and [`serve`], which puts it behind HTTP with real clocks and real callbacks. It must
//! not know who is calling it. The binary starts it; simulations in virtual time drive the exchange.

mod exchange;
pub use exchange::{Exchange, Totals};
mod account;
mod rest;
pub use rest::{Incoming, answer};
mod notice;
pub use notice::{Action, Answer, Document, Kind, Outcome, Request};
mod call;
pub use call::{Method, Sid, Status};
mod callee;
mod fault;
pub use fault::{Faults, Refusal};
mod dice;
mod order;
mod pace;
mod page;
mod twiml;
mod wire;
pub use wire::Form;
mod report;
pub use report::{Entry, ledger};
mod signature;
pub use signature::sign;
mod client;
mod http;
mod target;
pub use http::serve;

/// How a simulated carrier behaves, fixed for its life.
#[derive(Clone)]
pub struct Options {
    /// The only account it has: `AC` and 32 hexadecimal digits by convention; any text is taken.
    pub account_sid: String,
    /// That account's token: the password of every request, and the key of every signature.
    pub auth_token: String,
    /// Divides every simulated duration (set-up, ringing, talk, lateness). Dates, the pace of `cps` and the
    /// time-outs of real requests are never divided. Anything but a positive number counts as 1.
    pub speed: f64,
    /// Decides every draw: the same requests at the same times tell the same story.
    pub seed: u64,
    /// Share of answered calls among numbers without a script, from 0 to 1.
    pub answer_rate: f64,
    /// Calls started a second, the rest queue; `None` starts every call at once.
    pub cps: Option<f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            account_sid: "AC00000000000000000000000000000000".into(),
            auth_token: "simulated-token".into(),
            speed: 1.0,
            seed: 1,
            answer_rate: 0.6,
            cps: None,
        }
    }
}

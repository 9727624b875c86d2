//! One transaction of a file, as the work of all stores sees it: where each thing is read and written.

use std::sync::Arc;

use domain::step::Step;
use domain::{Call, CallId, Event, Sid, Timestamp};
use store::work::{Digest, Gate, Transaction};
use store::{Key, Stray, Terms};

use crate::calls::{self, Stored};
use crate::error::Fault;
use crate::writer::Tx;
use crate::{claims, facts};

impl Transaction for Tx<'_> {
    type Stop = Fault;
    type Stored = Stored;
    /// Its number in the file.
    type Name = i64;
    /// The boot that this process counted.
    type Right = Option<i64>;

    fn call(&mut self, id: CallId) -> Result<Option<Stored>, Fault> {
        calls::load_to_change(self, id)
    }

    fn call_named(&mut self, n: i64) -> Result<Option<Stored>, Fault> {
        calls::load_by_number(self, n)
    }

    fn name(stored: &Stored) -> i64 {
        stored.n
    }

    fn insert(&mut self, call: &Arc<Call>, events: &[Event], terms: Option<&Terms>) -> Result<i64, Fault> {
        calls::insert(self, call, events, terms)
    }

    fn save(&mut self, before: &Stored, step: Step, terms: Option<&Terms>) -> Result<Arc<Call>, Fault> {
        calls::save(self, before, step, terms)
    }

    fn gate(&mut self, boot: Option<i64>, _limited: bool) -> Result<Gate, Fault> {
        claims::gate(self, boot)
    }

    fn is_pair_taken(&mut self, call: &Call, account: &str) -> Result<bool, Fault> {
        claims::is_pair_taken(self, call, account)
    }

    fn key(&mut self, key: &str) -> Result<Option<(Digest, i64)>, Fault> {
        claims::key(self, key)
    }

    fn add_key(&mut self, key: &Key, n: i64, now: Timestamp) -> Result<(), Fault> {
        claims::add_key(self, key, n, now)
    }

    fn owner(&mut self, sid: &Sid) -> Result<Option<(i64, u32)>, Fault> {
        facts::owner(self, sid)
    }

    fn next_permit(&mut self, stored: &Stored, attempt: u32) -> Result<Option<Timestamp>, Fault> {
        facts::next_permit(self, stored, attempt)
    }

    fn first_orphan(&mut self, call: &Call) -> Result<Option<(i64, Stray)>, Fault> {
        facts::first_orphan(self, call)
    }

    fn orphan_done(&mut self, n: i64) -> Result<(), Fault> {
        facts::drop_orphan(self, n)
    }

    fn keep_orphan(&mut self, stray: &Stray, now: Timestamp) -> Result<(), Fault> {
        facts::keep(self, stray, now)
    }
}

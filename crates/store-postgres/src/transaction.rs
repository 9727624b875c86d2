//! One transaction at the server, as the work of all stores sees it. Nothing is read here: what has
//! not been read stops the work, which is run again once it has.

use std::sync::Arc;

use domain::step::Step;
use domain::{Call, CallId, Event, Sid, Timestamp};
use store::work::{Digest, Gate, Transaction};
use store::{Key, Stray, Terms};

use crate::calls::{self, Stored};
use crate::claims;
use crate::right::Right;
use crate::tx::{Stop, Tx};

impl Transaction for Tx {
    type Stop = Stop;
    type Stored = Stored;
    type Name = CallId;
    type Right = Right;

    fn call(&mut self, id: CallId) -> Result<Option<Stored>, Stop> {
        Tx::call(self, id)
    }

    fn call_named(&mut self, id: CallId) -> Result<Option<Stored>, Stop> {
        Tx::call(self, id)
    }

    fn name(stored: &Stored) -> CallId {
        stored.call.id
    }

    fn insert(&mut self, call: &Arc<Call>, events: &[Event], terms: Option<&Terms>) -> Result<CallId, Stop> {
        calls::insert(self, call, events, terms)?;
        Ok(call.id)
    }

    fn save(&mut self, before: &Stored, step: Step, terms: Option<&Terms>) -> Result<Arc<Call>, Stop> {
        calls::save(self, before, step, terms)
    }

    fn gate(&mut self, right: Right, limited: bool) -> Result<Gate, Stop> {
        right.check()?;
        let gate = Tx::gate(self, limited)?;
        Ok(Gate {
            is_shut: gate.is_shut,
            live: gate.live.unwrap_or(0),
        })
    }

    fn is_pair_taken(&mut self, call: &Call, account: &str) -> Result<bool, Stop> {
        self.is_taken(&claims::pair(call, account))
    }

    fn key(&mut self, key: &str) -> Result<Option<(Digest, CallId)>, Stop> {
        Tx::key(self, key)
    }

    fn add_key(&mut self, key: &Key, id: CallId, now: Timestamp) -> Result<(), Stop> {
        Tx::add_key(self, &key.key, key.body, id, now);
        Ok(())
    }

    fn owner(&mut self, sid: &Sid) -> Result<Option<(CallId, u32)>, Stop> {
        Tx::owner(self, sid)
    }

    fn next_permit(&mut self, stored: &Stored, attempt: u32) -> Result<Option<Timestamp>, Stop> {
        Tx::next_permit(self, stored.call.id, attempt)
    }

    fn first_orphan(&mut self, call: &Call) -> Result<Option<(i64, Stray)>, Stop> {
        Tx::first_orphan(self, call)
    }

    fn orphan_done(&mut self, n: i64) -> Result<(), Stop> {
        Tx::orphan_done(self, n);
        Ok(())
    }

    fn keep_orphan(&mut self, stray: &Stray, now: Timestamp) -> Result<(), Stop> {
        Tx::keep_orphan(self, stray, now)
    }

    fn may_be_bound(&mut self, id: CallId, sid: &Sid) {
        self.want_orphans_with(sid);
        self.want_orphans_of(id);
    }
}

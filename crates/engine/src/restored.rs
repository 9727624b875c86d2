//! After a store was put back from a copy: nothing is dialled until the carrier's list of the calls since
//! has been read, and every leg in it was brought to the attempt that it belongs to.
//!
//! The list is read at once, so that what is live is followed, and once more when no request of the process
//! before can be under way any more: only a list begun then proves that nothing is missing. A carrier that
//! cannot be asked is asked again; nothing is dialled meanwhile, however long that takes. Run by the loop,
//! and by a round without one.

mod standing;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::forgotten::{CLOCKS_APART, Verdict, judge};
use domain::phone::masked;
use domain::retry::{doubling, jittered};
use domain::{Answer, Call, CallId, CallState, Input, Listed, Phone, Timestamp};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use store::{Applied, Reported, StoreError, Stray};

use crate::Inner;
use standing::Reading;
pub(crate) use standing::Restored;

/// First and longest gap between two tries to read the carrier's list.
const READ_AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// How many legs of the list the store is told of at a time: it writes what comes together in one transaction,
/// and takes this many without ado beside the callbacks.
const TOLD_AT_ONCE: usize = 64;

/// What a reading of the list brought to light.
#[derive(Debug, Default)]
struct Found {
    /// Legs on the list.
    listed: usize,
    /// Attempts that the copy did not have.
    added: usize,
    /// Legs that may be of several calls.
    unclear: usize,
    /// Legs that no call of the copy can have made.
    nobodys: usize,
}

/// Why a reading is no proof.
enum Unread {
    Store(StoreError),
    Carrier(String),
}

impl From<StoreError> for Unread {
    fn from(error: StoreError) -> Unread {
        Unread::Store(error)
    }
}

impl Inner {
    /// The store is a copy that knows nothing later than `copied_at`.
    pub(crate) fn hold_restored(&self, copied_at: Timestamp) {
        let begun = self.time.boot();
        let reading = Reading {
            copied_at,
            begun,
            next: begun,
            misses: 0,
            is_listed: false,
        };
        let message = held(copied_at, "it is being read");
        tracing::warn!("{message}");
        self.restored.set(Some(reading), || {
            self.gate.set_restored(Some((message, None)), self.time.now());
        });
        // Nothing is dialled before the list was read: that shall not begin with a rest.
        self.restored_alarm.ring();
    }

    /// What the copy did not know has been made good.
    pub(crate) fn forget_restored(&self) {
        self.restored
            .set(None, || self.gate.set_restored(None, self.time.now()));
        tracing::info!("what the copy did not know is made good: dialling goes on");
        self.check_alarm.ring();
        self.dial_alarm.ring();
    }

    /// One turn: reads the list if it is time to. Returns when to look again; `None` when nothing is to
    /// be done any more.
    pub(crate) async fn restored_pass(self: &Arc<Self>) -> Result<Option<Timestamp>, StoreError> {
        let Some(reading) = self.restored.reading().filter(|_| self.leads()) else {
            return Ok(None);
        };
        let begun = self.time.boot();
        if begun < reading.next {
            return Ok(Some(self.time.now() + (reading.next - begun)));
        }
        let settled_at = reading.begun + self.rules.settle_after;
        let undecided = self.undecided().await?;
        if !self.leads() {
            return Ok(None);
        }
        match self.read_list(reading.copied_at, undecided).await {
            Ok(found) => {
                tracing::info!(
                    "the carrier lists {} calls since {}: {} attempts were missing here and are in the record now, {} calls may be of several, {} are of no call of this database",
                    found.listed,
                    reading.copied_at,
                    found.added,
                    found.unclear,
                    found.nobodys
                );
                if begun < settled_at {
                    return Ok(Some(self.read_once_more(reading, settled_at)));
                }
                let _switching = self.switching.lock().await;
                // The server may have been taken over from once more meanwhile: then all of it begins anew.
                self.check_in(self.time.now()).await?;
                let dialling = self.store.dialling().await?;
                if let Some(other) = dialling.restored.filter(|it| *it != reading.copied_at) {
                    self.hold_restored(other);
                    return Ok(Some(self.time.now()));
                }
                self.store.set_restored(None).await?;
                self.forget_restored();
                Ok(None)
            }
            Err(Unread::Store(error)) => Err(error),
            Err(Unread::Carrier(why)) => Ok(Some(self.read_again(reading, &why))),
        }
    }

    /// The list was read before a request of the process before must have arrived.
    fn read_once_more(&self, reading: Reading, settled_at: Duration) -> Timestamp {
        let now = self.time.now();
        let until = now + settled_at.saturating_sub(self.time.boot());
        let reading = Reading {
            next: settled_at,
            misses: 0,
            is_listed: true,
            ..reading
        };
        let what = format!(
            "it has been read, and is read once more at {until}, when nothing that was sent before can be missing in it"
        );
        let message = held(reading.copied_at, &what);
        self.restored.go_on(reading, || {
            self.gate.set_restored(Some((message, Some(until))), now);
        });
        self.check_alarm.ring();
        until
    }

    fn read_again(&self, reading: Reading, why: &str) -> Timestamp {
        let now = self.time.now();
        let gap = jittered(doubling(READ_AGAIN, reading.misses), self.dice.throw());
        let until = now + gap;
        let reading = Reading {
            next: self.time.boot() + gap,
            misses: reading.misses.saturating_add(1),
            ..reading
        };
        let what = format!("it could not be read ({why}); the next try is at {until}");
        let message = held(reading.copied_at, &what);
        tracing::warn!("{}", masked(&message));
        self.restored.go_on(reading, || {
            self.gate.set_restored(Some((message, Some(until))), now);
        });
        until
    }

    async fn read_list(
        self: &Arc<Self>,
        copied_at: Timestamp,
        undecided: Vec<Undecided>,
    ) -> Result<Found, Unread> {
        // What the copy does not know the fate of comes before what it does not know at all: a retry that was made
        // since must not be taken for the attempt before it.
        let oldest = undecided.iter().map(|it| it.permit_at).min();
        let since = oldest.unwrap_or(copied_at).min(copied_at) - CLOCKS_APART;
        let reply = self.carrier.made_since(since).await;
        self.see(reply.date);
        let mut legs = reply
            .outcome
            .map_err(|error| Unread::Carrier(error.to_string()))?;
        // In the order in which they were made; of the same second, the last listed is the oldest.
        legs.reverse();
        legs.sort_by_key(|listed| listed.leg.created_at);
        let mut found = Found {
            listed: legs.len(),
            ..Found::default()
        };
        let mut bringing = Bringing {
            copied_at,
            spoken_for: HashSet::new(),
            asked: HashSet::new(),
            out: undecided.into_iter().filter(|it| it.is_out).collect(),
        };
        // What the store knows already takes no decision: it is told at once, in the order of the list. What
        // nobody's attempt is yet comes after it, one by one: each decides what the next may be.
        let told = stream::iter(legs).map(|listed| self.tell(listed));
        let told = told.buffered(TOLD_AT_ONCE).try_collect::<Vec<_>>().await?;
        for listed in told.into_iter().flatten() {
            self.bring(listed, &mut bringing, &mut found).await?;
        }
        Ok(found)
    }

    /// Tells the store of one leg; gives it back if it is of no attempt that is known.
    async fn tell(self: &Arc<Self>, listed: Listed) -> Result<Option<Listed>, StoreError> {
        let stray = Stray {
            sid: listed.leg.sid.clone(),
            named: None,
            fact: listed.leg.fact.clone(),
        };
        Ok(match self.store.report(stray, self.at()).await? {
            Reported::Applied(call) => {
                self.live_changed(&call);
                self.changed(&call);
                None
            }
            Reported::Known(_) | Reported::Misdirected => None,
            Reported::Orphan => Some(listed),
        })
    }

    /// Brings one leg of which no attempt is known to the one that it must be; what the carrier says of it is kept
    /// until somebody has it.
    async fn bring(
        self: &Arc<Self>,
        listed: Listed,
        bringing: &mut Bringing,
        found: &mut Found,
    ) -> Result<(), Unread> {
        let calls = self.unsettled(&listed, bringing).await?;
        match judge(&listed.leg, &calls, bringing.copied_at, &bringing.spoken_for) {
            Verdict::Attempt(id, attempt) => {
                let (sid, fact) = (listed.leg.sid, listed.leg.fact);
                let attempt = Some(attempt);
                self.take_in(id, Input::Fact { attempt, sid, fact }).await?;
            }
            Verdict::Next(id) => {
                tracing::warn!(call.id = %id, carrier.sid = %listed.leg.sid, "the copy did not know of this dial; it is in the record now");
                let leg = listed.leg;
                let is_certain = true;
                self.take_in(id, Input::Forgotten { leg, is_certain }).await?;
                found.added += 1;
            }
            Verdict::OneOf(ids) => {
                tracing::warn!(carrier.sid = %listed.leg.sid, "the copy did not know of this dial, and {} calls may have made it: the next attempt of each is unconfirmed", ids.len());
                found.unclear += 1;
                for id in ids {
                    let leg = listed.leg.clone();
                    let is_certain = false;
                    let call = self.take_in(id, Input::Forgotten { leg, is_certain }).await?;
                    let newest = call.and_then(|call| call.attempts.last().map(|attempt| attempt.number));
                    bringing.spoken_for.extend(newest.map(|attempt| (id, attempt)));
                    found.added += 1;
                }
            }
            Verdict::Unclear(attempts) => {
                found.unclear += 1;
                bringing.spoken_for.extend(attempts);
            }
            Verdict::Nobodys => {
                tracing::warn!(carrier.sid = %listed.leg.sid, "no call of this database can have made this leg: its call was taken after the copy, or it is another program's");
                found.nobodys += 1;
            }
        }
        Ok(())
    }

    /// The calls between the leg's numbers, with what the carrier says now of those that were live in the copy.
    async fn unsettled(
        self: &Arc<Self>,
        listed: &Listed,
        bringing: &mut Bringing,
    ) -> Result<Vec<Call>, Unread> {
        let calls = self.between(listed, bringing).await?;
        let mut has_asked = false;
        for call in &calls {
            if !bringing.asked.insert(call.id) {
                continue;
            }
            for attempt in call.attempts.iter().filter(|attempt| attempt.is_open()) {
                let Some(sid) = &attempt.sid else { continue };
                let begun_at = self.time.now();
                let answer = self.look_up(sid).await;
                if let Answer::Failed(why) = answer {
                    return Err(Unread::Carrier(why));
                }
                let attempt = attempt.number;
                let asked = Input::Asked {
                    attempt,
                    begun_at,
                    answer,
                };
                self.take_in(call.id, asked).await?;
                has_asked = true;
            }
        }
        Ok(if has_asked {
            self.between(listed, bringing).await?
        } else {
            calls
        })
    }

    /// Those that wait, are in doubt or live, and the one whose permit is out.
    async fn between(&self, listed: &Listed, bringing: &Bringing) -> Result<Vec<Call>, StoreError> {
        let mut calls = self.store.unsettled(&listed.from, &listed.to).await?;
        let is_between = |out: &&Undecided| (&out.from, &out.to) == (&listed.from, &listed.to);
        for out in bringing.out.iter().filter(is_between) {
            if calls.iter().all(|call| call.id != out.id) {
                calls.extend(self.store.call(out.id).await?);
            }
        }
        Ok(calls)
    }

    /// Attempts of which nobody knows yet whether their request was executed.
    async fn undecided(&self) -> Result<Vec<Undecided>, StoreError> {
        let mut all = Vec::new();
        for (id, number) in [self.store.granted().await?, self.store.in_doubt().await?].concat() {
            let Some(call) = self.store.call(id).await? else {
                continue;
            };
            let out = match call.state {
                CallState::Dialling {
                    attempt, permit_at, ..
                } if attempt == number => Some(permit_at),
                _ => None,
            };
            let known = call.attempt(number).map(|attempt| attempt.permit_at);
            all.extend(out.or(known).map(|permit_at| Undecided {
                id,
                from: call.request.from,
                to: call.request.to,
                permit_at,
                is_out: out.is_some(),
            }));
        }
        Ok(all)
    }

    async fn take_in(self: &Arc<Self>, id: CallId, input: Input) -> Result<Option<Call>, StoreError> {
        Ok(match self.store.apply(id, input, self.at()).await? {
            Applied::Done(call) => {
                self.live_changed(&call);
                self.changed(&call);
                Some(call)
            }
            // A callback was faster.
            Applied::Refused(..) | Applied::NoSuchCall => None,
        })
    }
}

/// What one reading of the list has to remember from leg to leg.
struct Bringing {
    copied_at: Timestamp,
    /// Attempts without a leg that an older leg may be.
    spoken_for: HashSet<(CallId, u32)>,
    /// Calls whose live legs were asked about.
    asked: HashSet<CallId>,
    /// Permits that were out when the reading began: another process may have them in hand.
    out: Vec<Undecided>,
}

/// An attempt of which nobody knows yet whether its request was executed.
struct Undecided {
    id: CallId,
    from: Phone,
    to: Phone,
    permit_at: Timestamp,
    /// Its permit is out still, and the attempt no part of the record yet.
    is_out: bool,
}

/// What stands in the way, for a person to read.
fn held(copied_at: Timestamp, how_far: &str) -> String {
    format!(
        "this database was put back from a copy that knows nothing after {copied_at}: nothing is dialled until the carrier's list of the calls since then has been read; {how_far}"
    )
}

//! A store with a bug in it, between the store itself and what watches it. Where no bug is planted there is none of this.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::rate::Owed;
use domain::{
    Answer, Call, CallId, CallState, HoldReason, Input, Phone, Rate, Refusal, Step, Timestamp, UserId,
};
use engine::clock::Clock as _;
use store::{
    Accepted, AccountHold, Applied, At, Depths, Dialling, Due, Imported, ListQuery, NewCall, News, Page,
    Permitted, Record, Reported, Slots, Standing, Store, StoreError, Stray, Terms, Together,
};

use crate::bug::Bug;
use crate::disk::{look, shared};
use crate::hub::Hub;
use crate::life::Life;
use crate::step::Kind;

/// By so much is done later what should have been done before.
const LATER: Duration = Duration::from_millis(200);

/// The spoilt store of one process.
pub struct Spoilt {
    /// The store itself, as this process has it.
    pub inner: Arc<dyn Store>,
    /// The same, as somebody sees it who was told of nothing and claims nothing.
    pub aside: Arc<dyn Store>,
    /// What all share.
    pub hub: Arc<Hub>,
    /// Whose store it is.
    pub life: Arc<Life>,
    /// What is wrong with it.
    pub bug: Bug,
    /// The pace of this node alone, where that is the bug.
    pub pace: Mutex<Owed>,
}

impl Spoilt {
    /// Does something a little later.
    fn later(&self, work: impl Future<Output = ()> + Send + 'static) {
        let clock = self.life.clock.clone();
        tokio::spawn(async move {
            clock.wait(LATER).await;
            work.await;
        });
    }

    async fn accept_and_key(&self, mut new: NewCall, at: At) -> Result<Accepted, StoreError> {
        let Some(key) = new.key.take() else {
            return self.inner.accept(new, at).await;
        };
        let known = self.hub.lock().late_keys.get(&key.key).copied();
        if let Some((body, id)) = known {
            let call = self.inner.call(id).await?;
            return Ok(match call.filter(|_| body == key.body) {
                Some(call) => Accepted::Repeat(Arc::new(call)),
                None => Accepted::KeyTaken,
            });
        }
        let (id, hub) = (new.id, Arc::clone(&self.hub));
        self.later(async move {
            hub.lock().late_keys.insert(key.key, (key.body, id));
        });
        self.inner.accept(new, at).await
    }

    /// The permit as it will be, once it has been written.
    async fn promise(&self, id: CallId, terms: Terms, at: At) -> Result<Permitted, StoreError> {
        let call = self.inner.call(id).await?;
        let due = Input::Due {
            held: terms.held.clone(),
        };
        let promised = call.and_then(|call| domain::step(&call, due, at.moment()).ok());
        let Some(promised) = promised else {
            return self.inner.permit(id, terms, at).await;
        };
        let inner = Arc::clone(&self.inner);
        self.later(async move {
            let _ = inner.permit(id, terms, at).await;
        });
        Ok(Permitted::Granted(promised.call))
    }

    /// What is said of a permit that was not used is said once more, later, of whichever permit there is.
    fn repeat(&self, id: CallId, input: &Input, at: &At) {
        let Input::NotSent {
            attempt,
            reason,
            message,
            retry_after,
            ..
        } = input.clone()
        else {
            return;
        };
        let again = Input::NotSent {
            attempt,
            permit_at: None,
            reason,
            message,
            retry_after,
        };
        let (inner, hub, life, at) = (
            Arc::clone(&self.inner),
            Arc::clone(&self.hub),
            Arc::clone(&self.life),
            at.clone(),
        );
        self.later(async move {
            life.clock.wait(4 * LATER).await;
            if let Ok(Applied::Done(_)) = inner.apply(id, again, at).await {
                {
                    let mut state = hub.lock();
                    let state = &mut *state;
                    state.checks.gives_back(life.who, (id, attempt), &mut state.goals);
                }
                look(&*inner, &hub, id, Kind::NotSent);
            }
        });
    }

    /// What this makes of an input; `None`: as if it said nothing new.
    async fn spoil(&self, id: CallId, input: Input) -> Result<Option<Input>, StoreError> {
        Ok(match (self.bug, input) {
            (
                Bug::LookUpTrustedAtOnce,
                Input::Asked {
                    attempt,
                    begun_at,
                    answer,
                },
            ) => {
                let empty = match &answer {
                    Answer::Nothing => true,
                    Answer::Legs(legs) => legs.is_empty(),
                    _ => false,
                };
                let hour = if empty { 3_600 } else { 0 };
                let begun_at = begun_at + Duration::from_secs(hour);
                Some(Input::Asked {
                    attempt,
                    begun_at,
                    answer,
                })
            }
            (Bug::LateAnswerDropped, Input::Placed { attempt, sid }) => {
                let call = self.inner.call(id).await?;
                let is_out = call.is_some_and(|call| matches!(call.state, CallState::Dialling { .. }));
                is_out.then_some(Input::Placed { attempt, sid })
            }
            (Bug::LeaseExpirySends, Input::InDoubt { attempt, why }) if why.contains("held the permit") => {
                Some(Input::NotSent {
                    attempt,
                    permit_at: None,
                    reason: HoldReason::Carrier,
                    message: why,
                    retry_after: None,
                })
            }
            (Bug::CancelNotKept, Input::Cancel) => None,
            (_, input) => Some(input),
        })
    }

    fn shared(&self) -> Result<&dyn Together, StoreError> {
        shared(&*self.inner)
    }
}

#[async_trait]
impl Store for Spoilt {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        self.inner.clock().await
    }

    async fn accept(&self, mut new: NewCall, at: At) -> Result<Accepted, StoreError> {
        match self.bug {
            Bug::CallNotKept if at.dice.is_multiple_of(8) && new.key.is_none() => {
                let step = domain::step::accept(new.id, new.request, at.now);
                return Ok(Accepted::New(Arc::new(step.call)));
            }
            Bug::KeyAfterTheCall => return self.accept_and_key(new, at).await,
            Bug::KeyNotKept => new.key = None,
            Bug::RetryCountedFromZero => new.request.policy.retry_delays.truncate(1),
            Bug::AttemptsCountedFromZero => new.request.policy.max_attempts = domain::limits::MAX_ATTEMPTS,
            Bug::PaceForgotten => {
                if let Some(terms) = &mut new.permit {
                    terms.pace_clear_at = Timestamp::from_millis(0);
                }
            }
            _ => {}
        }
        self.inner.accept(new, at).await
    }

    async fn import(&self, calls: Vec<Step>, at: At) -> Result<Vec<Imported>, StoreError> {
        self.inner.import(calls, at).await
    }

    async fn permit(&self, id: CallId, mut terms: Terms, at: At) -> Result<Permitted, StoreError> {
        match self.bug {
            Bug::SentBeforeThePermit => return self.promise(id, terms, at).await,
            Bug::PaceForgotten => terms.pace_clear_at = Timestamp::from_millis(0),
            _ => {}
        }
        self.inner.permit(id, terms, at).await
    }

    async fn apply(&self, id: CallId, input: Input, at: At) -> Result<Applied, StoreError> {
        let cancels = input == Input::Cancel;
        if self.bug == Bug::NotSentOfAnother {
            self.repeat(id, &input, &at);
        }
        if let Some(input) = self.spoil(id, input).await? {
            return self.inner.apply(id, input, at).await;
        }
        let call = self.inner.call(id).await?;
        Ok(match call {
            None => Applied::NoSuchCall,
            Some(call) if cancels => Applied::Done(call),
            Some(call) => Applied::Refused(call, Refusal::AlreadyKnown),
        })
    }

    async fn report(&self, stray: Stray, at: At) -> Result<Reported, StoreError> {
        let named = stray.named;
        match self.bug {
            Bug::CallbackNotStored => return Ok(Reported::Orphan),
            Bug::AnsweredBeforeTheCommit => {
                let (inner, hub) = (Arc::clone(&self.inner), Arc::clone(&self.hub));
                self.later(async move {
                    let _ = inner.report(stray, at).await;
                    if let Some((id, _)) = named {
                        look(&*inner, &hub, id, Kind::Fact);
                    }
                });
                return Ok(Reported::Orphan);
            }
            Bug::CallbackDroppedElsewhere => {
                let by = named.and_then(|dial| self.hub.lock().checks.dialled_by(dial));
                if by.is_some_and(|by| by != self.life.who.node) {
                    return Ok(Reported::Orphan);
                }
            }
            _ => {}
        }
        self.inner.report(stray, at).await
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        match self.bug {
            Bug::DueWithoutALock | Bug::ClaimsNotLookedAt => self.aside.due(now, limit).await,
            _ => self.inner.due(now, limit).await,
        }
    }

    async fn next_due(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_due(after).await
    }

    async fn to_check(&self, now: Timestamp, limit: usize) -> Result<Vec<Call>, StoreError> {
        match self.bug {
            Bug::ClaimsNotLookedAt => self.aside.to_check(now, limit).await,
            _ => self.inner.to_check(now, limit).await,
        }
    }

    async fn next_check(&self, after: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.inner.next_check(after).await
    }

    async fn put_off_checks(&self, calls: Vec<CallId>) -> Result<(), StoreError> {
        self.inner.put_off_checks(calls).await
    }

    async fn granted(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        match self.bug {
            Bug::GrantedForgotten => Ok(Vec::new()),
            _ => self.inner.granted().await,
        }
    }

    async fn in_doubt(&self) -> Result<Vec<(CallId, u32)>, StoreError> {
        self.inner.in_doubt().await
    }

    async fn unsettled(&self, from: &Phone, to: &Phone) -> Result<Vec<Call>, StoreError> {
        self.inner.unsettled(from, to).await
    }

    async fn call(&self, id: CallId) -> Result<Option<Call>, StoreError> {
        self.inner.call(id).await
    }

    async fn record(&self, user: &UserId, id: CallId) -> Result<Option<Record>, StoreError> {
        self.inner.record(user, id).await
    }

    async fn page(&self, query: ListQuery) -> Result<Page, StoreError> {
        self.inner.page(query).await
    }

    async fn dialling(&self) -> Result<Dialling, StoreError> {
        let dialling = self.inner.dialling().await?;
        if self.bug == Bug::CopyDialsAtOnce && dialling.restored.is_some() {
            self.inner.set_restored(None).await?;
            return self.inner.dialling().await;
        }
        Ok(dialling)
    }

    async fn set_paused(&self, paused: bool, now: Timestamp) -> Result<Dialling, StoreError> {
        if self.bug == Bug::PauseNotKept && paused {
            let dialling = self.inner.dialling().await?;
            return Ok(Dialling {
                paused_at: Some(now),
                ..dialling
            });
        }
        self.inner.set_paused(paused, now).await
    }

    async fn set_account_hold(&self, hold: Option<AccountHold>) -> Result<(), StoreError> {
        self.inner.set_account_hold(hold).await
    }

    async fn set_restored(&self, copied_at: Option<Timestamp>) -> Result<(), StoreError> {
        self.inner.set_restored(copied_at).await
    }

    async fn depths(&self, now: Timestamp) -> Result<Depths, StoreError> {
        self.inner.depths(now).await
    }

    fn health(&self) -> Result<(), String> {
        self.inner.health()
    }

    fn together(&self) -> Option<&dyn Together> {
        self.inner.together().map(|_| self as &dyn Together)
    }
}

#[async_trait]
impl Together for Spoilt {
    async fn slots(&self, wish: u32, rate: Rate, now: Timestamp) -> Result<Slots, StoreError> {
        if self.bug != Bug::PacePerNode {
            return self.shared()?.slots(wish, rate, now).await;
        }
        let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Slots::of(&mut pace, rate, wish, now))
    }

    async fn check_in(&self, now: Timestamp) -> Result<Standing, StoreError> {
        self.shared()?.check_in(now).await
    }

    async fn leave(&self) -> Result<(), StoreError> {
        self.shared()?.leave().await
    }

    async fn proven(&self) -> Result<(), StoreError> {
        self.shared()?.proven().await
    }

    async fn news(&self) -> News {
        match self.shared() {
            Ok(shared) => shared.news().await,
            Err(_) => std::future::pending().await,
        }
    }
}

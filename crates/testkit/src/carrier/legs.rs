//! The fake carrier's books: every leg that it made and how it stands.

use domain::{AttemptStatus, CallId, Fact, Leg, Listed, Phone, Sid, Source, Timestamp, Word};

/// A leg that the carrier made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeLeg {
    /// The carrier's name for it.
    pub sid: Sid,
    /// Which attempt asked for it; `None` for one that nobody asked for.
    pub call: Option<(CallId, u32)>,
    /// The number that the called person sees.
    pub from: Phone,
    /// Who is called.
    pub to: Phone,
    /// When it was made, in whole seconds of the carrier's clock.
    pub created_at: Timestamp,
    /// Where it stands.
    pub status: AttemptStatus,
}

#[derive(Default)]
pub(super) struct Legs {
    made: Vec<MadeLeg>,
}

impl Legs {
    pub(super) fn all(&self) -> Vec<MadeLeg> {
        self.made.clone()
    }

    pub(super) fn make(
        &mut self,
        call: Option<(CallId, u32)>,
        from: &Phone,
        to: &Phone,
        at: Timestamp,
    ) -> Sid {
        let sid = Sid::new(&format!("CA{}", self.made.len() + 1)).expect("a short name is a leg's");
        self.made.push(MadeLeg {
            sid: sid.clone(),
            call,
            from: from.clone(),
            to: to.clone(),
            created_at: at,
            status: AttemptStatus::Initiated,
        });
        sid
    }

    pub(super) fn set(&mut self, sid: &Sid, status: AttemptStatus) {
        let leg = self.made.iter_mut().find(|leg| leg.sid == *sid);
        leg.expect("only legs that were made can stand somewhere").status = status;
    }

    /// Ends a leg as a carrier does: completed once it was answered, else canceled.
    pub(super) fn hang_up(&mut self, sid: &Sid) {
        if let Some(leg) = self
            .made
            .iter_mut()
            .find(|leg| leg.sid == *sid && leg.status.is_open())
        {
            leg.status = match leg.status {
                AttemptStatus::InProgress => AttemptStatus::Completed,
                _ => AttemptStatus::Canceled,
            };
        }
    }

    pub(super) fn look_up(&self, sid: &Sid) -> Option<Fact> {
        self.made.iter().find(|leg| leg.sid == *sid).map(fetched)
    }

    pub(super) fn find(&self, from: &Phone, to: &Phone, not_before: Timestamp) -> Vec<Leg> {
        let pair = |leg: &&MadeLeg| leg.from == *from && leg.to == *to && leg.created_at >= not_before;
        self.made.iter().filter(pair).map(listed).collect()
    }

    /// All of the account, the newest first.
    pub(super) fn since(&self, not_before: Timestamp) -> Vec<Listed> {
        let wanted = self.made.iter().rev().filter(|leg| leg.created_at >= not_before);
        let listed = |made: &MadeLeg| Listed {
            from: made.from.clone(),
            to: made.to.clone(),
            leg: listed(made),
        };
        wanted.map(listed).collect()
    }
}

fn listed(made: &MadeLeg) -> Leg {
    Leg {
        sid: made.sid.clone(),
        created_at: made.created_at,
        fact: fetched(made),
    }
}

fn fetched(leg: &MadeLeg) -> Fact {
    Fact::new(Word::Known(leg.status), Source::LookUp)
}

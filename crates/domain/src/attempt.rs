//! One intended dial and what is known of it. The rules for merging facts are here; what an
//! attempt's end means for its call is in [`crate::step()`].

use crate::fact::{Fact, Source, Word};
use crate::ids::Sid;
use crate::limits;
use crate::outcome::AttemptStatus;
use crate::time::Timestamp;

/// One dial that was sent, refused, or may have been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1, 2, 3, ... in the order of dialling.
    pub number: u32,
    /// When its permit was granted: the time of the dial in the record.
    pub permit_at: Timestamp,
    /// The carrier's name for its leg, once known.
    pub sid: Option<Sid>,
    /// Where it stands.
    pub status: AttemptStatus,
    /// The carrier refused the request for good.
    pub refused: bool,
    /// When it ended: the carrier's time where it gave one, else ours.
    pub ended_at: Option<Timestamp>,
    /// How long was talked.
    pub duration_seconds: Option<u32>,
    /// Who answered, in the carrier's words.
    pub answered_by: Option<String>,
    /// The last SIP answer.
    pub sip_response_code: Option<u16>,
    /// The carrier's error code.
    pub error_code: Option<u32>,
    /// What went wrong, for a person to read.
    pub error_message: Option<String>,
    /// How well its final status is proven; `None` while it is open or only assumed.
    pub proof: Option<Proof>,
    /// When something was last heard of it.
    pub last_word_at: Timestamp,
    /// When the carrier is asked about it, if it is to be asked at all.
    pub ask: Option<Ask>,
    /// The leg is not wanted any more and is to be hung up.
    pub unwanted: bool,
    /// Facts already taken, for telling repeats: word and sequence number.
    pub heard: Vec<(Word, Option<u32>)>,
}

/// When the carrier is asked about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Not before this.
    pub at: Timestamp,
    /// How often it has been asked without anything new.
    pub tries: u32,
    /// Since when it has been a question: the start of the doubt, or of being `unconfirmed`.
    pub since: Timestamp,
}

/// How well a final word is proven, greatest last: a fetched resource beats what was pushed, then
/// the highest sequence number, then the word. Taking the greatest of all that was heard makes the
/// outcome independent of the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// We fetched it.
    pub fetched: bool,
    /// The carrier's event number.
    pub sequence: Option<u32>,
    /// Rank of the word: completed, canceled, failed, no-answer, busy.
    pub rank: u8,
}

impl Proof {
    /// A final word that the carrier pushed, of which the number is not known.
    pub fn reported(status: AttemptStatus) -> Proof {
        let rank = match status {
            AttemptStatus::Completed => 5,
            AttemptStatus::Canceled => 4,
            AttemptStatus::Failed => 3,
            AttemptStatus::NoAnswer => 2,
            AttemptStatus::Busy => 1,
            _ => 0,
        };
        Proof {
            fetched: false,
            sequence: None,
            rank,
        }
    }

    fn of(status: AttemptStatus, fact: &Fact) -> Proof {
        let fetched = fact.source == Source::LookUp;
        Proof {
            fetched,
            sequence: if fetched { None } else { fact.sequence },
            ..Proof::reported(status)
        }
    }
}

/// What a fact did to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Merge {
    /// The fact says something that was not known: it belongs in the history.
    pub news: bool,
    /// The fact changes what is known, if only by proving better what was known already.
    pub taken: bool,
    /// What stood there before, when a closed record was changed.
    pub corrected_from: Option<AttemptStatus>,
}

impl Attempt {
    /// A dial whose permit was granted at `permit_at` and of whose leg nothing is known yet.
    pub fn new(number: u32, permit_at: Timestamp, now: Timestamp) -> Attempt {
        Attempt {
            number,
            permit_at,
            sid: None,
            status: AttemptStatus::Initiated,
            refused: false,
            ended_at: None,
            duration_seconds: None,
            answered_by: None,
            sip_response_code: None,
            error_code: None,
            error_message: None,
            proof: None,
            last_word_at: now,
            ask: None,
            unwanted: false,
            heard: Vec::new(),
        }
    }

    /// Whether its leg may be alive.
    pub fn is_open(&self) -> bool {
        self.status.is_open()
    }

    /// Whether its request was sent, or may have been, and no leg is known.
    pub fn in_doubt(&self) -> bool {
        self.is_open() && self.sid.is_none()
    }

    /// Takes one fact: forward only while it is open, best proof first once it is final.
    pub(crate) fn merge(&mut self, fact: &Fact, now: Timestamp) -> Merge {
        let (before, proof_before) = (self.status, self.proof);
        let repeat = !self.remember(fact);
        let filled = self.fill_in(fact);
        self.last_word_at = self.last_word_at.max(now);
        let Some(said) = fact.word.status() else {
            let news = !repeat || filled;
            return Merge {
                news,
                taken: news,
                corrected_from: None,
            };
        };
        if said.is_open() {
            self.move_on(said);
        } else {
            self.close(said, fact, now);
        }
        let changed = self.status != before;
        // A look-up that found nothing new is no event: the engine asks often.
        let news = changed || filled || (!repeat && fact.source != Source::LookUp);
        let taken = news || self.proof != proof_before;
        let corrected_from = (changed && !before.is_open()).then_some(before);
        Merge {
            news,
            taken,
            corrected_from,
        }
    }

    /// `false` when exactly this was heard before.
    fn remember(&mut self, fact: &Fact) -> bool {
        let key = (fact.word.clone(), fact.sequence);
        // Whether an answer is new shows in the status; only a word that moves nothing is kept.
        if fact.source == Source::LookUp && fact.word.status().is_some() {
            return true;
        }
        if self.heard.contains(&key) {
            return false;
        }
        if self.heard.len() < limits::FACTS_REMEMBERED {
            self.heard.push(key);
            return true;
        }
        // Full: only a change of status is still worth writing down.
        false
    }

    /// A live word: never backwards, and never against a final word that was proven.
    fn move_on(&mut self, said: AttemptStatus) {
        let rank = |status| match status {
            AttemptStatus::Initiated => 1,
            AttemptStatus::Ringing => 2,
            AttemptStatus::InProgress => 3,
            _ => 0,
        };
        // Closed without the carrier's word (unconfirmed, or refused): any word of it wins.
        if self.proof.is_none() && (!self.is_open() || rank(said) > rank(self.status)) {
            self.status = said;
            self.refused = false;
            self.ended_at = None;
        }
    }

    fn close(&mut self, said: AttemptStatus, fact: &Fact, now: Timestamp) {
        let proof = Proof::of(said, fact);
        if self.proof.is_some_and(|known| known >= proof) {
            return;
        }
        if self.status != said {
            // The carrier's times have whole seconds: nothing ends before it was dialled.
            self.ended_at = Some(fact.at.unwrap_or(now).max(self.permit_at));
            self.duration_seconds = fact.duration_seconds;
            self.sip_response_code = fact.sip_response_code;
            self.error_code = fact.error_code;
            self.error_message = fact.error_message.clone();
        }
        self.status = said;
        self.refused = false;
        self.proof = Some(proof);
        self.ask = None;
    }

    /// Details that were not known yet, from any fact that agrees with where the attempt stands.
    fn fill_in(&mut self, fact: &Fact) -> bool {
        fn fill<T: Clone>(known: &mut Option<T>, said: &Option<T>) -> bool {
            let new = known.is_none() && said.is_some();
            if new {
                known.clone_from(said);
            }
            new
        }
        let mut filled = fill(&mut self.answered_by, &fact.answered_by);
        if self.proof.is_some() && fact.word.status() == Some(self.status) {
            filled |= fill(&mut self.duration_seconds, &fact.duration_seconds);
            filled |= fill(&mut self.sip_response_code, &fact.sip_response_code);
            filled |= fill(&mut self.error_code, &fact.error_code);
            filled |= fill(&mut self.error_message, &fact.error_message);
        }
        filled
    }
}

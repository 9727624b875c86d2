//! What each step of a scripted life changes for the tables beside the call.

use std::time::Duration;

use domain::retry::RetryOn;
use domain::step::accept;
use domain::{
    Answer, AttemptStatus, CallId, CallStatus, Fact, HoldReason, Input, MachineDetection, Moment, Policy,
    Request, Rules, Source, Timestamp, UserId, Word, step,
};

use super::*;
use PermitState::*;

const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);

fn request(max_attempts: u32) -> Request {
    Request {
        user_id: UserId::new("user-1").expect("a valid id"),
        to: "+15551230100".parse().expect("a valid number"),
        from: "+15551230000".parse().expect("a valid number"),
        script: None,
        policy: Policy {
            max_attempts,
            retry_delays: vec![Duration::from_secs(120)],
            retry_on: RetryOn::default(),
            ring_timeout: Duration::from_secs(60),
            time_limit: Duration::from_secs(14_400),
            give_up_after: Duration::from_secs(86_400),
            machine_detection: MachineDetection::Off,
        },
        scheduled_at: None,
        given: None,
    }
}

/// A life under way, and what its last step changed.
struct Life {
    call: Call,
    now: Timestamp,
    changes: Changes,
}

impl Life {
    fn begin(max_attempts: u32) -> Life {
        let call = accept(CallId::new(START, [7; 10]), request(max_attempts), START).call;
        let changes = Changes::between(None, &call);
        Life {
            call,
            now: START,
            changes,
        }
    }

    fn then(mut self, input: Input) -> Life {
        let rules = Rules {
            settle_after: Duration::from_secs(120),
            silence_after: Duration::from_secs(120),
            stop_on_unconfirmed: false,
            poll: false,
        };
        let moment = Moment {
            now: self.now,
            dice: 0,
            rules: &rules,
        };
        let after = step(&self.call, input, moment)
            .expect("the script is possible")
            .call;
        self.changes = Changes::between(Some(&self.call), &after);
        self.call = after;
        self
    }

    fn permitted(mut self) -> Life {
        self.now = self.now.max(self.call.due_at().expect("a dial is to come"));
        self.then(Input::Due { held: None })
    }

    fn placed(self, attempt: u32) -> Life {
        self.then(Input::Placed {
            attempt,
            sid: leg_of(attempt),
        })
    }

    fn in_doubt(self, attempt: u32) -> Life {
        self.then(Input::InDoubt {
            attempt,
            why: "cut".into(),
        })
    }

    fn hears(self, attempt: u32, status: AttemptStatus) -> Life {
        let fact = Fact::new(Word::Known(status), Source::Callback);
        self.then(Input::Fact {
            attempt: Some(attempt),
            sid: leg_of(attempt),
            fact,
        })
    }

    /// Asked when the doubt may be decided, and nothing was found.
    fn unconfirmed(mut self, attempt: u32) -> Life {
        self.now = self.now + Duration::from_secs(120);
        let begun_at = self.now;
        self.then(Input::Asked {
            attempt,
            begun_at,
            answer: Answer::Nothing,
        })
    }

    #[track_caller]
    fn check(self, expected: Changes) -> Life {
        assert_eq!(self.changes, expected);
        self
    }
}

fn leg_of(attempt: u32) -> Sid {
    Sid::new(&format!("leg-{attempt}")).expect("a valid name")
}

fn from_to(before: CallStatus, after: CallStatus) -> Option<(Option<CallStatus>, CallStatus)> {
    Some((Some(before), after))
}

#[test]
fn a_new_call_is_queued_and_holds_nothing() {
    Life::begin(3).check(Changes {
        status: Some((None, CallStatus::Queued)),
        ..Changes::default()
    });
}

#[test]
fn a_new_call_permitted_in_its_own_commit_is_one_change() {
    let life = Life::begin(3).permitted();
    let changes = Changes::between(None, &life.call);
    assert_eq!(changes.permits, [(1, Granted)]);
    assert_eq!(
        (changes.status, changes.live),
        (Some((None, CallStatus::Queued)), 1)
    );
}

#[test]
fn a_permit_is_granted_and_placed() {
    let life = Life::begin(3).permitted();
    let life = life.check(Changes {
        permits: vec![(1, Granted)],
        live: 1,
        ..Changes::default()
    });
    life.placed(1).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Queued, CallStatus::Initiated),
        live: 0,
    });
}

#[test]
fn a_permit_given_back_frees_the_line_and_may_be_granted_again() {
    let back = Input::NotSent {
        attempt: 1,
        permit_at: None,
        reason: HoldReason::Carrier,
        message: "429".into(),
        retry_after: None,
    };
    let life = Life::begin(3).permitted().then(back);
    let life = life.check(Changes {
        permits: vec![(1, NotSent)],
        live: -1,
        ..Changes::default()
    });
    life.permitted().check(Changes {
        permits: vec![(1, Granted)],
        live: 1,
        ..Changes::default()
    });
}

#[test]
fn a_refused_permit_ends_the_call() {
    let refused = Input::Refused {
        attempt: 1,
        code: None,
        message: "no".into(),
    };
    Life::begin(3).permitted().then(refused).check(Changes {
        permits: vec![(1, Refused)],
        status: from_to(CallStatus::Queued, CallStatus::Failed),
        live: -1,
        ..Changes::default()
    });
}

#[test]
fn a_doubt_is_settled_either_way() {
    let life = Life::begin(3).permitted().in_doubt(1).check(Changes {
        permits: vec![(1, InDoubt)],
        status: from_to(CallStatus::Queued, CallStatus::Initiated),
        ..Changes::default()
    });
    assert!(InDoubt.is_undecided() && Granted.is_undecided());
    life.hears(1, AttemptStatus::Ringing).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Initiated, CallStatus::Ringing),
        live: 0,
    });
    let life = Life::begin(3)
        .permitted()
        .in_doubt(1)
        .unconfirmed(1)
        .check(Changes {
            permits: vec![(1, Unconfirmed)],
            status: from_to(CallStatus::Initiated, CallStatus::Unconfirmed),
            live: -1,
            ..Changes::default()
        });
    life.hears(1, AttemptStatus::Busy).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Unconfirmed, CallStatus::Busy),
        live: 0,
    });
}

#[test]
fn a_callback_before_the_answer_binds_and_places_at_once() {
    Life::begin(3)
        .permitted()
        .hears(1, AttemptStatus::Busy)
        .check(Changes {
            bound: vec![(1, leg_of(1))],
            permits: vec![(1, Placed)],
            status: from_to(CallStatus::Queued, CallStatus::Busy),
            live: -1,
        });
}

#[test]
fn words_of_a_live_leg_change_the_status_only() {
    let life = Life::begin(3)
        .permitted()
        .placed(1)
        .hears(1, AttemptStatus::InProgress);
    let life = life.check(Changes {
        status: from_to(CallStatus::Initiated, CallStatus::InProgress),
        ..Changes::default()
    });
    let life = life.hears(1, AttemptStatus::Ringing).check(Changes::default());
    life.hears(1, AttemptStatus::Completed).check(Changes {
        status: from_to(CallStatus::InProgress, CallStatus::Completed),
        live: -1,
        ..Changes::default()
    });
}

#[test]
fn a_retry_has_a_permit_of_its_own() {
    let life = Life::begin(3)
        .permitted()
        .placed(1)
        .hears(1, AttemptStatus::Busy)
        .permitted();
    let life = life.check(Changes {
        permits: vec![(2, Granted)],
        live: 1,
        ..Changes::default()
    });
    life.placed(2).check(Changes {
        bound: vec![(2, leg_of(2))],
        permits: vec![(2, Placed)],
        status: from_to(CallStatus::Busy, CallStatus::Initiated),
        live: 0,
    });
}

#[test]
fn late_proof_while_the_next_permit_is_out_moves_only_the_earlier_permit() {
    let life = Life::begin(3).permitted().in_doubt(1).unconfirmed(1).permitted();
    life.hears(1, AttemptStatus::Completed).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Unconfirmed, CallStatus::Completed),
        live: 0,
    });
}

#[test]
fn late_proof_of_a_live_leg_makes_the_call_live_again() {
    let life = Life::begin(1).permitted().in_doubt(1).unconfirmed(1);
    let life = life.hears(1, AttemptStatus::Ringing).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Unconfirmed, CallStatus::Ringing),
        live: 1,
    });
    life.hears(1, AttemptStatus::Completed).check(Changes {
        status: from_to(CallStatus::Ringing, CallStatus::Completed),
        live: -1,
        ..Changes::default()
    });
}

#[test]
fn a_leg_of_a_dial_believed_not_sent_is_placed_without_a_permit() {
    Life::begin(3).hears(1, AttemptStatus::Ringing).check(Changes {
        bound: vec![(1, leg_of(1))],
        permits: vec![(1, Placed)],
        status: from_to(CallStatus::Queued, CallStatus::Ringing),
        live: 1,
    });
}

#[test]
fn a_canceled_call_keeps_its_line_until_nothing_of_it_is_live() {
    let queued = Life::begin(3).then(Input::Cancel);
    let status = from_to(CallStatus::Queued, CallStatus::Canceled);
    queued.check(Changes {
        status,
        ..Changes::default()
    });
    let permitted = Life::begin(3)
        .permitted()
        .then(Input::Cancel)
        .check(Changes::default());
    let live = permitted.placed(1).hears(1, AttemptStatus::Canceled);
    assert_eq!(live.changes.live, -1);
}

#[test]
fn a_second_leg_is_the_attempts_and_so_nobody_elses() {
    let sid = Sid::new("stray").expect("a valid name");
    let life = Life::begin(3).permitted().placed(1).then(Input::Placed {
        attempt: 1,
        sid: sid.clone(),
    });
    assert_eq!(life.call.extras.len(), 1);
    life.check(Changes {
        bound: vec![(1, sid)],
        ..Changes::default()
    });
}

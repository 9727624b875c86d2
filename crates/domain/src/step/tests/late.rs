//! Proof that comes late, and words that contradict each other: corrections are appended, nothing
//! final changes otherwise, and two legs never both speak.

use super::given::*;
use crate::effect::Effect;
use crate::event::HoldReason;
use crate::fact::{Fact, Source};
use crate::outcome::{AttemptStatus, CallStatus};
use crate::refusal::Refusal;
use crate::step::{Answer, Input};

/// Every final word, strongest first.
const FINAL: [(AttemptStatus, CallStatus); 5] = [
    (AttemptStatus::Completed, CallStatus::Completed),
    (AttemptStatus::Canceled, CallStatus::Canceled),
    (AttemptStatus::Failed, CallStatus::Failed),
    (AttemptStatus::NoAnswer, CallStatus::NoAnswer),
    (AttemptStatus::Busy, CallStatus::Busy),
];

#[test]
fn late_proof_of_a_live_leg_withdraws_the_waiting_retry() {
    let life = Life::begin().unconfirmed().hears(1, AttemptStatus::Ringing);
    life.check(CallStatus::Ringing, false, None);
    assert_eq!(
        life.corrections(),
        [(Some(1), CallStatus::Unconfirmed, CallStatus::Ringing)]
    );
    assert!(
        life.call.may_speak(1, &leg_of(1)),
        "nothing else of the call is live"
    );
    let over = life.clone().hears(1, AttemptStatus::Completed);
    over.check_over(CallStatus::Completed);
    life.hears(1, AttemptStatus::Busy)
        .check(CallStatus::Busy, true, Some(2 * MINUTE));
}

#[test]
fn late_proof_of_an_answered_leg_ends_the_call() {
    let life = Life::begin()
        .unconfirmed()
        .after(MINUTE)
        .hears(1, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
    assert_eq!(
        life.corrections(),
        [(Some(1), CallStatus::Unconfirmed, CallStatus::Completed)]
    );
    assert_eq!(life.endings(), [CallStatus::Completed]);
}

#[test]
fn late_proof_of_an_unanswered_leg_corrects_the_record_and_the_retry_keeps_its_time() {
    for word in [
        AttemptStatus::Busy,
        AttemptStatus::NoAnswer,
        AttemptStatus::Failed,
    ] {
        let life = Life::begin().unconfirmed().after(MINUTE);
        let pushed = life.clone().hears(1, word);
        pushed.check(word.into(), true, Some(MINUTE));
        let found = life.lists(1, leg_of(1), fetched(word));
        found.check(word.into(), true, Some(MINUTE));
        assert_eq!(
            found.corrections(),
            [(Some(1), CallStatus::Unconfirmed, word.into())]
        );
    }
}

#[test]
fn a_call_that_ended_unconfirmed_takes_the_word() {
    for (word, shown) in FINAL {
        let life = Life::stopping().unconfirmed().after(HOUR).hears(1, word);
        life.check_over(shown);
        assert_eq!(life.endings(), [CallStatus::Unconfirmed]);
        let expected = [Some(1), None].map(|attempt| (attempt, CallStatus::Unconfirmed, shown));
        assert_eq!(life.corrections(), expected);
    }
}

#[test]
fn a_call_that_ended_unconfirmed_is_live_again_while_its_leg_is_and_is_never_dialed_again() {
    let life = Life::stopping()
        .unconfirmed()
        .after(HOUR)
        .hears(1, AttemptStatus::InProgress);
    life.check(CallStatus::InProgress, false, None);
    assert_eq!(life.refusal(DUE), Refusal::Busy);
    let life = life.hears(1, AttemptStatus::NoAnswer);
    life.check_over(CallStatus::NoAnswer);
    assert_eq!(life.endings(), [CallStatus::Unconfirmed]);
    let last = life.corrections().pop();
    assert_eq!(last, Some((None, CallStatus::Unconfirmed, CallStatus::NoAnswer)));
}

#[test]
fn a_late_leg_is_hung_up_when_the_next_permit_is_out() {
    let life = Life::begin()
        .unconfirmed()
        .permitted()
        .hears(1, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    let sid = leg_of(1);
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 1, sid }]);
    let life = life.placed(2);
    assert!(life.call.may_speak(2, &leg_of(2)));
    assert!(!life.call.may_speak(1, &leg_of(1)));
    life.check(CallStatus::Initiated, false, None);
}

#[test]
fn a_late_leg_is_hung_up_when_the_next_attempt_is_live() {
    let life = Life::begin()
        .unconfirmed()
        .dialled()
        .hears(1, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    life.check(CallStatus::Initiated, false, None);
    assert_eq!(
        life.corrections(),
        [(Some(1), CallStatus::Unconfirmed, CallStatus::InProgress)]
    );
}

#[test]
fn a_late_leg_is_hung_up_when_a_later_attempt_was_made_even_if_that_is_over() {
    let life = Life::begin()
        .unconfirmed()
        .dialled()
        .hears(2, AttemptStatus::Busy);
    let life = life.hears(1, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    assert_eq!(
        life.refusal(DUE),
        Refusal::Busy,
        "but nothing is dialled beside it"
    );
    let hung_up = life.clone().hears(1, AttemptStatus::Completed);
    hung_up.check_over(CallStatus::Completed);
    let unanswered = life.then(Input::Asked {
        attempt: 1,
        begun_at: TEN_O_CLOCK,
        answer: Answer::Leg(fetched(AttemptStatus::NoAnswer)),
    });
    unanswered.check(CallStatus::Busy, true, Some(5 * MINUTE));
}

#[test]
fn an_attempt_closed_at_its_deadline_must_not_speak_beside_the_next() {
    // Its leg is known, but nothing was heard of it for a day after its deadline.
    let mut life = Life::begin().dialled();
    while life.record(1).is_open() {
        life = life.when_to_ask(1).asked(1, Answer::Nothing);
    }
    assert_eq!(life.statuses(), [AttemptStatus::Unconfirmed]);
    let life = life.dialled().hears(1, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    assert!(life.call.may_speak(2, &leg_of(2)));
    let sid = leg_of(1);
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 1, sid }]);
}

#[test]
fn once_a_later_attempt_was_sent_only_the_earlier_record_is_corrected() {
    let life = Life::begin()
        .unconfirmed()
        .dialled()
        .hears(1, AttemptStatus::Busy);
    life.check(CallStatus::Initiated, false, None);
    assert_eq!(life.statuses(), [AttemptStatus::Busy, AttemptStatus::Initiated]);
    let life = life.hears(2, AttemptStatus::NoAnswer);
    life.check(CallStatus::NoAnswer, true, Some(5 * MINUTE));
}

#[test]
fn a_call_ends_completed_if_any_attempt_did() {
    let life = Life::begin()
        .unconfirmed()
        .dialled()
        .hears(1, AttemptStatus::Completed);
    life.check(CallStatus::Initiated, false, None);
    let busy = life.clone().hears(2, AttemptStatus::Busy);
    busy.check_over(CallStatus::Completed);
    assert_eq!(busy.statuses(), [AttemptStatus::Completed, AttemptStatus::Busy]);
    let while_the_permit_is_out = Life::begin()
        .unconfirmed()
        .permitted()
        .hears(1, AttemptStatus::Completed);
    while_the_permit_is_out
        .clone()
        .then(refused(2))
        .check_over(CallStatus::Completed);
    while_the_permit_is_out
        .not_sent(2, HoldReason::Carrier)
        .check_over(CallStatus::Completed);
}

#[test]
fn a_call_that_ended_busy_is_corrected_when_an_earlier_attempt_proves_answered() {
    let life = Life::with(|policy| policy.max_attempts = 2)
        .unconfirmed()
        .dialled();
    let life = life.hears(2, AttemptStatus::Busy);
    life.check_over(CallStatus::Busy);
    let life = life.after(HOUR).hears(1, AttemptStatus::InProgress);
    assert!(
        life.call.is_over(),
        "its outcome stands while the late leg is hung up"
    );
    assert!(!life.call.may_speak(1, &leg_of(1)));
    let life = life.hears(1, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
    let last = life.corrections().pop();
    assert_eq!(last, Some((None, CallStatus::Busy, CallStatus::Completed)));
    assert_eq!(life.endings(), [CallStatus::Busy]);
}

#[test]
fn a_permit_given_back_after_an_earlier_attempt_proved_answered_ends_the_call() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Busy).permitted();
    let life = life.then(Input::Asked {
        attempt: 1,
        begun_at: TEN_O_CLOCK,
        answer: Answer::Leg(fetched(AttemptStatus::Completed)),
    });
    let life = life.not_sent(2, HoldReason::Carrier);
    life.check_over(CallStatus::Completed);
    assert_eq!(life.call.attempts.len(), 1);
    assert_eq!(life.call.hold, None);
}

#[test]
fn a_late_leg_that_we_hung_up_does_not_cancel_the_call() {
    let life = Life::begin()
        .unconfirmed()
        .permitted()
        .hears(1, AttemptStatus::Ringing);
    let life = life.not_sent(2, HoldReason::Carrier);
    life.check(CallStatus::Ringing, false, None);
    let life = life.hears(1, AttemptStatus::Canceled);
    life.check(CallStatus::Canceled, true, Some(2 * MINUTE));
    life.dialled()
        .hears(2, AttemptStatus::Completed)
        .check_over(CallStatus::Completed);
}

#[test]
fn a_leg_that_the_carrier_itself_canceled_ends_the_call_however_late_it_says_so() {
    let life = Life::begin()
        .unconfirmed()
        .permitted()
        .hears(1, AttemptStatus::Canceled);
    life.not_sent(2, HoldReason::Carrier)
        .check_over(CallStatus::Canceled);
}

#[test]
fn no_dial_follows_while_a_late_leg_of_an_earlier_attempt_is_alive() {
    let life = Life::begin()
        .unconfirmed()
        .dialled()
        .hears(1, AttemptStatus::Ringing);
    let life = life.hears(2, AttemptStatus::Busy);
    assert_eq!(life.refusal(DUE), Refusal::Busy);
    let life = life.hears(1, AttemptStatus::Canceled);
    life.check(CallStatus::Busy, true, Some(5 * MINUTE));
}

#[test]
fn a_leg_of_a_refused_attempt_is_hung_up_and_recorded() {
    let life = Life::begin().permitted().then(refused(1)).after(MINUTE);
    let life = life.hears(1, AttemptStatus::InProgress);
    assert!(life.call.is_over());
    assert!(!life.call.may_speak(1, &leg_of(1)));
    let sid = leg_of(1);
    assert_eq!(life.effects(), [Effect::HangUp { attempt: 1, sid }]);
    let life = life.hears(1, AttemptStatus::Completed);
    life.check_over(CallStatus::Completed);
    assert!(!life.record(1).refused);
}

#[test]
fn a_leg_found_after_the_call_was_given_up_is_hung_up() {
    let life = Life::begin()
        .unconfirmed()
        .when_due()
        .after(24 * HOUR)
        .then(Input::GiveUp);
    let life = life.hears(1, AttemptStatus::InProgress);
    assert!(!life.call.may_speak(1, &leg_of(1)));
    life.clone()
        .hears(1, AttemptStatus::Canceled)
        .check_over(CallStatus::Failed);
    life.hears(1, AttemptStatus::Completed)
        .check_over(CallStatus::Completed);
}

#[test]
fn a_refusal_known_late_is_a_correction() {
    let life = Life::begin().unconfirmed().then(refused(1));
    life.check_over(CallStatus::Failed);
    assert_eq!(
        life.corrections(),
        [(Some(1), CallStatus::Unconfirmed, CallStatus::Failed)]
    );
}

#[test]
fn a_call_ending_twice_as_it_was_says_so_once() {
    let life = Life::with(|policy| policy.max_attempts = 2)
        .unconfirmed()
        .unconfirmed();
    life.check_over(CallStatus::Unconfirmed);
    let life = life
        .hears(1, AttemptStatus::Ringing)
        .hears(1, AttemptStatus::Canceled);
    life.check_over(CallStatus::Unconfirmed);
    assert!(
        life.corrections().iter().all(|(attempt, ..)| attempt.is_some()),
        "{:?}",
        life.corrections()
    );
    assert_eq!(life.endings(), [CallStatus::Unconfirmed]);
}

/// The outcome of an attempt that hears these words in this order.
fn outcome_of(facts: &[Fact]) -> AttemptStatus {
    let mut life = Life::with(|policy| policy.max_attempts = 1).dialled();
    for heard in facts {
        life = match heard.source {
            Source::LookUp => {
                let begun_at = life.now;
                let answer = Answer::Leg(heard.clone());
                life.perhaps(Input::Asked {
                    attempt: 1,
                    begun_at,
                    answer,
                })
            }
            _ => life.perhaps(fact(1, heard.clone())),
        };
    }
    life.record(1).status
}

#[track_caller]
fn check_stronger(strong: Fact, weak: Fact, why: &str) {
    let expected = strong.word.status().expect("a final word");
    assert_eq!(outcome_of(&[strong.clone(), weak.clone()]), expected, "{why}");
    assert_eq!(outcome_of(&[weak.clone(), strong.clone()]), expected, "{why}");
    assert_eq!(outcome_of(&[weak.clone(), strong, weak]), expected, "{why}");
}

#[test]
fn of_two_final_words_the_fetched_one_counts() {
    let (busy, completed) = (
        fetched(AttemptStatus::Busy),
        numbered(AttemptStatus::Completed, 9),
    );
    check_stronger(busy, completed, "a resource beats callbacks");
}

#[test]
fn of_two_final_callbacks_the_one_with_the_higher_number_counts() {
    let (busy, completed) = (
        numbered(AttemptStatus::Busy, 3),
        numbered(AttemptStatus::Completed, 2),
    );
    check_stronger(busy.clone(), completed, "the later event");
    check_stronger(busy, pushed(AttemptStatus::Completed), "any number beats none");
}

#[test]
fn of_two_final_words_without_a_difference_the_stronger_counts() {
    for (place, (strong, _)) in FINAL.into_iter().enumerate() {
        for (weak, _) in FINAL.into_iter().skip(place + 1) {
            check_stronger(pushed(strong), pushed(weak), "callbacks without numbers");
            check_stronger(
                numbered(strong, 4),
                numbered(weak, 4),
                "callbacks with one number",
            );
            check_stronger(fetched(strong), fetched(weak), "two look-ups");
            let numbered = Fact {
                sequence: Some(9),
                ..fetched(weak)
            };
            check_stronger(
                fetched(strong),
                numbered,
                "a resource has no place among the events",
            );
        }
    }
}

#[test]
fn a_fetched_word_counts_although_a_callback_was_faster_and_said_the_same() {
    let facts = [
        numbered(AttemptStatus::Busy, 2),
        fetched(AttemptStatus::Busy),
        numbered(AttemptStatus::Completed, 3),
    ];
    assert_eq!(outcome_of(&facts), AttemptStatus::Busy);
}

#[test]
fn a_list_read_while_a_callback_came_still_counts() {
    let life = Life::begin().in_doubt().hears(1, AttemptStatus::Busy);
    let life = life.lists(1, leg_of(1), fetched(AttemptStatus::Completed));
    life.check_over(CallStatus::Completed);
}

#[test]
fn a_changed_final_word_is_an_appended_correction() {
    let life = Life::with(|policy| policy.max_attempts = 1).dialled();
    let life = life.then(fact(1, numbered(AttemptStatus::Busy, 2)));
    let before = life.events.clone();
    let life = life.then(fact(1, numbered(AttemptStatus::Completed, 3)));
    assert_eq!(life.events[..before.len()], before);
    let expected = [Some(1), None].map(|attempt| (attempt, CallStatus::Busy, CallStatus::Completed));
    assert_eq!(life.corrections(), expected);
    life.check_over(CallStatus::Completed);
}

#[test]
fn a_corrected_outcome_never_leads_to_another_dial() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Completed);
    let life = life.then(Input::Asked {
        attempt: 1,
        begun_at: TEN_O_CLOCK,
        answer: Answer::Leg(fetched(AttemptStatus::Busy)),
    });
    life.check_over(CallStatus::Busy);
}

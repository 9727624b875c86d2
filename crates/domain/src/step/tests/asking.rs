//! When the carrier is asked about a live leg: after silence, ever less often while nothing is
//! learned, and never for ever.

use std::time::Duration;

use super::given::*;
use crate::effect::Effect;
use crate::event::EventKind;
use crate::fact::{Fact, Source, Word};
use crate::limits;
use crate::outcome::{AttemptStatus, CallStatus};
use crate::step::Answer;

fn look_up(attempt: u32) -> Vec<Effect> {
    let sid = leg_of(attempt);
    vec![Effect::LookUp { attempt, sid }]
}

fn polling() -> Life {
    let mut life = Life::begin();
    life.rules.poll = true;
    life
}

/// Seconds between one question and the next, when each is answered so.
fn gaps(mut life: Life, questions: usize, answer: &Answer) -> Vec<u64> {
    let mut gaps = Vec::new();
    life = life.when_to_ask(1);
    for _ in 0..questions {
        let asked_at = life.now;
        life = life.asked(1, answer.clone()).when_to_ask(1);
        gaps.push(life.now.since(asked_at).as_secs());
    }
    gaps
}

#[test]
fn a_live_leg_is_asked_for_after_silence() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Ringing);
    assert_eq!(life.effects(), []);
    let life = life.after(2 * MINUTE - Duration::from_millis(1));
    assert_eq!(life.effects(), []);
    let life = life.after(Duration::from_millis(1));
    assert_eq!(life.effects(), look_up(1));
}

#[test]
fn every_word_puts_the_question_off() {
    let life = Life::begin()
        .dialled()
        .after(MINUTE)
        .hears(1, AttemptStatus::Ringing);
    assert_eq!(life.call.check_at(), Some(life.now + 2 * MINUTE));
}

#[test]
fn a_lost_final_callback_is_made_good_by_asking() {
    let life = Life::begin()
        .dialled()
        .hears(1, AttemptStatus::InProgress)
        .when_to_ask(1);
    let life = life.asked(1, Answer::Leg(fetched(AttemptStatus::Completed)));
    life.check_over(CallStatus::Completed);
    assert_eq!(life.call.check_at(), None);
}

#[test]
fn questions_in_vain_come_at_growing_gaps() {
    let minutes = |gaps: Vec<u64>| gaps.into_iter().map(|gap| gap / 60).collect::<Vec<_>>();
    for answer in [Answer::Nothing, Answer::Failed("no answer".into())] {
        let life = Life::begin().dialled();
        assert_eq!(minutes(gaps(life, 7, &answer)), [2, 4, 8, 16, 32, 60, 60]);
    }
}

#[test]
fn a_leg_that_no_callback_can_tell_of_is_watched_closely_while_it_moves() {
    let still = Answer::Leg(fetched(AttemptStatus::Ringing));
    let life = polling().dialled();
    assert_eq!(life.call.check_at(), Some(life.now + limits::POLL_GAP.0));
    let life = life.when_to_ask(1).asked(1, still.clone());
    assert_eq!(gaps(life.clone(), 6, &still), [1, 2, 4, 5, 5, 5]);
    let life = life.when_to_ask(1).asked(1, still);
    let moved = life
        .when_to_ask(1)
        .asked(1, Answer::Leg(fetched(AttemptStatus::InProgress)));
    assert_eq!(
        moved.call.check_at(),
        Some(moved.now + limits::POLL_GAP.0),
        "closely again"
    );
}

#[test]
fn an_answer_without_news_is_no_entry_of_history() {
    let life = Life::begin().dialled().hears(1, AttemptStatus::Ringing);
    let before = life.events.len();
    let mut life = life;
    for _ in 0..20 {
        life = life
            .when_to_ask(1)
            .asked(1, Answer::Leg(fetched(AttemptStatus::Ringing)));
    }
    assert_eq!(life.events.len(), before);
}

#[test]
fn an_unknown_word_looked_up_again_and_again_is_one_entry() {
    let parked = Fact::new(Word::Other("parked".into()), Source::LookUp);
    let mut life = Life::begin().dialled();
    for _ in 0..20 {
        life = life.when_to_ask(1).asked(1, Answer::Leg(parked.clone()));
    }
    assert_eq!(life.count(|kind| matches!(kind, EventKind::Heard { .. })), 1);
}

#[test]
fn an_unknown_word_of_an_unconfirmed_leg_is_not_asked_for_without_pause() {
    let mut life = Life::begin().dialled();
    while life.record(1).is_open() {
        life = life.when_to_ask(1).asked(1, Answer::Nothing);
    }
    let parked = || Fact::new(Word::Other("parked".into()), Source::LookUp);
    let life = life.when_to_ask(1);
    let looked_up = life.clone().asked(1, Answer::Leg(parked()));
    // The answer to a question from before the leg was known.
    let listed = life.lists(1, leg_of(1), parked());
    for life in [looked_up, listed] {
        assert_eq!(life.effects(), []);
        let ask = life.record(1).ask.expect("it is asked about for a day");
        assert!(ask.at >= life.now + limits::UNCONFIRMED_GAP.0);
    }
}

#[test]
fn a_leg_without_a_final_word_a_day_after_its_deadline_is_unconfirmed() {
    let talk = 4 * HOUR;
    let ring = Duration::from_secs(60 + 5);
    for (word, alive) in [
        (AttemptStatus::Ringing, ring + talk),
        (AttemptStatus::InProgress, talk),
    ] {
        let life = Life::begin().dialled().after(MINUTE).hears(1, word);
        let life = life.after(alive + limits::AFTER_DEADLINE - Duration::from_millis(1));
        for answer in [Answer::Nothing, Answer::Failed("no answer".into())] {
            let early = life.clone().asked(1, answer.clone());
            assert!(early.record(1).is_open());
            let late = life.clone().after(Duration::from_millis(1)).asked(1, answer);
            late.check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
        }
    }
}

#[test]
fn a_leg_that_is_never_heard_of_again_comes_to_an_end() {
    let mut life = Life::begin().dialled();
    let mut questions = 0;
    while life.record(1).is_open() {
        life = life.when_to_ask(1).asked(1, Answer::Nothing);
        questions += 1;
    }
    assert!(life.now < TEN_O_CLOCK + 30 * HOUR);
    assert!((20..60).contains(&questions), "{questions} questions");
    life.check(CallStatus::Unconfirmed, true, Some(2 * MINUTE));
}

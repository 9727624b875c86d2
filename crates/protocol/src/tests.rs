//! Every configuration, explored to its last state.

use std::collections::{HashMap, VecDeque};

use stateright::{Checker, HasDiscoveries, Model as _};

use super::*;
use crate::model::LATE_LEG;

fn configuration(name: char) -> &'static Configuration {
    let found = CONFIGURATIONS.iter().find(|it| it.name == name);
    found.expect("a configuration of this letter")
}

/// Every state, or as many as it takes to break a promise: a broken protocol has states without end.
fn explored(configuration: &Configuration) -> impl Checker<Configuration> {
    let checker = configuration.checker();
    checker
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join()
}

fn check(name: char) {
    let configuration = configuration(name);
    let found = explored(configuration);
    let mut broken = found.discoveries();
    let late_leg = broken.remove(LATE_LEG).is_some();
    match configuration.expected {
        Expected::Holds {
            states,
            late_leg: expected,
        } => {
            assert!(broken.is_empty(), "{name}, {}: {broken:?}", configuration.what);
            assert_eq!(found.unique_state_count(), states, "{name}: every state is seen");
            assert_eq!(late_leg, expected, "{name}: a late leg");
            assert_eq!(
                dead_ends(configuration),
                0,
                "{name}: states from which the call cannot be resolved"
            );
        }
        Expected::Broken => {
            let property = "no attempt is executed twice";
            assert!(
                broken.contains_key(property),
                "{name}, {}: nothing was found",
                configuration.what
            );
        }
    }
}

/// States from which no sequence of events leads to a resolved call.
fn dead_ends(configuration: &Configuration) -> usize {
    let mut numbers = HashMap::new();
    let mut before: Vec<Vec<u32>> = Vec::new();
    let mut queue = VecDeque::new();
    let mut good = VecDeque::new();
    let mut number = |state: State, before: &mut Vec<Vec<u32>>, queue: &mut VecDeque<(u32, State)>| {
        *numbers.entry(state).or_insert_with(|| {
            let number = u32::try_from(before.len()).expect("fewer states than that");
            before.push(Vec::new());
            queue.push_back((number, state));
            number
        })
    };
    for state in configuration.init_states() {
        number(state, &mut before, &mut queue);
    }
    let mut events = Vec::new();
    while let Some((from, state)) = queue.pop_front() {
        if state.is_resolved() {
            good.push_back(from);
        }
        events.clear();
        configuration.actions(&state, &mut events);
        for event in events.drain(..) {
            if let Some(next) = configuration.next_state(&state, event) {
                let to = number(next, &mut before, &mut queue);
                before[to as usize].push(from);
            }
        }
    }
    let mut reached = vec![false; before.len()];
    let mut count = 0;
    while let Some(state) = good.pop_front() {
        if !std::mem::replace(&mut reached[state as usize], true) {
            count += 1;
            good.extend(before[state as usize].iter().filter(|it| !reached[**it as usize]));
        }
    }
    before.len() - count
}

macro_rules! configurations {
    ($($test:ident: $name:literal;)*) => {$(
        #[test]
        fn $test() {
            check($name);
        }
    )*};
}

configurations! {
    an_expired_lease_that_sends_dials_twice: 'A';
    a_repeated_time_out_dials_twice: 'B';
    one_permit_one_request_holds: 'C';
    it_holds_without_any_bound_on_time: 'D';
    to_dial_again_without_evidence_holds_while_all_bounds_are_kept: 'E';
    to_dial_again_fails_when_a_request_outlives_the_settle_time: 'F';
    to_dial_again_fails_when_the_list_lags: 'G';
    to_dial_again_fails_when_a_process_sleeps_past_the_gate: 'H';
    to_dial_again_fails_without_a_gate: 'I';
    a_standby_that_lags_forgets_permits: 'J';
    an_audit_after_a_failover_makes_it_good_while_bounds_are_kept: 'K';
    an_audit_that_does_not_wait_does_not: 'L';
    an_audit_of_a_list_that_lags_does_not: 'M';
    journals_make_it_good_without_any_bound: 'N';
    a_lost_journal_does_not: 'O';
    journals_need_no_waiting: 'P';
}

/// Takes nine steps, each of which must be possible, and says how often the first attempt was executed.
fn after_nine(name: char, events: [Event; 9]) -> u8 {
    let configuration = configuration(name);
    let mut state = configuration.init_states()[0];
    let mut possible = Vec::new();
    for event in events {
        possible.clear();
        configuration.actions(&state, &mut possible);
        assert!(
            possible.contains(&event),
            "{name}: {event:?} is not among {possible:?}"
        );
        state = configuration
            .next_state(&state, event)
            .expect("every event leads somewhere");
    }
    state.executed(0)
}

#[test]
fn the_known_mistakes_need_nine_steps() {
    use Event::{Execute, Gate, LeaseExpires, Permit, Send, TimeOut};
    let taken_over = [
        Permit(0, 0),
        Gate(0),
        Send(0),
        Execute(0),
        LeaseExpires(0),
        Permit(1, 0),
        Gate(1),
        Send(1),
        Execute(0),
    ];
    assert_eq!(after_nine('A', taken_over), 2);
    let repeated = [
        Permit(0, 0),
        Gate(0),
        Send(0),
        TimeOut(0),
        Permit(0, 0),
        Gate(0),
        Send(0),
        Execute(0),
        Execute(0),
    ];
    assert_eq!(after_nine('B', repeated), 2);
}

#[test]
fn the_page_shows_these_configurations() {
    let page = include_str!("../../../docs/proof.md");
    for it in &CONFIGURATIONS {
        let outcome = match it.expected {
            Expected::Broken => "**twice** | | |".to_owned(),
            Expected::Holds { states, late_leg } => {
                let late_leg = if late_leg { "yes" } else { "no" };
                format!("never | {states} | {late_leg} |")
            }
        };
        let row = format!("| {} | {} | {outcome}", it.name, it.what);
        assert!(page.contains(&row), "docs/proof.md lacks the row\n{row}");
    }
}

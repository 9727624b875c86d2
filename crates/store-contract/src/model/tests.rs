//! The bounds of the model that are too far for the promises to reach.

use std::sync::Arc;
use std::time::Duration;

use domain::{CallId, Rules};
use store::{At, NewCall, Reported, Store, Stray};

use super::Model;
use crate::given::{START, all_of, phone, request, ringing, sid};

fn at() -> At {
    let rules = Rules {
        settle_after: Duration::from_secs(120),
        silence_after: Duration::from_secs(120),
        stop_on_unconfirmed: false,
        poll: false,
    };
    At {
        now: START,
        dice: 0,
        rules: Arc::new(rules),
    }
}

#[test]
fn the_oldest_orphan_makes_room() {
    let model = Model::new(START);
    let mut memory = model.memory();
    for number in 0..10_001 {
        let stray = Stray {
            sid: sid(&format!("CA{number}")),
            named: None,
            fact: ringing(),
        };
        memory.orphans.push_back(stray);
    }
    let newest = Stray {
        sid: sid("CA-newest"),
        named: None,
        fact: ringing(),
    };
    memory.orphans.truncate(10_000);
    assert_eq!(memory.report(newest.clone(), &at()), Reported::Orphan);
    assert_eq!(memory.orphans.len(), 10_000);
    assert_eq!(memory.orphans.front().map(|it| it.sid.as_str()), Some("CA1"));
    assert_eq!(memory.orphans.back(), Some(&newest));
}

#[test]
fn counting_stops_where_no_counter_is_kept() {
    let model = Model::new(START);
    let mut memory = model.memory();
    for number in 0_u32..10_001 {
        let mut chance = [0; 10];
        chance[6..].copy_from_slice(&number.to_be_bytes());
        let new = NewCall {
            id: CallId::new(START, chance),
            request: request(1),
            key: None,
            permit: None,
        };
        memory.accept(new, &at()).expect("a new id is taken");
    }
    let mut query = all_of("ann");
    let total = memory.page(&query).total;
    assert_eq!((total.count, total.at_least), (10_001, false));
    query.to = Some(phone(1));
    let total = memory.page(&query).total;
    assert_eq!((total.count, total.at_least), (10_000, true));
}

#[test]
fn an_id_is_taken_once() {
    let model = Model::new(START);
    let mut memory = model.memory();
    let new = NewCall {
        id: CallId::new(START, [0; 10]),
        request: request(1),
        key: None,
        permit: None,
    };
    memory.accept(new.clone(), &at()).expect("a new id is taken");
    memory.accept(new, &at()).expect_err("the id is another call's");
}

#[test]
fn the_clock_shows_what_it_was_set_to() {
    let model = Arc::new(Model::new(START));
    let later = START + Duration::from_secs(60);
    crate::run(async move {
        assert_eq!(model.clock().await.expect("the model always answers"), START);
        model.set_clock(later);
        assert_eq!(model.clock().await.expect("the model always answers"), later);
    });
}

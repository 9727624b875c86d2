//! Killed at every place between something written and something done, in the middle of a call's life; and killed at
//! random under load. Whatever the moment: at most one ring for one attempt, and the record ends true.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use e2e::{Call, Client, FROM, Store, World, assert_truth, wait_for};
use serde_json::{Value, json};

/// Kills under load, enough to hit every part of a call's life many times.
const KILLS: usize = 200;
/// Calls that are asked for at once while the server is being killed.
const CALLERS: usize = 6;

/// Asks for a call as a careful client does: with a key, and again until it is answered.
fn ask(client: &Client, to: &str, key: &str) -> Call {
    let body = json!({"to": to, "from": FROM, "user_id": "u1", "max_attempts": 4}).to_string();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    wait_for("an answer", || {
        match client.send("POST", "/calls/outbound", &headers, body.as_bytes()) {
            Ok(answer) if matches!(answer.status, 200 | 202) => {
                let call_id = answer.json()["call_id"]
                    .as_str()
                    .expect("an accepted call has an id")
                    .to_owned();
                Ok(Call {
                    user_id: "u1".to_owned(),
                    call_id,
                })
            }
            Ok(answer) => Err(format!("{answer:?}")),
            Err(error) => Err(error.to_string()),
        }
    })
}

/// Starts a server that will die at `point`, makes it pass there with `to` (and a cancel, where one is `wanted`),
/// starts it again, and holds the record against the ledger.
fn killed_at(store: Store, point: &str, to: &str, cancel: bool) {
    let speed = if cancel { 5 } else { 60 };
    let mut world = World::builder().on(store).speed(speed).start();
    world.restart_with(&[("REDIAL_CRASH_AT", point)]);
    let client = Client::new(world.base());
    let (key, number) = (format!("key-of-{point}"), to.to_owned());
    let base = world.base().to_owned();
    // The caller lives through the crash: it asks again until it is answered.
    let caller = std::thread::spawn(move || {
        let call = ask(&client, &number, &key);
        if cancel {
            let path = format!("/users/{}/calls/{}/cancel", call.user_id, call.call_id);
            wait_for("an answer to the cancel", || {
                match Client::new(&base).send("POST", &path, &[], b"") {
                    Ok(answer) if answer.status == 200 => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
        call
    });
    let status = world.wait_for_death();
    assert!(!status.success(), "it was to be killed at {point}: {status:?}");
    world.restart();
    let call = caller.join().expect("the caller was answered");
    world.remember(call.clone());
    let record = world.ended(&call);
    if cancel {
        assert_eq!(record["status"], "canceled", "{record}");
    }
    assert_truth(&world);
}

macro_rules! killed {
    ($($name:ident: $point:literal, $to:literal, $cancel:literal;)+) => {
        $(#[test]
        fn $name() {
            killed_at(Store::Sqlite, $point, $to, $cancel);
        })+

        /// What the killed process held is free, and its permit in doubt, only after a while that others wait who
        /// cannot know that it is dead.
        mod on_postgres {
            use super::*;

            $(#[test]
            fn $name() {
                killed_at(Store::Postgres, $point, $to, $cancel);
            })+
        }

        /// Every place that the engine lists is in the list above.
        #[test]
        fn every_crash_point_is_tried() {
            let tried = [$($point),+].map(|it| it.split(':').next().unwrap_or_default());
            let source = include_str!("../../../engine/src/crash.rs");
            let list = source.split("= &[").nth(1).and_then(|it| it.split("];").next()).expect("the list of places");
            let listed: Vec<&str> = list.split('"').skip(1).step_by(2).collect();
            assert!(listed.len() > 10, "{listed:?}");
            for point in listed {
                assert!(tried.contains(&point), "{point} is never tried");
            }
        }
    };
}

killed! {
    before_anything_is_stored: "request.taken", "+15550000104", false;
    after_the_call_is_stored_and_before_the_answer: "accept.committed", "+15550000104", false;
    connected_for_a_retry_without_a_permit: "dial.connected", "+15550000104", false;
    permitted_and_not_sent: "permit.committed", "+15550000104", false;
    permitted_and_not_sent_at_a_retry: "permit.committed:2", "+15550000104", false;
    sent_and_the_answer_not_stored: "dial.sent", "+15550000104", false;
    sent_and_the_answer_not_stored_at_a_retry: "dial.sent:2", "+15550000105", false;
    the_answer_stored: "outcome.committed", "+15550000104", false;
    a_callback_verified_and_not_stored: "callback.verified", "+15550000104", false;
    a_later_callback_verified_and_not_stored: "callback.verified:3", "+15550000104", false;
    a_callback_stored_and_not_answered: "callback.committed:2", "+15550000104", false;
    somebody_answered_and_heard_nothing: "answer.committed", "+15550000100", false;
    the_carrier_asked_and_its_answer_not_stored: "look-up.answered", "+15550000114", false;
    the_carriers_answer_stored: "look-up.committed", "+15550000114", false;
    hung_up_and_not_stored: "hang-up.sent", "+15550000108", true;
    hung_up_and_stored: "hang-up.committed", "+15550000108", true;
    canceled_and_not_answered: "cancel.committed", "+15550000108", true;
}

#[test]
fn killed_two_hundred_times_under_load_nobody_is_called_twice_and_nothing_is_lost() {
    // On a file: where a killed server's permit keeps its caller waiting, so many kills meet next to no load, and
    // torture is what hurts several nodes.
    let mut world = World::on_a_file();
    let stop = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (client, stop) = (Client::new(world.base()), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut calls = Vec::new();
                while stop.load(Ordering::SeqCst) == 0 {
                    let n = calls.len();
                    // Every script in turn, each call to a person of its own.
                    let to = format!("+1555{caller}{n:04}{:04}", 100 + n % 20);
                    calls.push(ask(&client, &to, &format!("{caller}-{n}")));
                }
                calls
            })
        })
        .collect();
    let mut dice: u64 = 0x5EED;
    for _ in 0..KILLS {
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        pause(Duration::from_millis(20 + (dice >> 33) % 180));
        world.restart();
    }
    stop.store(1, Ordering::SeqCst);
    for caller in callers {
        for call in caller.join().expect("every request was answered in the end") {
            world.remember(call);
        }
    }
    let calls = world.calls();
    assert!(calls.len() > KILLS, "the load was real: {} calls", calls.len());
    let unconfirmed = calls
        .iter()
        .filter(|call| has_unconfirmed(&world.ended(call)))
        .count();
    println!(
        "{} calls, {KILLS} kills, {unconfirmed} calls with an unconfirmed attempt",
        calls.len()
    );
    assert_truth(&world);
}

fn has_unconfirmed(record: &Value) -> bool {
    record["attempts"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|it| it["status"] == "unconfirmed")
}

/// Lets the server live for a drawn while: the moment of the kill is what is being tried.
fn pause(gap: Duration) {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let _ = receiver.recv_timeout(gap);
    drop(sender);
}

//! Kill and restart: nothing that was answered is lost, nobody is called twice for one attempt.

use e2e::{World, assert_truth, run_to_end};
use serde_json::json;

use crate::endings::statuses;

#[test]
fn a_call_that_waits_for_its_retry_is_dialled_after_a_kill() {
    let mut world = World::builder().env("REDIAL_RETRY_DELAYS", "1s").start();
    let call = world.ask("+15550000104", json!({}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    world.restart();
    let record = world.ended(&call);
    assert_eq!(statuses(&record), ["busy", "busy", "completed"], "{record}");
    assert_truth(&world);
}

#[test]
fn a_call_that_ends_while_nobody_listens_is_asked_for() {
    let mut world = World::start();
    let call = world.ask("+15550000108", json!({}));
    world.kill_dash_nine();
    e2e::wait_for("the carrier to end the call", || {
        let ledger = world.ledger();
        if ledger[0].status == "completed" {
            Ok(())
        } else {
            Err(format!("{ledger:?}"))
        }
    });
    world.restart();
    let record = world.ended(&call);
    assert_eq!(statuses(&record), ["completed"], "{record}");
    assert_truth(&world);
}

#[test]
fn killed_again_and_again_every_call_ends_and_every_ring_is_recorded() {
    let mut world = World::builder().env("REDIAL_RETRY_DELAYS", "300ms").start();
    let numbers = [
        "0100", "0101", "0103", "0104", "0108", "0110", "0111", "0115", "0116", "0119",
    ];
    let calls: Vec<_> = numbers
        .iter()
        .enumerate()
        .map(|(index, number)| {
            let call = world.ask(&format!("+1555000{number}"), json!({}));
            if index % 3 == 2 {
                world.restart();
            }
            call
        })
        .collect();
    for call in &calls {
        world.ended(call);
    }
    assert_truth(&world);
}

#[test]
fn asked_to_stop_the_server_stops_cleanly_and_carries_on_later() {
    let mut world = World::start();
    let call = world.ask("+15550000104", json!({}));
    let status = world.stop();
    assert!(status.success(), "{status:?}");
    world.restart();
    let record = world.ended(&call);
    assert_eq!(statuses(&record), ["busy", "busy", "completed"], "{record}");
    assert_truth(&world);
}

#[test]
fn a_second_server_on_the_same_database_gives_up_and_names_the_first() {
    let world = World::on_a_file();
    let mut environment = world.environment().to_vec();
    environment.retain(|it| it.0 != "REDIAL_LISTEN");
    environment.push(("REDIAL_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    let (code, _, log) = run_to_end(&["serve"], &environment, world.folder());
    assert_eq!(code, Some(1), "{log}");
    assert!(
        log.contains(&world.pid().to_string()),
        "it names the holder's pid: {log}"
    );
}

//! `redial retry-due`: what a server does by itself, a round at a time, for those who prefer cron.

use e2e::{World, run_to_end, wait_for};
use serde_json::json;

use crate::endings::statuses;

#[test]
fn beside_a_server_it_says_so_and_does_nothing() {
    let world = World::on_a_file();
    let call = world.ask("+15550000104", json!({"retry_delays": ["1h"]}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    let (code, _, log) = run_to_end(&["retry-due"], world.environment(), world.folder());
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains(&world.pid().to_string()), "it says who dials: {log}");
    assert_eq!(world.ledger().len(), 1);
}

#[test]
fn cron_alone_brings_a_call_to_its_end_with_its_document_inline() {
    let mut world = World::builder().env("REDIAL_RETRY_DELAYS", "500ms").start();
    let call = world.ask("+15550000104", json!({"message": "Hello from cron."}));
    world.wait_until(&call, "the first attempt's end", |it| it["status"] == "busy");
    assert!(world.stop().success());
    wait_for("the third ring to end", || {
        let (code, _, log) = run_to_end(&["retry-due"], world.environment(), world.folder());
        assert_eq!(code, Some(0), "{log}");
        match world.ledger().as_slice() {
            [_, _, third] if third.status == "completed" => Ok(()),
            rings => Err(format!("{rings:?}")),
        }
    });
    for ring in &world.ledger()[1..] {
        assert_eq!(
            (ring.url.as_str(), ring.status_callback.as_str()),
            ("", ""),
            "nobody would answer: {ring:?}"
        );
    }
    // A last round may be needed to hear how it ended; the server asks too.
    world.restart();
    let record = world.ended(&call);
    assert_eq!(statuses(&record), ["busy", "busy", "completed"], "{record}");
    assert_eq!(world.ledger().len(), 3);
}

#[test]
fn without_anything_due_it_ends_at_once() {
    let mut world = World::start();
    let call = world.ask("+15550000100", json!({"scheduled_at": "2099-01-01T00:00:00Z"}));
    assert!(world.stop().success());
    let (code, data, log) = run_to_end(&["retry-due"], world.environment(), world.folder());
    assert_eq!(
        (code, data.as_str()),
        (Some(0), "asked about 0, dialled 0\n"),
        "{log}"
    );
    world.restart();
    assert_eq!(world.record(&call)["status"], "queued");
}

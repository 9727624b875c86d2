//! The same server with its calls on PostgreSQL: whole lives, kills, a second server, a database that goes away.

use e2e::{Builder, Store, World, assert_truth, run_to_end, wait_for};
use serde_json::json;

use crate::endings::statuses;

fn on_postgres(builder: Builder) -> World {
    builder.on(Store::Postgres).start()
}

#[test]
fn calls_live_and_end_as_the_carrier_says() {
    let world = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "200ms"));
    let expected: [(&str, &[&str]); 7] = [
        ("0100", &["completed"]),
        ("0101", &["busy", "busy", "busy"]),
        ("0104", &["busy", "busy", "completed"]),
        ("0110", &["completed"]),
        ("0115", &["completed"]),
        ("0116", &["completed"]),
        ("0117", &["completed"]),
    ];
    let calls = expected.map(|(number, _)| world.ask(&format!("+1555000{number}"), json!({})));
    for (call, (number, wanted)) in calls.iter().zip(expected) {
        let record = world.ended(call);
        assert_eq!(statuses(&record), wanted, "{number}: {record}");
    }
    let (_, list) = world.get("/users/u1/calls?status=completed&limit=2");
    assert_eq!(
        (list["total"].as_u64(), list["calls"].as_array().map(Vec::len)),
        (Some(6), Some(2))
    );
    assert_truth(&world);
}

#[test]
fn killed_again_and_again_every_call_ends_and_every_ring_is_recorded() {
    let mut world = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "300ms"));
    let numbers = [
        "0100", "0101", "0103", "0104", "0108", "0110", "0111", "0115", "0119",
    ];
    let mut calls = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        calls.push(world.ask(&format!("+1555000{number}"), json!({})));
        if index % 3 == 2 {
            world.restart();
        }
    }
    for call in &calls {
        world.ended(call);
    }
    assert_truth(&world);
}

#[test]
fn a_second_server_dials_along_and_a_pause_holds_for_both() {
    let world = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "200ms"));
    let other = World::builder()
        .env("DATABASE_URL", &world.database().url())
        .env("TWILIO_API_BASE", world.carrier())
        .env("REDIAL_RETRY_DELAYS", "200ms")
        .start();
    let worlds = [&world, &other];
    let numbers = ["0100", "0101", "0104", "0100", "0103", "0100", "0101", "0104"];
    let calls: Vec<_> = (0..)
        .zip(numbers)
        .map(|(turn, number)| worlds[turn % 2].ask(&format!("+1555{turn:03}{number}"), json!({})))
        .collect();
    for (turn, call) in (0..).zip(&calls) {
        // Each is asked about what the other was asked for.
        worlds[(turn + 1) % 2].ended(call);
    }
    calls.into_iter().for_each(|call| world.remember(call));
    assert_truth(&world);
    let (status, _) = other.post("/dialing/pause");
    assert_eq!(status, 200);
    wait_for("the other to have heard of it", || match world.get("/readyz") {
        (503, said) => Ok(said),
        answer => Err(format!("{answer:?}")),
    });
    let waiting = world.ask("+15550000100", json!({}));
    let record = world.record(&waiting);
    assert_eq!(record["attempt_count"], 0, "{record}");
    world.post("/dialing/resume");
    other.ended(&waiting);
}

#[test]
fn what_cannot_be_stored_is_refused_until_the_database_is_back() {
    let world = on_postgres(World::builder());
    let ended = world.ask("+15550000100", json!({}));
    world.ended(&ended);
    world.database().shut();
    let body = json!({"to": "+15550000100", "from": e2e::FROM, "user_id": "u1"});
    let body = body.to_string();
    let create = || {
        world.send(
            "POST",
            "/calls/outbound",
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        )
    };
    let refused = create();
    assert_eq!(refused.status, 503, "{refused:?}");
    world.database().open();
    let answered = wait_for("the database to be back", || {
        let answer = create();
        match answer.status {
            200 | 202 => Ok(answer),
            _ => Err(format!("{answer:?}")),
        }
    });
    let call_id = answered.json()["call_id"].as_str().expect("an id").to_owned();
    let call = e2e::Call {
        user_id: "u1".to_owned(),
        call_id,
    };
    assert_eq!(world.ended(&call)["status"], "completed");
}

#[test]
fn the_commands_say_what_they_do_with_a_server_and_never_its_password() {
    let world = on_postgres(World::builder());
    let said = |args: &[&str], code| {
        let (ended, out, log) = run_to_end(args, world.environment(), world.folder());
        assert_eq!(ended, Some(code), "{args:?}: {out}{log}");
        out + &log
    };
    let doctor = run_to_end(&["doctor"], world.environment(), world.folder());
    assert!(doctor.1.contains("can be read; redial process"), "{doctor:?}");
    assert!(said(&["backup", "copy.db"], 2).contains("pg_dump"));
    assert!(said(&["prune", "--older-than", "90d"], 0).contains("0 calls that ended before"));
    let mut environment = world.environment().to_vec();
    environment.retain(|it| it.0 != "DATABASE_URL");
    environment.push((
        "DATABASE_URL".to_owned(),
        "postgres://ann:hush@db/calls".to_owned(),
    ));
    let (_, shown, _) = run_to_end(&["config"], &environment, world.folder());
    assert!(
        shown.contains("postgres://ann:***@db/calls") && !shown.contains("hush"),
        "{shown}"
    );
}

//! The same server with its calls on PostgreSQL: whole lives, kills, a second server, a database that goes away.

use e2e::{Builder, World, assert_truth, run_to_end, wait_for};
use serde_json::json;

use crate::database::Database;
use crate::endings::statuses;

/// A world whose database is on a server. The database goes last.
struct On {
    world: World,
    database: Database,
}

fn on_postgres(builder: Builder) -> On {
    let database = Database::fresh();
    On {
        world: builder.env("DATABASE_URL", &database.url()).start(),
        database,
    }
}

#[test]
fn calls_live_and_end_as_the_carrier_says() {
    let on = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "200ms"));
    let world = &on.world;
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
    assert_truth(world);
}

#[test]
fn killed_again_and_again_every_call_ends_and_every_ring_is_recorded() {
    let mut on = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "300ms"));
    let numbers = [
        "0100", "0101", "0103", "0104", "0108", "0110", "0111", "0115", "0119",
    ];
    let mut calls = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        calls.push(on.world.ask(&format!("+1555000{number}"), json!({})));
        if index % 3 == 2 {
            on.world.restart();
        }
    }
    for call in &calls {
        on.world.ended(call);
    }
    assert_truth(&on.world);
}

#[test]
fn a_second_server_dials_along_and_a_pause_holds_for_both() {
    let on = on_postgres(World::builder().env("REDIAL_RETRY_DELAYS", "200ms"));
    let other = World::builder()
        .env("DATABASE_URL", &on.database.url())
        .env("TWILIO_API_BASE", on.world.carrier())
        .env("REDIAL_RETRY_DELAYS", "200ms")
        .start();
    let worlds = [&on.world, &other];
    let numbers = ["0100", "0101", "0104", "0100", "0103", "0100", "0101", "0104"];
    let calls: Vec<_> = (0..)
        .zip(numbers)
        .map(|(turn, number)| worlds[turn % 2].ask(&format!("+1555{turn:03}{number}"), json!({})))
        .collect();
    for (turn, call) in (0..).zip(&calls) {
        // Each is asked about what the other was asked for.
        worlds[(turn + 1) % 2].ended(call);
    }
    calls.into_iter().for_each(|call| on.world.remember(call));
    assert_truth(&on.world);
    let (status, _) = other.post("/dialing/pause");
    assert_eq!(status, 200);
    wait_for("the other to have heard of it", || {
        match on.world.get("/readyz") {
            (503, said) => Ok(said),
            answer => Err(format!("{answer:?}")),
        }
    });
    let waiting = on.world.ask("+15550000100", json!({}));
    let record = on.world.record(&waiting);
    assert_eq!(record["attempt_count"], 0, "{record}");
    on.world.post("/dialing/resume");
    other.ended(&waiting);
}

#[test]
fn what_cannot_be_stored_is_refused_until_the_database_is_back() {
    let on = on_postgres(World::builder());
    let world = &on.world;
    let ended = world.ask("+15550000100", json!({}));
    world.ended(&ended);
    on.database.shut();
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
    on.database.open();
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
    let on = on_postgres(World::builder());
    let said = |args: &[&str], code| {
        let (ended, out, log) = run_to_end(args, on.world.environment(), on.world.folder());
        assert_eq!(ended, Some(code), "{args:?}: {out}{log}");
        out + &log
    };
    let doctor = run_to_end(&["doctor"], on.world.environment(), on.world.folder());
    assert!(doctor.1.contains("can be read; redial process"), "{doctor:?}");
    assert!(said(&["backup", "copy.db"], 2).contains("pg_dump"));
    assert!(said(&["prune", "--older-than", "90d"], 0).contains("0 calls that ended before"));
    let mut environment = on.world.environment().to_vec();
    environment.retain(|it| it.0 != "DATABASE_URL");
    environment.push((
        "DATABASE_URL".to_owned(),
        "postgres://ann:hush@db/calls".to_owned(),
    ));
    let (_, shown, _) = run_to_end(&["config"], &environment, on.world.folder());
    assert!(
        shown.contains("postgres://ann:***@db/calls") && !shown.contains("hush"),
        "{shown}"
    );
}

//! `redial import`: the calls of the prototype, taken over and carried on.

use std::fs;

use e2e::{Builder, Call, Store, World, run_to_end};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::endings::statuses;

const DUE: &str = "656e6f7a1f2c3d4e5f000001";
const LIVE: &str = "656e6f7a1f2c3d4e5f000002";
const OVER: &str = "656e6f7a1f2c3d4e5f000003";
const OVERDUE: &str = "656e6f7a1f2c3d4e5f000004";

/// A date in the relaxed form.
fn date(minutes_ago: i64) -> Value {
    let at = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    json!({ "$date": format!("{at:.3}") })
}

/// A document whose one attempt, as leg `CA<the id's last digit>`, ended so an hour ago.
fn document(id: &str, to: &str, status: &str, next_retry_at: Value) -> Value {
    let sid = format!("CA{}", &id[23..]);
    json!({
        "_id": {"$oid": id},
        "user_id": "ada",
        "to": to,
        "from": e2e::FROM,
        "twilio_sid": sid,
        "status": status,
        "attempt_count": 1,
        "max_attempts": 3,
        "should_retry": next_retry_at != Value::Null,
        "next_retry_at": next_retry_at,
        "attempts": [{"attempt_number": 1, "twilio_sid": sid, "status": status, "timestamp": date(60)}],
        "created_at": date(61),
        "updated_at": date(59),
    })
}

/// One of each kind, and three lines that are broken, the second, fifth and last.
fn export() -> String {
    let lines = [
        document(DUE, "+15550000100", "busy", date(1)).to_string(),
        r#"{"_id": {"$oid": "656e6f7a1f2c3d4e5f000009"}, "user_id": "#.to_owned(),
        document(LIVE, "+15550000101", "in-progress", Value::Null).to_string(),
        document(OVER, "+15550000101", "completed", Value::Null).to_string(),
        document("656e6f7a1f2c3d4e5f000008", "0101", "busy", Value::Null).to_string(),
        document(OVERDUE, "+15550000101", "no-answer", date(3 * 24 * 60)).to_string(),
        "exported 6 records".to_owned(),
    ];
    lines.join("\n")
}

/// A world whose server is down, with the export in its folder.
fn exported(builder: Builder) -> World {
    let mut world = builder.start();
    fs::write(world.folder().join("calls.json"), export()).expect("the folder is there");
    world.kill_dash_nine();
    world
}

fn import(world: &World, args: &[&str]) -> (Option<i32>, String, String) {
    let args = [&["import", "calls.json"], args].concat();
    run_to_end(&args, world.environment(), world.folder())
}

fn of_ada(id: &str) -> Call {
    Call {
        user_id: "ada".to_owned(),
        call_id: id.to_owned(),
    }
}

fn says_why_it_was_given_up(world: &World) {
    let show = [
        "calls",
        "show",
        OVERDUE,
        "--user",
        "ada",
        "--server",
        world.base(),
    ];
    let (_, shown, log) = run_to_end(&show, &[], world.folder());
    let why = "ended: given up 1d after the dial was due";
    assert!(shown.contains(why), "{shown}{log}");
}

#[test]
fn an_export_is_taken_over_and_carried_on() {
    let mut world = exported(World::builder());
    let (code, told, log) = import(&world, &["--json"]);
    assert_eq!(code, Some(1), "something was broken: {log}");
    let told: Value = serde_json::from_str(&told).expect("a report");
    let expected = json!({
        "dry_run": false, "documents": 7, "imported": 4, "already_there": 0, "broken": 3, "noted": 0,
        "over": 1, "live": 1, "waiting": 0, "due_now": 1, "too_late": 1,
    });
    assert_eq!(told, expected, "{log}");
    for broken in [
        "line 2: not a whole JSON document",
        "line 5: to: must be + and 8 to 15 digits",
        "line 7: not a JSON document: it begins with `exported 6 records`",
    ] {
        assert!(log.contains(broken), "{broken}: {log}");
    }

    world.restart();
    let record = world.ended(&of_ada(DUE));
    assert_eq!(statuses(&record), ["busy", "completed"], "{record}");
    assert_eq!(record["call_id"], DUE);
    assert_eq!(record["attempts"][0]["twilio_sid"], "CA1");
    assert_eq!(record["events"][0]["kind"], "imported", "{record}");
    assert_eq!(
        record["events"][0]["message"],
        "imported as `busy`, to be retried"
    );

    let record = world.ended(&of_ada(OVERDUE));
    assert_eq!(
        (&record["status"], &record["attempt_count"]),
        (&json!("failed"), &json!(1)),
        "{record}"
    );
    says_why_it_was_given_up(&world);
    let record = world.record(&of_ada(OVER));
    assert_eq!(
        (&record["status"], &record["max_attempts"]),
        (&json!("completed"), &json!(3)),
        "{record}"
    );

    assert_eq!(world.record(&of_ada(LIVE))["status"], "in-progress");
    let late = [
        ("CallSid", "CA2"),
        ("CallStatus", "completed"),
        ("CallDuration", "7"),
    ];
    assert_eq!(world.callback("", &late).status, 200);
    let record = world.ended(&of_ada(LIVE));
    assert_eq!(statuses(&record), ["completed"], "{record}");

    let (_, list) = world.get("/users/ada/calls");
    assert_eq!(list["total"], 4, "{list}");
    let ids: Vec<&str> = list["calls"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["call_id"].as_str())
        .collect();
    assert!(
        [DUE, LIVE, OVER, OVERDUE].iter().all(|id| ids.contains(id)),
        "{list}"
    );
    // One phone rang, for the second attempt of the call that was due.
    let ledger = world.ledger();
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert_eq!(ledger[0].names(), (DUE.to_owned(), 2), "{ledger:?}");
}

#[test]
fn an_export_is_taken_once_and_never_beside_a_server() {
    let mut world = exported(World::builder().on(Store::Sqlite));
    assert_eq!(import(&world, &[]).0, Some(1));
    world.restart();
    let before = world.ended(&of_ada(DUE));
    let (code, told, log) = import(&world, &[]);
    assert_eq!((code, told.as_str()), (Some(1), ""), "{log}");
    assert!(
        log.contains(&world.pid().to_string()) && log.contains("stop the server first"),
        "{log}"
    );
    assert!(world.stop().success());
    let (code, told, log) = import(&world, &[]);
    assert_eq!(code, Some(1), "{log}");
    assert!(
        told.contains("0  imported\n") && told.contains("4  were there already"),
        "{told}"
    );
    world.restart();
    assert_eq!(world.record(&of_ada(DUE)), before);
    assert_eq!(world.ledger().len(), 1);
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = exported(World::builder());
    let mut environment = world.environment().to_vec();
    environment.retain(|(name, _)| name != "DATABASE_URL");
    environment.push(("DATABASE_URL".to_owned(), "sqlite:new.db".to_owned()));
    let files = || fs::read_dir(world.folder()).expect("the folder is there").count();
    let before = files();
    let args = ["import", "calls.json", "--dry-run"];
    let (code, told, log) = run_to_end(&args, &environment, world.folder());
    assert_eq!(code, Some(1), "{log}");
    assert!(
        told.contains("4  to import\n") && log.contains("line 5: to: "),
        "{told}{log}"
    );
    assert_eq!(files(), before);
}

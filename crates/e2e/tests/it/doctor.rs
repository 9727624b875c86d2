//! `redial doctor`: what it says of set-ups that are known to be wrong, held against the page that shows it.

use std::path::Path;

use e2e::{ACCOUNT_SID, AUTH_TOKEN, World, free_port, renaming_proxy, run_to_end, run_with_input, wait_for};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../../docs/doctor.md");

/// What the page shows under a heading.
fn shown(heading: &str) -> &'static str {
    let section = PAGE.split("\n## ").find(|section| section.starts_with(heading));
    let section = section.unwrap_or_else(|| panic!("no `{heading}` in docs/doctor.md"));
    section
        .split("```")
        .nth(1)
        .and_then(|block| block.split_once('\n'))
        .expect("a block")
        .1
}

/// The output with all that differs from run to run made equal: the disk's speed and room, process numbers, and the
/// last second of a clock.
fn masked(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_disk = false;
    for line in text.lines() {
        let check = line.split_whitespace().nth(1).unwrap_or_default();
        is_disk = matches!(check, "sync:" | "room:") || (is_disk && line.starts_with("   "));
        if !is_disk {
            lines.push(unnumbered(&unnumbered(line, "process ", ""), "", " s behind"));
        }
    }
    lines
}

/// The line without the number that stands between the two texts.
fn unnumbered(line: &str, before: &str, after: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let numbers = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_digit());
    let words = words.iter().enumerate().map(|(at, word)| {
        let follows = before.is_empty() || at > 0 && words[at - 1] == before.trim();
        let leads = words[at + 1..].join(" ").starts_with(after.trim());
        if numbers(word) && follows && leads {
            "#"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn check(heading: &str, said: &str) {
    assert_eq!(
        masked(said),
        masked(shown(heading)),
        "\n{heading}, in full:\n{said}"
    );
}

/// Settings as `redial init` writes them for this world, with the address of its server.
fn set_up(world: &World, token: &str, more: &str) {
    let args = [
        "init",
        "--account-sid",
        ACCOUNT_SID,
        "--api-base",
        world.carrier(),
        "--force",
    ];
    let (code, _, log) = run_with_input(&args, &[], world.folder(), &format!("{token}\n"));
    assert_eq!(code, Some(0), "{log}");
    let file = world.folder().join("redial.toml");
    let listen = world.base().trim_start_matches("http://");
    let text = std::fs::read_to_string(&file).expect("written");
    std::fs::write(&file, format!("{text}listen = \"{listen}\"\n{more}")).expect("written");
}

/// What doctor says in a folder, with the world's own addresses as the page has them.
fn doctor(world: &World, args: &[&str]) -> (Option<i32>, String) {
    let args: Vec<&str> = ["doctor"].iter().chain(args).copied().collect();
    let (code, said, log) = run_to_end(&args, &[], world.folder());
    assert_eq!(log, "", "nothing but findings");
    (code, said.replace(world.base(), "http://127.0.0.1:8080"))
}

fn level<'a>(findings: &'a Value, check: &str) -> &'a Value {
    let checks = findings["checks"].as_array().expect("a list");
    let found = checks.iter().find(|it| it["check"] == check);
    &found.unwrap_or_else(|| panic!("no {check} in {findings}"))["level"]
}

#[test]
fn nothing_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    // The usual port may be another program's here.
    let listen = format!("127.0.0.1:{}", free_port());
    let (code, said, _) = run_to_end(&["doctor", "--listen", &listen], &[], folder.path());
    assert_eq!(code, Some(1));
    let said = said.replace(&listen, "127.0.0.1:8080").replace(
        "1 from flags, the others have their defaults",
        "none is set, all have their defaults",
    );
    check("Nothing configured", &said);
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        0,
        "it leaves no trace"
    );
}

#[test]
fn all_is_well() {
    let world = World::on_a_file();
    set_up(&world, AUTH_TOKEN, "");
    let (code, said) = doctor(&world, &["--deep"]);
    assert_eq!(code, Some(0), "{said}");
    check("All is well", &said);
    assert!(!said.contains(AUTH_TOKEN));
}

#[test]
fn a_wrong_token() {
    let world = World::on_a_file();
    set_up(&world, "another", "");
    let (code, said) = doctor(&world, &[]);
    assert_eq!(code, Some(1), "{said}");
    check("A wrong token", &said);
}

#[test]
fn a_public_address_without_encryption() {
    let mut world = World::on_a_file();
    set_up(&world, AUTH_TOKEN, "base_url = \"http://calls.test\"\n");
    assert!(world.stop().success());
    let (code, said) = doctor(&world, &[]);
    assert_eq!(code, Some(0), "{said}");
    check("`BASE_URL` without https", &said);
}

#[test]
fn a_proxy_that_changes_the_host() {
    let world = World::on_a_file();
    let proxy = renaming_proxy(world.base(), "inner.test");
    set_up(&world, AUTH_TOKEN, &format!("base_url = \"{proxy}\"\n"));
    let (code, said) = doctor(&world, &[]);
    assert_eq!(code, Some(1), "{said}");
    check(
        "A proxy that changes the host",
        &said.replace(&proxy, "http://127.0.0.1:8443"),
    );
}

#[test]
fn the_host_alone_changes_nothing_where_the_server_knows_its_address() {
    let mut world = World::on_a_file();
    let proxy = renaming_proxy(world.base(), "inner.test");
    world.restart_with(&[("BASE_URL", &proxy)]);
    set_up(&world, AUTH_TOKEN, &format!("base_url = \"{proxy}\"\n"));
    let (code, said) = doctor(&world, &["--json"]);
    assert_eq!(code, Some(0), "{said}");
    let found: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(found["ok"], true);
    assert_eq!(
        (level(&found, "signatures"), level(&found, "reached")),
        (&json!("ok"), &json!("ok"))
    );
}

#[test]
fn a_clock_that_is_two_minutes_off() {
    let world = World::on_a_file();
    set_up(&world, AUTH_TOKEN, "");
    world.faults(&json!({ "date_ahead_s": 120 }));
    let (code, said) = doctor(&world, &[]);
    assert_eq!(code, Some(1), "{said}");
    check("A clock that is two minutes off", &said);
}

#[test]
fn an_account_on_trial_is_told_its_limits() {
    let world = World::on_a_file();
    set_up(&world, AUTH_TOKEN, "");
    world.faults(&json!({ "trial": true }));
    let (code, said) = doctor(&world, &["--json"]);
    assert_eq!(code, Some(0), "{said}");
    let found = serde_json::from_str(&said).expect("JSON");
    assert_eq!(level(&found, "trial"), "warning");
}

#[test]
fn settings_that_make_no_sense_are_named_and_nothing_else_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("redial.toml"), "max_atempts = 3\nring = 5\n").expect("written");
    let (code, said, _) = run_to_end(&["doctor"], &[], folder.path());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with("problem  settings: redial.toml") && said.contains("`max_atempts`, `ring`"),
        "{said}"
    );
    let findings = said.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(findings, 1, "{said}");
}

#[test]
fn its_question_about_signatures_is_stored_nowhere() {
    let world = World::on_a_file();
    set_up(&world, AUTH_TOKEN, "");
    let before = rows(world.folder());
    let (code, said) = doctor(&world, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(rows(world.folder()), before);
}

/// The size of the log that every write of the database goes through.
fn rows(folder: &Path) -> u64 {
    std::fs::metadata(folder.join("redial.db-wal")).map_or(0, |it| it.len())
}

#[test]
fn the_log_says_once_what_would_have_made_a_signature_true() {
    let world = World::on_a_file();
    let params = [("CallSid", "CA1"), ("CallStatus", "busy")];
    let url = "http://old.test/twilio/status?call=c&attempt=1";
    let signature = e2e::sign(AUTH_TOKEN, url, &params);
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Forwarded-Host", "old.test"),
        ("X-Twilio-Signature", signature.as_str()),
    ];
    for _ in 0..3 {
        let body = b"CallSid=CA1&CallStatus=busy";
        let answer = world.send_as_is("POST", "/twilio/status?call=c&attempt=1", &headers, body);
        assert_eq!(answer.status, 403, "never believed: {answer:?}");
    }
    let told = wait_for("the line in the log", || {
        let log = world.log();
        let told = log
            .lines()
            .filter(|line| line.contains("its signature does not verify"))
            .count();
        if told > 0 { Ok(log) } else { Err(log) }
    });
    assert!(told.contains("and it was signed for old.test"), "{told}");
    assert_eq!(told.matches("does not verify: ").count(), 1, "{told}");
    assert!(!told.contains(&signature) && !told.contains(AUTH_TOKEN), "{told}");
}

//! `redial init`: from nothing to a server that takes the first call.

use e2e::{ACCOUNT_SID, AUTH_TOKEN, Process, World, run_to_end, run_with_input};

const PAGE: &str = include_str!("../../../../docs/first-call.md");

/// What `init` is asked in every test, against the carrier of `world`.
fn init(
    world: &World,
    folder: &std::path::Path,
    more: &[&str],
    input: &str,
) -> (Option<i32>, String, String) {
    let mut args = vec!["init", "--api-base", world.carrier()];
    args.extend(more);
    run_with_input(&args, &[], folder, input)
}

#[test]
fn answers_become_settings_and_the_printed_commands_make_the_first_call() {
    let world = World::start();
    let folder = tempfile::tempdir().expect("a folder");
    let input = format!("{ACCOUNT_SID}\n{AUTH_TOKEN}\n\nnobody\n+15551230100\n");
    let (code, said, log) = init(&world, folder.path(), &[], &input);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("ok       account: active"), "{log}");
    assert!(
        !log.contains(AUTH_TOKEN) && !said.contains(AUTH_TOKEN),
        "a token was shown: {log}{said}"
    );

    let listen = format!("127.0.0.1:{}", e2e::free_port());
    let serve = Process::start(&["serve", "--listen", &listen], &[], folder.path());
    let key = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("export REDIAL_API_KEY="));
    let call = said
        .lines()
        .find_map(|line| line.trim().strip_prefix("redial call "));
    let args = "+15551230100 --from +15550001111 --user me --message \"Hello from redial.\" --wait";
    assert_eq!(call, Some(args));
    assert!(
        PAGE.contains(args),
        "docs/first-call.md shows another call: {args}"
    );
    let environment = [
        ("REDIAL_API_KEY".to_owned(), key.expect("a key").to_owned()),
        ("REDIAL_SERVER".to_owned(), serve.address.clone()),
    ];
    let mut words = vec!["call"];
    words.extend(args.split(" --message").next().unwrap_or_default().split(' '));
    words.extend(["--message", "Hello from redial.", "--wait"]);
    let (code, data, log) = run_to_end(&words, &environment, folder.path());
    assert_eq!(code, Some(0), "{log}");
    assert!(data.contains("completed"), "{data}");
}

#[test]
fn a_wrong_token_is_told_and_written_all_the_same() {
    let world = World::start();
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--account-sid", ACCOUNT_SID];
    let (code, _, log) = init(&world, folder.path(), &flags, "another\n");
    assert_eq!(code, Some(0), "{log}");
    assert!(
        log.contains("problem  account:") && log.contains("20003"),
        "{log}"
    );
    assert!(folder.path().join("redial.toml").exists());
}

#[test]
fn what_is_missing_or_in_the_way_is_said_before_anything_is_written() {
    let world = World::start();
    let folder = tempfile::tempdir().expect("a folder");
    let sid = ["--account-sid", ACCOUNT_SID];
    let cases: [(&[&str], &str, &str); 5] = [
        (&[], "", "--account-sid"),
        (&sid, "", "TWILIO_AUTH_TOKEN"),
        (&["--account-sid", "SK1"], "x\n", "SID of an API key"),
        (&["--from", "0123"], "x\n", "--from is `0123`"),
        (&["--base-url", "calls.example.com"], "x\n", "BASE_URL"),
    ];
    for (flags, input, said) in cases {
        let (code, _, log) = init(&world, folder.path(), flags, input);
        assert_eq!(code, Some(2), "{log}");
        assert!(log.contains(said), "{log}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
    let file = folder.path().join("redial.toml");
    std::fs::write(&file, "cps = 1\n").expect("written");
    let (code, _, log) = init(&world, folder.path(), &sid, "x\n");
    assert_eq!(code, Some(2), "{log}");
    assert!(log.contains("--force"), "{log}");
    assert_eq!(std::fs::read_to_string(&file).expect("read"), "cps = 1\n");
}

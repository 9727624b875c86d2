//! What each finding says and how bad it is, from the bottom of what may be measured or answered to the top.

use std::path::Path;
use std::time::Duration;

use carrier_twilio::{Account, Caller, Numbers, ProbeError};
use domain::Timestamp;

use super::address::Reached;
use super::signatures::Verdict;
use super::*;

fn check(finding: &Finding, level: Level, says: &str) {
    assert_eq!(finding.level, level, "{finding:?}");
    assert!(
        finding.says.contains(says),
        "{finding:?} says nothing of `{says}`"
    );
    let has_remedy = !finding.remedy.is_empty();
    assert!(
        has_remedy || level < Level::Warning,
        "nothing to do about {finding:?}"
    );
}

fn account(status: &str, is_trial: bool) -> Result<Account, ProbeError> {
    Ok(Account {
        name: "Ours".to_owned(),
        status: status.to_owned(),
        is_trial,
    })
}

#[test]
fn a_finding_is_a_line_and_its_remedy_stands_below() {
    let finding = Finding::warning("clock", "12 s behind the carrier's", "Set it.\nKeep it.");
    let lines = "warning  clock: 12 s behind the carrier's\n         -> Set it.\n            Keep it.";
    assert_eq!(finding.lines(), lines);
    assert_eq!(
        Finding::ok("keys", "one").json()["remedy"],
        serde_json::Value::Null
    );
}

#[test]
fn a_clock_is_judged_by_how_far_it_is_off() {
    let date = Some(Timestamp::from_millis(1_000_000));
    let judged =
        |now_ms: i64| clock::judge(date, now_ms - 50, now_ms + 50).expect("the carrier said its time");
    // The carrier's second began at 1 000 000: on average it was half over.
    check(&judged(1_000_500), Level::Ok, "agrees");
    check(&judged(1_001_900), Level::Ok, "agrees");
    check(&judged(1_004_500), Level::Ok, "4 s ahead");
    check(&judged(1_005_501), Level::Warning, "5 s ahead");
    check(&judged(970_500), Level::Warning, "30 s behind");
    check(&judged(970_499), Level::Problem, "nothing is dialled");
    check(&judged(1_120_500), Level::Problem, "120 s ahead");
    assert_eq!(clock::judge(None, 0, 0), None);
}

#[test]
fn a_disk_is_judged_by_its_room() {
    const MIB: u64 = 1024 * 1024;
    let judged = |free, whole| disk::judge_room(Path::new("/data"), &Ok((free, whole)));
    check(&judged(100 * MIB - 1, 500 * MIB), Level::Problem, "nearly full");
    check(
        &judged(100 * MIB, 500 * MIB),
        Level::Warning,
        "100 MiB of 500 MiB",
    );
    check(&judged(1023 * MIB, 2048 * MIB), Level::Warning, "filling up");
    check(
        &judged(2048 * MIB, 20_480 * MIB),
        Level::Ok,
        "2.0 GiB of 20.0 GiB",
    );
    check(&judged(2048 * MIB, 65_536 * MIB), Level::Warning, "filling up");
    let gone = std::io::Error::from(std::io::ErrorKind::NotFound);
    check(
        &disk::judge_room(Path::new("/data"), &Err(gone)),
        Level::Problem,
        "/data",
    );
}

#[test]
fn a_disk_is_judged_by_its_syncs() {
    let judged = |micros| disk::judge_sync(Path::new("/data"), &Ok(Duration::from_micros(micros)));
    check(&judged(310), Level::Ok, "0.31 ms");
    check(&judged(20_001), Level::Warning, "20.00 ms");
    let folder = tempfile::tempdir().expect("a folder");
    let measured = disk::sync_time(folder.path());
    assert!(measured.is_ok_and(|time| time < Duration::from_secs(5)));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    let nowhere = disk::sync_time(&folder.path().join("missing"));
    check(
        &disk::judge_sync(Path::new("/data"), &nowhere),
        Level::Problem,
        "nothing can be written",
    );
}

#[test]
fn an_account_is_judged_by_what_the_carrier_says() {
    let judged = |outcome| account::judge(&outcome, "https://api.example.com");
    let words = || "HTTP 401, 20003: Authenticate".to_owned();
    check(&judged(account("active", false))[0], Level::Ok, "active");
    check(
        &judged(account("suspended", false))[0],
        Level::Problem,
        "suspended",
    );
    check(&judged(account("closed", false))[0], Level::Problem, "closed");
    check(
        &judged(account("active", true))[1],
        Level::Warning,
        "verified numbers",
    );
    check(
        &judged(Err(ProbeError::Unknown(words())))[0],
        Level::Problem,
        "20003: Authenticate",
    );
    check(
        &judged(Err(ProbeError::Forbidden(words())))[0],
        Level::Problem,
        "forbids",
    );
    check(
        &judged(Err(ProbeError::NoSuchAccount(words())))[0],
        Level::Problem,
        "no such account",
    );
    check(
        &judged(Err(ProbeError::Unanswered(words())))[0],
        Level::Problem,
        "https://api.example.com",
    );
    check(&account::judge_key(&Ok(())), Level::Ok, "takes it");
    check(
        &account::judge_key(&Err(ProbeError::Unknown(words()))),
        Level::Problem,
        "20003",
    );
    check(
        &account::missing(None, false).expect("missing"),
        Level::Problem,
        "TWILIO_ACCOUNT_SID and",
    );
    check(
        &account::missing(Some("AC1"), false).expect("missing"),
        Level::Problem,
        "TWILIO_AUTH_TOKEN",
    );
    assert_eq!(account::missing(Some("AC1"), true), None);
}

#[test]
fn only_numbers_that_can_speak_are_named_for_from() {
    let number = |text: &str| text.parse().expect("a number");
    let judged = |callers| {
        numbers::judge(&Ok(Numbers {
            callers,
            is_cut: false,
        }))
    };
    let mute = || Caller::Mute(number("+15550002222"));
    check(&judged(vec![]), Level::Warning, "no number");
    check(&judged(vec![mute()]), Level::Warning, "+15550002222 cannot speak");
    let both = judged(vec![
        Caller::Rented(number("+15550001111")),
        mute(),
        Caller::Verified(number("+15551230100")),
    ]);
    check(
        &both,
        Level::Ok,
        "`from` may be +15550001111, +15551230100 (verified); not +15550002222",
    );
    let many = (0..25)
        .map(|n| Caller::Rented(number(&format!("+155500010{n:02}"))))
        .collect();
    check(&judged(many), Level::Ok, "+15550001019 and others");
    check(
        &numbers::judge(&Err(ProbeError::Forbidden("no".to_owned()))),
        Level::Warning,
        "cannot be listed",
    );
}

#[test]
fn an_address_is_judged_by_its_form_and_by_what_answers() {
    let form = address::judge_form;
    check(
        &form("https://calls.example.com", true),
        Level::Ok,
        "https://calls.example.com",
    );
    check(
        &form("http://calls.example.com", true),
        Level::Warning,
        "not encrypted",
    );
    check(
        &form("http://127.0.0.1:8080", false),
        Level::Warning,
        "this machine alone",
    );
    check(&form("http://127.0.0.1:8080", true), Level::Ok, "127.0.0.1");
    check(
        &form("https://my_calls.example.com/x", true),
        Level::Problem,
        "21609",
    );
    let reached = |what: &Reached, here| address::judge_reached("https://calls.example.com", what, here);
    check(&reached(&Reached::Ours, false), Level::Ok, "from this machine");
    check(
        &reached(&Reached::Elsewhere("https://x.example".to_owned()), true),
        Level::Problem,
        "https://x.example",
    );
    check(&reached(&Reached::Foreign(502), true), Level::Problem, "HTTP 502");
    let silent = Reached::Nothing("refused".to_owned());
    check(&reached(&silent, true), Level::Problem, "refused");
    check(&reached(&silent, false), Level::Skipped, "not looked at");
    check(
        &address::judge_server("http://[::1]:8080", &silent),
        Level::Warning,
        "none answers",
    );
    check(
        &address::judge_server("http://[::1]:8080", &Reached::Foreign(200)),
        Level::Problem,
        "another program",
    );
}

#[test]
fn a_server_that_listens_everywhere_is_asked_here() {
    let local = |listen: &str| address::local(listen.parse().expect("an address"));
    assert_eq!(local("0.0.0.0:8080"), "http://127.0.0.1:8080");
    assert_eq!(local("[::]:8080"), "http://[::1]:8080");
    assert_eq!(local("192.0.2.1:80"), "http://192.0.2.1:80");
}

#[test]
fn a_signature_is_judged_by_what_came_back() {
    let judged = |verdict| signatures::judge("https://calls.example.com", &verdict);
    check(&judged(Verdict::Believed), Level::Ok, "is believed");
    check(&judged(Verdict::Refused), Level::Problem, "does not believe");
    check(
        &judged(Verdict::Foreign("HTTP 502".to_owned())),
        Level::Problem,
        "HTTP 502",
    );
    let other = judged(Verdict::BelievedFor("http://127.0.0.1:8080".to_owned()));
    check(
        &other,
        Level::Problem,
        "only what is signed for http://127.0.0.1:8080",
    );
    let others = signatures::others("https://calls.example.com/redial", "http://127.0.0.1:8080");
    let expected = [
        "http://127.0.0.1:8080",
        "http://localhost:8080",
        "http://calls.example.com/redial",
        "https://calls.example.com",
    ];
    assert_eq!(others, expected);
}

#[test]
fn the_page_shows_a_disk_that_is_nearly_full() {
    const PAGE: &str = include_str!("../../../../docs/doctor.md");
    const MIB: u64 = 1024 * 1024;
    let folder = Path::new(".");
    let found = [
        disk::judge_sync(folder, &Ok(Duration::from_micros(310))),
        disk::judge_room(folder, &Ok((61 * MIB, 20_480 * MIB))),
    ];
    let said = found.map(|finding| finding.lines()).join("\n");
    let section = PAGE
        .split("## A disk that is nearly full")
        .nth(1)
        .expect("a section");
    let shown = section
        .split("```text\n")
        .nth(1)
        .and_then(|it| it.split("\n```").next());
    assert_eq!(shown, Some(said.as_str()));
}

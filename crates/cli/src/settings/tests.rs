//! Where values come from, and what a settings file may hold.

use clap::Command;

use super::*;

fn read(flags: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
    let command = with_flags(Command::new("test"));
    let matches = command.get_matches_from(std::iter::once(&"test").chain(flags));
    Settings::read(&matches, |name| {
        environment
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn every_default_belongs_to_a_setting_and_the_file_lists_every_setting() {
    let keys = parse(DEFAULTS).expect("well-formed");
    assert!(
        keys.keys()
            .all(|key| SETTINGS.iter().any(|setting| setting.key == key))
    );
    for setting in SETTINGS {
        let written = DEFAULTS.lines().any(|line| {
            line.trim_start_matches("# ")
                .starts_with(&format!("{} =", setting.key))
        });
        assert!(written, "{} is not in config.default.toml", setting.key);
    }
}

#[test]
fn a_flag_beats_the_environment_beats_the_file_beats_the_default() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.toml");
    std::fs::write(&file, "cps = 3\nburst = 4\nmax_live = 5\n").expect("written");
    let file = file.to_str().expect("a text");
    let settings = read(
        &["--config", file, "--cps", "7"],
        &[("REDIAL_CPS", "6"), ("REDIAL_BURST", "8")],
    )
    .expect("read");
    assert_eq!(
        (settings.get("cps"), settings.source("cps")),
        (Some("7"), &Source::Flag)
    );
    assert_eq!(
        (settings.get("burst"), settings.source("burst")),
        (Some("8"), &Source::Environment)
    );
    assert_eq!(
        (settings.get("max_live"), settings.source("max_live")),
        (Some("5"), &Source::File(file.into()))
    );
    assert_eq!(
        (settings.get("max_attempts"), settings.source("max_attempts")),
        (Some("3"), &Source::Default)
    );
}

#[test]
fn an_empty_variable_is_no_value() {
    let settings = read(&[], &[("REDIAL_CPS", "")]).expect("read");
    assert_eq!(settings.source("cps"), &Source::Default);
}

#[test]
fn an_unknown_key_in_a_file_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("some.toml");
    std::fs::write(&file, "max_atempts = 3\n").expect("written");
    let error = read(&["--config", file.to_str().expect("a text")], &[]).expect_err("refused");
    assert!(
        format!("{error:#}").contains("there is no setting `max_atempts`"),
        "{error:#}"
    );
}

#[test]
fn a_list_in_a_file_is_read_like_one_with_commas() {
    let parsed = parse("retry_delays = [\"2s\", 5]").expect("well-formed");
    assert_eq!(parsed["retry_delays"], "2s,5");
}

//! The file that is written: taken by the settings, read by its owner alone, never over another.

use std::os::unix::fs::PermissionsExt;

use clap::Command;

use super::*;
use crate::settings::with_flags;

fn answers(token: &str) -> Answers {
    Answers {
        sid: "AC00000000000000000000000000000001".to_owned(),
        token: SecretString::from(token),
        from: None,
        to: None,
    }
}

fn read(path: &Path) -> Config {
    let flags = with_flags(Command::new("test")).get_matches_from([
        "test".as_ref(),
        "--config".as_ref(),
        path.as_os_str(),
    ]);
    let settings = Settings::read(&flags, |_| None).expect("a settings file");
    Config::read(&settings).expect("settings that make sense")
}

#[test]
fn what_is_written_is_what_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, token) in ["0123abcd", "quote\"back\\slash", "ünïcode#[x]"]
        .into_iter()
        .enumerate()
    {
        let path = folder.path().join(format!("{number}.toml"));
        let text = written(
            &answers(token),
            "key",
            Some("http://127.0.0.1:1"),
            Some("https://calls.example.com"),
        );
        write(&path, &text, false).expect("written");
        let config = read(&path);
        assert_eq!(
            config.account.sid.as_deref(),
            Some("AC00000000000000000000000000000001")
        );
        assert_eq!(config.account.api_base, "http://127.0.0.1:1");
        assert_eq!(config.base_url.as_deref(), Some("https://calls.example.com"));
        assert_eq!(
            (config.account.tokens.len(), config.api_keys.len()),
            (1, 1),
            "{token}"
        );
    }
    let path = folder.path().join("least.toml");
    write(&path, &written(&answers("token"), "key", None, None), false).expect("written");
    assert_eq!(read(&path).base_url, None);
}

#[test]
fn the_file_is_its_owners_alone_and_none_is_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("redial.toml");
    std::fs::write(&path, "older").expect("written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("opened");
    let refused = write(&path, "newer", false).expect_err("refused");
    assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "older");
    write(&path, "newer", true).expect("replaced");
    assert_eq!(std::fs::read_to_string(&path).expect("read"), "newer");
    let mode = std::fs::metadata(&path).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing is left beside it"
    );
}

//! That every code is explained, and that causes are told once.

use engine::{EngineError, StoreError};

use super::{ApiError, Code};

const PAGE: &str = include_str!("../../../../docs/errors.md");

#[test]
fn every_code_has_a_section_and_every_section_a_code() {
    let sections = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("## `")?.strip_suffix('`'));
    let mut explained: Vec<&str> = sections.collect();
    let mut codes: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    explained.sort_unstable();
    codes.sort_unstable();
    assert_eq!(explained, codes);
}

#[test]
fn the_status_of_every_code_stands_in_its_section() {
    for code in Code::ALL {
        let heading = format!("## `{}`\n", code.word());
        let (_, after) = PAGE
            .split_once(&heading)
            .unwrap_or_else(|| panic!("no section `{}`", code.word()));
        let status = format!("Status {}.", code.status().as_u16());
        assert!(
            after.trim_start().starts_with(&status),
            "`{}` has {status}",
            code.word()
        );
    }
}

#[test]
fn the_chain_of_causes_is_told_once_and_only_to_the_log() {
    let cause: Box<dyn std::error::Error + Send + Sync> = "no space left".into();
    let error = ApiError::from(EngineError::Store(StoreError::Full(cause)));
    assert_eq!(error.causes().as_deref(), Some("the disk is full: no space left"));
    assert!(!error.message.contains("no space left"));
    assert_eq!(ApiError::new(Code::NotLocal, "").causes(), None);
}

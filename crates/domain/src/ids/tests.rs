//! Forms of ids, in and out.

use super::*;

#[test]
fn a_call_id_reads_back_from_its_text_and_its_bytes() {
    let id = CallId::new(Timestamp::from_millis(1_795_000_000_123), [7; 10]);
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(CallId::from_bytes(*id.as_bytes()), id);
}

#[test]
fn later_calls_have_greater_ids() {
    let earlier = CallId::new(Timestamp::from_millis(1_000), [255; 10]);
    let later = CallId::new(Timestamp::from_millis(1_001), [0; 10]);
    assert!(earlier < later && earlier.to_string() < later.to_string());
}

#[test]
fn other_texts_are_no_call_ids() {
    for text in [
        "",
        "7",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163D-8694-739B-AEA5-966C26F8AD90",
        "{0190163d-8694-739b-aea5-966c26f8ad90}",
    ] {
        assert_eq!(text.parse::<CallId>(), Err(NotACallId), "{text}");
    }
}

#[test]
fn sids_and_users_are_bounded_and_clean() {
    assert!(Sid::new("CA0123").is_some());
    assert!(Sid::new("").is_none() && Sid::new("a b").is_none() && Sid::new(&"x".repeat(129)).is_none());
    assert!(UserId::new("Zoë 7").is_some());
    assert!(
        UserId::new("").is_none() && UserId::new("a\nb").is_none() && UserId::new(&"x".repeat(256)).is_none()
    );
}

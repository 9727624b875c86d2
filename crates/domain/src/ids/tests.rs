//! Forms of ids, in and out.

use proptest::prelude::*;

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
        "656e6f7a1f2c3d4e5f60718",
        "656e6f7a1f2c3d4e5f60718X",
        "656E6F7A1F2C3D4E5F607182",
        "656e6f7a1f2c3d4e5f6071822",
        "+56e6f7a1f2c3d4e5f607182",
        // The one below as a UUID: it has another spelling already.
        "656e6f7a-1f2c-83d4-b97d-81c608000000",
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

#[test]
fn an_object_id_is_written_as_its_24_digits() {
    let text = "656e6f7a1f2c3d4e5f607182";
    let id: CallId = text.parse().expect("an ObjectId");
    assert_eq!(
        (id.to_string().as_str(), format!("{id:?}").as_str()),
        (text, text)
    );
    let uuid = Uuid::from_bytes(*id.as_bytes());
    assert_eq!(uuid.get_version_num(), 8);
    assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    assert_eq!(uuid.to_string(), "656e6f7a-1f2c-83d4-b97d-81c608000000");
}

#[test]
fn a_uuid_of_version_8_that_carries_no_object_id_stays_a_uuid() {
    let text = "656e6f7a-1f2c-83d4-b97d-81c608000001";
    let id: CallId = text.parse().expect("a UUID");
    assert_eq!((id.object_id(), id.to_string().as_str()), (None, text));
}

proptest! {
    #[test]
    fn an_object_id_comes_back_from_text_and_bytes(bytes: [u8; 12]) {
        let id = CallId::from_object_id(bytes);
        prop_assert_eq!(id.object_id(), Some(bytes));
        prop_assert_eq!(CallId::from_bytes(*id.as_bytes()), id);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert!(Uuid::from_bytes(*id.as_bytes()).to_string().parse::<CallId>().is_err());
    }

    #[test]
    fn an_object_id_is_never_the_id_of_a_call_of_ours(millis in 0..1i64 << 48, chance: [u8; 10], bytes: [u8; 12]) {
        let own = CallId::new(Timestamp::from_millis(millis), chance);
        prop_assert_eq!(own.object_id(), None);
        prop_assert_ne!(own, CallId::from_object_id(bytes));
    }

    #[test]
    fn object_ids_sort_as_their_bytes_do(one: [u8; 12], other: [u8; 12]) {
        let (a, b) = (CallId::from_object_id(one), CallId::from_object_id(other));
        prop_assert_eq!(a.cmp(&b), one.cmp(&other));
        prop_assert_eq!(a.to_string().cmp(&b.to_string()), one.cmp(&other));
    }

    #[test]
    fn texts_of_any_kind_read_back_as_they_were(bytes: [u8; 16]) {
        let id = CallId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }
}

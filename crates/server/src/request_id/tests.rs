//! Which ids are taken from a client.

use domain::Timestamp;
use http::{HeaderMap, HeaderValue};

use super::{HEADER, Ids};

fn check(given: &[u8], taken: bool) {
    let ids = Ids::starting(Timestamp::from_millis(255));
    let mut headers = HeaderMap::new();
    headers.insert(HEADER, HeaderValue::from_bytes(given).expect("a header value"));
    let id = ids.of(&headers);
    assert_eq!(id.header().as_bytes() == given, taken, "{given:?} became {id}");
}

#[test]
fn a_sane_id_is_kept_and_any_other_replaced() {
    check(b"a", true);
    check(b"0191-abc_DEF.7:9", true);
    check(&[b'x'; 128], true);
    check(b"", false);
    check(&[b'x'; 129], false);
    check(b"two words", false);
    check(b"a\"b", false);
    check("ü".as_bytes(), false);
}

#[test]
fn ids_of_ours_differ() {
    let ids = Ids::starting(Timestamp::from_millis(255));
    let none = HeaderMap::new();
    assert_eq!(ids.of(&none).as_str(), "ff-1");
    assert_eq!(ids.of(&none).as_str(), "ff-2");
}

//! URLs taken apart, and the wishes in their fragments.

use super::*;

#[test]
fn a_url_is_taken_apart_without_changing_it() {
    let target = Target::parse("http://u:p@Host.test:8080/a%20b?x=1#rc=2").expect("valid");
    assert_eq!(target.userinfo, Some("u:p"));
    assert_eq!((target.host, target.port), ("Host.test", Some(8_080)));
    assert_eq!(target.request_target(), "/a%20b?x=1");
    assert_eq!(target.fragment, Some("rc=2"));
    let bare = Target::parse("http://[::1]:81?x").expect("valid");
    assert_eq!(
        (bare.host, bare.port, bare.request_target().as_str()),
        ("[::1]", Some(81), "/?x")
    );
}

#[test]
fn what_the_vendor_refuses_is_refused() {
    let long = format!("http://host.test/{}", "a".repeat(LONGEST_URL));
    for url in [
        "",
        "host.test/x",
        "ftp://host.test",
        "http://",
        "http://ho_st.test",
        "http://h.test/a b",
        "http://h:x/",
        &long,
    ] {
        assert_eq!(Target::parse(url), None, "{url}");
    }
}

#[test]
fn a_reference_is_found_from_its_document() {
    let target = Target::parse("http://h.test:81/a/b?x=1#rc=1").expect("valid");
    assert_eq!(target.join("http://other.test/z"), "http://other.test/z");
    assert_eq!(target.join("/z?y=2"), "http://h.test:81/z?y=2");
    assert_eq!(target.join("z"), "http://h.test:81/a/z");
    assert_eq!(target.join(""), "http://h.test:81/a/b?x=1");
}

#[test]
fn a_fragment_says_how_patiently_to_ask() {
    let asked = Patience::of(Some("rc=3&rp=5xx,ct,rt&ct=2000&rt=4000"));
    assert_eq!(asked.repeats, 3);
    assert_eq!(
        (asked.connect, asked.read),
        (Duration::from_secs(2), Duration::from_secs(4))
    );
    assert_eq!(
        (asked.on_4xx, asked.on_5xx, asked.on_connect, asked.on_read),
        (false, true, true, true)
    );
    let all = Patience::of(Some("rp=all"));
    assert!(all.on_4xx && all.on_5xx && all.on_connect && all.on_read);
}

#[test]
fn nonsense_in_a_fragment_changes_nothing() {
    for fragment in [
        None,
        Some(""),
        Some("rc=9&ct=5&rt=x&tt=99999&rp=sometimes"),
        Some("anchor"),
    ] {
        assert_eq!(Patience::of(fragment), Patience::default(), "{fragment:?}");
    }
}

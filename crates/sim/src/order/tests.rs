//! Orders that are refused, and with which code.

use super::*;

/// A valid order with one parameter given another value; an empty value counts as absent.
fn check(changes: &[(&str, &str)], code: Option<u32>) {
    let mut pairs = vec![
        ("To", "+15551230100"),
        ("From", "+15557770001"),
        ("Url", "http://h.test/v"),
    ];
    pairs.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
    pairs.extend(changes);
    let refused = Order::read(&pairs.iter().copied().collect())
        .err()
        .map(|problem| problem.code);
    assert_eq!(refused, code, "{changes:?}");
}

#[test]
fn a_valid_order_is_taken() {
    check(&[], None);
    check(
        &[
            ("Timeout", "600"),
            ("TimeLimit", "60"),
            ("Method", "get"),
            ("Unheard", "of"),
        ],
        None,
    );
    check(&[("Url", ""), ("Twiml", "<Response/>")], None);
}

#[test]
fn each_mistake_has_the_vendors_code() {
    check(&[("To", "")], Some(21_201));
    check(&[("From", "")], Some(21_213));
    check(&[("To", "5551230100")], Some(21_211));
    check(&[("To", "+05551230100")], Some(21_211));
    check(&[("To", "+15557770001")], Some(21_211));
    check(&[("From", "+1555")], Some(21_212));
    check(&[("Url", "")], Some(21_205));
    check(&[("Url", "not a url")], Some(21_205));
    check(&[("StatusCallback", "http://under_score.test/")], Some(21_609));
    check(&[("Method", "PUT")], Some(21_209));
    check(&[("Timeout", "601")], Some(21_208));
    check(&[("Timeout", "soon")], Some(21_208));
    check(&[("ApplicationSid", "AP1")], Some(21_218));
    check(&[("MachineDetection", "Maybe")], Some(21_234));
    let long = "x".repeat(LONGEST_TWIML + 1);
    check(&[("Url", ""), ("Twiml", &long)], Some(INVALID_PARAMETER));
}

#[test]
fn the_reserved_numbers_answer_as_documented() {
    check(&[("From", "+15005550001")], Some(21_212));
    check(&[("To", "+15005550001")], Some(21_217));
    check(&[("To", "+15005550002")], Some(21_214));
    check(&[("To", "+15005550003")], Some(21_215));
    check(&[("To", "+15005550004")], Some(21_216));
    check(&[("From", "+15005550006")], None);
}

//! Vectors that the vendor publishes with its libraries and documents.

use super::*;

const PARAMS: [(&str, &str); 5] = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Caller", "+14158675309"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
];

fn check(url: &str, params: &[(&str, &str)], signature: &str) {
    assert_eq!(sign("12345", url, params), signature, "{url} with {params:?}");
}

#[test]
fn the_published_vectors_come_out() {
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    check(url, &PARAMS, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    check(url, &[], "zYQTYrRWXE7LtzbG4PfP7/bkkGo=");
    check(
        "https://mycompany.com/myapp.php",
        &PARAMS,
        "1xaxFBvyzXYvWplzNOSs28HWO94=",
    );
    check(
        "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
        &PARAMS,
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=",
    );
    check(
        "https://MyCompany.com/myapp.php?foo=1&bar=2",
        &PARAMS,
        "g9IN/x4Cft2g517EjYvEvM/W7LU=",
    );
    let encoded = "https://mycompany.com/myapp.php?foo=hello%20world&bar=test%2Bvalue";
    check(encoded, &PARAMS, "er2tvAP1Wx+iuTTE2BPgvEaN1cs=");
    let empty = [
        ("Digits", ""),
        ("CallSid", "CA1234567890ABCDE"),
        ("EmptyParam", ""),
    ];
    check(url, &empty, "9HHp/OqQMEwdrVebHDdA/+tqjX8=");
    let cases = [
        ("callSid", "lowercase"),
        ("CallSid", "uppercase"),
        ("CALLSID", "allcaps"),
    ];
    check(url, &cases, "jDK7WKT8wiNrwggd4ceTv4e1MJ4=");
    let doubled = [
        ("Sid", "CA123"),
        ("SidAccount", "AC123"),
        ("Digits", "5678"),
        ("Digits", "1234"),
        ("Digits", "1234"),
    ];
    check(url, &doubled, "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

#[test]
fn fragment_user_and_the_port_of_https_are_not_signed() {
    let signature = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    check(
        "https://mycompany.com:8443/myapp.php?foo=1&bar=2#rc=3&rp=5xx,ct,rt",
        &PARAMS,
        signature,
    );
    check(
        "https://user:pass@mycompany.com/myapp.php?foo=1&bar=2",
        &PARAMS,
        signature,
    );
}

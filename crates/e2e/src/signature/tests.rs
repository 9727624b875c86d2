//! The worked examples that the carrier publishes.

use super::sign;

#[test]
fn the_published_examples_come_out() {
    let params = [
        ("Digits", "1234"),
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("From", "+14158675309"),
    ];
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    assert_eq!(sign("12345", url, &params), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    assert_eq!(
        sign(
            "12345",
            "http://mycompany.com:1234/myapp.php?foo=1&bar=2",
            &params
        ),
        "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="
    );
}

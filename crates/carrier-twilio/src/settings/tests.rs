//! Settings that work, and the words for those that do not.

use super::*;

fn good() -> Settings {
    Settings {
        account_sid: format!("AC{}", "0".repeat(32)),
        auth_tokens: vec![SecretString::from("secret-token")],
        api_key: None,
        api_address: "https://api.twilio.com".to_owned(),
        public_address: "https://calls.example.com".to_owned(),
        inline_only: false,
        verbs: vec!["Say".to_owned()],
    }
}

fn check_fault(change: impl FnOnce(&mut Settings), setting: &str) {
    let mut settings = good();
    change(&mut settings);
    let fault = check(settings).expect_err(setting);
    assert_eq!(fault.setting, setting, "{fault}");
    assert!(!fault.to_string().contains("secret-token"));
}

#[test]
fn each_fault_names_the_setting() {
    check_fault(|it| it.account_sid.clear(), "TWILIO_ACCOUNT_SID");
    check_fault(|it| it.account_sid = "AC/../x".to_owned(), "TWILIO_ACCOUNT_SID");
    check_fault(|it| it.auth_tokens.clear(), "TWILIO_AUTH_TOKEN");
    check_fault(
        |it| it.auth_tokens.push(SecretString::from("")),
        "TWILIO_AUTH_TOKEN",
    );
    let key = |sid: &str, secret: &str| {
        Some(ApiKey {
            sid: sid.to_owned(),
            secret: SecretString::from(secret),
        })
    };
    check_fault(|it| it.api_key = key("", "x"), "TWILIO_API_KEY");
    check_fault(|it| it.api_key = key("SK:1", "x"), "TWILIO_API_KEY");
    check_fault(|it| it.api_key = key("SK1", ""), "TWILIO_API_SECRET");
    for bad in [
        "",
        "api.twilio.com",
        "ftp://x",
        "https://",
        "https://a b",
        "https://x.example?y",
    ] {
        check_fault(|it| it.api_address = bad.to_owned(), "TWILIO_API_BASE");
    }
    for bad in [
        "",
        "calls.example.com",
        "https://x.example/?y=1",
        "https://x.example/#rc=1",
        "/path",
    ] {
        check_fault(|it| it.public_address = bad.to_owned(), "BASE_URL");
    }
}

#[test]
fn secrets_do_not_show() {
    assert!(!format!("{:?}", good()).contains("secret-token"));
}

#[test]
fn slashes_at_the_end_of_an_address_do_not_count() {
    let mut settings = good();
    settings.public_address.push_str("/base//");
    settings.api_address.push('/');
    let checked = check(settings).expect("good settings");
    assert_eq!(checked.settings.public_address, "https://calls.example.com/base");
    assert_eq!(checked.settings.api_address, "https://api.twilio.com");
}

#[test]
fn nobody_is_asked_to_call_an_address_that_only_this_machine_can_reach() {
    for (public, api, calls_back) in [
        ("https://calls.example.com", "https://api.twilio.com", true),
        ("http://127.0.0.1:8080", "https://api.twilio.com", false),
        ("http://127.8.0.1", "https://api.twilio.com", false),
        ("http://localhost:8080", "https://api.twilio.com", false),
        ("http://LOCALHOST.", "https://api.twilio.com", false),
        ("http://a.localhost", "https://api.twilio.com", false),
        ("http://[::1]:8080", "https://api.twilio.com", false),
        ("http://[::ffff:127.0.0.1]:8080", "https://api.twilio.com", false),
        ("http://0.0.0.0:8080", "https://api.twilio.com", false),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081", true),
        ("http://localhost:8080", "http://[::1]:8081", true),
        ("https://localhost.example.com", "https://api.twilio.com", true),
        ("http://10.0.0.1", "https://api.twilio.com", true),
    ] {
        let settings = Settings {
            public_address: public.to_owned(),
            api_address: api.to_owned(),
            ..good()
        };
        assert_eq!(
            check(settings).expect("good settings").calls_back,
            calls_back,
            "{public} {api}"
        );
    }
    let settings = Settings {
        inline_only: true,
        ..good()
    };
    assert!(!check(settings).expect("good settings").calls_back);
}

//! What settings mean, and how a wrong one is named.

use super::*;

fn fault(key: &'static str, value: &str) -> String {
    let error = Config::read(&Settings::defaults().with(key, value)).expect_err(value);
    format!("{error:#}")
}

#[test]
fn the_defaults_are_those_that_are_promised() {
    let config = Config::read(&Settings::defaults()).expect("the defaults make sense");
    assert_eq!(config.policy.max_attempts, 3);
    assert_eq!(
        config.policy.retry_delays,
        [120, 300, 600].map(Duration::from_secs)
    );
    assert_eq!(config.policy.ring_timeout, Duration::from_secs(60));
    assert_eq!(config.policy.time_limit, Duration::from_secs(4 * 3_600));
    assert_eq!(config.policy.give_up_after, Duration::from_secs(86_400));
    assert_eq!(
        (config.rules.settle_after, config.rules.silence_after),
        (Duration::from_secs(120), Duration::from_secs(120))
    );
    assert_eq!(
        (config.rate.per_second, config.rate.burst, config.max_live),
        (1.0, 10, None)
    );
    assert!(config.script_is_default && config.base_url.is_none() && config.api_keys.is_empty());
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
}

#[test]
fn a_wrong_value_is_named_with_its_setting_and_its_source() {
    let wrong = [
        ("cps", "0"),
        ("cps", "fast"),
        ("burst", "0"),
        ("max_live", "-1"),
        ("retry_delays", ""),
        ("retry_delays", "2x"),
        ("retry_on", "completed"),
        ("max_attempts", "21"),
        ("ring_timeout", "4s"),
        ("time_limit", "5h"),
        ("ring_timeout", "5500ms"),
        ("on_unconfirmed", "redial"),
        ("settle_after", "0"),
        ("listen", "8080"),
        ("database_url", "mysql://x"),
        ("database_url", "sqlite::memory:"),
    ];
    for (key, value) in wrong {
        let said = fault(key, value);
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.key == key)
            .expect("a setting");
        assert!(
            said.contains(setting.environment) && said.contains("from flag"),
            "{said}"
        );
    }
}

#[test]
fn half_an_api_key_is_refused() {
    assert!(fault("twilio_api_key", "SK1").contains("TWILIO_API_SECRET is missing"));
    assert!(fault("twilio_api_secret", "x").contains("TWILIO_API_KEY is missing"));
}

#[test]
fn lists_are_read_with_commas_and_spaces() {
    let settings = Settings::defaults()
        .with("api_keys", "one, two,three ")
        .with("retry_on", "busy no-answer");
    let config = Config::read(&settings).expect("makes sense");
    assert_eq!(config.api_keys.len(), 3);
    assert_eq!(
        config.policy.retry_on,
        RetryOn {
            busy: true,
            no_answer: true,
            failed: false
        }
    );
}

//! Every place at which a stranger's bytes come in.

mod callbacks;
mod documents;
mod exports;

use carrier_twilio::{Settings, Twilio};
use proptest::prelude::*;
use secrecy::SecretString;

/// What requests of the carrier are signed with.
const TOKEN: &str = "an-invented-token";
/// The address that they are signed for.
const ADDRESS: &str = "https://calls.example.com";

/// As many cases as a second or two allow; `PROPTEST_CASES` asks for more.
fn many() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: default.cases.max(2_000),
        failure_persistence: None,
        ..default
    }
}

/// Anything at all.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..60)
}

/// The client of a carrier that is never reached.
fn twilio(inline_only: bool) -> Twilio {
    let settings = Settings {
        account_sid: e2e::ACCOUNT_SID.to_owned(),
        auth_tokens: vec![SecretString::from(TOKEN)],
        api_key: None,
        api_address: "http://127.0.0.1:9".to_owned(),
        public_address: ADDRESS.to_owned(),
        inline_only,
        verbs: ["Say", "Pause", "Hangup"].map(String::from).to_vec(),
    };
    Twilio::new(settings).expect("settings that work")
}

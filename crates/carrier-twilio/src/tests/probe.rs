//! Questions about the account: what goes out, and what each answer means.

use super::*;

const ACCOUNT: &str =
    r#"{"sid":"AC1","friendly_name":"Ours","status":"active","type":"Trial","auth_token":"current"}"#;

#[tokio::test]
async fn the_account_is_read_as_it_is_described() {
    let (twilio, play) = carrier([answer(200, ACCOUNT)]);
    let reply = twilio.account_standing().await;
    let account = reply.outcome.expect("read");
    assert_eq!(
        (account.name.as_str(), account.status.as_str()),
        ("Ours", "active")
    );
    assert!(account.is_trial && reply.date.is_some());
    let sent = play.sent.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!(sent[0].method(), Method::GET);
    assert_eq!(sent[0].uri(), "/laml/2010-04-01/Accounts/AC1.json");
}

#[tokio::test]
async fn each_refusal_is_told_apart() {
    let said = |status: u16| format!("HTTP {status}, 20003: Words");
    let cases = [
        (401, ProbeError::Unknown(said(401))),
        (403, ProbeError::Forbidden(said(403))),
        (404, ProbeError::NoSuchAccount(said(404))),
        (500, ProbeError::Unanswered(said(500))),
    ];
    for (status, meant) in cases {
        let (twilio, _) = carrier([denial(status, 20_003), denial(status, 20_003)]);
        assert_eq!(twilio.account_standing().await.outcome, Err(meant.clone()));
        assert_eq!(twilio.sign_in().await.outcome, Err(meant));
    }
}

#[tokio::test]
async fn what_stands_in_front_of_the_carrier_proves_nothing_about_the_account() {
    let foreign = [
        answer(401, "<html>Sign in to the hotel's network</html>"),
        answer(200, "<html>Welcome</html>"),
        Scripted::Unreachable,
        Scripted::Cut,
    ];
    for scripted in foreign {
        let (twilio, _) = carrier([scripted]);
        let outcome = twilio.account_standing().await.outcome;
        assert!(matches!(outcome, Err(ProbeError::Unanswered(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn numbers_that_cannot_speak_are_no_callers() {
    let rented = r#"{"next_page_uri":null,"incoming_phone_numbers":[
        {"phone_number":"+15550001111","capabilities":{"voice":true,"sms":true}},
        {"phone_number":"+15550002222","capabilities":{"voice":false,"sms":true}},
        {"phone_number":"12345","capabilities":{"voice":true}}]}"#;
    let verified = r#"{"next_page_uri":"/more","outgoing_caller_ids":[{"phone_number":"+15551230100"}]}"#;
    let (twilio, play) = carrier([answer(200, rented), answer(200, verified)]);
    let numbers = twilio.numbers().await.expect("read");
    let usable: Vec<&str> = numbers
        .callers
        .iter()
        .filter_map(Caller::usable)
        .map(Phone::reveal)
        .collect();
    assert_eq!(usable, ["+15550001111", "+15551230100"]);
    assert!(numbers.is_cut, "the second list goes on");
    let sent = play.sent.lock().unwrap_or_else(PoisonError::into_inner);
    let path = |at: usize| sent[at].uri().path().to_owned();
    assert_eq!(path(0), "/laml/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json");
    assert_eq!(path(1), "/laml/2010-04-01/Accounts/AC1/OutgoingCallerIds.json");
}

//! `/twilio/voice`: what the called person hears, and who else may ask.

use e2e::{Answer, Call, World};
use serde_json::{Value, json};

/// A world in which one call rings for twenty seconds of real time.
fn ringing(more: Value) -> (World, Call) {
    let world = World::builder()
        .speed(1)
        .env("REDIAL_MESSAGE", "The default words.")
        .start();
    let call = world.ask("+15550000108", more);
    (world, call)
}

/// Asks as the carrier would for attempt `number` of the call.
fn ask(world: &World, call: &Call, number: u64) -> Answer {
    let record = world.record(call);
    let sid = record["attempts"][0]["twilio_sid"]
        .as_str()
        .expect("placed")
        .to_owned();
    let query = format!("call={}&attempt={number}", call.call_id);
    let params = [
        ("CallSid", sid.as_str()),
        ("CallStatus", "in-progress"),
        ("AnsweredBy", "human"),
    ];
    let answer = world.voice(&query, &params);
    assert!(answer.content_type.starts_with("text/xml"), "{answer:?}");
    answer
}

#[test]
fn the_call_s_own_message_is_spoken_word_for_word_and_twice_the_same() {
    let more = json!({"message": "Bread & <butter> \"now\"", "language": "en-GB", "voice": "Polly.Amy"});
    let (world, call) = ringing(more);
    let first = ask(&world, &call, 1);
    assert_eq!(first.status, 200, "{first:?}");
    assert!(first.text.contains("Bread &amp; &lt;butter"), "{first:?}");
    assert!(
        first.text.contains("en-GB") && first.text.contains("Polly.Amy"),
        "{first:?}"
    );
    assert!(
        first.text.contains("<Response>") && first.text.contains("<Say"),
        "{first:?}"
    );
    assert_eq!(ask(&world, &call, 1).text, first.text);
}

#[test]
fn a_call_that_brings_nothing_speaks_the_default() {
    let (world, call) = ringing(json!({}));
    assert!(ask(&world, &call, 1).text.contains("The default words."));
}

#[test]
fn a_call_s_own_document_is_given_out() {
    let (world, call) =
        ringing(json!({"twiml": "<Response><Play>https://example.com/a.mp3</Play></Response>"}));
    assert!(
        ask(&world, &call, 1)
            .text
            .contains("<Play>https://example.com/a.mp3</Play>")
    );
}

#[test]
fn a_document_elsewhere_is_reached_by_redirect() {
    let (world, call) = ringing(json!({"url": "https://example.com/voice?a=1&b=2"}));
    let answer = ask(&world, &call, 1);
    assert!(
        answer
            .text
            .contains("<Redirect method=\"POST\">https://example.com/voice?a=1&amp;b=2</Redirect>"),
        "{answer:?}"
    );
}

#[test]
fn any_other_attempt_is_hung_up() {
    let (world, call) = ringing(json!({}));
    for number in [0, 2, 99] {
        let answer = ask(&world, &call, number);
        assert!(
            answer.text.contains("<Hangup/>") && !answer.text.contains("<Say"),
            "{number}: {answer:?}"
        );
    }
    let stranger = Call {
        user_id: call.user_id.clone(),
        call_id: "01890000-0000-7000-8000-000000000000".to_owned(),
    };
    let answer = world.voice(
        &format!("call={}&attempt=1", stranger.call_id),
        &[("CallSid", "CA1")],
    );
    assert!(answer.text.contains("<Hangup/>"), "{answer:?}");
}

#[test]
fn whoever_cannot_sign_hears_nothing() {
    let (world, call) = ringing(json!({"message": "A secret."}));
    let path = format!("/twilio/voice?call={}&attempt=1", call.call_id);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let answer = world.send_as_is("POST", &path, &[form], b"CallSid=CA1");
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.content_type.starts_with("text/xml"), "{answer:?}");
    assert!(
        answer.text.contains("<Response><Hangup/></Response>"),
        "{answer:?}"
    );
}

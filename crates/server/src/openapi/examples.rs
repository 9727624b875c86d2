//! What requests and answers look like when all goes well: a story about one call. The linter holds
//! each against its shape, so none can go out of date unseen.

use serde_json::{Value, json};

const CALL: &str = "019aab2f-3c00-7000-8000-000000000001";
const SID: &str = "CA00000000000000000000000000000001";

/// Puts an example to everything that an operation takes and answers.
pub(super) fn complete(operation: &mut Value) {
    let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let (asked, answers) = of(&id);
    if let Some(asked) = asked {
        show(&mut operation["requestBody"], &asked);
    }
    for (status, answer) in answers {
        show(&mut operation["responses"][status], &answer);
    }
}

fn show(side: &mut Value, example: &Value) {
    for (_, content) in side["content"].as_object_mut().into_iter().flatten() {
        content["example"] = example.clone();
    }
}

/// What an operation is asked, and its answers that are no errors.
fn of(operation: &str) -> (Option<Value>, Vec<(&'static str, Value)>) {
    let answers = |answer: Value| vec![("200", answer)];
    match operation {
        "createCall" => (
            Some(json!({
                "to": "+15551230104", "from": "+15550001111", "user_id": "ada", "message": "Your taxi is here.",
                "max_attempts": 5, "retry_delays": ["30s", "2m"], "metadata": {"order": 4711},
            })),
            vec![("200", placed()), ("202", waiting())],
        ),
        "listCalls" => (None, answers(page())),
        "getCall" => (None, answers(record())),
        "cancelCall" => (None, answers(canceled())),
        "pauseDialing" => (
            None,
            answers(json!({"paused": true, "paused_at": "2026-11-22T10:00:00.000Z", "live": 2})),
        ),
        "resumeDialing" => (
            None,
            answers(json!({"paused": false, "paused_at": null, "live": 2})),
        ),
        "getHealth" => (None, answers(json!({"status": "ok"}))),
        "getReadiness" => (None, readiness()),
        "takeStatus" => (
            Some(json!({"CallSid": SID, "CallStatus": "ringing", "SequenceNumber": "1"})),
            answers(json!({"status": "ok"})),
        ),
        "tellVoice" => (
            Some(json!({"CallSid": SID, "CallStatus": "in-progress"})),
            answers(json!("<Response><Say>Your taxi is here.</Say></Response>")),
        ),
        "tellVoiceByGet" => (
            None,
            answers(json!("<Response><Say>Your taxi is here.</Say></Response>")),
        ),
        "getMetrics" => (
            None,
            answers(json!(
                "# TYPE redial_calls_accepted counter\nredial_calls_accepted_total 1\n# EOF\n"
            )),
        ),
        "getOpenapi" => (
            None,
            answers(
                json!({"openapi": "3.1.0", "info": {"title": "redial", "version": "0.1.0"}, "paths": {}}),
            ),
        ),
        _ => (None, Vec::new()),
    }
}

fn placed() -> Value {
    json!({
        "call_id": CALL, "user_id": "ada", "twilio_sid": SID, "status": "initiated", "attempt_count": 1,
        "to": "+15551230104", "from": "+15550001111",
    })
}

fn waiting() -> Value {
    json!({
        "call_id": CALL, "user_id": "ada", "twilio_sid": null, "status": "queued", "attempt_count": 0,
        "to": "+15551230104", "from": "+15550001111",
        "waiting_for": {
            "reason": "pace", "since": "2026-11-22T10:00:00.000Z", "until": "2026-11-22T10:00:01.000Z",
            "message": "as many calls are dialled as the pace allows",
        },
    })
}

/// Busy, and due again in two minutes.
fn record() -> Value {
    json!({
        "call_id": CALL, "user_id": "ada", "to": "+15551230104", "from": "+15550001111", "status": "busy",
        "attempt_count": 1, "max_attempts": 5, "should_retry": true, "next_retry_at": "2026-11-22T10:00:34.000Z",
        "attempts": [{
            "attempt_number": 1, "twilio_sid": SID, "status": "busy", "timestamp": "2026-11-22T10:00:00.020Z",
            "ended_at": "2026-11-22T10:00:04.000Z", "duration_seconds": 0, "answered_by": null,
            "sip_response_code": 486, "error_code": null,
            "events": [{
                "word": "busy", "sequence": 2, "at": "2026-11-22T10:00:04.000Z",
                "received_at": "2026-11-22T10:00:04.050Z",
            }],
        }],
        "created_at": "2026-11-22T10:00:00.000Z", "updated_at": "2026-11-22T10:00:04.050Z",
        "cancel_requested_at": null,
        "waiting_for": {
            "reason": "retry", "since": "2026-11-22T10:00:04.050Z", "until": "2026-11-22T10:00:34.000Z",
            "message": "attempt 1 ended busy; the next is due then",
        },
        "events": [
            {"at": "2026-11-22T10:00:00.000Z", "kind": "accepted"},
            {"at": "2026-11-22T10:00:00.120Z", "kind": "sent", "attempt_number": 1, "twilio_sid": SID},
        ],
        "message": "Your taxi is here.", "retry_delays": ["30s", "2m"], "metadata": {"order": 4711},
    })
}

fn canceled() -> Value {
    let mut record = record();
    let at = "2026-11-22T10:00:10.000Z";
    record["status"] = json!("canceled");
    record["should_retry"] = json!(false);
    record["next_retry_at"] = Value::Null;
    record["waiting_for"] = Value::Null;
    record["cancel_requested_at"] = json!(at);
    record["updated_at"] = json!(at);
    if let Some(events) = record["events"].as_array_mut() {
        events.push(json!({"at": at, "kind": "cancel_requested"}));
        events.push(
            json!({"at": at, "kind": "ended", "status": "canceled", "message": "it was canceled by request"}),
        );
    }
    record
}

fn page() -> Value {
    json!({
        "user_id": "ada", "total": 1, "limit": 50, "offset": 0,
        "calls": [{
            "call_id": CALL, "to": "+15551230104", "status": "busy", "attempt_count": 1, "should_retry": true,
            "created_at": "2026-11-22T10:00:00.000Z",
        }],
        "next_cursor": null,
    })
}

fn readiness() -> Vec<(&'static str, Value)> {
    let paused = json!({
        "reason": "paused", "since": "2026-11-22T10:00:00.000Z", "until": null, "message": "dialling is paused",
    });
    vec![
        ("200", json!({"status": "ready", "reasons": []})),
        ("503", json!({"status": "not_ready", "reasons": [paused]})),
    ]
}

//! What the carrier calls. Hot: no middleware, no allocation that is not needed. Path, headers and
//! body go to the engine untouched, because the signature covers them.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use engine::{Heard, Webhook, WebhookKind};
use http::HeaderMap;
use http::request::Parts;

use super::typed;
use crate::error::{ApiError, Code};
use crate::extract::read_body;
use crate::guard;
use crate::request_id::{self, RequestId};
use crate::state::{App, Shared};
use crate::wire::schema::{AttemptNumber, CallName, Fine, StatusCallback, VoiceRequest};

/// Largest body of a callback: the carrier's have about 1 kB.
const BYTES: usize = 64 * 1024;

/// The document that ends a call, for whoever may hear nothing.
const HANGUP: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Hangup/></Response>";

/// What happened to a leg
///
/// Called by the carrier, which signs it over `BASE_URL`; answered only when what it says is on the disk. Late, repeated
/// or unknown words are answered 200 and move nothing backwards. JSON is signed otherwise than a form: by its checksum in
/// the address.
#[utoipa::path(post, path = "/twilio/status", operation_id = "takeStatus", tag = "carrier",
    params(("call" = Option<String>, Query, description = "Our call, as we wrote it into the address."),
        ("attempt" = Option<String>, Query, description = "Its attempt, as we wrote it into the address."),
        ("bodySHA256" = Option<String>, Query, description = "With JSON: the checksum of the body.")),
    request_body(description = "As the carrier sends it.", content(
        (StatusCallback = "application/x-www-form-urlencoded"), (StatusCallback = "application/json"),
    )),
    responses((status = 200, description = "Stored, whatever it was worth.", body = Fine)))]
pub(crate) async fn status(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = app.ids.of(&parts.headers);
    match take_status(&app, &parts, body).await {
        Ok(()) => with_id(typed("application/json", "{\"status\":\"ok\"}"), &id),
        Err(error) => {
            log(&error, &id);
            error.respond(&id)
        }
    }
}

async fn take_status(app: &App, parts: &Parts, body: Body) -> Result<(), ApiError> {
    let _place = app.callbacks.try_acquire().map_err(|_| overloaded())?;
    let body = read_body(&parts.headers, body, BYTES, app.body_within).await?;
    match app
        .engine
        .callback(&webhook(WebhookKind::Status, parts, &body))
        .await?
    {
        Heard::Taken(()) => Ok(()),
        Heard::Refused(error) => Err(error.into()),
    }
}

/// What the called person hears
///
/// Called by the carrier when somebody answers, signed over `BASE_URL`. A document always, whatever goes wrong: whoever
/// is to hear nothing gets `<Hangup/>`.
#[utoipa::path(post, path = "/twilio/voice", operation_id = "tellVoice", tag = "carrier",
    params(("call" = Option<CallName>, Query, description = "Our call, as we wrote it into the address."),
        ("attempt" = Option<AttemptNumber>, Query, description = "Its attempt, as we wrote it into the address.")),
    request_body(content = VoiceRequest, content_type = "application/x-www-form-urlencoded",
        description = "As the carrier sends it."),
    responses((status = 200, description = "TwiML.", body = String, content_type = "text/xml")))]
pub(crate) async fn voice(State(app): State<Shared>, request: Request) -> Response {
    tell(&app, request).await
}

/// What the called person hears, asked by `GET`
///
/// As by `POST`, with the carrier's fields in the query, for a carrier or a document that is set to ask so.
#[utoipa::path(get, path = "/twilio/voice", operation_id = "tellVoiceByGet", tag = "carrier",
    params(("call" = Option<CallName>, Query, description = "Our call, as we wrote it into the address."),
        ("attempt" = Option<AttemptNumber>, Query, description = "Its attempt, as we wrote it into the address."),
        ("CallSid" = String, Query, description = "The leg."),
        ("CallStatus" = Option<String>, Query, description = "How it stands.")),
    responses((status = 200, description = "TwiML.", body = String, content_type = "text/xml")))]
pub(crate) async fn voice_by_get(State(app): State<Shared>, request: Request) -> Response {
    tell(&app, request).await
}

async fn tell(app: &App, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = app.ids.of(&parts.headers);
    match take_voice(app, &parts, body).await {
        Ok(document) => with_id(typed("text/xml", document), &id),
        Err(error) => {
            log(&error, &id);
            hangup(&error, &id)
        }
    }
}

/// `/twilio/voice` by another method: a document, too.
pub(crate) async fn wrong_voice(State(app): State<Shared>, request: Request) -> Response {
    hangup(&guard::other_method(), &app.ids.of(request.headers()))
}

fn hangup(error: &ApiError, id: &RequestId) -> Response {
    let mut response = typed("text/xml", HANGUP);
    error.head(&mut response);
    with_id(response, id)
}

async fn take_voice(app: &App, parts: &Parts, body: Body) -> Result<String, ApiError> {
    let _place = app.callbacks.try_acquire().map_err(|_| overloaded())?;
    let body = read_body(&parts.headers, body, BYTES, app.body_within).await?;
    match app
        .engine
        .answer(&webhook(WebhookKind::Answer, parts, &body))
        .await?
    {
        Heard::Taken(document) => Ok(document),
        Heard::Refused(error) => Err(error.into()),
    }
}

fn webhook<'a>(kind: WebhookKind, parts: &'a Parts, body: &'a Bytes) -> Webhook<'a> {
    let path_and_query = parts.uri.path_and_query().map_or("", |it| it.as_str());
    let headers: &HeaderMap = &parts.headers;
    Webhook {
        kind,
        path_and_query,
        headers,
        body,
    }
}

fn overloaded() -> ApiError {
    ApiError::new(
        Code::Overloaded,
        "more callbacks are in hand than this server takes at once; come again",
    )
}

fn with_id(mut response: Response, id: &RequestId) -> Response {
    response.headers_mut().insert(request_id::HEADER, id.header());
    response
}

/// A callback that was not taken. One that does not verify is anybody's, and many of them must not
/// fill the log.
fn log(error: &ApiError, id: &RequestId) {
    match (error.code(), error.causes()) {
        (_, Some(causes)) => tracing::error!(request.id = %id, "a callback was not stored: {causes}"),
        (Code::Forged, None) => {
            tracing::debug!(request.id = %id, "a callback whose signature does not verify")
        }
        (code, None) => tracing::warn!(request.id = %id, "a callback was not taken: {}", code.word()),
    }
}

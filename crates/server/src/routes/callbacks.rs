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
use crate::request_id::{self, RequestId};
use crate::state::{App, Shared};

/// Largest body of a callback: the carrier's have about 1 kB.
const BYTES: usize = 64 * 1024;

/// The document that ends a call, for whoever may hear nothing.
const HANGUP: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Hangup/></Response>";

/// `POST /twilio/status`
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

/// `/twilio/voice`: a document always, whatever goes wrong.
pub(crate) async fn voice(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = app.ids.of(&parts.headers);
    match take_voice(&app, &parts, body).await {
        Ok(document) => with_id(typed("text/xml", document), &id),
        Err(error) => {
            log(&error, &id);
            let mut response = typed("text/xml", HANGUP);
            error.head(&mut response);
            with_id(response, &id)
        }
    }
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

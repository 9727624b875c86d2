//! Calls: asked for, shown, listed, canceled.

use axum::extract::State;
use axum::response::Response;
use domain::Call;
use engine::{Canceled, Key, Taken};

use super::json;
use crate::error::{self, ApiError, Code};
use crate::extract::{Json, OfCall, OfUser, Query};
use crate::guard::About;
use crate::idempotency::IdempotencyKey;
use crate::state::{App, Shared};
use crate::wire::call::{self, Answer, RecordShape};
use crate::wire::list::{self, PageShape};
use crate::wire::request;
use crate::wire::schema::{
    CallWord, IdempotencyKeyText, Moment, OutboundCall, PageLimit, PageOffset, Phone, UserName,
};

/// Asks for a call
///
/// The answer comes when the first dial is decided, after five seconds at most. The server dials, not the request: a
/// client that goes away changes nothing. Send an `Idempotency-Key`, so that a lost answer can be asked for again.
#[utoipa::path(post, path = "/calls/outbound", operation_id = "createCall", tag = "calls",
    params(("Idempotency-Key" = Option<IdempotencyKeyText>, Header,
        description = "Belongs to one call for a day at least: a repeat with the same body finds that call, across                        crashes, and nobody is called again.")),
    request_body(content = OutboundCall, description = "Whom to call, and how."),
    responses(
        (status = 200, description = "The carrier has taken the call.", body = Answer),
        (status = 202, description = "Kept, but not decided yet or not allowed to go yet: it is dialled as soon as it                                       may be, and `waiting_for` says what it waits for.", body = Answer),
    ))]
pub(crate) async fn create(
    State(app): State<Shared>,
    IdempotencyKey(key): IdempotencyKey,
    body: Json,
) -> Result<Response, ApiError> {
    let key = key.map(|key| Key {
        key,
        body: body.fingerprint(),
    });
    let asked = request::read(body.0, &app)?;
    match app.engine.request(asked.request, key).await? {
        Taken::Call(call) => Ok(about(&call, answer(&app, &call, &asked.warnings))),
        Taken::KeyTaken => Err(ApiError::new(
            Code::KeyTaken,
            "this key came with another body before; a new request needs a new key, a repeat the same body",
        )),
    }
}

/// Placed, refused, or not known yet: the same whether the request is new or repeated.
fn answer(app: &App, call: &Call, warnings: &[String]) -> Response {
    use axum::response::IntoResponse;
    if let Some(refusal) = call::refusal(call, warnings) {
        refusal.into_response()
    } else if call::is_placed(call) {
        json(&Answer::placed(call, warnings))
    } else {
        let mut response = json(&Answer::pending(call, app.engine.waiting_for(call), warnings));
        *response.status_mut() = error::PENDING;
        response
    }
}

/// The record of a call
///
/// Where it stands, and every dial that was placed, refused, or is in doubt, with what the carrier said of it.
#[utoipa::path(get, path = "/users/{user_id}/calls/{call_id}", operation_id = "getCall", tag = "calls",
    params(("user_id" = UserName, Path, description = "Whose call."),
        ("call_id" = String, Path, description = "Which call: the `call_id` of an earlier answer.")),
    responses((status = 200, description = "The record.", body = RecordShape)))]
pub(crate) async fn show(State(app): State<Shared>, wanted: OfCall) -> Result<Response, ApiError> {
    record(&app, &wanted).await
}

/// The calls of a user
///
/// Newest first. `offset` pages over a few, `cursor` stays fast at any depth. A parameter that does not exist is no
/// error, but named in `warnings`.
#[utoipa::path(get, path = "/users/{user_id}/calls", operation_id = "listCalls", tag = "calls",
    params(
        ("user_id" = UserName, Path, description = "Whose calls."),
        ("status" = Option<CallWord>, Query, description = "Only calls that stand so."),
        ("to" = Option<Phone>, Query, description = "Only calls to this number (`%2B` is its `+`)."),
        ("created_after" = Option<Moment>, Query, description = "Only calls asked for at this moment or later."),
        ("created_before" = Option<Moment>, Query, description = "Only calls asked for before this moment."),
        ("limit" = Option<PageLimit>, Query, description = "How many at most."),
        ("offset" = Option<PageOffset>, Query, description = "How many to pass over."),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of another page of this list."),
    ),
    responses((status = 200, description = "A page.", body = PageShape)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    OfUser(user): OfUser,
    query: Query,
) -> Result<Response, ApiError> {
    let (wanted, warnings) = list::read(user, query)?;
    let page = app.engine.page(wanted.clone()).await?;
    Ok(json(&PageShape::new(&wanted, &page, warnings)))
}

/// Cancels a call
///
/// It is never dialled again, and hung up if it is live. To cancel again is no error.
#[utoipa::path(post, path = "/users/{user_id}/calls/{call_id}/cancel", operation_id = "cancelCall", tag = "calls",
    params(("user_id" = UserName, Path, description = "Whose call."),
        ("call_id" = String, Path, description = "Which call: the `call_id` of an earlier answer.")),
    responses((status = 200, description = "The record, with `cancel_requested_at`.", body = RecordShape)))]
pub(crate) async fn cancel(State(app): State<Shared>, wanted: OfCall) -> Result<Response, ApiError> {
    match app.engine.cancel(&wanted.user, wanted.call).await? {
        Canceled::Call(_) => record(&app, &wanted).await,
        Canceled::AlreadyOver(call) => {
            let message = format!(
                "the call has ended before ({}); there is nothing to cancel",
                call.status().word()
            );
            Err(ApiError::new(Code::AlreadyOver, message))
        }
        Canceled::NoSuchCall => Err(wanted.not_found()),
    }
}

async fn record(app: &App, wanted: &OfCall) -> Result<Response, ApiError> {
    let record = app
        .engine
        .record(&wanted.user, wanted.call)
        .await?
        .ok_or_else(|| wanted.not_found())?;
    let waiting_for = app.engine.waiting_for(&record.call);
    Ok(about(&record.call, json(&RecordShape::new(&record, waiting_for))))
}

fn about(call: &Call, mut response: Response) -> Response {
    response.extensions_mut().insert(About(call.id));
    response
}

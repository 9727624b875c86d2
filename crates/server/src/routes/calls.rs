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

/// `POST /calls/outbound`
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

/// `GET /users/:userId/calls/:callId`
pub(crate) async fn show(State(app): State<Shared>, wanted: OfCall) -> Result<Response, ApiError> {
    record(&app, &wanted).await
}

/// `GET /users/:userId/calls`
pub(crate) async fn list(
    State(app): State<Shared>,
    OfUser(user): OfUser,
    query: Query,
) -> Result<Response, ApiError> {
    let (wanted, warnings) = list::read(user, query)?;
    let page = app.engine.page(wanted.clone()).await?;
    Ok(json(&PageShape::new(&wanted, &page, warnings)))
}

/// `POST /users/:userId/calls/:callId/cancel`
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

//! What every request passes but the carrier's, which are hot and signed: an id, the key, a free
//! place, and one line in the log when it is answered.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::CallId;
use http::{HeaderMap, HeaderValue, Method, header};
use tokio::sync::SemaphorePermit;
use tracing::Instrument;

use crate::error::{ApiError, Code};
use crate::request_id::{self, RequestId};
use crate::state::{App, Shared};

/// Put into an answer's extensions: the call that it is about, for the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About(pub(crate) CallId);

/// Guards the API: a key, and a free place.
pub(crate) async fn api(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let admitted = app
        .keys
        .check(request.uri(), request.headers())
        .and_then(|()| place(&app));
    watched(&app, admitted, request, next).await
}

/// Guards what is told without a key: on a server without keys, still only to its own machine.
pub(crate) async fn open(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let admitted = app.keys.check_place(request.uri(), request.headers());
    watched(&app, admitted, request, next).await
}

/// Guards nothing: for the question whether the process is there at all.
pub(crate) async fn none(State(app): State<Shared>, request: Request, next: Next) -> Response {
    watched(&app, Ok(()), request, next).await
}

/// Answers a request for a route that there is not.
pub(crate) async fn no_such_route(State(app): State<Shared>, request: Request) -> Response {
    let error = ApiError::new(Code::NoSuchRoute, "there is nothing at this path");
    error.respond(&app.ids.of(request.headers()))
}

/// Answers a request whose method its route does not have; which it has, the header `Allow` says.
pub(crate) async fn wrong_method(State(app): State<Shared>, request: Request) -> Response {
    other_method().respond(&app.ids.of(request.headers()))
}

/// The route does not have the request's method.
pub(crate) fn other_method() -> ApiError {
    ApiError::new(
        Code::WrongMethod,
        "this path takes another method: see the header `Allow`",
    )
}

/// A free place for one API request.
fn place(app: &App) -> Result<Option<SemaphorePermit<'_>>, ApiError> {
    match app.api.try_acquire() {
        Ok(place) => Ok(Some(place)),
        Err(_) => Err(ApiError::new(
            Code::Overloaded,
            "more requests are in hand than this server takes at once; ask again in a second",
        )),
    }
}

async fn watched<T>(app: &App, admitted: Result<T, ApiError>, request: Request, next: Next) -> Response {
    let id = app.ids.of(request.headers());
    let begun = app.now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = match &admitted {
        Ok(_place) => {
            next.run(request)
                .instrument(tracing::debug_span!("request", request.id = %id))
                .await
        }
        Err(error) => error.clone().into_response(),
    };
    drop(admitted);
    let response = finish(response, &id);
    let took = app.now().since(begun).as_millis();
    note(
        &response,
        &id,
        &method,
        route.as_ref().map_or("", MatchedPath::as_str),
        took,
    );
    response
}

/// Writes the body of an error, and the headers that every answer has.
fn finish(mut response: Response, id: &RequestId) -> Response {
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        if let Some(causes) = error.causes() {
            tracing::error!(request.id = %id, "a request failed: {causes}");
        }
        let about = response.extensions_mut().remove::<About>();
        response = error.respond(id);
        if let Some(about) = about {
            response.extensions_mut().insert(about);
        }
    }
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(request_id::HEADER, id.header());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// One line for each request: at `info` where it may have changed something, else at `debug`.
fn note(response: &Response, id: &RequestId, method: &Method, route: &str, took: u128) {
    let status = response.status().as_u16();
    let call = response
        .extensions()
        .get::<About>()
        .map(|about| tracing::field::display(about.0));
    if method.is_safe() {
        tracing::debug!(request.id = %id, call.id = call, duration_ms = took, "{method} {route} {status}");
    } else {
        tracing::info!(request.id = %id, call.id = call, duration_ms = took, "{method} {route} {status}");
    }
}

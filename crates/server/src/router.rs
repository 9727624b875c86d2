//! Every route, on one screen. Each brings its own description, so that no route is served that the document lacks.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use engine::Engine;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::guard;
use crate::routes::{callbacks, calls, dialing, docs, health};
use crate::state::{App, Options, Shared};

/// Behind a key.
fn api() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(calls::create))
        .routes(routes!(calls::list))
        .routes(routes!(calls::show))
        .routes(routes!(calls::cancel))
        .routes(routes!(dialing::pause))
        .routes(routes!(dialing::resume))
        .routes(routes!(health::metrics))
}

/// Told without a key, on a server without keys only to its own machine.
fn open() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(health::ready))
}

/// Told to everybody: it says nothing about calls.
fn public() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(docs::document))
        .routes(routes!(docs::page))
        .routes(routes!(docs::file))
}

/// Signed by the carrier, and hot: nothing stands between the socket and the handler.
fn carrier() -> OpenApiRouter<Shared> {
    let (schemas, paths, voice) = routes!(callbacks::voice, callbacks::voice_by_get);
    OpenApiRouter::new().routes(routes!(callbacks::status)).routes((
        schemas,
        paths,
        voice.fallback(callbacks::wrong_voice),
    ))
}

/// The routes of a server over this engine.
pub fn router(engine: Engine, options: Options) -> Router {
    let app: Shared = Arc::new(App::new(engine, options));
    let api = api().route_layer(from_fn_with_state(Arc::clone(&app), guard::api));
    let open = open().route_layer(from_fn_with_state(Arc::clone(&app), guard::open));
    let public = public().route_layer(from_fn_with_state(Arc::clone(&app), guard::none));
    let (routes, _) = api.merge(open).merge(public).merge(carrier()).split_for_parts();
    routes
        .fallback(guard::no_such_route)
        .method_not_allowed_fallback(guard::wrong_method)
        .with_state(app)
}

/// What the routes say of themselves.
pub(crate) fn described() -> OpenApi {
    api()
        .merge(open())
        .merge(public())
        .merge(carrier())
        .into_openapi()
}

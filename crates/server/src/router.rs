//! Every route, on one screen.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use engine::Engine;

use crate::guard;
use crate::routes::{callbacks, calls, dialing, health};
use crate::state::{App, Options, Shared};

/// The routes of a server over this engine.
pub fn router(engine: Engine, options: Options) -> Router {
    let app: Shared = Arc::new(App::new(engine, options));
    let api = Router::new()
        .route("/calls/outbound", post(calls::create))
        .route("/users/{user_id}/calls", get(calls::list))
        .route("/users/{user_id}/calls/{call_id}", get(calls::show))
        .route("/users/{user_id}/calls/{call_id}/cancel", post(calls::cancel))
        .route("/dialing/pause", post(dialing::pause))
        .route("/dialing/resume", post(dialing::resume))
        .route("/metrics", get(health::metrics))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard::api));
    let open = Router::new()
        .route("/readyz", get(health::ready))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard::open));
    let alive = Router::new()
        .route("/healthz", get(health::alive))
        .route_layer(from_fn_with_state(Arc::clone(&app), guard::none));
    // Signed by the carrier, and hot: nothing stands between the socket and the handler.
    let carrier = Router::new()
        .route("/twilio/status", post(callbacks::status))
        .route("/twilio/voice", any(callbacks::voice));
    Router::new()
        .merge(api)
        .merge(open)
        .merge(alive)
        .merge(carrier)
        .fallback(guard::no_such_route)
        .method_not_allowed_fallback(guard::wrong_method)
        .with_state(app)
}

//! The bare server: what everything is compared with. The same framework on the same accept loop as the measured
//! one, a greeting, and a form that is parsed and verified as a callback is, and then forgotten.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use carrier::{Carrier, Webhook, WebhookKind};
use carrier_twilio::{Settings, Twilio};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::args;
use crate::failure::Failure;

/// Serves until told to stop.
///
/// # Errors
/// No port, or settings that cannot work.
pub fn run(part: &args::Hello) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let carrier = Twilio::new(Settings {
            account_sid: part.account.clone(),
            auth_tokens: vec![part.token.clone().into()],
            api_key: None,
            api_address: "http://127.0.0.1:9".to_owned(),
            public_address: format!("http://{address}"),
            inline_only: false,
            verbs: Vec::new(),
        })?;
        let router = Router::new()
            .route("/hello", get(async || "Hello, world!"))
            .route("/twilio/status", post(form))
            .with_state(Arc::new(carrier));
        eprintln!("listening on http://{address}");
        let mut terminate = signal(SignalKind::terminate())?;
        let stop = async move {
            terminate.recv().await;
        };
        Ok(server::serve(listener, router, stop).await?)
    })
}

/// Reads a callback as the measured server does, and answers the same, without storing anything.
async fn form(
    State(carrier): State<Arc<Twilio>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let path_and_query = uri.path_and_query().map_or("", |target| target.as_str());
    let webhook = Webhook {
        kind: WebhookKind::Status,
        path_and_query,
        headers: &headers,
        body: &body,
    };
    let status = match carrier.read_webhook(&webhook) {
        Ok(_) => StatusCode::OK,
        Err(_) => StatusCode::FORBIDDEN,
    };
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"status":"ok"}"#,
    )
}

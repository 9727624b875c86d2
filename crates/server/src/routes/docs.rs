//! The published document, and the page that shows it. Every address in the page is relative, so
//! that it works under any prefix, and none leads to another host.

use std::sync::Arc;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, header};

use super::typed;
use crate::error::{ApiError, Code};
use crate::extract::Query;
use crate::openapi;
use crate::wire::schema::{Document, DocumentVersion, ViewerFile};

const PAGE: &str = include_str!("../assets/docs.html");
const START: &str = include_str!("../assets/start.js");

/// Files of the viewer that the page names.
const VIEWER: [(&str, &str); 2] = [
    ("swagger-ui.css", "text/css"),
    ("swagger-ui-bundle.js", "text/javascript"),
];

/// What the browser is to hold the page to: nothing from elsewhere. The viewer styles its parts in place, and has its
/// pictures inline.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
);

/// This document
///
/// As OpenAPI 3.1, or, for generators that do not know that yet, as 3.0.3.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenapi", tag = "document",
    params(("version" = Option<DocumentVersion>, Query, description = "Which form; 3.1 unless asked otherwise.")),
    responses((status = 200, description = "The document.", body = Document)))]
pub(crate) async fn document(mut query: Query) -> Result<Response, ApiError> {
    let form = query.take("version", "3.0 or 3.1", |text| match text {
        "3.0" => Some(openapi::older as fn() -> &'static str),
        "3.1" => Some(openapi::newest as fn() -> &'static str),
        _ => None,
    })?;
    let text = form.unwrap_or(openapi::newest)();
    Ok(typed("application/json", text))
}

/// This document as a page
///
/// It asks for nothing from another host.
#[utoipa::path(get, path = "/docs", operation_id = "getDocs", tag = "document",
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
pub(crate) async fn page() -> Response {
    let mut response = typed("text/html; charset=utf-8", PAGE);
    response
        .headers_mut()
        .insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// What the page is made of
///
/// The viewer and what starts it; its pictures and styles are inside.
#[utoipa::path(get, path = "/docs/{file}", operation_id = "getDocsFile", tag = "document",
    params(("file" = ViewerFile, Path, description = "Which part.")),
    responses((status = 200, description = "The part.", content(
        (String = "text/css"), (String = "text/javascript"),
    ))))]
pub(crate) async fn file(name: Result<Path<String>, PathRejection>) -> Result<Response, ApiError> {
    let none = || ApiError::new(Code::NoSuchRoute, "there is nothing at this path");
    let Path(name) = name.map_err(|_| none())?;
    if name == "start.js" {
        return Ok(typed("text/javascript", START));
    }
    let (_, media_type) = VIEWER.iter().find(|(known, _)| *known == name).ok_or_else(none)?;
    let config = Arc::new(utoipa_swagger_ui::Config::default());
    let file = utoipa_swagger_ui::serve(&name, config)
        .ok()
        .flatten()
        .ok_or_else(none)?;
    let mut response = typed(media_type, Bytes::from(file.bytes.into_owned()));
    if file.gzpipped {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

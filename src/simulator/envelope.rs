//! The vendor's JSON envelope around the responses of its endpoints; the token endpoint has none.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::settings::Wording;

/// A 200 response with `data`.
pub(super) fn success(wording: &Wording, data: Value) -> Response {
    let mut envelope = Map::from_iter([("success".to_string(), Value::Bool(true)), ("data".to_string(), data)]);
    if wording.odd_fields {
        envelope.insert("apiRevision".to_string(), json!({ "major": 1, "flags": ["unannounced"] }));
    }
    Json(envelope).into_response()
}

/// An error response with a message.
pub(super) fn failure(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "success": false, "data": null, "message": message }))).into_response()
}

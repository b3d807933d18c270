//! Corrupted responses: what a fault turns a valid one into.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};
use http_body_util::BodyExt;
use serde_json::Value;

/// The length of a big body, in bytes.
const BIG_BODY_BYTES: usize = 50 * 1024 * 1024;
/// The length of one chunk of it, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The HTML error page of a gateway in front of the vendor: no envelope, no JSON.
pub(super) fn gateway(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let page = format!("<html><body><h1>{} {reason}</h1></body></html>\n", status.as_u16());
    (status, [(CONTENT_TYPE, "text/html")], page).into_response()
}

/// Half of the body with the full `Content-Length`, then the connection closes.
pub(super) async fn truncated(response: Response) -> Response {
    let (response, body) = split(response).await;
    let half = body.slice(..body.len() / 2);
    let chunks = stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::UnexpectedEof))]);
    // Without a pause, closing the connection would discard the half before it is sent.
    let chunks = chunks.enumerate().then(|(n, chunk)| async move {
        if n > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        chunk
    });
    with_body(response, body.len(), Body::from_stream(chunks))
}

/// A body that stops being JSON in the middle of a word.
pub(super) fn bad_json(response: Response) -> Response {
    with_full_body(response, Bytes::from_static(br#"{"success": tru, "data": {"conversationId": "#))
}

/// The response with an empty `data`.
pub(super) async fn without_data(response: Response) -> Response {
    let (response, body) = split(response).await;
    let mut envelope: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(data) = envelope.get_mut("data") {
        *data = Value::Object(serde_json::Map::new());
    }
    with_full_body(response, Bytes::from(envelope.to_string()))
}

/// The body byte by byte, with `pause` of real time before each.
pub(super) async fn slow(response: Response, pause: Duration) -> Response {
    let (response, body) = split(response).await;
    let length = body.len();
    let bytes = stream::iter(0..length).then(move |at| {
        let byte = body.slice(at..=at);
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(byte)
        }
    });
    with_body(response, length, Body::from_stream(bytes))
}

/// The body with [`BIG_BODY_BYTES`] of white space before its last brace.
pub(super) async fn big(response: Response) -> Response {
    let (response, body) = split(response).await;
    let end = body.len().saturating_sub(1);
    let padding = stream::repeat(Bytes::from(vec![b' '; CHUNK_BYTES])).take(BIG_BODY_BYTES / CHUNK_BYTES);
    let first = stream::iter([body.slice(..end)]);
    let last = stream::iter([body.slice(end..)]);
    let chunks = first.chain(padding).chain(last).map(Ok::<_, Infallible>);
    with_body(response, body.len() + BIG_BODY_BYTES / CHUNK_BYTES * CHUNK_BYTES, Body::from_stream(chunks))
}

/// Splits a response into its head and its body.
async fn split(response: Response) -> (Response, Bytes) {
    let (head, body) = response.into_parts();
    // The simulator's own responses are in memory: reading one cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (Response::from_parts(head, Body::empty()), body)
}

fn with_full_body(response: Response, body: Bytes) -> Response {
    with_body(response, body.len(), Body::from(body))
}

/// The response with this body and `Content-Length`.
fn with_body(mut response: Response, length: usize, body: Body) -> Response {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = body;
    response
}

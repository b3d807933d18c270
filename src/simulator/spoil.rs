//! Spoilt answers: what a fault makes of a good one.

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
const BIG: usize = 50 * 1024 * 1024;
/// The length of one piece of it.
const PIECE: usize = 64 * 1024;

/// What a gateway in front of the vendor says: no envelope, no JSON.
pub(super) fn gateway(status: StatusCode) -> Response {
    let reason = status.canonical_reason().unwrap_or_default();
    let page = format!("<html><body><h1>{} {reason}</h1></body></html>\n", status.as_u16());
    (status, [(CONTENT_TYPE, "text/html")], page).into_response()
}

/// Half of the body under the whole one's length, then the end of the connection.
pub(super) async fn truncated(response: Response) -> Response {
    let (response, body) = taken(response).await;
    let half = body.slice(..body.len() / 2);
    let pieces = stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::UnexpectedEof))]);
    // Without a pause, the half would be thrown away together with the connection.
    let pieces = pieces.enumerate().then(|(n, piece)| async move {
        if n > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        piece
    });
    with(response, body.len(), Body::from_stream(pieces))
}

/// A body that stops being JSON in the middle of a word.
pub(super) fn bad_json(response: Response) -> Response {
    with_whole(response, Bytes::from_static(br#"{"success": tru, "data": {"conversationId": "#))
}

/// The answer without its `data`.
pub(super) async fn without_data(response: Response) -> Response {
    let (response, body) = taken(response).await;
    let mut envelope: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(data) = envelope.get_mut("data") {
        *data = Value::Object(serde_json::Map::new());
    }
    with_whole(response, Bytes::from(envelope.to_string()))
}

/// The body byte by byte, `pause` of real time before each.
pub(super) async fn slow(response: Response, pause: Duration) -> Response {
    let (response, body) = taken(response).await;
    let length = body.len();
    let bytes = stream::iter(0..length).then(move |at| {
        let byte = body.slice(at..=at);
        async move {
            tokio::time::sleep(pause).await;
            Ok::<_, Infallible>(byte)
        }
    });
    with(response, length, Body::from_stream(bytes))
}

/// The body with so much white space before its last brace that it is [`BIG`].
pub(super) async fn big(response: Response) -> Response {
    let (response, body) = taken(response).await;
    let end = body.len().saturating_sub(1);
    let padding = stream::repeat(Bytes::from(vec![b' '; PIECE])).take(BIG / PIECE);
    let first = stream::iter([body.slice(..end)]);
    let last = stream::iter([body.slice(end..)]);
    let pieces = first.chain(padding).chain(last).map(Ok::<_, Infallible>);
    with(response, body.len() + BIG / PIECE * PIECE, Body::from_stream(pieces))
}

/// The answer without its body, and the body.
async fn taken(response: Response) -> (Response, Bytes) {
    let (head, body) = response.into_parts();
    // Our own answers are made in memory: reading one back cannot fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (Response::from_parts(head, Body::empty()), body)
}

fn with_whole(response: Response, body: Bytes) -> Response {
    with(response, body.len(), Body::from(body))
}

fn with(mut response: Response, length: usize, body: Body) -> Response {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    *response.body_mut() = body;
    response
}

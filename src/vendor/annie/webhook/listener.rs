//! The socket for deliveries: plain HTTP/1.1, one delivery per connection.
//!
//! It must never disturb the run: only a few connections are served at once, slow or long deliveries are cut off, and
//! no error here reaches the run.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tracing::debug;

use super::body::{self, MAX_BODY_BYTES};
use super::token::WebhookToken;
use crate::vendor::hints::HintSender;

/// Connections served at once.
const MAX_CONNECTIONS: usize = 32;

/// Connections that may wait to be served.
const BACKLOG: u32 = 256;

/// The longest that a delivery may take, from the connection to the response, in real time.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest request head, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// A bound socket that serves no connection yet.
#[derive(Debug)]
pub struct WebhookListener {
    listener: TcpListener,
    address: SocketAddr,
}

/// A listener that serves deliveries until it is dropped.
#[derive(Debug)]
pub struct RunningListener(JoinHandle<()>);

impl Drop for RunningListener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Checks deliveries and sends their hints.
struct DeliverySink {
    token: WebhookToken,
    hints: HintSender,
}

impl WebhookListener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // Closed connections of the last run must not block the address.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// The bound address, with the port that was chosen for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves deliveries that carry `token`, on the current tokio runtime, and sends their hints to `hints`.
    #[must_use]
    pub fn serve(self, token: WebhookToken, hints: HintSender) -> RunningListener {
        RunningListener(tokio::spawn(accept(self.listener, Arc::new(DeliverySink { token, hints }))))
    }
}

/// Accepts connections, at most [`MAX_CONNECTIONS`] at once. Dropping the future closes them all.
async fn accept(listener: TcpListener, sink: Arc<DeliverySink>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let sink = Arc::clone(&sink);
                connections.spawn(async move {
                    serve(stream, sink).await;
                    drop(permit);
                });
            }
            // Most likely out of file descriptors: wait until some are free.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one connection, for [`TIMEOUT`] at most.
async fn serve(stream: TcpStream, sink: Arc<DeliverySink>) {
    let service = service_fn(move |request| {
        let sink = Arc::clone(&sink);
        async move { Ok::<_, Infallible>(empty_response(sink.on_delivery(request).await)) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    // A failed delivery needs no handling: the vendor may deliver again, and the list shows the conversation anyway.
    let _ = tokio::time::timeout(TIMEOUT, connection).await;
}

fn empty_response(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

impl DeliverySink {
    /// Checks the token, then sends a hint for each id in the body. The body of a delivery without the token is not
    /// read. Every body that was read gets a 204, so that the vendor does not deliver it again.
    async fn on_delivery(&self, request: Request<Incoming>) -> StatusCode {
        if request.method() != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        let authorization = request.headers().get(AUTHORIZATION);
        if !authorization.is_some_and(|header| self.token.matches_header(header.as_bytes())) {
            debug!("rejected a delivery without the webhook's token");
            return StatusCode::UNAUTHORIZED;
        }
        let Ok(body) = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await else {
            debug!("rejected a delivery that broke off or is too long");
            return StatusCode::PAYLOAD_TOO_LARGE;
        };
        let ids = body::candidate_ids(&body.to_bytes());
        debug!(ids = ids.len(), "received a delivery");
        for id in ids {
            self.hints.hint(id);
        }
        StatusCode::NO_CONTENT
    }
}

#[cfg(test)]
mod tests;

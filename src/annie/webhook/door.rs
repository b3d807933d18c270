//! The socket that takes deliveries: plain HTTP/1.1, one delivery a connection.
//!
//! It owes nobody anything. Connections beyond a few wait, whatever is slow or long is cut off, and nothing that happens
//! here can be noticed by the run.

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

use super::body::{self, BODY_AT_MOST};
use super::{Hinting, WebhookToken};

/// Connections served at once.
const AT_ONCE: usize = 32;

/// Connections that may wait for that.
const BACKLOG: u32 = 256;

/// The longest that a delivery may take, from the connection to the answer, in real time.
const AT_MOST: Duration = Duration::from_secs(10);

/// The most that is read of a delivery's head, in bytes.
const HEAD_AT_MOST: usize = 16 * 1024;

/// An address that is ours, on which nobody is served yet.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
}

/// Deliveries are taken until this is dropped.
#[derive(Debug)]
pub struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whoever may deliver, and where hints go.
struct Desk {
    token: WebhookToken,
    hinting: Hinting,
}

impl Door {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // The last run's closed connections do not keep the address from this one.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes deliveries that bear `token`, on the current runtime.
    #[must_use]
    pub fn serve(self, token: WebhookToken, hinting: Hinting) -> Serving {
        Serving(tokio::spawn(accept(self.listener, Arc::new(Desk { token, hinting }))))
    }
}

/// Accepts connections, a few at a time; dropping it ends them all.
async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut connections = JoinSet::new();
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                connections.spawn(async move {
                    serve(stream, desk).await;
                    drop(place);
                });
            }
            // Out of descriptors, most likely: some will come back.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one delivery, as long as it may take.
async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(answered(desk.take(request).await)) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEAD_AT_MOST)
        .serve_connection(TokioIo::new(stream), service);
    // Cut off or broken, nothing follows from it: the vendor may deliver again, and the list shows it all the same.
    let _ = tokio::time::timeout(AT_MOST, connection).await;
}

fn answered(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

impl Desk {
    /// Takes a delivery. Who bears no token is not even read; what has been read is answered with 204 whatever it is, so
    /// that nobody delivers it again.
    async fn take(&self, request: Request<Incoming>) -> StatusCode {
        if request.method() != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        let authorization = request.headers().get(AUTHORIZATION);
        if !authorization.is_some_and(|header| self.token.is_borne_by(header.as_bytes())) {
            debug!("a delivery without the webhook's token");
            return StatusCode::UNAUTHORIZED;
        }
        let Ok(body) = Limited::new(request.into_body(), BODY_AT_MOST).collect().await else {
            debug!("a delivery that broke off, or is too long");
            return StatusCode::PAYLOAD_TOO_LARGE;
        };
        let named = body::named(&body.to_bytes());
        debug!(texts = named.len(), "a delivery");
        for id in named {
            self.hinting.hint(id);
        }
        StatusCode::NO_CONTENT
    }
}

#[cfg(test)]
mod tests;

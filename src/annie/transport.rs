//! One request, sent at most once, and what came back of it.
//!
//! A client that is helpful about requests is dangerous here: a followed 307 sends a `POST` again, and so does a retry on
//! a pooled connection that broke. So nothing is followed, nothing is retried, proxies of the environment are not used,
//! and connections for `POST` are never kept: each request has a fresh one, which makes "never connected" certain.
//! Trusted roots come with the program; the machine's own store is not consulted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};

/// Idle connections kept for reads.
const IDLE_READERS: usize = 2;

/// How long they are kept: less than servers usually keep theirs, so that few reads meet one just closed.
const IDLE_FOR: Duration = Duration::from_secs(4);

/// Whether connections are kept for the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// Each request has a connection of its own: for whatever must not be sent twice.
    Never,
    /// Idle connections are kept: for reads.
    Idle,
}

/// Why no answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection was not established (no such host, refused, TLS not agreed): not a byte of the request has left.
    NeverConnected,
    /// No answer within the request's time.
    Timeout,
    /// The connection broke when the request may have left.
    Broken,
}

/// Why an answer's body is not all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// It did not end within the request's time.
    Timeout,
    /// It ended early.
    Broken,
    /// It is longer than we read.
    TooLong,
}

/// An answer.
pub struct Received {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or why it is not all there.
    pub body: Result<Vec<u8>, BodyFault>,
}

/// Sends requests. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
}

/// The HTTP client could not be made: the build lacks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct NoTransport;

impl Transport {
    /// A transport whose connections are established within `connect_timeout` of real time, TLS included.
    pub fn new(reuse: Reuse, connect_timeout: Duration) -> Result<Self, NoTransport> {
        let idle = match reuse {
            Reuse::Never => 0,
            Reuse::Idle => IDLE_READERS,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(IDLE_FOR)
            .connect_timeout(connect_timeout)
            .user_agent(concat!("callrounds/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(|client| Self { client }).map_err(|_| NoTransport)
    }

    /// The client, to build a request for [`Transport::send`] with.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `request` once and reads at most `cap` bytes of its answer's body, all before `deadline` (real time).
    pub async fn send(&self, request: RequestBuilder, cap: usize, deadline: Instant) -> Result<Received, Fault> {
        let sent = timeout_at(deadline, request.send()).await;
        let mut response = sent.map_err(|_| Fault::Timeout)?.map_err(|error| Fault::of(&error))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = timeout_at(deadline, capped(response, cap)).await.unwrap_or(Err(BodyFault::Timeout));
        Ok(Received { status, headers, body })
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Fault {
    /// `is_connect` is the one sign that nothing was sent: it is set by the connector alone, which hands a connection over
    /// only after its TLS handshake. A time-out or reset inside the connector has it too; one after it has not.
    fn of(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::NeverConnected
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Broken
        }
    }
}

/// Reads the body piece by piece, so that one that never ends fills no memory.
async fn capped(mut response: reqwest::Response, cap: usize) -> Result<Vec<u8>, BodyFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyFault::Broken)? {
        if body.len() + chunk.len() > cap {
            return Err(BodyFault::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn tls() -> Result<ClientConfig, NoTransport> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| NoTransport)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

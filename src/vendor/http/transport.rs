//! One request, sent at most once, and its response.
//!
//! An HTTP client's conveniences are dangerous here: following a 307 sends a `POST` again, and so does a retry after a
//! pooled connection broke. So redirects are not followed, nothing is retried, proxies of the environment are not used,
//! and connections for `POST` are never kept: each has a fresh one, which makes "never connected" certain.
//! Trusted roots come with the program; the machine's certificate store is not used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, timeout_at};

/// Idle connections kept for reads.
const MAX_IDLE: usize = 2;

/// How long an idle connection is kept: less than servers usually keep theirs, so that few reads meet a closed one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Whether a connection is kept for the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionReuse {
    /// Each request opens its own connection: for requests that must not be sent twice.
    Never,
    /// Idle connections are kept: for reads.
    Idle,
}

/// Why no response came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportError {
    /// The connection was not established (no such host, refused, TLS failed): no byte of the request was sent.
    NeverConnected,
    /// No response before the request's deadline.
    Timeout,
    /// The connection broke after the request may have been sent.
    Broken,
}

/// Why a response's body is incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyError {
    /// It did not end before the request's deadline.
    Timeout,
    /// It ended early.
    Broken,
    /// It is longer than the limit.
    TooLong,
}

/// A response.
pub struct ReceivedResponse {
    /// The HTTP status.
    pub status: u16,
    /// All its headers.
    pub headers: HeaderMap,
    /// The body, or why it is incomplete.
    pub body: Result<Vec<u8>, BodyError>,
}

/// Sends requests. A clone shares the connections.
#[derive(Debug, Clone)]
pub struct Transport {
    client: Client,
}

/// The HTTP client could not be built: a TLS feature is missing in this build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct TransportBuildError;

impl Transport {
    /// A transport that connects within `connect_timeout` of real time, TLS included.
    pub fn new(reuse: ConnectionReuse, connect_timeout: Duration) -> Result<Self, TransportBuildError> {
        let idle = match reuse {
            ConnectionReuse::Never => 0,
            ConnectionReuse::Idle => MAX_IDLE,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(idle)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .connect_timeout(connect_timeout)
            .user_agent(concat!("callrounds/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(|client| Self { client }).map_err(|_| TransportBuildError)
    }

    /// The HTTP client that builds requests for [`Transport::send`].
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Sends `request` once and reads a response body of at most `max_bytes`, all before `deadline` (real time).
    pub async fn send(
        &self,
        request: RequestBuilder,
        max_bytes: usize,
        deadline: Instant,
    ) -> Result<ReceivedResponse, TransportError> {
        let sent = timeout_at(deadline, request.send()).await;
        let mut response =
            sent.map_err(|_| TransportError::Timeout)?.map_err(|error| TransportError::from_reqwest(&error))?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let body = timeout_at(deadline, read_body(response, max_bytes)).await.unwrap_or(Err(BodyError::Timeout));
        Ok(ReceivedResponse { status, headers, body })
    }
}

impl fmt::Debug for ReceivedResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

impl TransportError {
    /// `is_connect` is the only sign that nothing was sent: only the connector sets it, and the connector hands over a
    /// connection only after the TLS handshake. A timeout or reset inside the connector sets it too; a later one does
    /// not.
    fn from_reqwest(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::NeverConnected
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Broken
        }
    }
}

/// Reads the body chunk by chunk, so that an endless one does not fill the memory.
async fn read_body(mut response: reqwest::Response, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Broken)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn tls_config() -> Result<ClientConfig, TransportBuildError> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TransportBuildError)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

//! Tokens: the value after `Authorization: Bearer`.
//!
//! An API key is its own token and never expires. An OAuth token is fetched when first needed, kept, renewed some time
//! before it expires, and dropped when the vendor rejects it. When several requests need a new token at once, one of
//! them fetches it and the others share the result: the token, or the failure.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::credentials::{ClientCredentials, Credentials};
use crate::clock::SharedClock;
use crate::vendor::annie::wire;
use crate::vendor::http::address::Address;
use crate::vendor::http::transport::{Transport, TransportError};
use crate::vendor::{Concern, NotPlaced, ReadError};

/// The longest response of a token endpoint that is read, in bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// A token's lifetime where the response does not say.
const DEFAULT_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// A token is renewed this long before it expires, or a tenth of its lifetime if that is shorter.
const RENEWAL_MARGIN: TimeDelta = TimeDelta::minutes(5);

/// The wait before a failed renewal is retried while the old token still works.
const RENEWAL_RETRY: TimeDelta = TimeDelta::seconds(30);

/// The value of an `Authorization` header, marked sensitive so that no library logs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer(HeaderValue);

/// Why there is no token. The request that needed it was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// The token endpoint refused the client.
    #[error("the token endpoint refused the client (status {0}): check the client id and secret")]
    Refused(u16),
    /// The token endpoint could not be reached, or its response held no token.
    #[error("the token endpoint could not be reached or returned no token")]
    Unavailable,
}

/// The source of tokens for one organisation's credentials.
#[derive(Debug)]
pub struct TokenProvider(TokenSource);

#[derive(Debug)]
enum TokenSource {
    ApiKey(Bearer),
    OAuthClient(Box<RenewedToken>),
}

#[derive(Debug)]
struct RenewedToken {
    client: ClientCredentials,
    endpoint: Address,
    transport: Transport,
    clock: SharedClock,
    held: Mutex<HeldToken>,
    /// Fetches that have finished, successful or not.
    finished_fetches: AtomicU64,
}

#[derive(Debug, Default)]
struct HeldToken {
    token: Option<AccessToken>,
    /// Why the last fetch failed.
    failure: Option<NoToken>,
}

#[derive(Debug)]
struct AccessToken {
    bearer: Bearer,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Bearer {
    /// `None` if no header can carry the secret.
    fn from_secret(secret: &SecretString) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The value of the `Authorization` header.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl TokenProvider {
    /// Tokens for `credentials`, fetched from `endpoint` for an OAuth client. `None` if no header can carry the key.
    #[must_use]
    pub fn new(credentials: Credentials, endpoint: Address, transport: Transport, clock: SharedClock) -> Option<Self> {
        let source = match credentials {
            Credentials::ApiKey(key) => TokenSource::ApiKey(Bearer::from_secret(&key)?),
            Credentials::ClientCredentials(client) => TokenSource::OAuthClient(Box::new(RenewedToken {
                client,
                endpoint,
                transport,
                clock,
                held: Mutex::default(),
                finished_fetches: AtomicU64::new(0),
            })),
        };
        Some(Self(source))
    }

    /// Whether a rejected token can be replaced: an OAuth token can, an API key cannot.
    #[must_use]
    pub fn can_renew(&self) -> bool {
        match self.0 {
            TokenSource::ApiKey(_) => false,
            TokenSource::OAuthClient(_) => true,
        }
    }

    /// A valid token. Fetches one if none is held, until `deadline` (real time) at the latest.
    pub async fn bearer(&self, deadline: Instant) -> Result<Bearer, NoToken> {
        match &self.0 {
            TokenSource::ApiKey(bearer) => Ok(bearer.clone()),
            TokenSource::OAuthClient(renewed) => {
                timeout_at(deadline, renewed.bearer(deadline)).await.unwrap_or(Err(NoToken::Unavailable))
            }
        }
    }

    /// The vendor rejected a token: drops it if it is the newest one.
    pub async fn reject(&self, rejected: &Bearer, deadline: Instant) -> RejectedToken {
        let TokenSource::OAuthClient(renewed) = &self.0 else { return RejectedToken::Newest };
        // The task that holds the lock this long is fetching a newer token.
        let Ok(mut held) = timeout_at(deadline, renewed.held.lock()).await else { return RejectedToken::Older };
        match held.token.take_if(|token| token.bearer == *rejected) {
            Some(_) => RejectedToken::Newest,
            None => RejectedToken::Older,
        }
    }
}

/// Whether a rejected token was the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectedToken {
    /// No newer token was held.
    Newest,
    /// The token was dropped or replaced while its request was in flight, so the rejection says nothing about the
    /// newest.
    Older,
}

impl RenewedToken {
    async fn bearer(&self, deadline: Instant) -> Result<Bearer, NoToken> {
        let finished_before = self.finished_fetches.load(Ordering::SeqCst);
        let mut held = self.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| self.clock.now() < token.renew_at) {
            return Ok(token.bearer.clone());
        }
        // Another request's fetch failed while this one waited for the lock.
        if let Some(failure) = held.failure.filter(|_| self.finished_fetches.load(Ordering::SeqCst) != finished_before)
        {
            return Err(failure);
        }
        let fetched = self.fetch(deadline).await;
        self.finished_fetches.fetch_add(1, Ordering::SeqCst);
        held.update(fetched, self.clock.now())
    }

    async fn fetch(&self, deadline: Instant) -> Result<AccessToken, NoToken> {
        let requested_at = self.clock.now();
        let began = Instant::now();
        let body = wire::token_body(&self.client.id, &self.client.secret, &self.client.audience);
        let request =
            self.transport.client().post(self.endpoint.url()).header(CONTENT_TYPE, "application/json").body(body);
        let response = self.transport.send(request, MAX_RESPONSE_BYTES, deadline).await;
        let status = response.as_ref().map_or(0, |received| received.status);
        debug!(method = "POST", path = "/oauth/token", status, elapsed_ms = began.elapsed().as_millis() as u64);
        let received = response.map_err(|_: TransportError| NoToken::Unavailable)?;
        match received.status {
            200..300 => AccessToken::read(&received.body.map_err(|_| NoToken::Unavailable)?, requested_at),
            408 | 425 | 429 => Err(NoToken::Unavailable),
            400..500 => Err(NoToken::Refused(received.status)),
            _ => Err(NoToken::Unavailable),
        }
    }
}

impl HeldToken {
    /// Stores the result of a fetch. After a failed renewal the old token stays in use until it expires.
    fn update(&mut self, fetched: Result<AccessToken, NoToken>, now: DateTime<Utc>) -> Result<Bearer, NoToken> {
        self.failure = fetched.as_ref().err().copied();
        let old = self.token.take().filter(|token| now < token.expires_at);
        let token = match (fetched, old) {
            (Ok(new), _) => new,
            (Err(_), Some(old)) => AccessToken { renew_at: now + RENEWAL_RETRY, ..old },
            (Err(failure), None) => return Err(failure),
        };
        let bearer = token.bearer.clone();
        self.token = Some(token);
        Ok(bearer)
    }
}

impl AccessToken {
    /// Reads the response to a token request that was sent at `requested_at`.
    fn read(body: &[u8], requested_at: DateTime<Utc>) -> Result<Self, NoToken> {
        let token = wire::token(body).map_err(|_| NoToken::Unavailable)?;
        let seconds = token.expires_in.and_then(|seconds| i64::try_from(seconds).ok());
        let lifetime = seconds.and_then(TimeDelta::try_seconds).unwrap_or(DEFAULT_LIFETIME).min(TimeDelta::days(365));
        Ok(Self {
            bearer: Bearer::from_secret(&token.secret).ok_or(NoToken::Unavailable)?,
            renew_at: requested_at + (lifetime - RENEWAL_MARGIN.min(lifetime / 10)),
            expires_at: requested_at + lifetime,
        })
    }
}

impl From<NoToken> for NotPlaced {
    fn from(failure: NoToken) -> Self {
        match failure {
            NoToken::Refused(status) => Self::refused(status, Concern::Credentials),
            NoToken::Unavailable => Self::NeverConnected,
        }
    }
}

impl From<NoToken> for ReadError {
    fn from(failure: NoToken) -> Self {
        match failure {
            NoToken::Refused(status) => Self::Unauthorised(status),
            NoToken::Unavailable => Self::Unreachable,
        }
    }
}

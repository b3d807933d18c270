//! Tokens: what goes behind `Authorization: Bearer`.
//!
//! An API key is its own token for ever. An OAuth token is fetched when it is first needed, kept, renewed some time
//! before it expires, and dropped when the vendor does not accept it. However many requests need a new one at once, one
//! of them fetches it and the others take what came of that: the token, or the failure.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use tracing::debug;

use super::{ClientCredentials, Credentials};
use crate::annie::address::Address;
use crate::annie::transport::{Fault, Transport};
use crate::annie::{Concern, NotPlaced, Unread, wire};
use crate::clock::SharedClock;

/// The most of a token endpoint's answer that is read, in bytes.
const ANSWER_AT_MOST: usize = 64 * 1024;

/// How long a token is taken to last whose answer does not say.
const LASTS_BY_DEFAULT: TimeDelta = TimeDelta::hours(1);

/// A token is renewed this long before it expires, or a tenth of its life if that is shorter.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// While the old token still works, a renewal that failed is tried again after this long.
const RENEW_AGAIN: TimeDelta = TimeDelta::seconds(30);

/// The value of an `Authorization` header, marked so that no library shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer(HeaderValue);

/// Why there is no token. The request that needed it was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// The token endpoint refused the client.
    #[error("the token endpoint refused the client (status {0}): check the client id and secret")]
    Refused(u16),
    /// The token endpoint could not be reached, or answered something else than a token.
    #[error("the token endpoint gave no token")]
    Unavailable,
}

/// Where tokens come from.
#[derive(Debug)]
pub struct Tokens(Source);

#[derive(Debug)]
enum Source {
    Key(Bearer),
    Client(Box<Renewed>),
}

#[derive(Debug)]
struct Renewed {
    client: ClientCredentials,
    endpoint: Address,
    transport: Transport,
    clock: SharedClock,
    held: Mutex<Held>,
    /// Fetches that have come to an end, whichever.
    fetches: AtomicU64,
}

#[derive(Debug, Default)]
struct Held {
    token: Option<Token>,
    /// Why the last fetch brought nothing.
    problem: Option<NoToken>,
}

#[derive(Debug)]
struct Token {
    bearer: Bearer,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Bearer {
    /// `None` for a text that no header can carry.
    fn of(secret: &SecretString) -> Option<Self> {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(Self(value))
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl Tokens {
    /// Tokens for `credentials`, fetched at `endpoint` if they are a client's. `None` if the key cannot be sent.
    #[must_use]
    pub fn new(credentials: Credentials, endpoint: Address, transport: Transport, clock: SharedClock) -> Option<Self> {
        let source = match credentials {
            Credentials::ApiKey(key) => Source::Key(Bearer::of(&key)?),
            Credentials::ClientCredentials(client) => Source::Client(Box::new(Renewed {
                client,
                endpoint,
                transport,
                clock,
                held: Mutex::default(),
                fetches: AtomicU64::new(0),
            })),
        };
        Some(Self(source))
    }

    /// Whether credentials that were not accepted are fetched anew: an OAuth client's are, a key is what it is.
    #[must_use]
    pub fn are_renewed(&self) -> bool {
        match self.0 {
            Source::Key(_) => false,
            Source::Client(_) => true,
        }
    }

    /// A token that is good now, fetched before `deadline` (real time) if there is none.
    pub async fn bearer(&self, deadline: Instant) -> Result<Bearer, NoToken> {
        match &self.0 {
            Source::Key(bearer) => Ok(bearer.clone()),
            Source::Client(renewed) => {
                timeout_at(deadline, renewed.bearer(deadline)).await.unwrap_or(Err(NoToken::Unavailable))
            }
        }
    }

    /// The vendor did not accept a token: drops it, if it is the newest.
    pub async fn reject(&self, rejected: &Bearer, deadline: Instant) -> Rejected {
        let Source::Client(renewed) = &self.0 else { return Rejected::Newest };
        // Whoever holds the lock for so long is fetching a newer one.
        let Ok(mut held) = timeout_at(deadline, renewed.held.lock()).await else { return Rejected::Older };
        match held.token.take_if(|token| token.bearer == *rejected) {
            Some(_) => Rejected::Newest,
            None => Rejected::Older,
        }
    }
}

/// A token that the vendor did not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejected {
    /// There was no newer one.
    Newest,
    /// It had been dropped or replaced while its request was under way: that says nothing about the newest.
    Older,
}

impl Renewed {
    async fn bearer(&self, deadline: Instant) -> Result<Bearer, NoToken> {
        let before = self.fetches.load(Ordering::SeqCst);
        let mut held = self.held.lock().await;
        if let Some(token) = held.token.as_ref().filter(|token| self.clock.now() < token.renew_at) {
            return Ok(token.bearer.clone());
        }
        // Somebody else's fetch ended while this one waited for the lock, and brought nothing.
        if let Some(problem) = held.problem.filter(|_| self.fetches.load(Ordering::SeqCst) != before) {
            return Err(problem);
        }
        let fetched = self.fetch(deadline).await;
        self.fetches.fetch_add(1, Ordering::SeqCst);
        held.take(fetched, self.clock.now())
    }

    async fn fetch(&self, deadline: Instant) -> Result<Token, NoToken> {
        let asked = self.clock.now();
        let began = Instant::now();
        let body = wire::token_body(&self.client.id, &self.client.secret, &self.client.audience);
        let request =
            self.transport.client().post(self.endpoint.url()).header(CONTENT_TYPE, "application/json").body(body);
        let answer = self.transport.send(request, ANSWER_AT_MOST, deadline).await;
        let status = answer.as_ref().map_or(0, |received| received.status);
        debug!(method = "POST", path = "/oauth/token", status, elapsed_ms = began.elapsed().as_millis() as u64);
        let received = answer.map_err(|_: Fault| NoToken::Unavailable)?;
        match received.status {
            200..300 => Token::read(&received.body.map_err(|_| NoToken::Unavailable)?, asked),
            408 | 425 | 429 => Err(NoToken::Unavailable),
            400..500 => Err(NoToken::Refused(received.status)),
            _ => Err(NoToken::Unavailable),
        }
    }
}

impl Held {
    /// Keeps what a fetch brought. A failed renewal leaves the old token in use for as long as it is good.
    fn take(&mut self, fetched: Result<Token, NoToken>, now: DateTime<Utc>) -> Result<Bearer, NoToken> {
        self.problem = fetched.as_ref().err().copied();
        let old = self.token.take().filter(|token| now < token.expires_at);
        let token = match (fetched, old) {
            (Ok(new), _) => new,
            (Err(_), Some(old)) => Token { renew_at: now + RENEW_AGAIN, ..old },
            (Err(problem), None) => return Err(problem),
        };
        let bearer = token.bearer.clone();
        self.token = Some(token);
        Ok(bearer)
    }
}

impl Token {
    /// Reads a token that was asked for at `asked`.
    fn read(body: &[u8], asked: DateTime<Utc>) -> Result<Self, NoToken> {
        let token = wire::token(body).map_err(|_| NoToken::Unavailable)?;
        let seconds = token.expires_in.and_then(|seconds| i64::try_from(seconds).ok());
        let lasts = seconds.and_then(TimeDelta::try_seconds).unwrap_or(LASTS_BY_DEFAULT).min(TimeDelta::days(365));
        Ok(Self {
            bearer: Bearer::of(&token.secret).ok_or(NoToken::Unavailable)?,
            renew_at: asked + (lasts - MARGIN.min(lasts / 10)),
            expires_at: asked + lasts,
        })
    }
}

impl From<NoToken> for NotPlaced {
    fn from(problem: NoToken) -> Self {
        match problem {
            NoToken::Refused(status) => Self::refused(status, Concern::Credentials),
            NoToken::Unavailable => Self::NeverConnected,
        }
    }
}

impl From<NoToken> for Unread {
    fn from(problem: NoToken) -> Self {
        match problem {
            NoToken::Refused(status) => Self::Unauthorised(status),
            NoToken::Unavailable => Self::Unreachable,
        }
    }
}

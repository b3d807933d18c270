//! [`AnnieClient`]: the [`Vendor`] trait over HTTP.
//!
//! Each request takes at most the settings' `timeout`, in real time: whatever clock the run uses, the network uses the
//! machine's. Fetching a token has its own timeout, so that a slow token endpoint does not cost a call its response.
//! `POST /calls` is sent once: no status, error or new token makes this module send it again. The log shows a method, a
//! path's template, a status and a duration, never an address, a header or a body.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::Instant;
use tracing::debug;

use super::auth::{Bearer, Credentials, RejectedToken, TokenProvider};
use super::{rate_headers, reply, wire};
use crate::clock::SharedClock;
use crate::entry::TranscriptMessage;
use crate::ids::ConversationId;
use crate::phone::E164;
use crate::vendor::http::address::{Address, AddressError};
use crate::vendor::http::transport::{
    BodyError, ConnectionReuse, ReceivedResponse, Transport, TransportBuildError, TransportError,
};
use crate::vendor::{
    CallRequest, Concern, Conversation, NotPlaced, Page, ReadError, Refused, Reply, Response, Transcripts, Vendor,
};

/// The API (`annie-api.md`, Basics).
pub const ANNIE: &str = "https://api.helloannie.com/v1";

/// The token endpoint (`annie-api.md`, Basics).
const ANNIE_TOKENS: &str = "https://annie-external-api.us.auth0.com/oauth/token";

/// The longest response to a `POST` that is read, in bytes.
const MAX_REPLY_BYTES: usize = 64 * 1024;

/// The longest response to a `GET` that is read, in bytes: a page of 100 conversations with long summaries.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// The most rows on a page (`annie-api.md`, GET /conversations).
pub const PAGE_LIMIT: u32 = 100;

/// The most tokens that one read tries, one after another.
const MAX_TOKENS: u32 = 3;

/// Addresses, credentials and timeouts for one organisation.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The API's address; calls go to `{base_url}/calls`.
    pub base_url: String,
    /// The organisation's credentials.
    pub credentials: Credentials,
    /// The timeout of one request, in real time. Fetching a token is a request of its own.
    pub timeout: Duration,
    /// The timeout for connecting, TLS included, in real time. If it is shorter than `timeout`, a host that does not
    /// respond at all means a call that was certainly not placed.
    pub connect_timeout: Duration,
}

/// Why a client could not be created. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The API's address is not usable.
    #[error("the API's address: {0}")]
    BaseUrl(AddressError),
    /// The token endpoint's address is not usable.
    #[error("the token endpoint's address: {0}")]
    TokenUrl(AddressError),
    /// No header can carry the API key.
    #[error("the API key holds a character that no request can carry: copy it again")]
    Key,
    /// The HTTP client could not be built.
    #[error(transparent)]
    Transport(#[from] TransportBuildError),
}

/// The vendor's API over HTTP, with one organisation's credentials.
#[derive(Debug)]
pub struct AnnieClient {
    base: Address,
    tokens: TokenProvider,
    posts: Transport,
    reads: Transport,
    timeout: Duration,
    clock: SharedClock,
}

/// The address of a request, and the form of it that may be logged.
struct RequestTarget {
    /// The path's template from the contract, without ids.
    path: &'static str,
    address: Address,
}

impl ClientSettings {
    /// The vendor's production address and default timeouts: 30 s for a request, 10 s to connect.
    #[must_use]
    pub fn new(credentials: Credentials) -> Self {
        Self {
            base_url: ANNIE.to_owned(),
            credentials,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        }
    }
}

impl AnnieClient {
    /// Creates a client. `clock` decides when tokens expire and dates the headers; it must be the run's clock.
    pub fn new(settings: ClientSettings, clock: SharedClock) -> Result<Self, ClientError> {
        let base = Address::parse(&settings.base_url).map_err(ClientError::BaseUrl)?;
        let posts = Transport::new(ConnectionReuse::Never, settings.connect_timeout)?;
        let reads = Transport::new(ConnectionReuse::Idle, settings.connect_timeout)?;
        let tokens = token_provider(settings.credentials, &base, &posts, &clock)?;
        Ok(Self { base, tokens, posts, reads, timeout: settings.timeout, clock })
    }

    /// A client for another organisation at the same address. It shares the connections, not the credentials.
    pub fn with_credentials(&self, credentials: Credentials) -> Result<Self, ClientError> {
        let Self { base, posts, reads, timeout, clock, .. } = self;
        let tokens = token_provider(credentials, base, posts, clock)?;
        Ok(Self {
            base: base.clone(),
            tokens,
            posts: posts.clone(),
            reads: reads.clone(),
            timeout: *timeout,
            clock: clock.clone(),
        })
    }

    fn target(&self, path: &'static str, segments: &[&str]) -> Option<RequestTarget> {
        self.base.with_segments(segments).map(|address| RequestTarget { path, address })
    }

    /// Sends `call` once.
    async fn post(
        &self,
        target: &RequestTarget,
        call: &CallRequest,
        bearer: &Bearer,
    ) -> Result<ReceivedResponse, TransportError> {
        let request = self.posts.client().post(target.address.url());
        let request = request
            .header(AUTHORIZATION, bearer.header())
            .header(CONTENT_TYPE, "application/json")
            .body(wire::call_body(call));
        logged(&Method::POST, target, self.posts.send(request, MAX_REPLY_BYTES, self.deadline())).await
    }

    /// Reads `target`, again with a new token if the vendor rejects the current one.
    async fn get(&self, target: &RequestTarget) -> Response<Result<Vec<u8>, ReadError>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (received, bearer) = match self.get_once(target).await {
                Ok(received) => received,
                Err(error) => return Response::bare(Err(error)),
            };
            let is_newest = || async { self.tokens.reject(&bearer, self.deadline()).await == RejectedToken::Newest };
            // The first token may have been revoked. A second rejected token makes the 401 final, unless it was
            // replaced in the meantime.
            let is_last_try = tries == MAX_TOKENS || !self.tokens.can_renew();
            if received.status != 401 || (is_newest().await && tries > 1) || is_last_try {
                return self.respond(received, reply::read_result);
            }
        }
    }

    /// Reads what belongs to one conversation; without a target the id can be no conversation's.
    async fn get_one<T>(
        &self,
        target: Option<RequestTarget>,
        parser: impl FnOnce(&[u8]) -> Result<T, wire::MalformedBody>,
    ) -> Response<Result<T, ReadError>> {
        let Some(target) = target else { return Response::bare(Err(ReadError::NotFound)) };
        let mut response = self.get(&target).await.parse(parser);
        if matches!(response.value, Err(ReadError::Status(404))) {
            response.value = Err(ReadError::NotFound);
        }
        response
    }

    async fn get_once(&self, target: &RequestTarget) -> Result<(ReceivedResponse, Bearer), ReadError> {
        let bearer = self.tokens.bearer(self.deadline()).await?;
        let request = self.reads.client().get(target.address.url()).header(AUTHORIZATION, bearer.header());
        // A cached response may lack a new call or a call's end.
        let request = request.header(CACHE_CONTROL, "no-cache");
        let sent = logged(&Method::GET, target, self.reads.send(request, MAX_PAGE_BYTES, self.deadline())).await;
        match sent {
            Ok(received) => Ok((received, bearer)),
            Err(TransportError::NeverConnected) => Err(ReadError::Unreachable),
            Err(TransportError::Timeout | TransportError::Broken) => Err(ReadError::NoAnswer),
        }
    }

    /// The deadline of a request that starts now.
    fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    fn respond<T>(
        &self,
        received: ReceivedResponse,
        interpret: impl FnOnce(u16, Result<Vec<u8>, BodyError>) -> T,
    ) -> Response<T> {
        let (rate_headers, date) = rate_headers::read(received.status, &received.headers, self.clock.now());
        Response { value: interpret(received.status, received.body), rate_headers, date }
    }
}

impl Vendor for AnnieClient {
    async fn place(&self, call: CallRequest) -> Response<Reply> {
        let bearer = match self.tokens.bearer(self.deadline()).await {
            Ok(bearer) => bearer,
            Err(no_token) => return Response::bare(Reply::NotPlaced(no_token.into())),
        };
        let target = self.target("/calls", &["calls"]).expect("a path of the contract");
        let mut response = match self.post(&target, &call, &bearer).await {
            Ok(received) => self
                .respond(received, |status, body| reply::from_response(status, body.as_deref().map_err(|e| *e), &call)),
            Err(error) => Response::bare(reply::from_transport_error(error)),
        };
        if is_unauthorised(&response.value)
            && self.tokens.reject(&bearer, self.deadline()).await == RejectedToken::Older
        {
            response.value = Reply::NotPlaced(NotPlaced::StaleToken);
        }
        response
    }

    async fn page(&self, offset: u64, limit: u32) -> Response<Result<Page, ReadError>> {
        let mut target = self.target("/conversations", &["conversations"]).expect("a path of the contract");
        let limit = limit.clamp(1, PAGE_LIMIT);
        // The practice may have archived a call that was placed: a list without archived calls proves nothing.
        target.address =
            target.address.with_query(&[("offset", &offset), ("limit", &limit), ("includeArchived", &true)]);
        self.get(&target).await.parse(wire::page)
    }

    async fn conversation(&self, id: &ConversationId) -> Response<Result<Conversation, ReadError>> {
        let target = self.target("/conversations/{id}", &["conversations", id.as_str()]);
        self.get_one(target, |body| wire::conversation(body, id)).await
    }

    async fn may_call_from(&self, from: E164) -> Response<Result<Option<bool>, ReadError>> {
        let target = self.target("/phone-numbers", &["phone-numbers"]).expect("a path of the contract");
        self.get(&target).await.parse(|body| wire::may_call_from(body, from))
    }
}

impl Transcripts for AnnieClient {
    async fn messages(&self, id: &ConversationId) -> Response<Result<Vec<TranscriptMessage>, ReadError>> {
        let target = self.target("/conversations/{id}/messages", &["conversations", id.as_str(), "messages"]);
        self.get_one(target, wire::messages).await
    }
}

impl Response<Result<Vec<u8>, ReadError>> {
    /// Parses the body, if there is one.
    fn parse<T>(self, parser: impl FnOnce(&[u8]) -> Result<T, wire::MalformedBody>) -> Response<Result<T, ReadError>> {
        let value = self.value.and_then(|body| parser(&body).map_err(|wire::MalformedBody| ReadError::Unreadable));
        Response { value, rate_headers: self.rate_headers, date: self.date }
    }
}

fn is_unauthorised(reply: &Reply) -> bool {
    matches!(reply, Reply::NotPlaced(NotPlaced::Refused(Refused { concern: Concern::Credentials, .. })))
}

fn token_provider(
    credentials: Credentials,
    base: &Address,
    posts: &Transport,
    clock: &SharedClock,
) -> Result<TokenProvider, ClientError> {
    let endpoint = token_endpoint(&credentials, base).map_err(ClientError::TokenUrl)?;
    TokenProvider::new(credentials, endpoint, posts.clone(), clock.clone()).ok_or(ClientError::Key)
}

/// The endpoint from which `credentials` fetch tokens for the API at `base`.
fn token_endpoint(credentials: &Credentials, base: &Address) -> Result<Address, AddressError> {
    let configured = match credentials {
        Credentials::ClientCredentials(client) => client.token_url.as_deref(),
        Credentials::ApiKey(_) => None,
    };
    match configured {
        Some(text) => Address::parse(text),
        None if base.is_loopback() => Ok(base.with_path("/oauth/token")),
        None => Address::parse(ANNIE_TOKENS),
    }
}

/// Awaits an exchange and logs its method, path template, status and duration.
async fn logged(
    method: &Method,
    target: &RequestTarget,
    exchange: impl Future<Output = Result<ReceivedResponse, TransportError>>,
) -> Result<ReceivedResponse, TransportError> {
    let started = Instant::now();
    let result = exchange.await;
    let elapsed_ms = started.elapsed().as_millis() as u64;
    match &result {
        Ok(received) => debug!(%method, path = target.path, status = received.status, elapsed_ms),
        Err(error) => debug!(%method, path = target.path, ?error, elapsed_ms),
    }
    result
}

#[cfg(test)]
mod tests;

//! The client: [`Vendor`] over HTTP.
//!
//! Each request takes no longer than the settings' `timeout`, in real time: whatever clock the run goes by, the network goes
//! by the machine's. The fetching of a token has a time of its own, so that a slow token endpoint costs no call its answer. `POST /calls` is sent once: no status, fault or new token
//! makes this module send it again. What is logged is a method, a path's template, a status and a duration, never an
//! address, a header or a body.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use tokio::time::Instant;
use tracing::debug;

use super::address::{ANNIE, ANNIE_TOKENS, Address, AddressProblem};
use super::auth::{Bearer, Credentials, Rejected, Tokens};
use super::transport::{BodyFault, Fault, NoTransport, Received, Reuse, Transport};
use super::{
    Answer, CallRequest, Concern, Conversation, NotPlaced, Page, Refused, Reply, Unread, Vendor, meter, reply, wire,
};
use crate::clock::SharedClock;
use crate::ids::ConversationId;
use crate::phone::E164;

/// The most of an answer to a `POST` that is read, in bytes.
const REPLY_AT_MOST: usize = 64 * 1024;

/// The most of an answer to a `GET` that is read, in bytes: a page of 100 conversations with long summaries.
const PAGE_AT_MOST: usize = 4 * 1024 * 1024;

/// The longest page that the vendor gives (`annie-api.md`, GET /conversations).
const PAGE_LIMIT: u32 = 100;

/// So many tokens, one after the other, are tried for one read.
const TOKENS_TRIED: u32 = 3;

/// How to reach the vendor.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The API's address, taken literally: `{base_url}/calls`.
    pub base_url: String,
    /// Who we are.
    pub credentials: Credentials,
    /// The longest that a request takes, in real time; fetching a token is one of its own.
    pub timeout: Duration,
    /// The longest that connecting takes, TLS included, in real time. Shorter than `timeout`, it turns a host that does
    /// not answer at all into a call that was certainly not placed.
    pub connect_timeout: Duration,
}

/// Why there is no client. Nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientProblem {
    /// The API's address.
    #[error("the API's address: {0}")]
    BaseUrl(AddressProblem),
    /// The token endpoint's address.
    #[error("the token endpoint's address: {0}")]
    TokenUrl(AddressProblem),
    /// The key.
    #[error("the API key holds a character that no request can carry: copy it again")]
    Key,
    /// The HTTP client.
    #[error(transparent)]
    Transport(#[from] NoTransport),
}

/// The vendor over HTTP: one organisation's credentials.
#[derive(Debug)]
pub struct AnnieClient {
    base: Address,
    tokens: Tokens,
    posts: Transport,
    reads: Transport,
    timeout: Duration,
    clock: SharedClock,
}

/// One request, as far as it may be shown.
struct Target {
    /// The path as the contract writes it, without anything of this very request.
    path: &'static str,
    address: Address,
}

impl ClientSettings {
    /// The vendor's own address and the usual times: 30 s for a request, 10 s to connect.
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
    /// A client. `clock` tells when tokens expire and what the headers' instants mean; it must be the run's.
    pub fn new(settings: ClientSettings, clock: SharedClock) -> Result<Self, ClientProblem> {
        let base = Address::parse(&settings.base_url).map_err(ClientProblem::BaseUrl)?;
        let posts = Transport::new(Reuse::Never, settings.connect_timeout)?;
        let reads = Transport::new(Reuse::Idle, settings.connect_timeout)?;
        let tokens = tokens(settings.credentials, &base, &posts, &clock)?;
        Ok(Self { base, tokens, posts, reads, timeout: settings.timeout, clock })
    }

    /// A client of another organisation at the same address. Both share what trusts and connects, not who they are.
    pub fn beside(&self, credentials: Credentials) -> Result<Self, ClientProblem> {
        let Self { base, posts, reads, timeout, clock, .. } = self;
        let tokens = tokens(credentials, base, posts, clock)?;
        Ok(Self {
            base: base.clone(),
            tokens,
            posts: posts.clone(),
            reads: reads.clone(),
            timeout: *timeout,
            clock: clock.clone(),
        })
    }

    fn target(&self, path: &'static str, segments: &[&str]) -> Option<Target> {
        self.base.at(segments).map(|address| Target { path, address })
    }

    /// Sends `call`, once.
    async fn post(&self, target: &Target, call: &CallRequest, bearer: &Bearer) -> Result<Received, Fault> {
        let request = self.posts.client().post(target.address.url());
        let request = request
            .header(AUTHORIZATION, bearer.header())
            .header(CONTENT_TYPE, "application/json")
            .body(wire::call_body(call));
        logged(&Method::POST, target, self.posts.send(request, REPLY_AT_MOST, self.deadline())).await
    }

    /// Reads `target`: again with a new token if the vendor does not accept the one at hand.
    async fn get(&self, target: &Target) -> Answer<Result<Vec<u8>, Unread>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (received, bearer) = match self.get_once(target).await {
                Ok(answered) => answered,
                Err(unread) => return Answer::bare(Err(unread)),
            };
            let is_newest = || async { self.tokens.reject(&bearer, self.deadline()).await == Rejected::Newest };
            // The first may have been revoked; the second one that the vendor does not accept counts, unless it was not the
            // newest by then.
            let counts = tries == TOKENS_TRIED || !self.tokens.are_renewed();
            if received.status != 401 || (is_newest().await && tries > 1) || counts {
                return self.answer(received, reply::read);
            }
        }
    }

    async fn get_once(&self, target: &Target) -> Result<(Received, Bearer), Unread> {
        let bearer = self.tokens.bearer(self.deadline()).await?;
        let request = self.reads.client().get(target.address.url()).header(AUTHORIZATION, bearer.header());
        // What a proxy has kept shows neither a call's beginning nor its end.
        let request = request.header(CACHE_CONTROL, "no-cache");
        let sent = logged(&Method::GET, target, self.reads.send(request, PAGE_AT_MOST, self.deadline())).await;
        match sent {
            Ok(received) => Ok((received, bearer)),
            Err(Fault::NeverConnected) => Err(Unread::Unreachable),
            Err(Fault::Timeout | Fault::Broken) => Err(Unread::NoAnswer),
        }
    }

    /// Of what begins now.
    fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    fn answer<T>(&self, received: Received, meaning: impl FnOnce(u16, Result<Vec<u8>, BodyFault>) -> T) -> Answer<T> {
        let (meter, date) = meter::read(received.status, &received.headers, self.clock.now());
        Answer { value: meaning(received.status, received.body), meter, date }
    }
}

impl Vendor for AnnieClient {
    async fn place(&self, call: CallRequest) -> Answer<Reply> {
        let bearer = match self.tokens.bearer(self.deadline()).await {
            Ok(bearer) => bearer,
            Err(problem) => return Answer::bare(Reply::NotPlaced(problem.into())),
        };
        let target = self.target("/calls", &["calls"]).expect("a path of the contract");
        let mut answer = match self.post(&target, &call, &bearer).await {
            Ok(received) => {
                self.answer(received, |status, body| reply::placed(status, body.as_deref().map_err(|f| *f), &call))
            }
            Err(fault) => Answer::bare(reply::unanswered(fault)),
        };
        if is_turned_away(&answer.value) && self.tokens.reject(&bearer, self.deadline()).await == Rejected::Older {
            answer.value = Reply::NotPlaced(NotPlaced::StaleToken);
        }
        answer
    }

    async fn page(&self, offset: u64, limit: u32) -> Answer<Result<Page, Unread>> {
        let mut target = self.target("/conversations", &["conversations"]).expect("a path of the contract");
        let limit = limit.clamp(1, PAGE_LIMIT);
        // What the practice has put into the archive meanwhile was placed all the same: a list without it proves nothing.
        target.address = target.address.asking(&[("offset", &offset), ("limit", &limit), ("includeArchived", &true)]);
        self.get(&target).await.read(wire::page)
    }

    async fn conversation(&self, id: &ConversationId) -> Answer<Result<Conversation, Unread>> {
        let Some(target) = self.target("/conversations/{id}", &["conversations", id.as_str()]) else {
            return Answer::bare(Err(Unread::NotFound));
        };
        let mut answer = self.get(&target).await.read(|body| wire::conversation(body, id));
        if answer.value == Err(Unread::Status(404)) {
            answer.value = Err(Unread::NotFound);
        }
        answer
    }

    async fn may_call_from(&self, from: E164) -> Answer<Result<Option<bool>, Unread>> {
        let target = self.target("/phone-numbers", &["phone-numbers"]).expect("a path of the contract");
        self.get(&target).await.read(|body| wire::may_call_from(body, from))
    }
}

impl Answer<Result<Vec<u8>, Unread>> {
    /// The body, read.
    fn read<T>(self, of: impl FnOnce(&[u8]) -> Result<T, wire::Malformed>) -> Answer<Result<T, Unread>> {
        let value = self.value.and_then(|body| of(&body).map_err(|wire::Malformed| Unread::Unreadable));
        Answer { value, meter: self.meter, date: self.date }
    }
}

fn is_turned_away(reply: &Reply) -> bool {
    matches!(reply, Reply::NotPlaced(NotPlaced::Refused(Refused { concern: Concern::Credentials, .. })))
}

fn tokens(
    credentials: Credentials,
    base: &Address,
    posts: &Transport,
    clock: &SharedClock,
) -> Result<Tokens, ClientProblem> {
    let endpoint = token_endpoint(&credentials, base).map_err(ClientProblem::TokenUrl)?;
    Tokens::new(credentials, endpoint, posts.clone(), clock.clone()).ok_or(ClientProblem::Key)
}

/// Where `credentials` fetch tokens for the API at `base`.
fn token_endpoint(credentials: &Credentials, base: &Address) -> Result<Address, AddressProblem> {
    let given = match credentials {
        Credentials::ClientCredentials(client) => client.token_url.as_deref(),
        Credentials::ApiKey(_) => None,
    };
    match given {
        Some(text) => Address::parse(text),
        None if base.is_loopback() => Ok(base.elsewhere("/oauth/token")),
        None => Address::parse(ANNIE_TOKENS),
    }
}

/// Waits for an exchange and logs its outline.
async fn logged(
    method: &Method,
    target: &Target,
    exchange: impl Future<Output = Result<Received, Fault>>,
) -> Result<Received, Fault> {
    let began = Instant::now();
    let result = exchange.await;
    let elapsed_ms = began.elapsed().as_millis() as u64;
    match &result {
        Ok(received) => debug!(%method, path = target.path, status = received.status, elapsed_ms),
        Err(fault) => debug!(%method, path = target.path, ?fault, elapsed_ms),
    }
    result
}

#[cfg(test)]
mod tests;

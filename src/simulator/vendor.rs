//! What all requests share: the world and its log, the budget, the credentials, the fates.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::{AUTHORIZATION, DATE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::SharedClock;
use crate::ids::ConversationId;

use super::access::{Access, NoToken, Token};
use super::budget::{Budget, Meter};
use super::call::Request;
use super::dice::Dice;
use super::fault::{Fate, Fates, Scope};
use super::log::{CallLog, Placed};
use super::routes::{Moment, failure, is_calls_path, is_token_path};
use super::rules::Refusal;
use super::settings::{Dates, RetryAfter, Settings};
use super::webhook::{self, Postman};
use super::world::World;

/// Everything that requests share.
pub(super) struct Vendor {
    pub(super) settings: Settings,
    pub(super) clock: SharedClock,
    office: Mutex<Office>,
    budget: Mutex<Budget>,
    access: Mutex<Access>,
    fates: Fates,
    /// Answers given so far.
    answers: AtomicU64,
    postman: Option<Arc<Postman>>,
    /// Deliveries that are to be made.
    deliveries: Mutex<JoinSet<()>>,
    /// Told when the door is to be shut, to whomever.
    pub(super) shut: Arc<Notify>,
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// 401.
    Unauthorised,
    /// 429.
    Exhausted,
}

/// The world and its log, which change together.
struct Office {
    world: World,
    log: Option<CallLog>,
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vendor {
    pub(super) fn open(settings: Settings, clock: SharedClock, shut: Arc<Notify>) -> io::Result<Self> {
        let opened = settings.log.as_deref().map(CallLog::open).transpose()?;
        let (log, calls) = opened.map_or((None, Vec::new()), |(log, calls)| (Some(log), calls));
        let world = World::replay(settings.clone(), calls, clock.now());
        Ok(Self {
            fates: Fates::new(settings.faults.clone(), settings.seed, world.placed()),
            budget: Mutex::new(Budget::new(settings.budget.clone())),
            access: Mutex::new(Access::new(settings.access.clone(), settings.seed, &settings.name)),
            office: Mutex::new(Office { world, log }),
            postman: settings.webhook.clone().map(|webhook| Arc::new(Postman::new(webhook))),
            deliveries: Mutex::default(),
            answers: AtomicU64::new(0),
            shut,
            clock,
            settings,
        })
    }

    pub(super) fn with_world<T>(&self, ask: impl FnOnce(&mut World) -> T) -> T {
        ask(&mut lock(&self.office).world)
    }

    /// Starts a conversation: written first, so that the log has it before anybody can be told.
    pub(super) fn begin(&self, moment: Moment, request: &impl Request) -> io::Result<Result<ConversationId, Refusal>> {
        let mut office = lock(&self.office);
        let mut placed = match office.world.consider(moment.now, request) {
            Ok(placed) => placed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        placed.answered = moment.fault.map(str::to_string);
        office.log.as_mut().map_or(Ok(()), |log| log.append(&placed))?;
        office.world.admit(&placed);
        self.will_deliver(&placed);
        Ok(Ok(placed.conversation_id))
    }

    fn will_deliver(&self, placed: &Placed) {
        let Some(postman) = &self.postman else { return };
        let dice = Dice::new(self.settings.seed).under_text("webhook");
        let mut deliveries = lock(&self.deliveries);
        while deliveries.try_join_next().is_some() {}
        for delivery in webhook::deliveries(&dice, placed, self.settings.closing) {
            deliveries.spawn(Arc::clone(postman).make(delivery, Arc::clone(&self.clock)));
        }
    }

    pub(super) fn issue(&self, now: DateTime<Utc>, body: &[u8]) -> Result<Token, NoToken> {
        lock(&self.access).issue(now, body)
    }

    /// Whether a request is let in. The token endpoint is another service's, with no credentials and no budget.
    pub(super) fn admit(&self, now: DateTime<Utc>, head: &Parts) -> Result<(), TurnedAway> {
        if is_token_path(head.uri.path()) {
            return Ok(());
        }
        if !lock(&self.access).admits(now, authorization(head)) {
            return Err(TurnedAway::Unauthorised);
        }
        lock(&self.budget).charge(now).map_err(|_| TurnedAway::Exhausted)
    }

    /// Whether a request bears a key or a token of this organisation.
    pub(super) fn takes_key_of(&self, head: &Parts) -> bool {
        lock(&self.access).admits(self.clock.now(), authorization(head))
    }

    /// Whether a request for a token, of this body, is by a client of this organisation.
    pub(super) fn knows_client(&self, body: &[u8]) -> bool {
        lock(&self.access).knows_client(body)
    }

    /// The answer to a request that is not let in.
    pub(super) fn turned_away(&self, now: DateTime<Utc>, why: TurnedAway) -> Response {
        match why {
            TurnedAway::Unauthorised => failure(StatusCode::UNAUTHORIZED, "missing, unknown or expired credentials"),
            TurnedAway::Exhausted => self.too_many_requests(now),
        }
    }

    /// 429, and when to come back.
    pub(super) fn too_many_requests(&self, now: DateTime<Utc>) -> Response {
        let reset = lock(&self.budget).meter(now).reset;
        let mut response = failure(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        let value = match self.settings.budget.retry_after {
            RetryAfter::Absent => return response,
            RetryAfter::Seconds => ((reset - now).num_milliseconds() + 999).div_euclid(1000).to_string(),
            RetryAfter::HttpDate => httpdate::fmt_http_date(reset.into()),
            RetryAfter::Garbage => "soon".to_string(),
        };
        set(&mut response, RETRY_AFTER.as_str(), &value);
        response
    }

    /// The headers that every answer has.
    pub(super) fn stamp(&self, response: &mut Response, now: DateTime<Utc>) {
        let Meter { limit, remaining, reset } = lock(&self.budget).meter(now);
        set(response, "x-ratelimit-limit", &limit.to_string());
        set(response, "x-ratelimit-remaining", &remaining.to_string());
        set(response, "x-ratelimit-reset", &reset.timestamp().to_string());
        let answers = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        let date = match self.settings.wording.date {
            Dates::Missing => None,
            Dates::StaleEvery(nth) if answers.is_multiple_of(nth.max(1)) => Some(now - TimeDelta::hours(1)),
            Dates::True | Dates::StaleEvery(_) => Some(now),
            Dates::Off(seconds) => Some(now + TimeDelta::seconds(seconds)),
        };
        if let Some(date) = date {
            set(response, DATE.as_str(), &httpdate::fmt_http_date(date.into()));
        }
    }

    /// What happens to a request of this kind.
    pub(super) fn fate(&self, head: &Parts) -> Option<Fate> {
        match head.method {
            Method::POST if is_calls_path(head.uri.path()) => self.fates.draw(Scope::Calls),
            Method::GET => self.fates.draw(Scope::Reads),
            _ => None,
        }
    }
}

fn authorization(head: &Parts) -> Option<&str> {
    head.headers.get(AUTHORIZATION)?.to_str().ok()
}

pub(super) fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

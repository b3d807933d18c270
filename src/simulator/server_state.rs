//! The state that all requests share: the world and its call log, the request budget, the credentials, the faults.

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

use super::access::{Access, TokenDenied, TokenResponse};
use super::budget::{QuotaHeaders, SimulatedQuota};
use super::call::StartRequest;
use super::call_log::{CallLog, LoggedCall};
use super::envelope::failure;
use super::fault::{FaultInjector, FaultScope, InjectedFault};
use super::request_context::{RequestContext, is_calls_path, is_token_path};
use super::rules::CallRefusal;
use super::seeded_rng::SeededRng;
use super::settings::{Dates, RetryAfter, Settings};
use super::webhook::{self, WebhookSender};
use super::world::World;

/// The shared state of one organisation's endpoints.
pub(super) struct ServerState {
    pub(super) settings: Settings,
    pub(super) clock: SharedClock,
    world_and_log: Mutex<WorldAndLog>,
    budget: Mutex<SimulatedQuota>,
    access: Mutex<Access>,
    fault_injector: FaultInjector,
    /// The number of responses so far.
    responses: AtomicU64,
    webhook_sender: Option<Arc<WebhookSender>>,
    /// The webhook deliveries that are scheduled.
    deliveries: Mutex<JoinSet<()>>,
    /// Notified when the listener must refuse connections for a while.
    pub(super) refuse_connections: Arc<Notify>,
}

/// Why a request is refused before its endpoint sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestRefusal {
    /// 401: no valid credentials.
    Unauthorised,
    /// 429: no request budget left.
    Exhausted,
}

/// The world and its call log, which change together.
struct WorldAndLog {
    world: World,
    log: Option<CallLog>,
}

impl fmt::Debug for ServerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerState").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ServerState {
    /// Opens the call log and replays its calls.
    pub(super) fn open(settings: Settings, clock: SharedClock, refuse_connections: Arc<Notify>) -> io::Result<Self> {
        let (log, calls) = match settings.log.as_deref() {
            Some(path) if settings.replays_only => (None, CallLog::read(path)?),
            Some(path) => CallLog::open(path).map(|(log, calls)| (Some(log), calls))?,
            None => (None, Vec::new()),
        };
        let world = World::replay(settings.clone(), calls, clock.now());
        Ok(Self {
            fault_injector: FaultInjector::new(settings.faults.clone(), settings.seed, world.placed()),
            budget: Mutex::new(SimulatedQuota::new(settings.budget.clone())),
            access: Mutex::new(Access::new(settings.access.clone(), settings.seed, &settings.name)),
            world_and_log: Mutex::new(WorldAndLog { world, log }),
            webhook_sender: settings.webhook.clone().map(|webhook| Arc::new(WebhookSender::new(webhook))),
            deliveries: Mutex::default(),
            responses: AtomicU64::new(0),
            refuse_connections,
            clock,
            settings,
        })
    }

    pub(super) fn with_world<T>(&self, action: impl FnOnce(&mut World) -> T) -> T {
        action(&mut lock(&self.world_and_log).world)
    }

    /// Starts a conversation. The call log gets it first, so that it is recorded before any client learns of it.
    pub(super) fn start_conversation(
        &self,
        context: RequestContext,
        request: &impl StartRequest,
    ) -> io::Result<Result<ConversationId, CallRefusal>> {
        let mut world_and_log = lock(&self.world_and_log);
        let mut placed = match world_and_log.world.check_request(context.now, request) {
            Ok(placed) => placed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        placed.answered = context.fault_name.map(str::to_string);
        world_and_log.log.as_mut().map_or(Ok(()), |log| log.append(&placed))?;
        world_and_log.world.record(&placed);
        self.schedule_deliveries(&placed);
        Ok(Ok(placed.conversation_id))
    }

    fn schedule_deliveries(&self, placed: &LoggedCall) {
        let Some(webhook_sender) = &self.webhook_sender else { return };
        let rng = SeededRng::new(self.settings.seed).derive_text("webhook");
        let mut deliveries = lock(&self.deliveries);
        while deliveries.try_join_next().is_some() {}
        for delivery in webhook::deliveries(&rng, placed, self.settings.closing) {
            deliveries.spawn(Arc::clone(webhook_sender).deliver(delivery, Arc::clone(&self.clock)));
        }
    }

    /// Issues a token for the body of a `POST /oauth/token`.
    pub(super) fn issue_token(&self, now: DateTime<Utc>, body: &[u8]) -> Result<TokenResponse, TokenDenied> {
        lock(&self.access).issue(now, body)
    }

    /// Checks the credentials and charges the request budget. The token endpoint is a separate service without either.
    pub(super) fn authorise(&self, now: DateTime<Utc>, head: &Parts) -> Result<(), RequestRefusal> {
        if is_token_path(head.uri.path()) {
            return Ok(());
        }
        if !lock(&self.access).admits(now, authorization(head)) {
            return Err(RequestRefusal::Unauthorised);
        }
        lock(&self.budget).charge(now).map_err(|_| RequestRefusal::Exhausted)
    }

    /// Whether a request carries a key or token of this organisation.
    pub(super) fn accepts_credentials(&self, head: &Parts) -> bool {
        lock(&self.access).admits(self.clock.now(), authorization(head))
    }

    /// Whether the body of a token request names a client of this organisation.
    pub(super) fn knows_client(&self, body: &[u8]) -> bool {
        lock(&self.access).knows_client(body)
    }

    /// The response to a refused request.
    pub(super) fn refusal_response(&self, now: DateTime<Utc>, why: RequestRefusal) -> Response {
        match why {
            RequestRefusal::Unauthorised => {
                failure(StatusCode::UNAUTHORIZED, "missing, unknown or expired credentials")
            }
            RequestRefusal::Exhausted => self.too_many_requests(now),
        }
    }

    /// The 429 response, with `Retry-After` in the form of the settings.
    pub(super) fn too_many_requests(&self, now: DateTime<Utc>) -> Response {
        let reset = lock(&self.budget).headers(now).reset;
        let mut response = failure(StatusCode::TOO_MANY_REQUESTS, "too many requests");
        let value = match self.settings.budget.retry_after {
            RetryAfter::Absent => return response,
            RetryAfter::Seconds => ((reset - now).num_milliseconds() + 999).div_euclid(1000).to_string(),
            RetryAfter::HttpDate => httpdate::fmt_http_date(reset.into()),
            RetryAfter::Garbage => "soon".to_string(),
        };
        set_header(&mut response, RETRY_AFTER.as_str(), &value);
        response
    }

    /// Adds the headers that every response has.
    pub(super) fn add_headers(&self, response: &mut Response, now: DateTime<Utc>) {
        let QuotaHeaders { limit, remaining, reset } = lock(&self.budget).headers(now);
        set_header(response, "x-ratelimit-limit", &limit.to_string());
        set_header(response, "x-ratelimit-remaining", &remaining.to_string());
        set_header(response, "x-ratelimit-reset", &reset.timestamp().to_string());
        let responses = self.responses.fetch_add(1, Ordering::Relaxed) + 1;
        let date = match self.settings.wording.date {
            Dates::Missing => None,
            Dates::StaleEvery(nth) if responses.is_multiple_of(nth.max(1)) => Some(now - TimeDelta::hours(1)),
            Dates::True | Dates::StaleEvery(_) => Some(now),
            Dates::Off(seconds) => Some(now + TimeDelta::seconds(seconds)),
        };
        if let Some(date) = date {
            set_header(response, DATE.as_str(), &httpdate::fmt_http_date(date.into()));
        }
    }

    /// The fault that hits the next request of this kind, if any.
    pub(super) fn draw_fault(&self, head: &Parts) -> Option<InjectedFault> {
        match head.method {
            Method::POST if is_calls_path(head.uri.path()) => self.fault_injector.draw(FaultScope::Calls),
            Method::GET => self.fault_injector.draw(FaultScope::Reads),
            _ => None,
        }
    }
}

fn authorization(head: &Parts) -> Option<&str> {
    head.headers.get(AUTHORIZATION)?.to_str().ok()
}

/// Sets a header of a response; an invalid value is ignored.
pub(super) fn set_header(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

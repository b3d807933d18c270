//! A steady request rate: `governor`'s keyed limiter on our clock.
//!
//! The limiter only checks whether a request is due now and never waits, since `until_ready` uses the machine's clock,
//! whatever clock the limiter was given. Checking without spending needs a state store of our own: a peeking key
//! changes nothing.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use governor::Quota;
use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;

use crate::clock::SharedClock;
use crate::ids::OrganisationId;

/// The largest burst is what is due in this time: a timer, or the run's other work, may be this late.
const BURST_SPAN: Duration = Duration::from_millis(100);

const MINUTE: Duration = Duration::from_mins(1);

/// One rate, limited separately for each organisation.
pub(super) struct RateLimiter {
    limiter: governor::RateLimiter<LimiterKey, ArrivalTimes, LimiterClock, StateInformationMiddleware>,
    burst: NonZeroU32,
}

/// An organisation, and whether a check spends a request or only peeks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum LimiterKey {
    Peek(OrganisationId),
    Spend(OrganisationId),
}

/// When each organisation's next request is due, as `governor` computes it.
#[derive(Debug, Default)]
struct ArrivalTimes(Mutex<HashMap<OrganisationId, Nanos>>);

/// Our clock for `governor`: elapsed time, which a clock that is set back neither reduces nor stalls.
#[derive(Debug)]
struct LimiterClock {
    clock: SharedClock,
    last: Mutex<(DateTime<Utc>, LimiterInstant)>,
}

/// Elapsed nanoseconds; 64 bits last 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct LimiterInstant(u64);

impl RateLimiter {
    /// A limiter of `rate` requests per minute.
    pub(super) fn new(clock: SharedClock, rate: NonZeroU32) -> Self {
        let burst = burst(rate);
        let quota =
            Quota::with_period(MINUTE / rate.get()).expect("a u32 rate leaves a period of at least 13 nanoseconds");
        Self {
            limiter: governor::RateLimiter::new(
                quota.allow_burst(burst),
                ArrivalTimes::default(),
                LimiterClock::new(clock),
            ),
            burst,
        }
    }

    /// When the next request is due; `None`: now.
    pub(super) fn ready_at(&self, organisation: &OrganisationId) -> Option<DateTime<Utc>> {
        self.check(&LimiterKey::Peek(organisation.clone())).err()
    }

    /// How many requests are due now.
    pub(super) fn available(&self, organisation: &OrganisationId) -> u32 {
        self.check(&LimiterKey::Peek(organisation.clone())).map_or(0, |further| further + 1)
    }

    /// Spends one request. `Err`: when the next one is due.
    pub(super) fn take(&self, organisation: &OrganisationId) -> Result<(), DateTime<Utc>> {
        self.check(&LimiterKey::Spend(organisation.clone())).map(|_| ())
    }

    /// Spends the whole burst of an organisation that changes to this rate: a change of rate earns no requests.
    pub(super) fn start_empty(&self, organisation: &OrganisationId) {
        // An error means that part of the burst is spent already.
        let _ = self.limiter.check_key_n(&LimiterKey::Spend(organisation.clone()), self.burst);
    }

    /// `Ok`: how many further requests are due now in addition to this one. `Err`: when this one is due, rounded up to whole
    /// microseconds, since no clock of ours is finer and a shorter wait would pass no time.
    fn check(&self, key: &LimiterKey) -> Result<u32, DateTime<Utc>> {
        let further = self.limiter.check_key(key).map(|state| state.remaining_burst_capacity());
        further.map_err(|wait| {
            let (now, tick) = self.limiter.clock().read();
            let micros = wait.wait_time_from(tick).as_nanos().div_ceil(1_000);
            now + TimeDelta::microseconds(i64::try_from(micros).unwrap_or(i64::MAX))
        })
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("burst", &self.burst).finish_non_exhaustive()
    }
}

impl StateStore for ArrivalTimes {
    type Key = LimiterKey;

    fn measure_and_replace<T, F, E>(&self, key: &LimiterKey, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut arrivals = unpoisoned(&self.0);
        match key {
            LimiterKey::Peek(organisation) => decide(arrivals.get(organisation).copied()).map(|(answer, _)| answer),
            LimiterKey::Spend(organisation) => {
                let (answer, next) = decide(arrivals.get(organisation).copied())?;
                arrivals.insert(organisation.clone(), next);
                Ok(answer)
            }
        }
    }
}

impl LimiterClock {
    fn new(clock: SharedClock) -> Self {
        let last = Mutex::new((clock.now(), LimiterInstant(0)));
        Self { clock, last }
    }

    /// The current instant, and the time elapsed by then.
    fn read(&self) -> (DateTime<Utc>, LimiterInstant) {
        let mut last = unpoisoned(&self.last);
        let now = self.clock.now();
        let elapsed = (now - last.0).to_std().unwrap_or_default();
        *last = (now, last.1 + Nanos::from(elapsed));
        *last
    }
}

impl Clock for LimiterClock {
    type Instant = LimiterInstant;

    fn now(&self) -> LimiterInstant {
        self.read().1
    }
}

impl Add<Nanos> for LimiterInstant {
    type Output = Self;

    fn add(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.as_u64()))
    }
}

impl Reference for LimiterInstant {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, span: Nanos) -> Self {
        Self(self.0.checked_sub(span.as_u64()).unwrap_or(self.0))
    }
}

/// The requests due within [`BURST_SPAN`], at least 1; at 60 per minute, 1.
fn burst(rate: NonZeroU32) -> NonZeroU32 {
    let due = u128::from(rate.get()) * BURST_SPAN.as_millis() / MINUTE.as_millis();
    NonZeroU32::new(due as u32).unwrap_or(NonZeroU32::MIN)
}

/// Locks, even after a panic elsewhere: the value is consistent whenever the lock is free.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A steady pace: `governor`'s keyed limiter on our clock.
//!
//! It is only ever asked whether there is a token now, never to wait (`until_ready` goes by the machine's clock, whatever
//! clock it was given). Asking without spending needs a store of our own: a key that merely looks leaves no trace.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::ops::Add;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use governor::clock::{Clock, Reference};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use crate::clock::SharedClock;
use crate::ids::OrganisationId;

/// What the largest burst makes up for: the time by which a timer, or the run's other work, may be late.
const LATENESS: Duration = Duration::from_millis(100);

const MINUTE: Duration = Duration::from_mins(1);

/// One rate, kept by each organisation on its own.
pub(super) struct Pace {
    limiter: RateLimiter<Asked, Arrivals, Ticks, StateInformationMiddleware>,
    burst: NonZeroU32,
}

/// Whose request it is, and whether it is being sent or only thought of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Look(OrganisationId),
    Spend(OrganisationId),
}

/// When each organisation's next request is due, as `governor` computes it.
#[derive(Debug, Default)]
struct Arrivals(Mutex<HashMap<OrganisationId, Nanos>>);

/// Our clock, as `governor` takes it: the time that has passed, which a clock set back neither undoes nor makes wait.
#[derive(Debug)]
struct Ticks {
    clock: SharedClock,
    seen: Mutex<(DateTime<Utc>, Tick)>,
}

/// Nanoseconds that have passed; 64 bits of them last 584 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tick(u64);

impl Pace {
    /// `rate` requests a minute.
    pub(super) fn new(clock: SharedClock, rate: NonZeroU32) -> Self {
        let burst = burst(rate);
        let quota =
            Quota::with_period(MINUTE / rate.get()).expect("a minute has more nanoseconds than any rate requests");
        Self { limiter: RateLimiter::new(quota.allow_burst(burst), Arrivals::default(), Ticks::of(clock)), burst }
    }

    /// When the next request is due, if it is not now.
    pub(super) fn ready_at(&self, organisation: &OrganisationId) -> Option<DateTime<Utc>> {
        self.ask(&Asked::Look(organisation.clone())).err()
    }

    /// How many requests are due now.
    pub(super) fn available(&self, organisation: &OrganisationId) -> u32 {
        self.ask(&Asked::Look(organisation.clone())).map_or(0, |further| further + 1)
    }

    /// Spends one request, or says when the next is due.
    pub(super) fn take(&self, organisation: &OrganisationId) -> Result<(), DateTime<Utc>> {
        self.ask(&Asked::Spend(organisation.clone())).map(|_| ())
    }

    /// Spends the whole burst of an organisation that comes from another rate: changing rates earns no requests.
    pub(super) fn start_empty(&self, organisation: &OrganisationId) {
        // An error means that the burst is not whole, so that it is being spent already.
        let _ = self.limiter.check_key_n(&Asked::Spend(organisation.clone()), self.burst);
    }

    /// How many further requests are due at once with this one, or when this one is: in whole microseconds, rounded up,
    /// since no clock of ours is finer and a wait of less would pass no time.
    fn ask(&self, asked: &Asked) -> Result<u32, DateTime<Utc>> {
        let answer = self.limiter.check_key(asked).map(|state| state.remaining_burst_capacity());
        answer.map_err(|wait| {
            let (now, tick) = self.limiter.clock().read();
            let micros = wait.wait_time_from(tick).as_nanos().div_ceil(1_000);
            now + TimeDelta::microseconds(i64::try_from(micros).unwrap_or(i64::MAX))
        })
    }
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("burst", &self.burst).finish_non_exhaustive()
    }
}

impl StateStore for Arrivals {
    type Key = Asked;

    fn measure_and_replace<T, F, E>(&self, asked: &Asked, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut arrivals = unpoisoned(&self.0);
        match asked {
            Asked::Look(organisation) => decide(arrivals.get(organisation).copied()).map(|(answer, _)| answer),
            Asked::Spend(organisation) => {
                let (answer, next) = decide(arrivals.get(organisation).copied())?;
                arrivals.insert(organisation.clone(), next);
                Ok(answer)
            }
        }
    }
}

impl Ticks {
    fn of(clock: SharedClock) -> Self {
        let seen = Mutex::new((clock.now(), Tick(0)));
        Self { clock, seen }
    }

    /// The present instant, and the time that has passed by now.
    fn read(&self) -> (DateTime<Utc>, Tick) {
        let mut seen = unpoisoned(&self.seen);
        let now = self.clock.now();
        let passed = (now - seen.0).to_std().unwrap_or_default();
        *seen = (now, seen.1 + Nanos::from(passed));
        *seen
    }
}

impl Clock for Ticks {
    type Instant = Tick;

    fn now(&self) -> Tick {
        self.read().1
    }
}

impl Add<Nanos> for Tick {
    type Output = Self;

    fn add(self, span: Nanos) -> Self {
        Self(self.0.saturating_add(span.as_u64()))
    }
}

impl Reference for Tick {
    fn duration_since(&self, earlier: Self) -> Nanos {
        self.0.saturating_sub(earlier.0).into()
    }

    fn saturating_sub(&self, span: Nanos) -> Self {
        Self(self.0.checked_sub(span.as_u64()).unwrap_or(self.0))
    }
}

/// What is due within [`LATENESS`], at least one: at 60 a minute, one.
fn burst(rate: NonZeroU32) -> NonZeroU32 {
    let due = u128::from(rate.get()) * LATENESS.as_millis() / MINUTE.as_millis();
    NonZeroU32::new(due as u32).unwrap_or(NonZeroU32::MIN)
}

/// What the lock holds is whole whenever it is free, so a panic elsewhere does not spoil it.
fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

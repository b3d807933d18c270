//! The request budget of each organisation: how fast it may send requests, reads included.
//!
//! Two limits apply together. The *rate limiter* (`governor`) spreads the configured requests evenly, with hardly any
//! burst, so that a restarted run gets none either. The *vendor's window* is what the response headers say is left,
//! since other software of the practice shares the budget; what that software is seen to use is left to it.
//!
//! The vendor's headers only ever slow us down. One task owns a [`Quotas`]; every [`Quotas::take`] is followed by one
//! [`Quotas::observe`], whether the request got a response or not.

mod foreign_usage;
mod rate_limiter;
mod vendor_window;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};

use self::rate_limiter::RateLimiter;
use self::vendor_window::OrganisationQuota;
use super::RateHeaders;
use super::backoff::Backoff;
use crate::clock::SharedClock;
use crate::ids::OrganisationId;

/// The pause after a 429 that does not say how long to wait.
const RATE_LIMITED_BACKOFF: Backoff =
    Backoff { initial: Duration::from_secs(5), factor: 2.0, cap: Duration::from_mins(1) };

/// The request budgets of all organisations that share this process.
#[derive(Debug)]
pub struct Quotas {
    clock: SharedClock,
    /// Requests per minute.
    configured_rate: NonZeroU32,
    /// One for each rate in use, by requests per minute: the configured rate, and lower ones from the vendor's headers.
    limiters: HashMap<NonZeroU32, RateLimiter>,
    organisations: HashMap<OrganisationId, OrganisationQuota>,
}

impl Quotas {
    /// Budgets of `requests_per_minute` for each organisation (0 counts as 1).
    #[must_use]
    pub fn new(clock: SharedClock, requests_per_minute: u32) -> Self {
        let configured_rate = NonZeroU32::new(requests_per_minute).unwrap_or(NonZeroU32::MIN);
        let limiters = HashMap::from([(configured_rate, RateLimiter::new(clock.clone(), configured_rate))]);
        Self { clock, configured_rate, limiters, organisations: HashMap::new() }
    }

    /// When `organisation` may send its next request; `None`: now. Spends nothing. A response observed in the meantime
    /// may change the instant.
    #[must_use]
    pub fn ready_at(&self, organisation: &OrganisationId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let by_vendor = self.organisations.get(organisation).and_then(|quota| quota.ready_at(now));
        let by_limiter = self.limiter(organisation).ready_at(organisation);
        by_vendor.max(by_limiter).filter(|at| *at > now)
    }

    /// How many requests `organisation` could send at once right now.
    #[must_use]
    pub fn available(&self, organisation: &OrganisationId, now: DateTime<Utc>) -> u32 {
        let by_vendor = self.organisations.get(organisation).map_or(u32::MAX, |quota| quota.available(now));
        by_vendor.min(self.limiter(organisation).available(organisation))
    }

    /// Spends one request. `Err`: the instant at which one is available.
    pub fn take(&mut self, organisation: &OrganisationId, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        if let Some(at) = self.ready_at(organisation, now) {
            return Err(at);
        }
        self.limiter(organisation).take(organisation)?;
        self.organisation(organisation).sent();
        Ok(())
    }

    /// Accounts for one request that was sent: its response's headers, or empty ones if no response came.
    pub fn observe(&mut self, organisation: &OrganisationId, headers: &RateHeaders, now: DateTime<Utc>) {
        let before = self.rate(organisation);
        self.organisation(organisation).observe(headers, now);
        let after = self.rate(organisation);
        if before != after {
            let clock = &self.clock;
            let limiter = self.limiters.entry(after).or_insert_with(|| RateLimiter::new(clock.clone(), after));
            limiter.start_empty(organisation);
        }
    }

    /// The organisation's requests per minute, and how many of them other software is expected to use.
    #[must_use]
    pub fn per_minute(&self, organisation: &OrganisationId, now: DateTime<Utc>) -> (u32, u32) {
        let foreign = self.organisations.get(organisation).map_or(0, |quota| quota.foreign_per_minute(now));
        (self.rate(organisation).get(), foreign)
    }

    /// The organisation's requests per minute: the configured rate, or the vendor's limit if that is lower.
    fn rate(&self, organisation: &OrganisationId) -> NonZeroU32 {
        let limit = self.organisations.get(organisation).and_then(OrganisationQuota::limit);
        limit.map_or(self.configured_rate, |limit| limit.min(self.configured_rate))
    }

    fn limiter(&self, organisation: &OrganisationId) -> &RateLimiter {
        self.limiters.get(&self.rate(organisation)).expect("observing a rate creates its limiter")
    }

    fn organisation(&mut self, organisation: &OrganisationId) -> &mut OrganisationQuota {
        self.organisations
            .entry(organisation.clone())
            .or_insert_with(|| OrganisationQuota::new(RATE_LIMITED_BACKOFF, seed(organisation)))
    }
}

/// A seed that spreads the organisations' delays; nothing else depends on it.
fn seed(organisation: &OrganisationId) -> u64 {
    let mut hasher = DefaultHasher::new();
    organisation.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;

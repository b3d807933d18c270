//! The request budget of each organisation: how fast it may ask, reads included.
//!
//! Two things decide together. The *pace* forecasts: `governor` spreads the configured requests evenly, with hardly any
//! burst, so that a run that starts again gets none. The *account* corrects: what the vendor's headers say is left of
//! its window, since the budget is shared with whatever else the practice has connected (`annie-api.md`, Basics), and
//! leaves to the *others* what they are seen to take.
//!
//! The vendor's word only ever slows us down. A budget is owned by one task; every [`Budget::take`] is followed by one
//! [`Budget::observe`], whatever came of the request.

mod account;
mod others;
mod pace;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};

use self::account::Account;
use self::pace::Pace;
use super::Meter;
use super::backoff::Delays;
use crate::clock::SharedClock;
use crate::ids::OrganisationId;

/// How long nothing is asked after a 429 that does not say how long.
const AFTER_REFUSAL: Delays = Delays { initial: Duration::from_secs(5), factor: 2.0, cap: Duration::from_mins(1) };

/// The request budgets of all organisations that share this process.
#[derive(Debug)]
pub struct Budget {
    clock: SharedClock,
    configured: NonZeroU32,
    /// One for each rate in use: the configured one, and lower ones that vendors have told us of.
    paces: HashMap<NonZeroU32, Pace>,
    accounts: HashMap<OrganisationId, Account>,
}

impl Budget {
    /// Budgets of `requests_per_minute` for each organisation (0 counts as 1).
    #[must_use]
    pub fn new(clock: SharedClock, requests_per_minute: u32) -> Self {
        let configured = NonZeroU32::new(requests_per_minute).unwrap_or(NonZeroU32::MIN);
        let paces = HashMap::from([(configured, Pace::new(clock.clone(), configured))]);
        Self { clock, configured, paces, accounts: HashMap::new() }
    }

    /// When `organisation` may ask next; `None`: now. It spends nothing. An answer that is observed meanwhile may bring the
    /// instant forward.
    #[must_use]
    pub fn ready_at(&self, organisation: &OrganisationId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let told = self.accounts.get(organisation).and_then(|account| account.ready_at(now));
        let paced = self.pace(organisation).ready_at(organisation);
        told.max(paced).filter(|at| *at > now)
    }

    /// How many requests `organisation` could send at once right now.
    #[must_use]
    pub fn available(&self, organisation: &OrganisationId, now: DateTime<Utc>) -> u32 {
        let told = self.accounts.get(organisation).map_or(u32::MAX, |account| account.available(now));
        told.min(self.pace(organisation).available(organisation))
    }

    /// Spends one request, or says from when there is one to spend.
    pub fn take(&mut self, organisation: &OrganisationId, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        if let Some(at) = self.ready_at(organisation, now) {
            return Err(at);
        }
        self.pace(organisation).take(organisation)?;
        self.account(organisation).sent();
        Ok(())
    }

    /// Takes in what came of one request: its answer's headers, or an empty meter if no answer came.
    pub fn observe(&mut self, organisation: &OrganisationId, meter: &Meter, now: DateTime<Utc>) {
        let before = self.rate(organisation);
        self.account(organisation).observe(meter, now);
        let after = self.rate(organisation);
        if before != after {
            let clock = &self.clock;
            let pace = self.paces.entry(after).or_insert_with(|| Pace::new(clock.clone(), after));
            pace.start_empty(organisation);
        }
    }

    /// The organisation's requests a minute: the configured ones, or fewer if the vendor says so.
    fn rate(&self, organisation: &OrganisationId) -> NonZeroU32 {
        let told = self.accounts.get(organisation).and_then(Account::limit);
        told.map_or(self.configured, |told| told.min(self.configured))
    }

    fn pace(&self, organisation: &OrganisationId) -> &Pace {
        self.paces.get(&self.rate(organisation)).expect("observing a rate makes its pace")
    }

    fn account(&mut self, organisation: &OrganisationId) -> &mut Account {
        self.accounts.entry(organisation.clone()).or_insert_with(|| Account::new(AFTER_REFUSAL, seed(organisation)))
    }
}

/// Spreads the organisations' delays; nothing depends on its value.
fn seed(organisation: &OrganisationId) -> u64 {
    let mut hasher = DefaultHasher::new();
    organisation.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;

//! The calls that a plan already has, as far as they matter to the entries after them: to the same number, and to the same
//! household.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::campaign::Caps;
use crate::ids::EntryKey;
use crate::phone::E164;
use crate::policy::{CallFacts, ContactResult, PastCall};

/// The upper bound of the states' limits on calls in 24 hours.
const MOST_A_DAY: u32 = 24;

/// The planned calls.
pub(super) struct PlannedCalls {
    /// The most calls to one number that caps need: a placeholder's number may have thousands.
    counted: usize,
    /// The instant of the call to each number that has one: nanoseconds, since there may be a million.
    single: HashMap<E164, i64>,
    /// The instants of the calls to the other numbers, in order.
    several: HashMap<E164, Vec<DateTime<Utc>>>,
    /// The household members that calls cover, with the instant of the call.
    covered: HashSet<(EntryKey, DateTime<Utc>)>,
}

impl PlannedCalls {
    pub(super) fn new(caps: &Caps) -> Self {
        let counted = caps.per_7_days.max(caps.per_30_days).max(MOST_A_DAY) as usize;
        Self { counted, single: HashMap::new(), several: HashMap::new(), covered: HashSet::new() }
    }

    /// Adds a call that covers these household members; `at`: `None` if it is not placed.
    pub(super) fn add(&mut self, phone: E164, covers: Vec<EntryKey>, at: Option<DateTime<Utc>>) {
        let Some(at) = at else { return };
        match at.timestamp_nanos_opt() {
            Some(nanos) if !self.several.contains_key(&phone) && !self.single.contains_key(&phone) => {
                self.single.insert(phone, nanos);
            }
            _ => {
                let single = self.single.remove(&phone).map(DateTime::from_timestamp_nanos);
                let calls = self.several.entry(phone).or_insert_with(|| single.into_iter().collect());
                calls.insert(calls.partition_point(|planned| *planned <= at), at);
            }
        }
        self.covered.extend(covers.into_iter().map(|key| (key, at)));
    }

    /// Adds the planned calls until `at` to the facts about an entry at that instant. A call of that very instant is not
    /// settled yet.
    pub(super) fn add_until(&self, facts: &mut CallFacts<'_>, phone: E164, key: &EntryKey, at: DateTime<Utc>) {
        let single = self.single(phone);
        let calls = self.calls_to(phone, single.as_ref());
        let calls = &calls[..calls.partition_point(|it| *it <= at)];
        self.add_placements(facts, calls);
        let is_covered = !self.covered.is_empty() && self.covered.contains(&(key.clone(), at));
        facts.history.unsettled |= calls.last() == Some(&at) || is_covered;
    }

    /// Adds the planned calls after `at`. Returns whether there are any.
    pub(super) fn add_later(&self, facts: &mut CallFacts<'_>, phone: E164, at: DateTime<Utc>) -> bool {
        let single = self.single(phone);
        let calls = self.calls_to(phone, single.as_ref());
        let calls = &calls[calls.partition_point(|it| *it <= at)..];
        self.add_placements(facts, calls);
        !calls.is_empty()
    }

    fn single(&self, phone: E164) -> Option<DateTime<Utc>> {
        self.single.get(&phone).copied().map(DateTime::from_timestamp_nanos)
    }

    fn calls_to<'c>(&'c self, phone: E164, single: Option<&'c DateTime<Utc>>) -> &'c [DateTime<Utc>] {
        match single {
            Some(at) => std::slice::from_ref(at),
            None => self.several.get(&phone).map_or(&[], Vec::as_slice),
        }
    }

    fn add_placements(&self, facts: &mut CallFacts<'_>, calls: &[DateTime<Utc>]) {
        let newest = &calls[calls.len().saturating_sub(self.counted)..];
        let placements = newest.iter().map(|at| PastCall { at: *at, reached: ContactResult::NotKnown });
        facts.history.placements.extend(placements);
    }
}

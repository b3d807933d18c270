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
    /// The instant of the call to each number that has one, in nanoseconds, since there may be a million, with its row.
    single: HashMap<E164, (i64, u64)>,
    /// The instants of the calls to the other numbers, in order, with their rows.
    several: HashMap<E164, Vec<(DateTime<Utc>, u64)>>,
    /// The household members that calls cover, with the instant of the call.
    covered: HashSet<(EntryKey, DateTime<Utc>)>,
    /// The patients of earlier lists who are called themselves, with the instant of the call: another's call may cover them.
    called: HashSet<(EntryKey, DateTime<Utc>)>,
}

impl PlannedCalls {
    pub(super) fn new(caps: &Caps) -> Self {
        let counted = caps.per_7_days.max(caps.per_30_days).max(MOST_A_DAY) as usize;
        Self {
            counted,
            single: HashMap::new(),
            several: HashMap::new(),
            covered: HashSet::new(),
            called: HashSet::new(),
        }
    }

    /// Adds a call of the row on `line` that covers these household members; `at`: `None` if it is not placed. `earlier`: the
    /// patient's key, if the row is of an earlier list.
    pub(super) fn add(
        &mut self,
        phone: E164,
        line: u64,
        earlier: Option<EntryKey>,
        covers: Vec<EntryKey>,
        at: Option<DateTime<Utc>>,
    ) {
        let Some(at) = at else { return };
        match at.timestamp_nanos_opt() {
            Some(nanos) if !self.several.contains_key(&phone) && !self.single.contains_key(&phone) => {
                self.single.insert(phone, (nanos, line));
            }
            _ => {
                let single = self.single.remove(&phone).map(at_of);
                let calls = self.several.entry(phone).or_insert_with(|| single.into_iter().collect());
                calls.insert(calls.partition_point(|(planned, _)| *planned <= at), (at, line));
            }
        }
        self.covered.extend(covers.into_iter().map(|key| (key, at)));
        self.called.extend(earlier.map(|key| (key, at)));
    }

    /// Adds the planned calls until `at` to the facts about an entry at that instant, whose call covers the patients in
    /// `covers`. A call of that very instant is not settled yet.
    pub(super) fn add_until(
        &self,
        facts: &mut CallFacts<'_>,
        phone: E164,
        (key, covers): (&EntryKey, &[EntryKey]),
        at: DateTime<Utc>,
    ) {
        let single = self.single(phone);
        let calls = self.calls_to(phone, single.as_ref());
        let calls = &calls[..calls.partition_point(|(it, _)| *it <= at)];
        self.add_placements(facts, calls);
        let is_covered = |key: &EntryKey| !self.covered.is_empty() && self.covered.contains(&(key.clone(), at));
        let is_called = |member: &EntryKey| is_covered(member) || self.called.contains(&(member.clone(), at));
        let is_busy = is_covered(key) || covers.iter().any(is_called);
        facts.history.unsettled |= calls.last().is_some_and(|(last, _)| *last == at) || is_busy;
    }

    /// Adds the planned calls after `at`. Returns whether there are any.
    pub(super) fn add_later(&self, facts: &mut CallFacts<'_>, phone: E164, at: DateTime<Utc>) -> bool {
        let single = self.single(phone);
        let calls = self.calls_to(phone, single.as_ref());
        let calls = &calls[calls.partition_point(|(it, _)| *it <= at)..];
        self.add_placements(facts, calls);
        !calls.is_empty()
    }

    fn single(&self, phone: E164) -> Option<(DateTime<Utc>, u64)> {
        self.single.get(&phone).copied().map(at_of)
    }

    fn calls_to<'c>(&'c self, phone: E164, single: Option<&'c (DateTime<Utc>, u64)>) -> &'c [(DateTime<Utc>, u64)] {
        match single {
            Some(call) => std::slice::from_ref(call),
            None => self.several.get(&phone).map_or(&[], Vec::as_slice),
        }
    }

    /// The row of the last planned call to the number.
    pub(super) fn line_of_last(&self, phone: E164) -> Option<u64> {
        let single = self.single(phone);
        self.calls_to(phone, single.as_ref()).last().map(|(_, line)| *line)
    }

    fn add_placements(&self, facts: &mut CallFacts<'_>, calls: &[(DateTime<Utc>, u64)]) {
        let newest = &calls[calls.len().saturating_sub(self.counted)..];
        let placements = newest.iter().map(|(at, _)| PastCall { at: *at, reached: ContactResult::NotYetKnown });
        facts.history.placements.extend(placements);
    }
}

fn at_of((nanos, line): (i64, u64)) -> (DateTime<Utc>, u64) {
    (DateTime::from_timestamp_nanos(nanos), line)
}

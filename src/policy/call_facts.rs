//! The facts that decide whether an entry may be called: the rules that apply to it, and what the ledger knows of it, of its
//! number and of its household.

use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};

use super::caps::NumberHistory;
use super::dialing_hours::{self, Hours};
use super::redial;
use crate::campaign::{Campaign, Caps, Practice, Redial};
use crate::entry::{AttemptState, CalledPartyZones, Outcome, Reason};
use crate::phone::E164;
use crate::zone::Zone;

/// The rules for calls from one practice to parties of the same zones and area code.
#[derive(Debug, Clone)]
pub struct CallRules<'a> {
    /// The number that calls.
    pub caller_id: E164,
    /// The practice's zone, whose clock defines the parts of the day.
    pub zone: &'a Zone,
    /// The limits on calls to one number.
    pub caps: &'a Caps,
    /// When an entry is called again.
    pub redial: &'a Redial,
    /// The hours in which the party may be called.
    pub hours: Rc<Hours>,
    /// The calls to one number that the state's rules allow in 24 hours.
    pub state_cap: Option<u32>,
}

impl<'a> CallRules<'a> {
    /// The campaign's rules for calls from `practice` to `phone`.
    #[must_use]
    pub fn new(campaign: &'a Campaign, practice: &'a Practice, phone: E164, called: &CalledPartyZones) -> Self {
        let Campaign { calling, redial, .. } = campaign;
        Self {
            caller_id: practice.from_number,
            zone: &practice.zone,
            caps: &calling.caps,
            redial,
            hours: Rc::new(Hours::for_entry(calling, &practice.zone, phone, called)),
            state_cap: dialing_hours::state_cap(calling, phone, called),
        }
    }
}

/// The facts about one entry, as of one instant. The ledger gathers them for a claim and for `check` alike.
#[derive(Debug, Clone)]
pub struct CallFacts<'a> {
    /// The rules that apply; `None`: the campaign has no caller id for the entry's location.
    pub rules: Option<&'a CallRules<'a>>,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// The calls to its number so far, from every campaign. `unsettled` also counts calls that cover its household.
    pub history: NumberHistory,
    /// Whether its number is on the suppression list for this purpose.
    pub suppressed: bool,
    /// Whether a call to another member of the household has decided for this patient.
    pub spoken_for: bool,
    /// Calls to the entry that were placed, or may have been.
    pub calls: u32,
    /// The instant of the last of them, unless it showed that the entry's number then was a wrong one.
    pub last_call: Option<DateTime<Utc>>,
}

impl<'a> CallFacts<'a> {
    /// The facts about an entry of which the ledger knows nothing.
    #[must_use]
    pub fn without_ledger(rules: Option<&'a CallRules<'a>>, not_after: Option<DateTime<Utc>>) -> Self {
        let history = NumberHistory::default();
        Self { rules, not_after, history, suppressed: false, spoken_for: false, calls: 0, last_call: None }
    }

    /// Whether nothing but the rules decides: no last instant, no call so far, nothing that forbids the call.
    #[must_use]
    pub fn are_of_rules_alone(&self) -> bool {
        let Self { rules: _, not_after, history, suppressed, spoken_for, calls, last_call } = self;
        let has_history = history.unsettled || !history.placements.is_empty() || *calls > 0 || last_call.is_some();
        !has_history && !suppressed && !spoken_for && not_after.is_none()
    }

    /// Adds a call to another entry of the household that covered this patient.
    pub fn add_household_call(&mut self, state: AttemptState, outcome: Option<Outcome>) {
        self.history.unsettled |= state.is_in_flight();
        self.spoken_for |= outcome.is_some_and(Outcome::is_decision);
    }

    /// Whether the call makes no sense any more at `at`.
    pub(super) fn is_too_late(&self, at: DateTime<Utc>) -> bool {
        self.not_after.is_some_and(|last| at > last)
    }

    /// The end of the gap between two calls to the entry.
    pub(super) fn gap(&self, rules: &CallRules<'_>) -> Option<(DateTime<Utc>, Reason)> {
        Some((self.last_call? + rules.redial.min_gap, Reason::RedialGap))
    }

    /// The start of another part of the day, if the campaign requires one.
    pub(super) fn another_part(&self, rules: &CallRules<'_>, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let last = self.last_call.filter(|_| rules.redial.vary_time)?;
        redial::another_part(&rules.hours, rules.zone, last, from)
    }

    /// The first instant after `now` at which a call that is allowed `now` is not.
    pub(super) fn open_until(&self, rules: &CallRules<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let closes = rules.hours.closes(now)?;
        let last = self.not_after.map(|last| last + TimeDelta::milliseconds(1));
        Some(last.map_or(closes, |last| last.min(closes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_call_in_flight_keeps_its_members_busy_and_a_decision_speaks_for_them() {
        for (state, outcome, unsettled, spoken_for) in [
            (AttemptState::Submitting, None, true, false),
            (AttemptState::Open, None, true, false),
            (AttemptState::Unknown, None, true, false),
            (AttemptState::LostTrack, None, false, false),
            (AttemptState::NotPlaced, None, false, false),
            (AttemptState::Ended, Some(Outcome::NoAnswer), false, false),
            (AttemptState::Ended, Some(Outcome::Booked), false, true),
            (AttemptState::Ended, Some(Outcome::OptOut), false, true),
        ] {
            let mut facts = CallFacts::without_ledger(None, None);
            facts.add_household_call(state, outcome);
            assert_eq!((facts.history.unsettled, facts.spoken_for), (unsettled, spoken_for), "{state:?} {outcome:?}");
        }
    }
}

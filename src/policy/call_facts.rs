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

/// A call that concerned a patient and was made to another entry: of the household, or of the patient before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseholdCall {
    /// The state of its attempt.
    pub state: AttemptState,
    /// The outcome of its conversation.
    pub outcome: Option<Outcome>,
    /// When it was placed, or may have been.
    pub at: DateTime<Utc>,
    /// Whether it dialled the number that is to be dialled now.
    pub is_same_number: bool,
}

impl HouseholdCall {
    /// Whether it was placed, or may have been. What is in flight is waited for first.
    fn counts(self) -> bool {
        self.state.may_have_been_placed() && !self.state.is_in_flight()
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
    /// What a call to another member of the household has decided for this patient.
    pub spoken_for: Option<Outcome>,
    /// Calls to the patient that were placed, or may have been: the entry's, and those of the household that covered the
    /// patient.
    pub calls: u32,
    /// The instant of the last call to the patient or to a member of the household that the call covers, unless it showed
    /// that the number then was a wrong one.
    pub last_call: Option<DateTime<Utc>>,
    /// The last of these calls that was to the patient or to the number to dial: the next is at another part of the day. A
    /// member's call to another number says nothing about when somebody is there.
    pub vary_from: Option<DateTime<Utc>>,
    /// The last of the household's calls that covered the patient, if it has ended.
    pub covering_call: Option<HouseholdCall>,
    /// The outcome that showed the number to be wrong for the patient.
    pub wrong_number: Option<Outcome>,
    /// Whether the calls of a member of the household are used up: the call speaks of the patient alone.
    pub is_alone: bool,
}

impl<'a> CallFacts<'a> {
    /// The facts about an entry of which the ledger knows nothing.
    #[must_use]
    pub fn without_ledger(rules: Option<&'a CallRules<'a>>, not_after: Option<DateTime<Utc>>) -> Self {
        let history = NumberHistory::default();
        Self {
            rules,
            not_after,
            history,
            suppressed: false,
            spoken_for: None,
            calls: 0,
            last_call: None,
            vary_from: None,
            covering_call: None,
            wrong_number: None,
            is_alone: false,
        }
    }

    /// Whether nothing but the rules decides: no last instant, no call so far, nothing that forbids the call.
    #[must_use]
    pub fn are_of_rules_alone(&self) -> bool {
        let Self {
            rules: _,
            not_after,
            history,
            suppressed,
            spoken_for,
            calls,
            last_call,
            vary_from: _,
            covering_call,
            wrong_number,
            is_alone: _,
        } = self;
        let has_history = history.unsettled || !history.placements.is_empty() || *calls > 0 || last_call.is_some();
        let is_settled = spoken_for.is_some() || covering_call.is_some() || wrong_number.is_some();
        !has_history && !is_settled && !suppressed && not_after.is_none()
    }

    /// Adds the calls to the entry itself: how many, and when the last one was.
    pub fn add_own_calls(&mut self, calls: u32, last: Option<DateTime<Utc>>) {
        self.calls += calls;
        self.last_call = self.last_call.max(last);
        self.vary_from = self.vary_from.max(last);
        // What the entry's own later call meant has decided about the entry already.
        self.covering_call = self.covering_call.filter(|covering| last.is_none_or(|last| last < covering.at));
    }

    /// Adds a call to another entry of the household that covered this patient. Its count, its gap and its outcome are the
    /// patient's, as if the patient had been called alone.
    pub fn add_covering_call(&mut self, call: HouseholdCall) {
        self.spoken_for = self.spoken_for.or(call.outcome.filter(|outcome| outcome.is_decision()));
        self.calls += u32::from(call.counts());
        let is_wrong = |outcome: &Outcome| call.is_same_number && outcome.means_wrong_number();
        self.wrong_number = self.wrong_number.or(call.outcome.filter(is_wrong));
        let is_newest = self.covering_call.is_none_or(|other| other.at <= call.at);
        if is_newest && call.outcome.is_some() {
            self.covering_call = Some(call);
        }
        self.add_household_call(call, true);
    }

    /// Adds a call to a member of the household that the call covers: the next one keeps the gap to it.
    pub fn add_member_call(&mut self, call: HouseholdCall) {
        self.add_household_call(call, call.is_same_number);
    }

    fn add_household_call(&mut self, call: HouseholdCall, is_varied: bool) {
        self.history.unsettled |= call.state.is_in_flight();
        let is_to_wrong_number = !call.is_same_number && call.outcome.is_some_and(Outcome::means_wrong_number);
        if call.counts() && !is_to_wrong_number {
            self.last_call = self.last_call.max(Some(call.at));
            self.vary_from = self.vary_from.max(Some(call.at).filter(|_| is_varied));
        }
    }

    /// Whether no further call to the patient follows, whatever the time: the household has decided, or the calls are used
    /// up.
    #[must_use]
    pub fn is_over(&self, redial: &Redial) -> bool {
        self.settled_before(redial).is_some() || self.calls >= redial.max_attempts
    }

    /// The outcome of a call after which this patient is not called: a decision of the household, a wrong number, or
    /// whatever the household's last call brought that is not followed by another call.
    pub(super) fn settled_before(&self, redial: &Redial) -> Option<Outcome> {
        let leads_on = |outcome: &Outcome| redial.after.contains(outcome) || outcome.means_wrong_number();
        let last = self.covering_call.and_then(|call| call.outcome).filter(|outcome| !leads_on(outcome));
        self.spoken_for.or(self.wrong_number).or(last)
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
        let last = self.vary_from.filter(|_| rules.redial.vary_time)?;
        redial::another_part(&rules.hours, rules.zone, last, from)
    }

    /// The first instant after `now` at which a call that is allowed `now` is not.
    pub(super) fn open_until(&self, rules: &CallRules<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let closes = rules.hours.open_until(now)?;
        let last = self.not_after.map(|last| last + TimeDelta::milliseconds(1));
        Some(last.map_or(closes, |last| last.min(closes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::ZoneSource;
    use crate::fixtures::{self, CONSENT, REQUIRED};

    #[test]
    fn a_household_call_in_flight_keeps_its_members_busy_and_a_decision_speaks_for_them() {
        for (state, outcome, unsettled, spoken_for, calls) in [
            (AttemptState::Submitting, None, true, false, 0),
            (AttemptState::Open, None, true, false, 0),
            (AttemptState::Unknown, None, true, false, 0),
            (AttemptState::LostTrack, None, false, false, 1),
            (AttemptState::NotPlaced, None, false, false, 0),
            (AttemptState::Ended, Some(Outcome::NoAnswer), false, false, 1),
            (AttemptState::Ended, Some(Outcome::Booked), false, true, 1),
            (AttemptState::Ended, Some(Outcome::OptOut), false, true, 1),
        ] {
            let mut facts = CallFacts::without_ledger(None, None);
            let call = HouseholdCall { state, outcome, at: DateTime::UNIX_EPOCH, is_same_number: true };
            facts.add_covering_call(call);
            assert_eq!(
                (facts.history.unsettled, facts.spoken_for.is_some()),
                (unsettled, spoken_for),
                "{state:?} {outcome:?}"
            );
            let last = (calls > 0).then_some(DateTime::UNIX_EPOCH);
            assert_eq!((facts.calls, facts.last_call), (calls, last), "{state:?} {outcome:?}");
        }
    }

    #[test]
    fn a_members_call_to_another_number_keeps_the_gap_and_not_the_part_of_the_day() {
        let at = |hours| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        for (is_same_number, vary_from) in [(true, at(5)), (false, at(2))] {
            let mut facts = CallFacts::without_ledger(None, None);
            let outcome = Some(Outcome::NoAnswer);
            facts.add_own_calls(1, Some(at(2)));
            facts.add_member_call(HouseholdCall { state: AttemptState::Ended, outcome, at: at(5), is_same_number });
            assert_eq!((facts.last_call, facts.vary_from), (Some(at(5)), Some(vary_from)), "{is_same_number}");
        }
    }

    #[test]
    fn the_households_last_call_ends_the_patients_calls_as_one_to_the_patient_would() {
        let campaign = fixtures::load(&format!("{REQUIRED}{CONSENT}"));
        let called = CalledPartyZones { zones: vec![], regions: vec![], source: ZoneSource::AreaCode };
        let phone = E164::parse("+13125550142").expect("a number");
        let rules = CallRules::new(&campaign, &campaign.practice, phone, &called);
        let at = |hours| DateTime::UNIX_EPOCH + TimeDelta::hours(hours);
        for (outcome, is_same_number, own, expected) in [
            (Outcome::NoAnswer, true, None, None),
            (Outcome::ReachedOther, true, None, Some(Outcome::ReachedOther)),
            (Outcome::WrongNumber, true, None, Some(Outcome::WrongNumber)),
            (Outcome::WrongNumber, false, None, None),
            (Outcome::WrongNumber, true, Some(at(1)), Some(Outcome::WrongNumber)),
            (Outcome::WrongNumber, true, Some(at(3)), Some(Outcome::WrongNumber)),
            (Outcome::ReachedOther, true, Some(at(3)), None),
        ] {
            let mut facts = CallFacts::without_ledger(Some(&rules), None);
            let call = HouseholdCall { state: AttemptState::Ended, outcome: Some(outcome), at: at(2), is_same_number };
            facts.add_covering_call(call);
            facts.add_own_calls(u32::from(own.is_some()), own);
            assert_eq!(facts.settled_before(rules.redial), expected, "{outcome:?} {is_same_number} {own:?}");
        }
    }
}

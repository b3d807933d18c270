//! What a list says of an entry that the campaign already has. Enrolling a list and previewing it share these rules.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::content::ListEligibility;
use super::effect::EntryStatus;
use super::reason::Reason;
use super::state::{Fact, State};

/// What a list changes about an entry's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryChange {
    /// The campaign does not have it yet.
    New,
    /// Nothing, or nothing that still matters: an entry that is over keeps its data.
    Same,
    /// Its texts, its patient, its location or its time zones.
    Changed,
    /// Its number.
    Renumbered,
    /// Its number, while a call to the old one is not settled.
    RenumberedUnderWay,
}

/// The effect of a list on an entry that it no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AbsenceEffect {
    /// It is withdrawn.
    Withdrawn,
    /// It is withdrawn once its call is settled or a person has decided.
    WithdrawnOnceSettled,
    /// It stays and is called when it is due.
    Kept,
}

/// The effect of a list on an entry's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListEffect {
    /// None.
    Nothing,
    /// The list establishes this fact.
    Now(Fact),
    /// The entry is not settled: something other than a list may make it callable again, because its call ends or a
    /// person decides. The fact is applied then.
    OnceSettled(Fact),
}

impl ListEffect {
    /// The fact that is established now.
    #[must_use]
    pub fn now(self) -> Option<Fact> {
        if let Self::Now(fact) = self { Some(fact) } else { None }
    }

    /// The fact that is applied once the entry is settled.
    #[must_use]
    pub fn once_settled(&self) -> Option<&Fact> {
        if let Self::OnceSettled(fact) = self { Some(fact) } else { None }
    }
}

/// The fact that takes a callable entry to this state for this reason, as a list may demand; `None`: no list demands that.
#[must_use]
pub fn demanded_fact(state: State, reason: Reason) -> Option<Fact> {
    let facts = [Fact::Barred { reason }, Fact::SetAside { reason }, Fact::Unlisted];
    facts.into_iter().find(|fact| State::Ready.after(fact) == Ok(state))
}

impl EntryStatus {
    /// The status of an entry that is new to the campaign.
    #[must_use]
    pub fn enrolled(eligibility: ListEligibility, now: DateTime<Utc>) -> Self {
        let (state, reason) = match eligibility {
            ListEligibility::Ready => (State::Ready, None),
            ListEligibility::Suppressed(reason) => (State::Suppressed, Some(reason)),
            ListEligibility::Held(reason) => (State::Held, Some(reason)),
        };
        Self { state, reason, due_at: now, outcome: None }
    }

    /// The effect of a list that has the entry, with this eligibility and this last instant for its call.
    #[must_use]
    pub fn on_listed(
        self,
        eligibility: ListEligibility,
        not_after: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> ListEffect {
        let forbidden = match eligibility {
            ListEligibility::Ready => None,
            ListEligibility::Suppressed(reason) => Some(Fact::Barred { reason }),
            ListEligibility::Held(reason) => Some(Fact::SetAside { reason }),
        };
        let is_back = match self.state {
            State::Suppressed | State::Held | State::Withdrawn => self.reason_is_from_list(),
            State::Expired => not_after.is_none_or(|last| last > now),
            State::Ready
            | State::Waiting
            | State::Submitting
            | State::Open
            | State::Unknown
            | State::Finished
            | State::Failed
            | State::Cancelled
            | State::LostTrack => false,
        };
        match forbidden {
            Some(fact) if self.is_not_settled() => ListEffect::OnceSettled(fact),
            Some(fact) if self.state.is_callable() => ListEffect::Now(fact),
            None if is_back => ListEffect::Now(Fact::Listed),
            Some(_) | None => ListEffect::Nothing,
        }
    }

    /// The effect of a list that lacks the entry and withdraws what it lacks. A patient's decision outlasts every list.
    #[must_use]
    pub fn on_absent(self) -> ListEffect {
        let is_suppressed_for_good = self.state == State::Suppressed && !self.reason_is_from_list();
        if self.is_not_settled() {
            ListEffect::OnceSettled(Fact::Unlisted)
        } else if is_suppressed_for_good || self.state.after(&Fact::Unlisted).is_err() {
            ListEffect::Nothing
        } else {
            ListEffect::Now(Fact::Unlisted)
        }
    }

    /// The effect of an exclude list that names the entry.
    #[must_use]
    pub fn on_excluded(self) -> ListEffect {
        let fact = Fact::Barred { reason: Reason::Excluded };
        if self.is_not_settled() {
            ListEffect::OnceSettled(fact)
        } else if self.state.is_callable() {
            ListEffect::Now(fact)
        } else {
            ListEffect::Nothing
        }
    }

    /// What a list with the same or another number, and the same or other data, changes about the entry.
    #[must_use]
    pub fn change(self, has_same_number: bool, has_same_data: bool) -> EntryChange {
        match (has_same_number, has_same_data) {
            _ if self.state.is_over_for_good() => EntryChange::Same,
            (true, true) => EntryChange::Same,
            (true, false) => EntryChange::Changed,
            (false, _) if self.state.has_call_to_settle() => EntryChange::RenumberedUnderWay,
            (false, _) => EntryChange::Renumbered,
        }
    }

    /// Whether something other than a list may make the entry callable again: its call ends, or a person decides or
    /// takes a cancellation back.
    fn is_not_settled(self) -> bool {
        let needs_a_person = self.state == State::Held && !self.reason_is_from_list();
        needs_a_person || self.state.has_call_to_settle() || self.state == State::Cancelled
    }

    fn reason_is_from_list(self) -> bool {
        self.reason.is_some_and(Reason::comes_from_list)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// What happens to an entry in each state, whose reason comes from a list or not: it is listed and may be called, is
    /// listed as suppressed, is listed as held, is absent, is excluded; and its change if its number and data differ.
    /// `later`: once it is settled; `-`: nothing. The columns are in this order.
    const EFFECTS: &str = "
ready       list  -       barred        set_aside        unlisted        barred        Renumbered
ready       own   -       barred        set_aside        unlisted        barred        Renumbered
waiting     list  -       barred        set_aside        unlisted        barred        Renumbered
waiting     own   -       barred        set_aside        unlisted        barred        Renumbered
submitting  list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
submitting  own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
open        list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
open        own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
unknown     list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
unknown     own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
held        list  listed  -             -                unlisted        -             Renumbered
held        own   -       later barred  later set_aside  later unlisted  later barred  Renumbered
finished    list  -       -             -                -               -             Same
finished    own   -       -             -                -               -             Same
failed      list  -       -             -                -               -             Same
failed      own   -       -             -                -               -             Same
suppressed  list  listed  -             -                unlisted        -             Renumbered
suppressed  own   -       -             -                -               -             Renumbered
withdrawn   list  listed  -             -                -               -             Renumbered
withdrawn   own   -       -             -                -               -             Renumbered
expired     list  listed  -             -                -               -             Renumbered
expired     own   listed  -             -                -               -             Renumbered
cancelled   list  -       later barred  later set_aside  later unlisted  later barred  Same
cancelled   own   -       later barred  later set_aside  later unlisted  later barred  Same
lost_track  list  -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
lost_track  own   -       later barred  later set_aside  later unlisted  later barred  RenumberedUnderWay
";

    #[test]
    fn a_list_has_the_effect_that_the_table_says() {
        let now = DateTime::UNIX_EPOCH;
        let word = |effect: ListEffect| match effect {
            ListEffect::Nothing => "-".to_owned(),
            ListEffect::Now(fact) => fact.name().to_owned(),
            ListEffect::OnceSettled(fact) => format!("later {}", fact.name()),
        };
        let mut table = String::from("\n");
        for state in State::ALL {
            for (from, reason) in [("list", Reason::Excluded), ("own", Reason::Operator)] {
                let status = EntryStatus { state, reason: Some(reason), due_at: now, outcome: None };
                let reason = Reason::DoNotCall;
                let listed =
                    [ListEligibility::Ready, ListEligibility::Suppressed(reason), ListEligibility::Held(reason)];
                let listed = listed.map(|eligibility| word(status.on_listed(eligibility, None, now)));
                let [ready, suppressed, held] = listed;
                let (absent, excluded) = (word(status.on_absent()), word(status.on_excluded()));
                let cells = format!("{ready:<7} {suppressed:<13} {held:<16} {absent:<15} {excluded:<13}");
                let _ = writeln!(table, "{:<11} {from:<5} {cells} {:?}", state.name(), status.change(false, false));
            }
        }
        assert_eq!(table, EFFECTS, "{table}");
    }

    #[test]
    fn an_entry_that_has_expired_is_called_again_only_if_its_new_last_moment_is_to_come() {
        let now = DateTime::UNIX_EPOCH;
        let status = EntryStatus { state: State::Expired, reason: Some(Reason::NotAfter), due_at: now, outcome: None };
        let later = now + chrono::TimeDelta::hours(1);
        for (not_after, effect) in [(None, Some(Fact::Listed)), (Some(later), Some(Fact::Listed)), (Some(now), None)] {
            assert_eq!(status.on_listed(ListEligibility::Ready, not_after, now).now(), effect);
        }
    }

    #[test]
    fn only_a_change_that_matters_counts() {
        let status = |state| EntryStatus { state, reason: None, due_at: DateTime::UNIX_EPOCH, outcome: None };
        for (state, has_same_number, has_same_data, change) in [
            (State::Ready, true, true, EntryChange::Same),
            (State::Ready, true, false, EntryChange::Changed),
            (State::Open, true, false, EntryChange::Changed),
            (State::Open, false, true, EntryChange::RenumberedUnderWay),
            (State::Ready, false, true, EntryChange::Renumbered),
            (State::Finished, false, false, EntryChange::Same),
        ] {
            assert_eq!(status(state).change(has_same_number, has_same_data), change, "{state}");
        }
    }

    #[test]
    fn a_demand_is_read_back_as_it_was_stored() {
        let reason = Reason::Excluded;
        for fact in [Fact::Barred { reason }, Fact::SetAside { reason }, Fact::Unlisted] {
            let to = State::Ready.after(&fact).expect("a callable entry");
            assert_eq!(demanded_fact(to, reason), Some(fact));
        }
        assert_eq!(demanded_fact(State::Open, reason), None);
    }
}

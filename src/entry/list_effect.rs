//! What a list says of an entry that the campaign already has. Enrolling a list and previewing it share these rules.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::content::ListEligibility;
use super::effect::EntryStatus;
use super::outcome::Outcome;
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
    /// Its number, after the old one had turned out to be wrong: it is called again.
    Corrected,
    /// The list forbids its call now, or requires a person's decision.
    Excluded,
    /// The list no longer forbids its call.
    Allowed,
    /// It is back on the list.
    Returned,
}

/// The number that a list has for an entry that the campaign already has, by what the entry's calls have shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListedNumber {
    /// The entry's own.
    Same,
    /// Another one.
    Other,
    /// Another one, which no call has shown to be wrong, while a call is left: a new chance after a wrong number.
    NewChance,
}

/// What a list says of an entry that the campaign already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Whether it allows the call.
    pub eligibility: ListEligibility,
    /// The last instant at which the call makes sense.
    pub not_after: Option<DateTime<Utc>>,
    /// The number to dial.
    pub number: ListedNumber,
    /// Whether the number is on the suppression list; asked only for an entry that is not called for that.
    pub is_barred: bool,
    /// Whether its texts, its patient, its location and its time zones are as before.
    pub has_same_data: bool,
}

impl Listing {
    /// Whether the number and the data are as before.
    #[must_use]
    pub fn is_same(self) -> bool {
        self.number == ListedNumber::Same && self.has_same_data
    }
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
    /// The last moment for its call has passed.
    Expired,
}

/// The effect of a list on an entry's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListEffect {
    /// None.
    Nothing,
    /// The list establishes this fact.
    Now(Fact),
    /// The list corrects the number that was wrong.
    Corrected {
        /// The list forbids the call all the same, or requires a person's decision: that is why there is none, and no number
        /// is left to correct.
        forbidden: Option<Fact>,
    },
    /// The entry is not settled: something other than a list may make it callable again, because its call ends or a
    /// person decides. The fact is applied then.
    OnceSettled(Fact),
}

impl ListEffect {
    /// The fact that is established now.
    #[must_use]
    pub fn now(self) -> Option<Fact> {
        match self {
            Self::Now(fact) => Some(fact),
            Self::Corrected { .. } => Some(Fact::NumberCorrected),
            Self::Nothing | Self::OnceSettled(_) => None,
        }
    }

    /// The fact that is applied once the entry could be called.
    #[must_use]
    pub fn once_callable(&self) -> Option<&Fact> {
        match self {
            Self::OnceSettled(fact) => Some(fact),
            Self::Corrected { forbidden } => forbidden.as_ref(),
            Self::Nothing | Self::Now(_) => None,
        }
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

    /// The effect of a list that has the entry.
    #[must_use]
    pub fn on_listed(self, listing: Listing, now: DateTime<Utc>) -> ListEffect {
        let forbidden = match listing.eligibility {
            ListEligibility::Ready => None,
            ListEligibility::Suppressed(reason) => Some(Fact::Barred { reason }),
            ListEligibility::Held(reason) => Some(Fact::SetAside { reason }),
        };
        if listing.number == ListedNumber::NewChance && self.had_wrong_number() {
            return ListEffect::Corrected { forbidden };
        }
        let is_back = match self.state {
            // The suppression has ended, or was of a number that the patient had before.
            State::Suppressed if self.reason == Some(Reason::Suppressed) => !listing.is_barred,
            State::Suppressed | State::Held | State::Withdrawn => self.reason_is_from_list(),
            State::Expired => listing.not_after.is_none_or(|last| last > now),
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
            // It is on the list again, or excluded for another reason.
            Some(fact) if self.reason_is_from_list() && self.is_other_exclusion(&fact) => ListEffect::Now(fact),
            None if is_back => ListEffect::Now(Fact::Listed),
            Some(_) | None => ListEffect::Nothing,
        }
    }

    /// The effect of a list that lacks the entry and withdraws what it lacks. A patient's decision outlasts every list. An
    /// entry that was to be called by `not_after`, and was not, has expired: the list lacks it because its time is over.
    #[must_use]
    pub fn on_absent(self, not_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> ListEffect {
        let is_suppressed_for_good = self.state == State::Suppressed && !self.reason_is_from_list();
        if self.state.is_callable() && not_after.is_some_and(|last| last < now) {
            ListEffect::Now(Fact::TooLate { reason: Reason::NotAfter })
        } else if self.is_not_settled() {
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
        // Newer outcome rules may take the last call of one that is finished for a call to nobody.
        if self.is_not_settled() || self.state == State::Finished {
            ListEffect::OnceSettled(fact)
        } else if self.state.is_callable() {
            ListEffect::Now(fact)
        } else {
            ListEffect::Nothing
        }
    }

    /// What a list changes about the entry, by the effect that it has on the entry's state.
    #[must_use]
    pub fn change(self, listing: Listing, effect: &ListEffect) -> EntryChange {
        match effect {
            ListEffect::Corrected { forbidden: None } => return EntryChange::Corrected,
            ListEffect::Now(Fact::Listed) if self.state == State::Withdrawn => return EntryChange::Returned,
            ListEffect::Now(Fact::Listed) if self.state != State::Expired => return EntryChange::Allowed,
            // The entry may wait for its settlement with the same change for many lists: that is counted as no change.
            ListEffect::Now(Fact::Barred { .. } | Fact::SetAside { .. })
            | ListEffect::Corrected { forbidden: Some(_) } => return EntryChange::Excluded,
            ListEffect::Now(_) | ListEffect::OnceSettled(_) | ListEffect::Nothing => {}
        }
        match (listing.number, listing.has_same_data) {
            _ if self.state.is_over_for_good() => EntryChange::Same,
            (ListedNumber::Same, true) => EntryChange::Same,
            (ListedNumber::Same, false) => EntryChange::Changed,
            (ListedNumber::Other | ListedNumber::NewChance, _) if self.state.has_call_to_settle() => {
                EntryChange::RenumberedUnderWay
            }
            (ListedNumber::Other | ListedNumber::NewChance, _) => EntryChange::Renumbered,
        }
    }

    /// Whether the entry is over because its number was wrong: a corrected one is a new chance.
    #[must_use]
    pub fn had_wrong_number(self) -> bool {
        match self.state {
            State::Finished => self.outcome.is_some_and(Outcome::means_wrong_number),
            State::Failed => self.reason == Some(Reason::VendorRefused),
            State::Suppressed
            | State::Ready
            | State::Waiting
            | State::Submitting
            | State::Open
            | State::Unknown
            | State::Held
            | State::Withdrawn
            | State::Expired
            | State::Cancelled
            | State::LostTrack => false,
        }
    }

    /// Whether a list took the entry away, and `fact` takes it away otherwise.
    fn is_other_exclusion(self, fact: &Fact) -> bool {
        let is_taken_away = matches!(self.state, State::Withdrawn | State::Suppressed | State::Held);
        let reason = fact.effect_on_entry(self.due_at).reason;
        is_taken_away && self.state.after(fact).is_ok_and(|to| (to, reason) != (self.state, self.reason))
    }

    /// Whether the entry is callable, or becomes so by a list that has it.
    #[must_use]
    pub fn may_become_callable_by_list(self) -> bool {
        match self.state {
            State::Ready | State::Waiting | State::Withdrawn | State::Expired => true,
            State::Suppressed | State::Held => self.reason_is_from_list() || self.reason == Some(Reason::Suppressed),
            State::Submitting
            | State::Open
            | State::Unknown
            | State::Finished
            | State::Failed
            | State::Cancelled
            | State::LostTrack => false,
        }
    }

    /// Whether something other than a list may make the entry callable again: its call ends, or a person decides, lifts
    /// the bar on its number, brings it back after a refusal, or takes a cancellation back.
    fn is_not_settled(self) -> bool {
        match self.state {
            State::Held => !self.reason_is_from_list(),
            State::Suppressed => self.reason == Some(Reason::Suppressed),
            State::Submitting | State::Open | State::Unknown | State::LostTrack | State::Failed | State::Cancelled => {
                true
            }
            State::Ready | State::Waiting | State::Finished | State::Withdrawn | State::Expired => false,
        }
    }

    fn reason_is_from_list(self) -> bool {
        self.reason.is_some_and(Reason::comes_from_list)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// What happens to an entry in each state, whose reason comes from a list or not, or is that its number is barred: it is
    /// listed and may be called, is listed as suppressed, is listed as held, is absent, is excluded; and its change if its
    /// number and data differ. `later`: once it is settled; `-`: nothing. The columns are in this order.
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
held        list  listed  barred        set_aside        unlisted        -             Renumbered
held        own   -       later barred  later set_aside  later unlisted  later barred  Renumbered
finished    list  -       -             -                -               later barred  Same
finished    own   -       -             -                -               later barred  Same
failed      list  -       later barred  later set_aside  later unlisted  later barred  Same
failed      own   -       later barred  later set_aside  later unlisted  later barred  Same
suppressed  list  listed  barred        set_aside        unlisted        -             Renumbered
suppressed  own   -       -             -                -               -             Renumbered
suppressed  bar   -       later barred  later set_aside  later unlisted  later barred  Renumbered
withdrawn   list  listed  barred        set_aside        -               -             Renumbered
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
            ListEffect::Corrected { .. } => "corrected".to_owned(),
        };
        let mut table = String::from("\n");
        for state in State::ALL {
            for (from, reason) in [("list", Reason::Excluded), ("own", Reason::Operator), ("bar", Reason::Suppressed)] {
                if reason == Reason::Suppressed && state != State::Suppressed {
                    continue;
                }
                let status = EntryStatus { state, reason: Some(reason), due_at: now, outcome: None };
                let reason = Reason::DoNotCall;
                let listed =
                    [ListEligibility::Ready, ListEligibility::Suppressed(reason), ListEligibility::Held(reason)];
                let number = ListedNumber::Other;
                let listing = |eligibility| Listing {
                    eligibility,
                    not_after: None,
                    number,
                    is_barred: true,
                    has_same_data: false,
                };
                let listed = listed.map(|eligibility| word(status.on_listed(listing(eligibility), now)));
                let [ready, suppressed, held] = listed;
                let (absent, excluded) = (word(status.on_absent(None, now)), word(status.on_excluded()));
                let cells = format!("{ready:<7} {suppressed:<13} {held:<16} {absent:<15} {excluded:<13}");
                let _ = writeln!(
                    table,
                    "{:<11} {from:<5} {cells} {:?}",
                    state.name(),
                    status.change(listing(ListEligibility::Ready), &ListEffect::Nothing)
                );
            }
        }
        assert_eq!(table, EFFECTS, "{table}");
    }

    #[test]
    fn a_corrected_number_is_a_new_chance_or_why_there_is_none_is_what_the_list_says() {
        let now = DateTime::UNIX_EPOCH;
        let outcome = Some(Outcome::WrongNumber);
        let status = EntryStatus { state: State::Finished, reason: None, due_at: now, outcome };
        let barred = Fact::Barred { reason: Reason::Booked };
        for (eligibility, forbidden, change) in [
            (ListEligibility::Ready, None, EntryChange::Corrected),
            (ListEligibility::Suppressed(Reason::Booked), Some(barred), EntryChange::Excluded),
        ] {
            let number = ListedNumber::NewChance;
            let listing = Listing { eligibility, not_after: None, number, is_barred: false, has_same_data: true };
            let effect = status.on_listed(listing, now);
            assert_eq!(effect, ListEffect::Corrected { forbidden });
            assert_eq!(status.change(listing, &effect), change);
        }
    }

    #[test]
    fn an_entry_that_has_expired_is_called_again_only_if_its_new_last_moment_is_to_come() {
        let now = DateTime::UNIX_EPOCH;
        let status = EntryStatus { state: State::Expired, reason: Some(Reason::NotAfter), due_at: now, outcome: None };
        let later = now + chrono::TimeDelta::hours(1);
        for (not_after, effect) in [(None, Some(Fact::Listed)), (Some(later), Some(Fact::Listed)), (Some(now), None)] {
            let eligibility = ListEligibility::Ready;
            let listing =
                Listing { eligibility, not_after, number: ListedNumber::Same, is_barred: true, has_same_data: true };
            assert_eq!(status.on_listed(listing, now).now(), effect);
        }
    }

    #[test]
    fn an_absent_entry_whose_last_moment_has_passed_has_expired() {
        let now = DateTime::UNIX_EPOCH;
        let status = EntryStatus { state: State::Ready, reason: None, due_at: now, outcome: None };
        let hour = chrono::TimeDelta::hours(1);
        for (not_after, expected) in [
            (None, Fact::Unlisted),
            (Some(now + hour), Fact::Unlisted),
            (Some(now - hour), Fact::TooLate { reason: Reason::NotAfter }),
        ] {
            assert_eq!(status.on_absent(not_after, now).now(), Some(expected));
        }
    }

    #[test]
    fn only_a_change_that_matters_counts() {
        let status = |state| EntryStatus { state, reason: None, due_at: DateTime::UNIX_EPOCH, outcome: None };
        for (state, number, has_same_data, change) in [
            (State::Ready, ListedNumber::Same, true, EntryChange::Same),
            (State::Ready, ListedNumber::Same, false, EntryChange::Changed),
            (State::Open, ListedNumber::Same, false, EntryChange::Changed),
            (State::Open, ListedNumber::Other, true, EntryChange::RenumberedUnderWay),
            (State::Ready, ListedNumber::NewChance, true, EntryChange::Renumbered),
            (State::Finished, ListedNumber::Other, false, EntryChange::Same),
        ] {
            let listing = Listing {
                eligibility: ListEligibility::Ready,
                not_after: None,
                number,
                is_barred: true,
                has_same_data,
            };
            assert_eq!(status(state).change(listing, &ListEffect::Nothing), change, "{state}");
        }
    }

    #[test]
    fn an_exclusion_that_comes_goes_or_is_replaced_by_a_return_is_a_change() {
        let now = DateTime::UNIX_EPOCH;
        let booked = ListEligibility::Suppressed(Reason::Booked);
        for (state, reason, eligibility, change) in [
            (State::Ready, None, booked, EntryChange::Excluded),
            (State::Waiting, Some(Reason::RedialGap), ListEligibility::Held(Reason::NoLine), EntryChange::Excluded),
            (State::Suppressed, Some(Reason::Booked), ListEligibility::Ready, EntryChange::Allowed),
            (State::Suppressed, Some(Reason::AppointmentOff), ListEligibility::Ready, EntryChange::Allowed),
            (State::Held, Some(Reason::NoLine), ListEligibility::Ready, EntryChange::Allowed),
            (State::Withdrawn, Some(Reason::Unlisted), ListEligibility::Ready, EntryChange::Returned),
            (State::Suppressed, Some(Reason::Booked), booked, EntryChange::Same),
            (State::Expired, Some(Reason::NotAfter), ListEligibility::Ready, EntryChange::Same),
        ] {
            let status = EntryStatus { state, reason, due_at: now, outcome: None };
            let listing = Listing {
                eligibility,
                not_after: None,
                number: ListedNumber::Same,
                is_barred: true,
                has_same_data: true,
            };
            assert_eq!(status.change(listing, &status.on_listed(listing, now)), change, "{state} {reason:?}");
        }
    }

    #[test]
    fn a_patient_whose_number_is_not_suppressed_any_more_is_back() {
        let now = DateTime::UNIX_EPOCH;
        let reason = Some(Reason::Suppressed);
        let status = EntryStatus { state: State::Suppressed, reason, due_at: now, outcome: None };
        for (is_barred, effect) in [(true, None), (false, Some(Fact::Listed))] {
            let (eligibility, number) = (ListEligibility::Ready, ListedNumber::Same);
            let listing = Listing { eligibility, not_after: None, number, is_barred, has_same_data: true };
            assert_eq!(status.on_listed(listing, now).now(), effect);
        }
    }

    #[test]
    fn a_corrected_number_is_a_new_chance_after_a_wrong_one() {
        let now = DateTime::UNIX_EPOCH;
        let (chance, other) = (ListedNumber::NewChance, ListedNumber::Other);
        for (state, reason, outcome, number, eligibility, is_called_again) in [
            (State::Finished, None, Some(Outcome::WrongNumber), chance, ListEligibility::Ready, true),
            (State::Finished, None, Some(Outcome::InvalidNumber), chance, ListEligibility::Ready, true),
            (State::Finished, None, Some(Outcome::WrongNumber), other, ListEligibility::Ready, false),
            (State::Finished, None, Some(Outcome::Declined), chance, ListEligibility::Ready, false),
            (State::Failed, Some(Reason::VendorRefused), None, chance, ListEligibility::Ready, true),
            (State::Failed, Some(Reason::ContentRefused), None, chance, ListEligibility::Ready, false),
            (State::Suppressed, Some(Reason::Suppressed), None, chance, ListEligibility::Ready, false),
            (
                State::Cancelled,
                Some(Reason::Operator),
                Some(Outcome::WrongNumber),
                chance,
                ListEligibility::Ready,
                false,
            ),
        ] {
            let status = EntryStatus { state, reason, due_at: now, outcome };
            let effect = status
                .on_listed(Listing { eligibility, not_after: None, number, is_barred: true, has_same_data: true }, now);
            assert_eq!(effect.now() == Some(Fact::NumberCorrected), is_called_again, "{state} {reason:?} {outcome:?}");
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

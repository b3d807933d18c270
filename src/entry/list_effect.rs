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
            // Newer outcome rules may call a finished entry again, and its row of a report is a row of the next list.
            Some(fact) if self.is_not_settled() || self.state == State::Finished => ListEffect::OnceSettled(fact),
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
mod tests;

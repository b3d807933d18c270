//! Why an entry is not being called now: the rule's machine word and its words for people.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[doc = $sentence:literal])+ $name:ident = $word:literal),* $(,)?) => {
        /// A rule, or a circumstance, that keeps an entry from being called.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum Reason {
            $($(#[doc = $sentence])+ #[serde(rename = $word)] $name,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The machine word in the ledger, in exports and in events.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The reason in a sentence with a capital, as plans and `check --json` have it.
            #[must_use]
            pub fn description(self) -> &'static str {
                match self { $(Self::$name => concat!($($sentence),+).trim_ascii(),)* }
            }

            /// The reason with the machine word `name`.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.name() == name)
            }
        }
    };
}

reasons! {
    /// Outside the calling window
    Window = "window",
    /// A holiday where the called party may be
    Holiday = "holiday",
    /// No hour of the day is allowed in every zone that applies
    NoCommonWindow = "no_common_window",
    /// This number was called less than 24 hours ago
    DailyCap = "daily_cap",
    /// This number was called as often as the state's rule allows in 24 hours
    StateCap = "state_cap",
    /// This number was called as often as the rules allow in 7 days
    WeeklyCap = "weekly_cap",
    /// This number was called as often as the rules allow in 30 days
    MonthlyCap = "monthly_cap",
    /// Three attempts in a row reached nobody: 30 days of rest
    CoolDown = "cool_down",
    /// Another call to this number is not settled yet
    NumberBusy = "number_busy",
    /// Nobody was reached; to be called again after a gap
    RedialGap = "redial_gap",
    /// That was not the patient's number: the next one on the list is dialled
    OtherNumber = "other_number",
    /// To be called at another part of the day than the last time
    PartOfDay = "part_of_day",
    /// The call to somebody else of the household has spoken for this patient
    SpokenFor = "spoken_for",
    /// Called as often as the campaign calls one patient
    AttemptsUsed = "attempts_used",
    /// On the suppression list
    Suppressed = "suppressed",
    /// The list says: do not call
    DoNotCall = "do_not_call",
    /// Recall switched off, by the list
    RecallOff = "recall_off",
    /// No consent to such calls
    NoConsent = "no_consent",
    /// The list does not say whether there is consent
    ConsentBlank = "consent_blank",
    /// Has a future appointment already
    Booked = "booked",
    /// On the list of patients to be left out
    Excluded = "excluded",
    /// No longer an active patient
    Inactive = "inactive",
    /// Deceased, by the list
    Deceased = "deceased",
    /// The appointment is cancelled or over, by the list
    AppointmentOff = "appointment_off",
    /// Its number has an extension, which cannot be dialled
    Extension = "extension",
    /// The area code is not known, so neither is the local time
    UnknownAreaCode = "unknown_area_code",
    /// The campaign has no line for its location any more
    NoLine = "no_line",
    /// The last sensible moment for the call has passed
    NotAfter = "not_after",
    /// The number is used by another call until it is too late
    NumberUsed = "number_used",
    /// The connection to the vendor could not be made
    NotConnected = "not_connected",
    /// The vendor asked for a slower pace
    RateLimited = "rate_limited",
    /// The vendor had too many calls in progress
    TooManyCalls = "too_many_calls",
    /// The vendor did not accept our credentials
    Unauthorised = "unauthorised",
    /// The vendor does not let this number call
    LineRefused = "line_refused",
    /// The vendor refuses calls of this account
    AccountRefused = "account_refused",
    /// The vendor refused the call, and does not say whom that concerns
    RefusedUnexplained = "refused_unexplained",
    /// The vendor refused the call: outside its hours
    VendorHours = "vendor_hours",
    /// The vendor refused the call: its own limit for this number
    VendorCap = "vendor_cap",
    /// The vendor refused the call for good
    VendorRefused = "vendor_refused",
    /// The vendor refused what the call says, for good
    ContentRefused = "content_refused",
    /// The answer was lost, and the vendor's list does not show the call
    AnswerLost = "answer_lost",
    /// Answers of the vendor are being lost: no further call for a while
    AnswersLost = "answers_lost",
    /// The conversation was not seen to end in time
    TrackLost = "track_lost",
    /// Possibly an opt-out: a person must read what was said
    PossibleOptOut = "possible_opt_out",
    /// Possibly deceased: a person must read what was said
    PossiblyDeceased = "possibly_deceased",
    /// Not on the newest list
    Unlisted = "unlisted",
    /// Decided by an operator
    Operator = "operator",
}

/// The words for people where they differ from the description, which is part of machine formats.
const LABELS: [(Reason, &str); 8] = [
    (Reason::Window, "outside the dialing hours"),
    (Reason::SpokenFor, "the call to another patient of the household covers this patient"),
    (Reason::Excluded, "on the exclude list"),
    (Reason::NoLine, "the campaign has no [[line]] for its location any more"),
    (Reason::NotAfter, "the last time at which the call makes sense has passed"),
    (Reason::Unauthorised, "the vendor did not accept the credentials"),
    (Reason::LineRefused, "the vendor does not let the caller id call"),
    (Reason::RefusedUnexplained, "the vendor refused the call and does not say what the refusal concerns"),
];

impl Reason {
    /// The words for people, for the middle of a line.
    #[must_use]
    pub fn label(self) -> String {
        let own = LABELS.iter().find(|(reason, _)| *reason == self);
        own.map_or_else(|| without_capital(self.description()), |(_, label)| (*label).into())
    }

    /// Whether the rule itself defers the call to another day, so that the entry is not due while it waits.
    #[must_use]
    pub fn defers_to_another_day(self) -> bool {
        matches!(
            self,
            Self::RedialGap
                | Self::Holiday
                | Self::PartOfDay
                | Self::DailyCap
                | Self::StateCap
                | Self::WeeklyCap
                | Self::MonthlyCap
                | Self::CoolDown
                | Self::VendorHours
                | Self::VendorCap
        )
    }

    /// Whether the list gives this reason, so that a newer list may remove it.
    #[must_use]
    pub fn comes_from_list(self) -> bool {
        matches!(
            self,
            Self::DoNotCall
                | Self::RecallOff
                | Self::NoConsent
                | Self::ConsentBlank
                | Self::Booked
                | Self::Excluded
                | Self::Inactive
                | Self::Deceased
                | Self::AppointmentOff
                | Self::Extension
                | Self::UnknownAreaCode
                | Self::NoLine
                | Self::Unlisted
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `sentence` with its first letter in lower case, for the middle of a line.
#[must_use]
pub fn without_capital(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new reason is counted here once both questions have been answered for it.
    #[test]
    fn every_reason_defers_to_another_day_or_not_and_comes_from_the_list_or_not() {
        let count = |is: fn(Reason) -> bool| Reason::ALL.iter().filter(|reason| is(**reason)).count();
        let counts = [count(|_| true), count(Reason::defers_to_another_day), count(Reason::comes_from_list)];
        assert_eq!(counts, [47, 10, 13], "reasons, those that defer to another day, those that a list gives");
    }

    #[test]
    fn every_reason_has_words_for_people() {
        for (reason, label) in [
            (Reason::CoolDown, "three attempts in a row reached nobody: 30 days of rest"),
            (Reason::NoLine, "the campaign has no [[line]] for its location any more"),
            (Reason::VendorHours, "the vendor refused the call: outside its hours"),
        ] {
            assert_eq!(reason.label(), label);
        }
        for label in Reason::ALL.iter().map(|reason| reason.label()) {
            assert!(label.starts_with(char::is_lowercase), "{label}");
            assert!(!label.contains('_') && !label.ends_with('.'), "{label}");
        }
    }
}

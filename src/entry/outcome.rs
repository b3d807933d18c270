//! The outcome of a finished conversation.
//!
//! The vendor has no field for it (`annie-api.md`): it is derived from the conversation's other fields
//! ([`OutcomeSignals`]). Without a match the outcome is [`Outcome::Unclassified`], never a guess.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::labelled_enum::labelled_enum;

labelled_enum! {
    /// What a finished conversation meant.
    pub enum Outcome;

    /// An appointment was made.
    Booked = "booked", "booked";
    /// An appointment was confirmed.
    Confirmed = "confirmed", "confirmed";
    /// The patient wants another time.
    RescheduleRequested = "reschedule_requested", "wants another time";
    /// The patient does not want one.
    Declined = "declined", "declined";
    /// The patient wants to be called by a person.
    CallbackRequested = "callback_requested", "wants a call back";
    /// A message was left.
    LeftVoicemail = "left_voicemail", "left a voicemail";
    /// Nobody answered.
    NoAnswer = "no_answer", "no answer";
    /// The line was busy.
    Busy = "busy", "busy";
    /// Somebody else's number.
    WrongNumber = "wrong_number", "wrong number";
    /// The person does not want to be called again.
    OptOut = "opt_out", "opted out";
    /// The patient has died or moved away.
    DeceasedOrMoved = "deceased_or_moved", "deceased or moved";
    /// The number does not exist.
    InvalidNumber = "invalid_number", "no such number";
    /// Somebody answered, but not the patient.
    ReachedOther = "reached_other", "reached somebody else";
    /// Closed, but nothing known says what it meant.
    Unclassified = "unclassified", "unclear";
}

impl Outcome {
    /// The outcome with the machine word `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
    }

    /// Whether a person of the household has decided about the call's subject.
    #[must_use]
    pub fn is_decision(self) -> bool {
        match self {
            Self::Booked
            | Self::Confirmed
            | Self::RescheduleRequested
            | Self::Declined
            | Self::CallbackRequested
            | Self::OptOut => true,
            Self::LeftVoicemail
            | Self::NoAnswer
            | Self::Busy
            | Self::WrongNumber
            | Self::DeceasedOrMoved
            | Self::InvalidNumber
            | Self::ReachedOther
            | Self::Unclassified => false,
        }
    }

    /// Whether the number is not the patient's or does not exist, so that another number is worth a call.
    #[must_use]
    pub fn means_wrong_number(self) -> bool {
        matches!(self, Self::WrongNumber | Self::InvalidNumber)
    }

    /// Whether the attempt reached a person or left a message, which the vendor's cool-down by default does not count as
    /// a failure (`calling-rules.md`, The vendor's own rules).
    #[must_use]
    pub fn is_contact(self) -> bool {
        match self {
            Self::Booked
            | Self::Confirmed
            | Self::RescheduleRequested
            | Self::Declined
            | Self::CallbackRequested
            | Self::LeftVoicemail
            | Self::OptOut
            | Self::DeceasedOrMoved
            | Self::ReachedOther
            | Self::WrongNumber => true,
            Self::NoAnswer | Self::Busy | Self::InvalidNumber | Self::Unclassified => false,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The fields of a closed conversation that may tell its outcome. Any of them may be missing.
#[derive(Clone, Default, PartialEq)]
pub struct OutcomeSignals {
    /// `conversationTags`.
    pub tags: Vec<String>,
    /// `topic`.
    pub topic: Option<String>,
    /// `summary`.
    pub summary: Option<String>,
    /// `actionsNeeded`.
    pub actions: Vec<String>,
    /// `duration`; its unit is not documented.
    pub duration: Option<f64>,
}

impl fmt::Debug for OutcomeSignals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutcomeSignals(masked)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_words_for_people() {
        let labels = [
            "booked",
            "confirmed",
            "wants another time",
            "declined",
            "wants a call back",
            "left a voicemail",
            "no answer",
            "busy",
            "wrong number",
            "opted out",
            "deceased or moved",
            "no such number",
            "reached somebody else",
            "unclear",
        ];
        assert_eq!(Outcome::ALL.iter().map(|outcome| outcome.label()).collect::<Vec<_>>(), labels);
    }
}

//! The outcome of a finished conversation.
//!
//! The vendor has no field for it (`annie-api.md`): ordered rules derive it from the conversation's other fields. The
//! first matching rule decides; without a match the outcome is [`Outcome::Unclassified`], never a guess.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $label:literal;)*) => {
        /// What a finished conversation meant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Outcome {
            $($(#[$doc])* $name,)*
        }

        impl Outcome {
            /// Every outcome, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The machine word in campaign files, the ledger, exports and events.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The words for people.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// The outcome with the machine word `name`.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
            }
        }
    };
}

outcomes! {
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

/// One rule: an outcome, and the signals required for it. Every non-empty list must match; a list matches if any one of
/// its texts does. Texts are compared without case, and `_` and `-` count as spaces.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutcomeRule {
    /// The outcome of a match.
    pub outcome: Option<Outcome>,
    /// A tag equal to one of these.
    pub tags: Vec<String>,
    /// A topic that contains one of these.
    pub topic: Vec<String>,
    /// A summary that contains one of these.
    pub summary: Vec<String>,
    /// A needed action that contains one of these.
    pub actions: Vec<String>,
    /// A duration of at most this much, in the vendor's unit.
    pub duration_at_most: Option<f64>,
}

/// The rules of a campaign, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutcomeRules(pub Vec<OutcomeRule>);

impl OutcomeRules {
    /// The first matching rule's outcome and its position, counted from 1.
    #[must_use]
    pub fn classify(&self, signals: &OutcomeSignals) -> (Outcome, Option<usize>) {
        self.0
            .iter()
            .enumerate()
            .find(|(_, rule)| rule.matches(signals))
            .map_or((Outcome::Unclassified, None), |(at, rule)| {
                (rule.outcome.unwrap_or(Outcome::Unclassified), Some(at + 1))
            })
    }
}

impl OutcomeRule {
    fn matches(&self, signals: &OutcomeSignals) -> bool {
        let is_empty = self.tags.is_empty()
            && self.topic.is_empty()
            && self.summary.is_empty()
            && self.actions.is_empty()
            && self.duration_at_most.is_none();
        let any = |wanted: &[String], found: &[String], is_match: fn(&str, &str) -> bool| {
            wanted.is_empty()
                || found
                    .iter()
                    .map(|text| normalised(text))
                    .any(|text| wanted.iter().any(|wanted| is_match(&text, &normalised(wanted))))
        };
        !is_empty
            && any(&self.tags, &signals.tags, |tag, wanted| tag == wanted)
            && any(&self.topic, signals.topic.as_slice(), |topic, wanted| topic.contains(wanted))
            && any(&self.summary, signals.summary.as_slice(), |summary, wanted| summary.contains(wanted))
            && any(&self.actions, &signals.actions, |action, wanted| action.contains(wanted))
            && self.duration_at_most.is_none_or(|limit| signals.duration.is_some_and(|duration| duration <= limit))
    }
}

/// Lower case, with `_` and `-` as spaces and runs of spaces as one.
fn normalised(text: &str) -> String {
    let spaced = text.to_lowercase().replace(['_', '-'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(outcome: Outcome) -> OutcomeRule {
        OutcomeRule { outcome: Some(outcome), ..OutcomeRule::default() }
    }

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rules = OutcomeRules(vec![
            OutcomeRule { tags: texts(&["opt-out"]), ..rule(Outcome::OptOut) },
            OutcomeRule { tags: texts(&["booked"]), ..rule(Outcome::Booked) },
        ]);
        let both = OutcomeSignals { tags: texts(&["Booked", "Opt_Out"]), ..OutcomeSignals::default() };
        assert_eq!(rules.classify(&both), (Outcome::OptOut, Some(1)));
    }

    #[test]
    fn no_matching_signal_is_unclassified_and_not_a_guess() {
        let rules = OutcomeRules(vec![rule(Outcome::Booked)]);
        assert_eq!(rules.classify(&OutcomeSignals::default()), (Outcome::Unclassified, None));
    }

    #[test]
    fn every_list_of_a_rule_must_be_met() {
        let rules = OutcomeRules(vec![OutcomeRule {
            topic: texts(&["recall"]),
            summary: texts(&["left a message"]),
            duration_at_most: Some(60.0),
            ..rule(Outcome::LeftVoicemail)
        }]);
        let mut signals = OutcomeSignals {
            topic: Some("Recall visit".into()),
            summary: Some("Left a  message on the machine.".into()),
            ..OutcomeSignals::default()
        };
        assert_eq!(rules.classify(&signals).0, Outcome::Unclassified);
        signals.duration = Some(41.0);
        assert_eq!(rules.classify(&signals).0, Outcome::LeftVoicemail);
    }

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

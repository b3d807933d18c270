//! What a finished conversation meant.
//!
//! The vendor has no field for it (`annie-api.md`): an outcome is derived by ordered rules over what the conversation
//! does carry. The first rule that matches decides; when none does, the answer is [`Outcome::Unclassified`], never a
//! guess.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// What a finished conversation meant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Outcome {
            $($(#[$doc])* $name,)*
        }

        impl Outcome {
    /// Whether somebody of the household has decided what the call was about.
    #[must_use]
    pub fn is_a_decision(self) -> bool {
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

    /// Whether it says that the number is not the patient's, or nobody's: another one may be.
    #[must_use]
    pub fn is_of_the_number(self) -> bool {
        matches!(self, Self::WrongNumber | Self::InvalidNumber)
    }

            /// Every outcome, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its word in campaign files, the ledger, reports and events.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The outcome of that name.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|outcome| outcome.name() == name)
            }
        }
    };
}

outcomes! {
    /// An appointment was made.
    Booked = "booked",
    /// An appointment was confirmed.
    Confirmed = "confirmed",
    /// The patient wants another time.
    RescheduleRequested = "reschedule_requested",
    /// The patient does not want one.
    Declined = "declined",
    /// The patient wants to be called by a person.
    CallbackRequested = "callback_requested",
    /// A message was left.
    LeftVoicemail = "left_voicemail",
    /// Nobody answered.
    NoAnswer = "no_answer",
    /// The line was busy.
    Busy = "busy",
    /// Somebody else's number.
    WrongNumber = "wrong_number",
    /// The person does not want to be called again.
    OptOut = "opt_out",
    /// The patient has died or moved away.
    DeceasedOrMoved = "deceased_or_moved",
    /// The number does not exist.
    InvalidNumber = "invalid_number",
    /// Somebody answered, but not the patient.
    ReachedOther = "reached_other",
    /// Closed, but nothing known says what it meant.
    Unclassified = "unclassified",
}

impl Outcome {
    /// Whether the attempt reached a person or left a message: what the vendor's cool-down does not count as a failure
    /// (by default; `calling-rules.md`, The vendor's own rules).
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

/// What a closed conversation carries that may tell its outcome. Any part may be missing.
#[derive(Clone, Default, PartialEq)]
pub struct Testimony {
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

impl fmt::Debug for Testimony {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Testimony(masked)")
    }
}

/// One rule: an outcome, and what a conversation must carry for it. Every list that is given must be met; a list is met
/// by any one of its texts. Texts are compared without case, and `_` and `-` count as spaces.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutcomeRule {
    /// What a match means.
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
    /// The first matching rule's outcome and its place in the order, counted from 1.
    #[must_use]
    pub fn classify(&self, testimony: &Testimony) -> (Outcome, Option<usize>) {
        self.0
            .iter()
            .enumerate()
            .find(|(_, rule)| rule.matches(testimony))
            .map_or((Outcome::Unclassified, None), |(at, rule)| {
                (rule.outcome.unwrap_or(Outcome::Unclassified), Some(at + 1))
            })
    }
}

impl OutcomeRule {
    fn matches(&self, testimony: &Testimony) -> bool {
        let asks_nothing = self.tags.is_empty()
            && self.topic.is_empty()
            && self.summary.is_empty()
            && self.actions.is_empty()
            && self.duration_at_most.is_none();
        let any = |wanted: &[String], found: &[String], meets: fn(&str, &str) -> bool| {
            wanted.is_empty()
                || found.iter().map(|text| plain(text)).any(|text| wanted.iter().any(|w| meets(&text, &plain(w))))
        };
        !asks_nothing
            && any(&self.tags, &testimony.tags, |tag, wanted| tag == wanted)
            && any(&self.topic, testimony.topic.as_slice(), |topic, wanted| topic.contains(wanted))
            && any(&self.summary, testimony.summary.as_slice(), |summary, wanted| summary.contains(wanted))
            && any(&self.actions, &testimony.actions, |action, wanted| action.contains(wanted))
            && self.duration_at_most.is_none_or(|limit| testimony.duration.is_some_and(|duration| duration <= limit))
    }
}

/// Lower case, with `_` and `-` as spaces and runs of spaces as one.
fn plain(text: &str) -> String {
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
        let both = Testimony { tags: texts(&["Booked", "Opt_Out"]), ..Testimony::default() };
        assert_eq!(rules.classify(&both), (Outcome::OptOut, Some(1)));
    }

    #[test]
    fn nothing_known_is_unclassified_and_not_a_guess() {
        let rules = OutcomeRules(vec![rule(Outcome::Booked)]);
        assert_eq!(rules.classify(&Testimony::default()), (Outcome::Unclassified, None));
    }

    #[test]
    fn every_list_of_a_rule_must_be_met() {
        let rules = OutcomeRules(vec![OutcomeRule {
            topic: texts(&["recall"]),
            summary: texts(&["left a message"]),
            duration_at_most: Some(60.0),
            ..rule(Outcome::LeftVoicemail)
        }]);
        let mut testimony = Testimony {
            topic: Some("Recall visit".into()),
            summary: Some("Left a  message on the machine.".into()),
            ..Testimony::default()
        };
        assert_eq!(rules.classify(&testimony).0, Outcome::Unclassified);
        testimony.duration = Some(41.0);
        assert_eq!(rules.classify(&testimony).0, Outcome::LeftVoicemail);
    }
}

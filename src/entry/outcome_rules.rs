//! The ordered rules that derive a conversation's outcome from its fields. The first matching rule decides; without a match
//! the outcome is [`Outcome::Unclassified`], never a guess.

use super::classification::{Classification, RuleName};
use super::outcome::{Outcome, OutcomeSignals};

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
    /// What the first matching rule takes the conversation for.
    #[must_use]
    pub fn classify(&self, signals: &OutcomeSignals) -> Classification {
        let found = self.0.iter().enumerate().find(|(_, rule)| rule.matches(signals));
        found.map_or(Classification::UNCLASSIFIED, |(at, rule)| Classification {
            outcome: rule.outcome.unwrap_or(Outcome::Unclassified),
            doubt: None,
            rule: Some(RuleName::numbered(at + 1)),
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
        let taken_for = rules.classify(&both);
        assert_eq!((taken_for.outcome, taken_for.rule), (Outcome::OptOut, Some(RuleName::numbered(1))));
    }

    #[test]
    fn no_matching_signal_is_unclassified_and_not_a_guess() {
        let rules = OutcomeRules(vec![rule(Outcome::Booked)]);
        assert_eq!(rules.classify(&OutcomeSignals::default()), Classification::UNCLASSIFIED);
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
        assert_eq!(rules.classify(&signals).outcome, Outcome::Unclassified);
        signals.duration = Some(41.0);
        assert_eq!(rules.classify(&signals).outcome, Outcome::LeftVoicemail);
    }
}

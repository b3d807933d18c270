//! A campaign's outcome rules, and what a conversation is taken for.

use super::limits;
use super::opinion::Model;
use super::text;
use super::verdict;
use crate::entry::{Classification, Doubt, Outcome, OutcomeSignals, RuleName};

/// One rule of a campaign: an outcome, and the signals required for it. Every non-empty list must match, and no text of
/// `unless` may; a list matches if any one of its texts does. Texts are compared by whole words, without case, accents and
/// marks.
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
    /// No tag, topic, summary or needed action contains one of these.
    pub unless: Vec<String>,
}

/// The rules of a campaign, in order, and whether the built-in ones follow them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OutcomeRules {
    /// The campaign's own rules.
    pub own: Vec<OutcomeRule>,
    /// Whether the built-in rules decide what no own rule does.
    pub has_built_in: bool,
}

impl OutcomeRules {
    /// What a conversation is taken for. The first own rule that matches names the outcome; an opt-out or a death that the
    /// built-in rules find and it does not name is still put to a person.
    #[must_use]
    pub fn classify(&self, signals: &OutcomeSignals) -> Classification {
        let (signals, is_cut) = limits::within(signals);
        let taken_for = self.classify_read(&signals);
        if is_cut && self.has_built_in && taken_for.outcome != Outcome::OptOut && taken_for.doubt.is_none() {
            let rule = Some(RuleName::new("built-in: the conversation is too long to be read whole"));
            return Classification { doubt: Some(Doubt::PossibleOptOut), rule, ..taken_for };
        }
        taken_for
    }

    fn classify_read(&self, signals: &OutcomeSignals) -> Classification {
        let own = self.own.iter().zip(1..).find(|(rule, _)| rule.matches(signals));
        match own {
            Some((rule, position)) => {
                let outcome = rule.outcome.unwrap_or(Outcome::Unclassified);
                let doubt = self.has_built_in.then(|| verdict::concern(signals, outcome)).flatten();
                Classification { outcome, is_death: false, doubt, rule: Some(RuleName::numbered(position)) }
            }
            None if self.has_built_in => built_in(signals, Model::built_in()),
            None => Classification::UNCLASSIFIED,
        }
    }
}

/// What the built-in rules alone take a conversation for, with the second opinion of `model`.
#[must_use]
pub fn built_in(signals: &OutcomeSignals, model: &Model) -> Classification {
    verdict::classify(signals, model)
}

impl OutcomeRule {
    fn matches(&self, signals: &OutcomeSignals) -> bool {
        let fields = [
            (&self.tags, signals.tags.as_slice(), is_equal as fn(&str, &str) -> bool),
            (&self.topic, signals.topic.as_slice(), contains),
            (&self.summary, signals.summary.as_slice(), contains),
            (&self.actions, signals.actions.as_slice(), contains),
        ];
        let is_short = |limit| signals.duration.is_some_and(|duration| duration <= limit);
        let is_empty = fields.iter().all(|(wanted, ..)| wanted.is_empty()) && self.duration_at_most.is_none();
        let is_excluded = fields.iter().any(|(_, found, _)| any(found, &self.unless, contains));
        !is_empty
            && !is_excluded
            && fields.iter().all(|(wanted, found, test)| wanted.is_empty() || any(found, wanted, *test))
            && self.duration_at_most.is_none_or(is_short)
    }
}

/// Whether any of the texts found passes a test with any of those wanted. Texts without a letter or a digit, such as an
/// emoji, are compared as they are.
fn any(found: &[String], wanted: &[String], test: fn(&str, &str) -> bool) -> bool {
    let with_plain = |text: &String| (plain(text), text.trim().to_owned());
    let wanted: Vec<_> = wanted.iter().map(with_plain).collect();
    let passes = |(found, raw): (String, String)| {
        let test = |(wanted, raw_wanted): &(String, String)| {
            if wanted.is_empty() { raw == *raw_wanted } else { test(&found, wanted) }
        };
        wanted.iter().any(test)
    };
    found.iter().map(with_plain).any(passes)
}

fn is_equal(found: &str, wanted: &str) -> bool {
    found == wanted
}

/// Whether `found` has the whole words of `wanted`, next to each other.
fn contains(found: &str, wanted: &str) -> bool {
    format!(" {found} ").contains(&format!(" {wanted} "))
}

/// The words of a text, with one space between them.
fn plain(text: &str) -> String {
    let words = text::words(text).into_iter().filter(|word| !text::is_mark(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn own(rule: OutcomeRule) -> OutcomeRules {
        OutcomeRules { own: vec![rule], has_built_in: false }
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rule = |outcome, tag| OutcomeRule { outcome: Some(outcome), tags: texts(&[tag]), ..OutcomeRule::default() };
        let rules = OutcomeRules {
            own: vec![rule(Outcome::OptOut, "opt-out"), rule(Outcome::Booked, "booked")],
            has_built_in: false,
        };
        let both = OutcomeSignals { tags: texts(&["Booked", "Opt_Out"]), ..OutcomeSignals::default() };
        let taken_for = rules.classify(&both);
        assert_eq!((taken_for.outcome, taken_for.rule), (Outcome::OptOut, Some(RuleName::numbered(1))));
    }

    #[test]
    fn no_matching_signal_is_unclassified_and_not_a_guess() {
        let empty = own(OutcomeRule { outcome: Some(Outcome::Booked), ..OutcomeRule::default() });
        assert_eq!(empty.classify(&OutcomeSignals::default()), Classification::UNCLASSIFIED);
    }

    #[test]
    fn every_list_of_a_rule_must_be_met_by_whole_words_and_none_of_unless() {
        let rules = own(OutcomeRule {
            outcome: Some(Outcome::LeftVoicemail),
            topic: texts(&["recall"]),
            summary: texts(&["left a message"]),
            duration_at_most: Some(60.0),
            unless: texts(&["no message", "with his wife"]),
            ..OutcomeRule::default()
        });
        let says = |topic: &str, summary: &str, duration| {
            let (topic, summary) = (Some(topic.into()), Some(summary.into()));
            rules.classify(&OutcomeSignals { topic, summary, duration, ..OutcomeSignals::default() }).outcome
        };
        assert_eq!(says("Recall visit", "Left a  message on the machine.", None), Outcome::Unclassified);
        assert_eq!(says("Recall visit", "Left a  message on the machine.", Some(41.0)), Outcome::LeftVoicemail);
        assert_eq!(says("Recalled", "Left a message", Some(41.0)), Outcome::Unclassified);
        assert_eq!(says("recall", "Left a message with his wife.", Some(41.0)), Outcome::Unclassified);
    }

    #[test]
    fn an_opt_out_that_an_own_rule_does_not_name_is_put_to_a_person() {
        let mut rules =
            own(OutcomeRule { outcome: Some(Outcome::Booked), tags: texts(&["visit-set"]), ..OutcomeRule::default() });
        rules.has_built_in = true;
        let summary = Some("Booked for Tuesday, and asked us not to call again.".to_owned());
        let said = OutcomeSignals { tags: texts(&["visit-set"]), summary, ..OutcomeSignals::default() };
        let taken_for = rules.classify(&said);
        assert_eq!((taken_for.outcome, taken_for.doubt), (Outcome::Booked, Some(crate::entry::Doubt::PossibleOptOut)));
    }
}

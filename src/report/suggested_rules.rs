//! Outcome rules that a practice may edit and add to its campaign, made from what no rule matches.
//!
//! Nothing is guessed: a rule is written out only if every other conversation with the tag has one outcome, or if the
//! campaign's rules know the tag's own words. Outcomes that suppress a number, or say that it is nobody's, are for a
//! person: their rules, and those of unknown tags, are comments.

use std::fmt::Write;

use crate::entry::{Classification, Outcome, OutcomeSignals};
use crate::outcome::OutcomeRules;
use crate::wording::{counted, plural};

use super::outcome_tally::{OutcomeTally, SignalCount, SignalKind};

/// The rules as TOML, to be added to a campaign file. `shows_words`: also for topics and needed actions, which may
/// repeat what patients said.
#[must_use]
pub fn suggested_rules(tally: &OutcomeTally, rules: &OutcomeRules, shows_words: bool) -> String {
    let mut text = String::new();
    let mut unshown = 0_u64;
    for kind in SignalKind::ALL {
        for (words, count) in tally.of_kind(kind).into_iter().filter(|(_, count)| count.unmatched() > 0) {
            if kind.may_hold_patients_words() && !shows_words {
                unshown += 1;
            } else {
                text += &rule(kind, words, count, rules);
            }
        }
    }
    if unshown > 0 {
        let _ = writeln!(
            text,
            "# {} of unclear conversations, too: --show-words has {}.",
            counted(unshown, "topic or needed action", "topics and needed actions"),
            plural(unshown, "it", "them")
        );
    }
    if text.is_empty() {
        return "# Every conversation with a tag, a topic or a needed action matches a rule.\n".into();
    }
    let words: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
    format!(
        "# Rules for what no outcome rule matches, to be edited and added to the campaign file. The outcomes are\n# {}.\n\
         # Then `callrounds outcomes apply CAMPAIGN` shows what they change.\n\n{text}",
        words.join(", ")
    )
}

fn rule(kind: SignalKind, words: &str, count: &SignalCount, rules: &OutcomeRules) -> String {
    let key = match kind {
        SignalKind::Tag => "tags",
        SignalKind::Topic => "topic",
        SignalKind::Action => "actions",
    };
    let unmatched = count.unmatched();
    let conversations = counted(unmatched, "unclear conversation has", "unclear conversations have");
    let (outcome, reason) = match proposed(kind, words, count, rules) {
        Some((outcome, reason)) => (outcome, reason),
        None => (Outcome::Unclassified, "say what it means"),
    };
    let is_written_out = outcome != Outcome::Unclassified && !needs_a_person(outcome);
    let start = if is_written_out { "" } else { "# " };
    // On one line, also within a comment. Every JSON string without a DEL is a TOML string.
    let words = serde_json::Value::String(words.replace('\u{7f}', " "));
    format!(
        "# {conversations} this; {reason}.\n{start}[[outcomes]]\n{start}outcome = \"{}\"\n{start}{key} = [{words}]\n\n",
        outcome.name()
    )
}

/// The outcome that the other conversations with this text have, or that its own words mean by the campaign's rules.
fn proposed(
    kind: SignalKind,
    words: &str,
    count: &SignalCount,
    rules: &OutcomeRules,
) -> Option<(Outcome, &'static str)> {
    let known = count.taken_for.keys().filter(|taken_for| taken_for.outcome != Outcome::Unclassified);
    let mut outcomes: Vec<_> = known.map(|taken_for| taken_for.outcome).collect();
    outcomes.dedup();
    match outcomes.as_slice() {
        [only] => return Some((*only, "all others with it have this outcome")),
        [] => {}
        _ => return None,
    }
    let spaced = words.replace(['-', '_'], " ");
    let as_summary = OutcomeSignals { summary: Some(spaced), ..OutcomeSignals::default() };
    let Classification { outcome, doubt, .. } = rules.classify(&as_summary);
    let is_known = kind == SignalKind::Tag && outcome != Outcome::Unclassified && doubt.is_none();
    is_known.then_some((outcome, "its words mean this by the campaign's rules"))
}

/// Whether a rule with this outcome must be a person's decision: it bars a number, or says that it is not the
/// patient's.
fn needs_a_person(outcome: Outcome) -> bool {
    match outcome {
        Outcome::OptOut | Outcome::DeceasedOrMoved | Outcome::WrongNumber | Outcome::InvalidNumber => true,
        Outcome::Booked
        | Outcome::Confirmed
        | Outcome::RescheduleRequested
        | Outcome::Declined
        | Outcome::CallbackRequested
        | Outcome::LeftVoicemail
        | Outcome::NoAnswer
        | Outcome::Busy
        | Outcome::ReachedOther
        | Outcome::Unclassified => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::OutcomeRule;

    fn suggested(conversations: &[(&[&str], Option<&str>)], shows_words: bool) -> String {
        let rule = |outcome, tag: &str| OutcomeRule {
            outcome: Some(outcome),
            tags: vec![tag.into()],
            ..OutcomeRule::default()
        };
        let asked = OutcomeRule { tags: Vec::new(), summary: vec!["do not call".into()], ..rule(Outcome::OptOut, "") };
        let rules = OutcomeRules { own: vec![rule(Outcome::Booked, "booked"), asked], has_built_in: false };
        let mut tally = OutcomeTally::default();
        for (tags, topic) in conversations {
            let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            let said = OutcomeSignals { tags, topic: topic.map(str::to_owned), ..OutcomeSignals::default() };
            let taken_for = rules.classify(&said);
            tally.add(&said, &taken_for);
        }
        suggested_rules(&tally, &rules, shows_words)
    }

    #[test]
    fn a_rule_is_written_out_only_where_the_evidence_is_clear_and_harmless() {
        let text = suggested(
            &[(&["hyg"], None), (&["hyg", "booked"], None), (&["zzz"], None), (&["do-not_call"], None)],
            false,
        );
        assert!(text.contains("\n[[outcomes]]\noutcome = \"booked\"\ntags = [\"hyg\"]\n"), "{text}");
        assert!(text.contains("\n# [[outcomes]]\n# outcome = \"unclassified\"\n# tags = [\"zzz\"]\n"), "{text}");
        assert!(text.contains("\n# [[outcomes]]\n# outcome = \"opt_out\"\n# tags = [\"do-not_call\"]\n"), "{text}");
        let table: toml::Table = text.parse().expect("TOML");
        assert_eq!(table["outcomes"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn topics_are_suggested_only_if_words_are_asked_for() {
        let conversations: [(&[&str], _); 1] = [(&[], Some("Canary's \"visit\""))];
        assert!(!suggested(&conversations, false).contains("Canary"));
        let text = suggested(&conversations, true).replace("# ", "");
        assert!(text.contains(r#"topic = ["Canary's \"visit\""]"#), "{text}");
    }

    #[test]
    fn nothing_is_suggested_where_every_conversation_matches() {
        assert!(suggested(&[(&["booked"], None)], false).contains("matches a rule"));
    }
}

//! What a bot's conversations carry, and what a campaign's rules take it for: every tag, topic and needed action, how
//! often it occurs, and with which outcomes.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::entry::{Classification, Doubt, Outcome, OutcomeSignals};
use crate::visible;
use crate::wording::{counted, plural};

/// Topics, actions and summaries shown of each kind; the others are counted.
const WORDS_SHOWN: usize = 40;

/// Where a text of a conversation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// `conversationTags`: the practice's own words, configured in its bot.
    Tag,
    /// `topic`: the bot's words, which may repeat the patient's.
    Topic,
    /// `actionsNeeded`: the bot's words, which may repeat the patient's.
    Action,
}

impl SignalKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Tag, Self::Topic, Self::Action];

    /// Whether its texts may repeat what a patient said, so that they are shown only if asked for.
    #[must_use]
    pub fn may_hold_patients_words(self) -> bool {
        match self {
            Self::Tag => false,
            Self::Topic | Self::Action => true,
        }
    }

    fn counted(self, count: u64) -> String {
        let (one, many) = self.nouns();
        counted(count, one, many)
    }

    /// The words for one, and for several.
    fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Tag => ("tag", "tags"),
            Self::Topic => ("topic", "topics"),
            Self::Action => ("needed action", "needed actions"),
        }
    }
}

/// What conversations were taken for, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TakenFor {
    /// The outcome.
    pub outcome: Outcome,
    /// What a person would have to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// The rule; `None`: none matches.
    pub rule: Option<String>,
}

impl From<&Classification> for TakenFor {
    fn from(taken_for: &Classification) -> Self {
        let Classification { outcome, rule, .. } = taken_for;
        Self { outcome: *outcome, doubt: taken_for.to_review(), rule: rule.as_ref().map(ToString::to_string) }
    }
}

impl TakenFor {
    /// Whether nothing known says what was meant, nor that a person has to read it.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.outcome == Outcome::Unclassified && self.doubt.is_none()
    }

    fn label(&self) -> String {
        let doubt = self.doubt.map_or_else(String::new, |doubt| format!(", {}", doubt.label()));
        match &self.rule {
            Some(rule) => format!("{}{doubt} ({rule})", self.outcome.label()),
            None => "no rule matches".to_owned() + &doubt,
        }
    }
}

/// One text of the conversations.
#[derive(Clone, Default)]
pub struct SignalCount {
    /// How many conversations have it.
    pub seen: u64,
    /// What these were taken for.
    pub taken_for: BTreeMap<TakenFor, u64>,
}

impl SignalCount {
    /// How many of the conversations with it no rule matches.
    #[must_use]
    pub fn unmatched(&self) -> u64 {
        self.taken_for.iter().filter(|(taken_for, _)| taken_for.is_unclear()).map(|(_, n)| n).sum()
    }
}

/// The conversations of a bot, counted by what they carry. It holds what patients said.
#[derive(Clone, Default)]
pub struct OutcomeTally {
    /// How many conversations were counted.
    pub conversations: u64,
    /// How many of them are unclassified.
    pub unclassified: u64,
    /// Each text with the conversations that have it; tags are compared without case.
    pub signals: BTreeMap<(SignalKind, String), SignalCount>,
    /// The summaries of unclassified conversations, each once.
    summaries: BTreeMap<String, u64>,
}

impl OutcomeTally {
    /// Counts a conversation.
    pub fn add(&mut self, signals: &OutcomeSignals, taken_for: &Classification) {
        let OutcomeSignals { tags, topic, summary, actions, duration: _ } = signals;
        let of_kind = |kind: SignalKind, texts: &[String]| -> Vec<(SignalKind, String)> {
            texts
                .iter()
                .map(|text| text.trim())
                .filter(|text| !text.is_empty())
                .map(|text| (kind, text.to_owned()))
                .collect()
        };
        let tags: Vec<String> = tags.iter().map(|tag| tag.to_lowercase()).collect();
        let mut found = of_kind(SignalKind::Tag, &tags);
        found.extend(of_kind(SignalKind::Topic, topic.as_slice()));
        found.extend(of_kind(SignalKind::Action, actions));
        found.sort_unstable();
        found.dedup();
        let taken_for = TakenFor::from(taken_for);
        for signal in found {
            let count = self.signals.entry(signal).or_default();
            count.seen += 1;
            *count.taken_for.entry(taken_for.clone()).or_default() += 1;
        }
        self.conversations += 1;
        if taken_for.is_unclear() {
            self.unclassified += 1;
            if let Some(summary) = summary.as_ref().filter(|summary| !summary.trim().is_empty()) {
                *self.summaries.entry(summary.clone()).or_default() += 1;
            }
        }
    }

    /// The texts of a kind, the most frequent first.
    pub fn of_kind(&self, kind: SignalKind) -> Vec<(&str, &SignalCount)> {
        let mut found: Vec<_> = self
            .signals
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, text), count)| (text.as_str(), count))
            .collect();
        found.sort_by_key(|(_, count)| std::cmp::Reverse(count.seen));
        found
    }

    /// The tally as text. `shows_words`: with topics, needed actions and summaries, which may repeat what patients
    /// said.
    #[must_use]
    pub fn render(&self, shows_words: bool) -> String {
        let Self { conversations, unclassified, .. } = self;
        let share = percent(*unclassified, *conversations);
        let all = counted(*conversations, "conversation", "conversations");
        let are = plural(*unclassified, "is", "are");
        let mut text = format!("{all}; {unclassified} of them ({share} %) {are} unclear\n");
        for kind in SignalKind::ALL {
            let found = self.of_kind(kind);
            if found.is_empty() {
                continue;
            }
            if kind.may_hold_patients_words() && !shows_words {
                let kinds = kind.counted(found.len() as u64);
                let _ = writeln!(text, "\n{kinds}: --show-words shows {}", plural(found.len() as u64, "it", "them"));
                continue;
            }
            let _ = writeln!(text, "\n{}", kind.nouns().1);
            let shown = if kind.may_hold_patients_words() { WORDS_SHOWN } else { found.len() };
            for (words, count) in found.iter().take(shown) {
                let _ = writeln!(text, "{:>6} × {}: {}", count.seen, visible::value(words), taken_for(count));
            }
            if found.len() > shown {
                let _ = writeln!(text, "       and {} more, in --json", found.len() - shown);
            }
        }
        text + &self.summaries(shows_words)
    }

    fn summaries(&self, shows_words: bool) -> String {
        if self.summaries.is_empty() || !shows_words {
            return String::new();
        }
        let mut text = "\nsummaries of the unclear ones\n".to_owned();
        for (summary, count) in self.summaries.iter().take(WORDS_SHOWN) {
            let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
            let _ = writeln!(text, "{count:>6} × {}", visible::value(&summary));
        }
        if self.summaries.len() > WORDS_SHOWN {
            let _ = writeln!(text, "       and {} more, in --json", self.summaries.len() - WORDS_SHOWN);
        }
        text
    }

    /// The tally as data. Without `shows_words`, texts that may repeat what patients said are `null`.
    #[must_use]
    pub fn document(&self, shows_words: bool) -> TallyDocument {
        let signals = SignalKind::ALL.into_iter().flat_map(|kind| {
            let shows = shows_words || !kind.may_hold_patients_words();
            self.of_kind(kind).into_iter().map(move |(text, count)| SignalRow {
                kind,
                text: shows.then(|| text.to_owned()),
                seen: count.seen,
                taken_for: count
                    .taken_for
                    .iter()
                    .map(|(taken_for, count)| (taken_for.clone(), *count).into())
                    .collect(),
            })
        });
        TallyDocument {
            conversations: self.conversations,
            unclassified: self.unclassified,
            signals: signals.collect(),
            summaries: shows_words.then(|| self.summaries.keys().cloned().collect()),
        }
    }
}

/// The tally as `outcomes --json` has it.
#[derive(Serialize)]
pub struct TallyDocument {
    conversations: u64,
    unclassified: u64,
    signals: Vec<SignalRow>,
    /// The summaries of unclassified conversations, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    summaries: Option<Vec<String>>,
}

#[derive(Serialize)]
struct SignalRow {
    kind: SignalKind,
    text: Option<String>,
    seen: u64,
    taken_for: Vec<TakenForRow>,
}

#[derive(Serialize)]
struct TakenForRow {
    #[serde(flatten)]
    taken_for: TakenFor,
    count: u64,
}

impl From<(TakenFor, u64)> for TakenForRow {
    fn from((taken_for, count): (TakenFor, u64)) -> Self {
        Self { taken_for, count }
    }
}

/// The whole percent of `part` in `of`; 0 of nothing.
#[must_use]
pub fn percent(part: u64, of: u64) -> u64 {
    (part * 200 + of).checked_div(of * 2).unwrap_or(0)
}

/// What the conversations with a text were taken for, the most frequent first.
fn taken_for(count: &SignalCount) -> String {
    let mut parts: Vec<_> = count.taken_for.iter().collect();
    parts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    match parts.as_slice() {
        [(only, _)] => only.label(),
        several => {
            let parts = several.iter().map(|(taken_for, count)| format!("{count} × {}", taken_for.label()));
            parts.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::RuleName;

    fn tally() -> OutcomeTally {
        let booked = Classification {
            outcome: Outcome::Booked,
            rule: Some(RuleName::numbered(8)),
            ..Classification::UNCLASSIFIED
        };
        let said = |tag: &str, topic: &str| OutcomeSignals {
            tags: vec![tag.into(), tag.to_uppercase()],
            topic: Some(topic.into()),
            summary: Some("Canary said so.".into()),
            ..OutcomeSignals::default()
        };
        let mut tally = OutcomeTally::default();
        tally.add(&said("booked", "Canary's visit"), &booked);
        tally.add(&said("hyg", "Canary's visit"), &Classification::UNCLASSIFIED);
        tally.add(&said("hyg", "another"), &booked);
        tally
    }

    #[test]
    fn every_tag_is_counted_once_for_each_conversation_with_what_it_was_taken_for() {
        let text = tally().render(false);
        assert!(text.starts_with("3 conversations; 1 of them (33 %) is unclear\n"), "{text}");
        assert!(text.contains("     2 × hyg: 1 × booked (outcome rule 8), 1 × no rule matches\n"), "{text}");
        assert!(text.contains("     1 × booked: booked (outcome rule 8)\n"), "{text}");
    }

    #[test]
    fn what_a_patient_may_have_said_is_shown_only_if_asked_for() {
        let json = |shows| serde_json::to_string(&tally().document(shows)).expect("JSON");
        for text in [tally().render(false), json(false)] {
            assert!(!text.contains("Canary"), "{text}");
        }
        assert!(tally().render(false).contains("2 topics: --show-words shows them"));
        for text in [tally().render(true), json(true)] {
            assert!(text.contains("Canary's visit") && text.contains("Canary said so."), "{text}");
        }
    }

    #[test]
    fn a_share_is_rounded_to_a_whole_percent() {
        for (part, of, expected) in [(0, 0, 0), (1, 3, 33), (2, 3, 67), (12, 44, 27), (1, 8, 13)] {
            assert_eq!(percent(part, of), expected, "{part} of {of}");
        }
    }
}

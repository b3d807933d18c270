//! What was said in a conversation, as commands show it that are asked to: field by field, or in one line.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{ConversationWords, Outcome, OutcomeSignals};
use crate::ledger::KeptWords;
use crate::visible;

/// The most characters of what was said in one line.
const MOST_CHARACTERS: usize = 1_000;

/// What was said in a conversation, as exports have it.
#[derive(Serialize)]
pub struct SaidWords {
    /// When the conversation started, if the vendor said so; else when it ended.
    #[serde(rename = "called_at")]
    pub at: DateTime<Utc>,
    /// What it was taken for.
    outcome: Outcome,
    tags: Vec<String>,
    topic: Option<String>,
    summary: Option<String>,
    actions: Vec<String>,
    duration: Option<f64>,
    /// Whether a text was too long to be kept whole.
    is_cut: bool,
}

impl From<KeptWords> for SaidWords {
    fn from(kept: KeptWords) -> Self {
        let OutcomeSignals { tags, topic, summary, actions, duration } = kept.words.signals;
        Self {
            at: kept.started_at.unwrap_or(kept.ended_at),
            outcome: kept.outcome,
            tags,
            topic,
            summary,
            actions,
            duration,
            is_cut: !kept.words.is_whole,
        }
    }
}

impl SaidWords {
    /// A line for each field that the vendor filled in.
    #[must_use]
    pub fn lines(&self) -> String {
        let texts = |texts: &[String]| if texts.is_empty() { None } else { Some(texts.join(", ")) };
        let summary = self.summary.as_deref().map(|summary| summary.split_whitespace().collect::<Vec<_>>().join(" "));
        let fields = [
            ("said", summary),
            ("topic", self.topic.clone()),
            ("tags", texts(&self.tags)),
            ("to do", texts(&self.actions)),
        ];
        let lines: String = fields
            .into_iter()
            .filter_map(|(label, text)| text.map(|text| format!("  {label}: {}\n", visible::value(&text))))
            .collect();
        match (lines.is_empty(), self.is_cut) {
            (true, _) => "  said: the vendor has no tag, topic or summary of it\n".into(),
            (false, true) => lines + "  (longer than the ledger keeps: the end is cut off)\n",
            (false, false) => lines,
        }
    }
}

impl fmt::Debug for SaidWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaidWords(masked)")
    }
}

/// The summary, or else the topic, or else the tags; then what the vendor's bot says is needed. Without line breaks,
/// and cut where it is too long.
#[must_use]
pub fn in_one_line(words: &ConversationWords) -> String {
    let OutcomeSignals { tags, topic, summary, actions, .. } = &words.signals;
    let story = summary.clone().or_else(|| topic.clone()).unwrap_or_else(|| tags.join(", "));
    let story = story.trim().trim_end_matches(['.', ' ']);
    let needed = actions.iter().map(|action| action.trim().trim_end_matches('.')).collect::<Vec<_>>().join("; ");
    let sentences = [story.to_owned(), if needed.is_empty() { needed } else { format!("Needed: {needed}") }];
    let sentences: Vec<_> = sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect();
    let line = sentences.join(". ").split_whitespace().collect::<Vec<_>>().join(" ");
    shortened(&line)
}

fn shortened(line: &str) -> String {
    if line.chars().count() <= MOST_CHARACTERS {
        return line.to_owned();
    }
    line.chars().take(MOST_CHARACTERS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tags: &[&str], topic: Option<&str>, summary: Option<&str>, actions: &[&str]) -> ConversationWords {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let (topic, summary) = (topic.map(str::to_owned), summary.map(str::to_owned));
        let signals =
            OutcomeSignals { tags: owned(tags), topic, summary, actions: owned(actions), duration: Some(41.0) };
        ConversationWords { signals, is_whole: true }
    }

    #[test]
    fn what_was_said_is_one_line_of_the_best_that_there_is() {
        for (words, expected) in [
            (
                words(&["callback"], Some("Callback"), Some("Would like\na call. "), &["Call  back.", "Today"]),
                "Would like a call. Needed: Call back; Today",
            ),
            (words(&["callback"], Some("Callback"), None, &[]), "Callback"),
            (words(&["callback", "spanish"], None, None, &[]), "callback, spanish"),
            (words(&[], None, None, &["Call back"]), "Needed: Call back"),
            (words(&[], None, None, &[]), ""),
        ] {
            assert_eq!(in_one_line(&words), expected);
        }
        let long = in_one_line(&words(&[], None, Some(&"é".repeat(4_000)), &[]));
        assert_eq!((long.chars().count(), long.ends_with('…')), (MOST_CHARACTERS, true));
    }
}

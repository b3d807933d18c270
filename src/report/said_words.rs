//! What was said in a conversation, as commands show it that are asked to.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::entry::{Outcome, OutcomeSignals};
use crate::ledger::KeptWords;
use crate::visible;

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

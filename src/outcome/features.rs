//! What the second opinion looks at: the words of a conversation, pieces of its longer words, and what the phrases found.

use super::evidence::AllEvidence;
use super::text;
use crate::entry::OutcomeSignals;

/// A feature, in a few words for people, such as `summary: not interested`.
pub(super) type Feature = String;

/// All features of a conversation, each once.
pub(super) fn features(signals: &OutcomeSignals, evidence: &AllEvidence) -> Vec<Feature> {
    let mut all = Vec::new();
    for summary in &signals.summary {
        let words = text::words(summary);
        add_words("summary", &words, &mut all);
        add_pieces(&words, &mut all);
    }
    for tag in &signals.tags {
        let words = text::words(tag);
        add_words("tag", &words, &mut all);
        add_pieces(&words, &mut all);
    }
    for topic in &signals.topic {
        add_words("topic", &text::words(topic), &mut all);
    }
    for action in &signals.actions {
        add_words("action", &text::words(action), &mut all);
    }
    add_evidence(evidence, &mut all);
    if signals.summary.as_deref().is_none_or(|summary| summary.trim().is_empty()) {
        all.push("no summary".into());
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Each word, each two and three neighbours, and each two words with one between them.
fn add_words(field: &str, words: &[String], all: &mut Vec<Feature>) {
    let edge = text::STOP.to_owned();
    let words: Vec<&String> = std::iter::once(&edge).chain(words).chain([&edge]).collect();
    for at in 0..words.len() {
        let end = |length| words.get(at..at + length);
        all.extend(end(1).map(|one| format!("{field}: {}", one[0])));
        all.extend(end(2).map(|two| format!("{field}: {} {}", two[0], two[1])));
        if field == "summary" {
            all.extend(end(3).map(|three| format!("{field}: {} … {}", three[0], three[2])));
            all.extend(end(3).map(|three| format!("{field}: {} {} {}", three[0], three[1], three[2])));
        }
    }
}

/// Pieces of four letters and the beginnings of longer words, which survive endings and misspellings.
fn add_pieces(words: &[String], all: &mut Vec<Feature>) {
    for word in words.iter().filter(|word| word.len() > 3 && word.is_ascii()) {
        all.extend(word.get(..5).map(|beginning| format!("{beginning}…")));
        all.extend((0..word.len() - 3).map(|at| format!("…{}…", &word[at..at + 4])));
    }
}

fn add_evidence(evidence: &AllEvidence, all: &mut Vec<Feature>) {
    let fields = [("summary", &evidence.summary), ("tag", &evidence.tags), ("topic or action", &evidence.others)];
    for (field, found) in fields {
        for one in found {
            let sureness = if one.is_certain { "says" } else { "may say" };
            all.push(format!("{field} {sureness} {}", one.meaning.outcome().label()));
            all.push(format!("{field} {sureness}: {}", one.name));
        }
        if let Some(last) = found.last() {
            all.push(format!("{field} ends with {}", last.meaning.outcome().label()));
        }
        if found.is_empty() {
            all.push(format!("{field} says nothing"));
        }
    }
    all.extend(evidence.not_meant.iter().map(|meaning| format!("does not mean {}", meaning.outcome().label())));
}

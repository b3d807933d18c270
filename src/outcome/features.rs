//! What the second opinion looks at: the words of a conversation, pieces of these words, and what the phrases found.

use std::fmt;

use super::evidence::{AllEvidence, Evidence};
use super::tags::{self, TagMeaning};
use super::text;
use crate::entry::OutcomeSignals;

/// Features of one kind have a weight in common, however many of them a conversation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words, neighbours, and what the phrases found.
    Words,
    /// Pieces of words.
    Pieces,
}

/// Gets each feature, in a few words for people such as `summary: not interested`. They are built only if they are shown.
pub(super) type OnFeature<'f> = &'f mut dyn FnMut(Kind, fmt::Arguments<'_>);

/// Names all features of a conversation; some more than once.
pub(super) fn visit(signals: &OutcomeSignals, evidence: &AllEvidence, on_feature: OnFeature<'_>) {
    if let Some(summary) = &signals.summary {
        let words = text::words(summary);
        visit_words("summary", &words, on_feature);
        visit_far_words(&words, on_feature);
        visit_pieces(&words, on_feature);
    }
    for tag in signals.tags.iter().filter(|tag| tags::meaning(tag) != TagMeaning::TakenBack) {
        let words = text::words(tag);
        visit_words("tag", &words, on_feature);
        visit_pieces(&words, on_feature);
    }
    if let Some(topic) = &signals.topic {
        let words = text::words(topic);
        visit_words("topic", &words, on_feature);
        visit_pieces(&words, on_feature);
    }
    for action in &signals.actions {
        let words = text::words(action);
        visit_words("action", &words, on_feature);
        visit_pieces(&words, on_feature);
    }
    visit_evidence(evidence, on_feature);
    if signals.summary.as_deref().is_none_or(|summary| summary.trim().is_empty()) {
        on_feature(Kind::Words, format_args!("no summary"));
    }
}

/// Each word, and each two neighbours, with the edges of the text.
fn visit_words(field: &str, words: &[String], on_feature: OnFeature<'_>) {
    for word in words {
        on_feature(Kind::Words, format_args!("{field}: {word}"));
    }
    let before = std::iter::once(text::STOP).chain(words.iter().map(String::as_str));
    let after = words.iter().map(String::as_str).chain([text::STOP]);
    for (one, next) in before.zip(after) {
        on_feature(Kind::Words, format_args!("{field}: {one} {next}"));
    }
}

/// Each three neighbours, and each two words with one between them.
fn visit_far_words(words: &[String], on_feature: OnFeature<'_>) {
    for three in words.windows(3) {
        on_feature(Kind::Words, format_args!("summary: {} {} {}", three[0], three[1], three[2]));
        on_feature(Kind::Words, format_args!("summary: {} … {}", three[0], three[2]));
    }
}

/// The pieces of three to five letters of each word with its edges, which survive endings, misspellings and related words.
fn visit_pieces(words: &[String], on_feature: OnFeature<'_>) {
    for word in words.iter().filter(|word| !text::is_mark(word)) {
        let edged: Vec<char> = format!(" {word} ").chars().collect();
        for piece in (3..=5).flat_map(|length| edged.windows(length)) {
            on_feature(Kind::Pieces, format_args!("…{}…", piece.iter().collect::<String>()));
        }
    }
}

fn visit_evidence(evidence: &AllEvidence, on_feature: OnFeature<'_>) {
    let fields = [("summary", &evidence.summary), ("tag", &evidence.tags), ("topic or action", &evidence.others)];
    for (field, found) in fields {
        for one in found {
            visit_finding(field, one, on_feature);
        }
        match found.last() {
            Some(last) => on_feature(Kind::Words, format_args!("{field} ends with {}", last.meaning.outcome())),
            None => on_feature(Kind::Words, format_args!("{field} says nothing")),
        }
    }
    for meaning in &evidence.not_meant {
        on_feature(Kind::Words, format_args!("does not mean {}", meaning.outcome()));
    }
    for (meaning, name) in &evidence.suspected {
        on_feature(Kind::Words, format_args!("suspected {}: {name}", meaning.outcome()));
    }
}

fn visit_finding(field: &str, found: &Evidence, on_feature: OnFeature<'_>) {
    let sureness = if found.is_certain { "says" } else { "may say" };
    on_feature(Kind::Words, format_args!("{field} {sureness} {}", found.meaning.outcome()));
    on_feature(Kind::Words, format_args!("{field} {sureness}: {}", found.name));
}

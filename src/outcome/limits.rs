//! How much of a conversation is read: the vendor's texts come from strangers, and may be of any length.

use std::borrow::Cow;

use crate::entry::OutcomeSignals;

/// The most characters that are read at the beginning of a text, and at its end.
const READ_AT_EACH_END: usize = 4_000;

/// The most tags, and the most needed actions, that are read.
const MOST_TEXTS: usize = 200;

/// The conversation with what is read of it, and whether that is less than all of it.
pub(super) fn within(signals: &OutcomeSignals) -> (Cow<'_, OutcomeSignals>, bool) {
    let OutcomeSignals { tags, topic, summary, actions, .. } = signals;
    let is_long = |text: &String| text.len() > 2 * READ_AT_EACH_END;
    let texts = || tags.iter().chain(actions).chain(topic).chain(summary);
    if tags.len() <= MOST_TEXTS && actions.len() <= MOST_TEXTS && !texts().any(is_long) {
        return (Cow::Borrowed(signals), false);
    }
    let list = |texts: &[String]| texts.iter().take(MOST_TEXTS).map(|text| both_ends(text)).collect();
    let read = OutcomeSignals {
        tags: list(tags),
        topic: topic.as_deref().map(both_ends),
        summary: summary.as_deref().map(both_ends),
        actions: list(actions),
        duration: signals.duration,
    };
    (Cow::Owned(read), true)
}

/// The beginning and the end of a long text, as sentences of their own; a short one whole.
fn both_ends(text: &str) -> String {
    let after = text.char_indices().nth(READ_AT_EACH_END).map_or(text.len(), |(at, _)| at);
    let before = text.char_indices().rev().nth(READ_AT_EACH_END - 1).map_or(0, |(at, _)| at);
    if before <= after { text.to_owned() } else { format!("{}. {}", &text[..after], &text[before..]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_read_at_both_ends_and_a_short_one_whole() {
        let short = OutcomeSignals { summary: Some("é".repeat(4_000)), ..OutcomeSignals::default() };
        assert!(matches!(within(&short), (Cow::Borrowed(_), false)));
        let summary = format!("{}{}", "é ".repeat(10_000), "asked us to stop calling");
        let long = OutcomeSignals { summary: Some(summary), ..OutcomeSignals::default() };
        let (read, is_cut) = within(&long);
        let summary = read.summary.as_deref().expect("a summary");
        assert!(is_cut && summary.ends_with("asked us to stop calling"), "{is_cut}");
        assert_eq!(summary.chars().count(), 2 * READ_AT_EACH_END + 2);
    }
}

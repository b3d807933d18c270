//! What was said in a conversation, as far as the vendor's fields tell it and the ledger keeps it.

use super::outcome::OutcomeSignals;

/// The most characters of a summary that are kept.
const MAX_SUMMARY: usize = 4_000;

/// The most characters of a topic, a tag or a needed action that are kept.
const MAX_SHORT_TEXT: usize = 500;

/// The most tags, and the most needed actions, that are kept.
const MAX_TEXTS: usize = 50;

/// What was said in a conversation, of bounded length.
#[derive(Debug, Clone, PartialEq)]
pub struct ConversationWords {
    /// The vendor's fields.
    pub signals: OutcomeSignals,
    /// Whether nothing was cut off, so that rules read what the vendor had.
    pub is_whole: bool,
}

impl ConversationWords {
    /// The part of a conversation's fields that is kept: texts are cut at the end of a character, and have no characters
    /// that steer a terminal or another program.
    #[must_use]
    pub fn bounded(all: &OutcomeSignals) -> Self {
        let plain = |text: &String| plain(text);
        let all = OutcomeSignals {
            tags: all.tags.iter().map(plain).collect(),
            topic: all.topic.as_ref().map(plain),
            summary: all.summary.as_ref().map(plain),
            actions: all.actions.iter().map(plain).collect(),
            duration: all.duration,
        };
        let signals = OutcomeSignals {
            tags: few(&all.tags),
            topic: all.topic.as_deref().map(|topic| beginning(topic, MAX_SHORT_TEXT)),
            summary: all.summary.as_deref().map(|summary| beginning(summary, MAX_SUMMARY)),
            actions: few(&all.actions),
            duration: all.duration,
        };
        Self { is_whole: signals == all, signals }
    }
}

/// A text without control characters, apart from ends of lines and tabs, and without marks that turn the direction of
/// writing.
fn plain(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars().filter(|c| !turns(*c)).map(|c| if steers(c) { ' ' } else { c }).collect()
}

fn few(texts: &[String]) -> Vec<String> {
    texts.iter().take(MAX_TEXTS).map(|text| beginning(text, MAX_SHORT_TEXT)).collect()
}

/// The first `limit` characters of a text.
fn beginning(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_at_a_character_and_known_to_be_cut() {
        let long = |limit: usize| "é".repeat(limit + 1);
        let all = OutcomeSignals {
            tags: vec!["tag".into(); MAX_TEXTS + 1],
            topic: Some(long(MAX_SHORT_TEXT)),
            summary: Some(long(MAX_SUMMARY)),
            actions: vec![long(MAX_SHORT_TEXT)],
            duration: Some(61.0),
        };
        let ConversationWords { signals, is_whole } = ConversationWords::bounded(&all);
        let length = |text: &Option<String>| text.as_deref().map_or(0, |text| text.chars().count());
        assert_eq!((signals.tags.len(), signals.actions[0].chars().count()), (MAX_TEXTS, MAX_SHORT_TEXT));
        assert_eq!((length(&signals.topic), length(&signals.summary)), (MAX_SHORT_TEXT, MAX_SUMMARY));
        assert!(!is_whole);
        let again = ConversationWords::bounded(&signals);
        assert_eq!((again.is_whole, again.signals), (true, signals));
    }

    #[test]
    fn what_is_kept_steers_nothing_and_is_whole_all_the_same() {
        let summary = Some("a\u{1b}[2J\u{0}b\u{202e}c\nd".into());
        let kept = ConversationWords::bounded(&OutcomeSignals { summary, ..OutcomeSignals::default() });
        assert_eq!((kept.signals.summary.as_deref(), kept.is_whole), (Some("a [2J bc\nd"), true));
    }

    #[test]
    fn no_word_is_in_the_debug_output() {
        let said = OutcomeSignals { summary: Some("canary".into()), ..OutcomeSignals::default() };
        assert!(!format!("{:?}", ConversationWords::bounded(&said)).contains("canary"));
    }
}

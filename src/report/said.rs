//! What was said in a conversation, in one line.

use crate::entry::{ConversationWords, OutcomeSignals};

/// The most characters of the line.
const MOST_CHARACTERS: usize = 1_000;

/// The summary, or else the topic, or else the tags; then what the vendor's bot says is needed. Without line breaks, and cut
/// where it is too long.
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

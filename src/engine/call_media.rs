//! Which conversations are phone calls, learnt from our own calls: the list also contains texts and chats, and the
//! medium of a phone call is not documented (`annie-api.md`, GET /conversations).
//!
//! The `medium` of our accepted calls is the medium of calls; a conversation with another medium is not a call. Fields
//! may be missing while a call is in progress, so open and ended calls are learnt separately.

use std::collections::BTreeSet;

use crate::vendor::{Conversation, Medium, Page};

/// Whether a conversation is a phone call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsCall {
    /// It shows the medium of our calls.
    Yes,
    /// It shows another medium.
    No,
    /// Nothing learnt so far decides it.
    Unknown,
}

/// The media that our calls show.
#[derive(Debug, Clone, Default)]
pub struct CallMedia {
    open: BTreeSet<Medium>,
    ended: BTreeSet<Medium>,
    /// Whether any row of the list has shown a medium.
    list_shows_media: bool,
    /// Whether any row has shown a word that means a call.
    list_shows_a_call: bool,
}

impl CallMedia {
    /// The media learnt in earlier runs: the word, and whether an ended call showed it.
    #[must_use]
    pub fn from_known(known: Vec<(Option<String>, bool)>) -> Self {
        let mut media = Self::default();
        for (word, ended) in known {
            media.media_mut(ended).insert(Medium::read(word.as_deref()));
        }
        media
    }

    /// Takes in a page, whether or not its rows are ours.
    pub fn observe_page(&mut self, page: &Page) {
        let rows =
            page.conversations.iter().map(|row| &row.medium).chain(page.rows_without_id.iter().map(|row| &row.medium));
        for medium in rows {
            self.list_shows_media |= medium.word().is_some();
            self.list_shows_a_call |= medium.names_a_call();
        }
    }

    /// Whether anything shows the medium of calls: our own calls, or a row with a word that means a call.
    #[must_use]
    pub fn has_seen_a_call(&self) -> bool {
        self.list_shows_a_call || !self.open.is_empty() || !self.ended.is_empty()
    }

    /// Learns from a call of ours. Returns whether its medium is new. The documented medium of texts is never learnt.
    pub fn learn(&mut self, conversation: &Conversation) -> bool {
        !conversation.medium.is_text() && self.media_mut(conversation.has_ended()).insert(conversation.medium.clone())
    }

    /// Whether a conversation with this medium is a call. A word is compared with the words of open and ended calls,
    /// because the list may show less than a read by id. A missing word is compared with calls of the same phase only.
    #[must_use]
    pub fn judge(&self, medium: &Medium, has_ended: bool) -> IsCall {
        let same_phase = if has_ended { &self.ended } else { &self.open };
        let has_word = |media: &BTreeSet<Medium>| media.iter().any(|medium| medium.word().is_some());
        let (is_learnt, has_learnt_words, is_default_call) = match medium.word() {
            _ if medium.is_text() => return IsCall::No,
            Some(_) => (
                self.ended.contains(medium) || self.open.contains(medium),
                has_word(&self.ended) || has_word(&self.open),
                medium.names_a_call(),
            ),
            None => {
                let list_shows_media = self.list_shows_media || has_word(&self.ended) || has_word(&self.open);
                (same_phase.contains(medium), has_word(same_phase), !list_shows_media)
            }
        };
        match (is_learnt, has_learnt_words, is_default_call) {
            (true, _, _) | (false, false, true) => IsCall::Yes,
            (false, true, _) => IsCall::No,
            (false, false, false) => IsCall::Unknown,
        }
    }

    fn media_mut(&mut self, ended: bool) -> &mut BTreeSet<Medium> {
        if ended { &mut self.ended } else { &mut self.open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::RowWithoutId;

    fn media(known: &[(&str, bool)]) -> CallMedia {
        CallMedia::from_known(known.iter().map(|(word, ended)| (Some((*word).to_owned()), *ended)).collect())
    }

    #[test]
    fn only_the_media_of_our_calls_are_calls() {
        use IsCall::{No, Unknown, Yes};
        let nothing: &[(&str, bool)] = &[];
        let voice: &[_] = &[("VOICE", true), ("VOICE", false)];
        let late: &[_] = &[("xyz", true)];
        let no_words: &[_] = &[("", true), ("", false)];
        for (known, word, has_ended, expected) in [
            (nothing, "SMS", true, No),
            (nothing, "chat", false, No),
            (nothing, "outbound_call", false, Yes),
            (nothing, "", true, Yes),
            (nothing, "WHATSAPP", true, Unknown),
            (voice, "voice", true, Yes),
            (voice, "WHATSAPP", true, No),
            (voice, "", true, No),
            (voice, "", false, No),
            (voice, "SMS", true, No),
            (late, "XYZ", false, Yes),
            (late, "", false, Unknown),
            (late, "PHONE", false, No),
            (no_words, "", true, Yes),
            (no_words, "EMAIL", true, Unknown),
            // The list shows no medium for a call in progress; a read by id shows it.
            (no_words, "VOICE", false, Yes),
        ] {
            let medium = Medium::read(Some(word));
            assert_eq!(media(known).judge(&medium, has_ended), expected, "{known:?} {word} {has_ended}");
        }
    }

    #[test]
    fn a_row_without_a_medium_is_unclear_where_other_rows_show_one() {
        let row = |word: &str| RowWithoutId { medium: Medium::read(Some(word)), ..RowWithoutId::default() };
        let mut media = CallMedia::default();
        for (shown, expected) in [("", IsCall::Yes), ("SMS", IsCall::Unknown), ("", IsCall::Unknown)] {
            media.observe_page(&Page { rows_without_id: vec![row(shown)], ..Page::default() });
            assert_eq!(media.judge(&Medium::default(), true), expected, "{shown:?}");
        }
    }
}

//! The channel of each conversation, learnt from our own calls: the list also contains texts and chats, and the medium
//! of a phone call is not documented (`annie-api.md`, GET /conversations).
//!
//! The `medium` of our accepted calls is the medium of calls; a conversation with another medium is not a call. Fields
//! may be missing while a call is in progress, so open and ended calls are learnt separately.

use std::collections::BTreeSet;

use crate::vendor::{Channel, Conversation, Medium, Page, RowWithoutId};

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
            self.list_shows_a_call |= medium.named_channel() == Channel::Voice;
        }
    }

    /// Whether anything shows the medium of calls: our own calls, or a row with a word that means a call.
    #[must_use]
    pub fn has_seen_a_call(&self) -> bool {
        self.list_shows_a_call || !self.open.is_empty() || !self.ended.is_empty()
    }

    /// Learns from a call of ours. Returns whether its medium is new. The documented medium of texts is never learnt.
    pub fn learn(&mut self, ours: &Conversation) -> bool {
        match ours.medium.named_channel() {
            Channel::Text => false,
            Channel::Voice | Channel::Unknown => self.media_mut(ours.has_ended()).insert(ours.medium.clone()),
        }
    }

    /// The channel of a conversation, as far as it is known by now.
    #[must_use]
    pub fn channel_of(&self, conversation: &Conversation) -> Channel {
        self.channel(&conversation.medium, conversation.has_ended())
    }

    /// The channel of a row without an id, which may be a call in progress.
    #[must_use]
    pub fn channel_of_row(&self, row: &RowWithoutId) -> Channel {
        self.channel(&row.medium, false)
    }

    /// A word is compared with the words of open and ended calls, because the list may show less than a read by id. A
    /// missing word is compared with calls of the same phase only.
    fn channel(&self, medium: &Medium, has_ended: bool) -> Channel {
        let same_phase = if has_ended { &self.ended } else { &self.open };
        let has_word = |media: &BTreeSet<Medium>| media.iter().any(|medium| medium.word().is_some());
        let calls_show_words = has_word(&self.ended) || has_word(&self.open);
        let (is_learnt, has_learnt_words, unlearnt) = match (medium.word(), medium.named_channel()) {
            (_, Channel::Text) => return Channel::Text,
            (Some(_), named) => (self.ended.contains(medium) || self.open.contains(medium), calls_show_words, named),
            (None, _) if self.list_shows_media || calls_show_words => {
                (same_phase.contains(medium), has_word(same_phase), Channel::Unknown)
            }
            (None, _) => (same_phase.contains(medium), false, Channel::Voice),
        };
        match (is_learnt, has_learnt_words) {
            (true, _) => Channel::Voice,
            (false, true) => Channel::Text,
            (false, false) => unlearnt,
        }
    }

    fn media_mut(&mut self, ended: bool) -> &mut BTreeSet<Medium> {
        if ended { &mut self.ended } else { &mut self.open }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(known: &[(&str, bool)]) -> CallMedia {
        CallMedia::from_known(known.iter().map(|(word, ended)| (Some((*word).to_owned()), *ended)).collect())
    }

    #[test]
    fn only_the_media_of_our_calls_are_calls() {
        use Channel::{Text, Unknown, Voice};
        let nothing: &[(&str, bool)] = &[];
        let voice: &[_] = &[("VOICE", true), ("VOICE", false)];
        let late: &[_] = &[("xyz", true)];
        let no_words: &[_] = &[("", true), ("", false)];
        for (known, word, has_ended, expected) in [
            (nothing, "SMS", true, Text),
            (nothing, "chat", false, Text),
            (nothing, "outbound_call", false, Voice),
            (nothing, "", true, Voice),
            (nothing, "WHATSAPP", true, Unknown),
            (voice, "voice", true, Voice),
            (voice, "WHATSAPP", true, Text),
            (voice, "", true, Text),
            (voice, "", false, Text),
            (voice, "SMS", true, Text),
            (late, "XYZ", false, Voice),
            (late, "", false, Unknown),
            (late, "PHONE", false, Text),
            (no_words, "", true, Voice),
            (no_words, "EMAIL", true, Unknown),
            // The list shows no medium for a call in progress; a read by id shows it.
            (no_words, "VOICE", false, Voice),
        ] {
            let medium = Medium::read(Some(word));
            assert_eq!(media(known).channel(&medium, has_ended), expected, "{known:?} {word} {has_ended}");
        }
    }

    #[test]
    fn a_row_without_a_medium_is_unclear_where_other_rows_show_one() {
        let row = |word: &str| RowWithoutId { medium: Medium::read(Some(word)), ..RowWithoutId::default() };
        let mut media = CallMedia::default();
        for (shown, expected) in [("", Channel::Voice), ("SMS", Channel::Unknown), ("", Channel::Unknown)] {
            media.observe_page(&Page { rows_without_id: vec![row(shown)], ..Page::default() });
            assert_eq!(media.channel(&Medium::default(), true), expected, "{shown:?}");
        }
    }
}

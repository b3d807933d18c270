//! Which conversations are phone calls, learnt from our own: texts and chats are on the same list, and what the vendor
//! calls a phone call is not documented (`annie-api.md`, GET /conversations).
//!
//! What our accepted calls show as their `medium` is what a call shows; a conversation of another medium is none. Fields
//! may be missing while a call is under way, so that is learnt apart from what ended calls show.

use std::collections::BTreeSet;

use crate::annie::{Conversation, Medium, Page};

/// Whether a conversation is a phone call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsCall {
    /// It shows what our calls show.
    Yes,
    /// It does not.
    No,
    /// Nothing has been learnt that would tell.
    CannotTell,
}

/// What our calls show.
#[derive(Debug, Clone, Default)]
pub struct CallMedia {
    under_way: BTreeSet<Medium>,
    ended: BTreeSet<Medium>,
    /// Whether any row of the list has ever shown a medium.
    is_told: bool,
    /// Whether one has shown a word that says that it is a call.
    sounds: bool,
}

impl CallMedia {
    /// What former runs have learnt: the word, and whether an ended call showed it.
    #[must_use]
    pub fn of(known: Vec<(Option<String>, bool)>) -> Self {
        let mut media = Self::default();
        for (word, ended) in known {
            media.of_phase_mut(ended).insert(Medium::read(word.as_deref()));
        }
        media
    }

    /// Looks at a page, whosever its rows are.
    pub fn see(&mut self, page: &Page) {
        let rows = page.conversations.iter().map(|row| &row.medium).chain(page.nameless.iter().map(|row| &row.medium));
        for medium in rows {
            self.is_told |= medium.word().is_some();
            self.sounds |= medium.sounds_like_a_call();
        }
    }

    /// Whether anything tells what a call shows: ours have, or a row that says so itself.
    #[must_use]
    pub fn has_seen_a_call(&self) -> bool {
        self.sounds || !self.under_way.is_empty() || !self.ended.is_empty()
    }

    /// Learns from a call of ours. Whether that was new. What the contract has for texts is never learnt.
    pub fn learn(&mut self, ours: &Conversation) -> bool {
        !ours.medium.is_text() && self.of_phase_mut(ours.has_ended()).insert(ours.medium.clone())
    }

    /// Whether a conversation that shows this medium is a call. A word is told by words; that there is none, by what calls
    /// show at the same time, and the list may show less than a conversation that is asked for by its id.
    #[must_use]
    pub fn judge(&self, medium: &Medium, has_ended: bool) -> IsCall {
        let here = if has_ended { &self.ended } else { &self.under_way };
        let has_word = |media: &BTreeSet<Medium>| media.iter().any(|medium| medium.word().is_some());
        let (is_learnt, learnt_words, nothing_else_told) = match medium.word() {
            _ if medium.is_text() => return IsCall::No,
            Some(_) => (
                self.ended.contains(medium) || self.under_way.contains(medium),
                has_word(&self.ended) || has_word(&self.under_way),
                medium.sounds_like_a_call(),
            ),
            None => {
                let is_told = self.is_told || has_word(&self.ended) || has_word(&self.under_way);
                (here.contains(medium), has_word(here), !is_told)
            }
        };
        match (is_learnt, learnt_words, nothing_else_told) {
            (true, _, _) | (false, false, true) => IsCall::Yes,
            (false, true, _) => IsCall::No,
            (false, false, false) => IsCall::CannotTell,
        }
    }

    fn of_phase_mut(&mut self, ended: bool) -> &mut BTreeSet<Medium> {
        if ended { &mut self.ended } else { &mut self.under_way }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::Nameless;

    fn media(known: &[(&str, bool)]) -> CallMedia {
        CallMedia::of(known.iter().map(|(word, ended)| (Some((*word).to_owned()), *ended)).collect())
    }

    #[test]
    fn what_our_calls_show_is_a_call_and_nothing_else_is() {
        use IsCall::{CannotTell, No, Yes};
        let nothing: &[(&str, bool)] = &[];
        let voice: &[_] = &[("VOICE", true), ("VOICE", false)];
        let late: &[_] = &[("xyz", true)];
        let untold: &[_] = &[("", true), ("", false)];
        for (known, word, has_ended, expected) in [
            (nothing, "SMS", true, No),
            (nothing, "chat", false, No),
            (nothing, "outbound_call", false, Yes),
            (nothing, "", true, Yes),
            (nothing, "WHATSAPP", true, CannotTell),
            (voice, "voice", true, Yes),
            (voice, "WHATSAPP", true, No),
            (voice, "", true, No),
            (voice, "", false, No),
            (voice, "SMS", true, No),
            (late, "XYZ", false, Yes),
            (late, "", false, CannotTell),
            (late, "PHONE", false, No),
            (untold, "", true, Yes),
            (untold, "EMAIL", true, CannotTell),
            // The list shows nothing of a call under way, and the conversation itself, asked for, everything.
            (untold, "VOICE", false, Yes),
        ] {
            let medium = Medium::read(Some(word));
            assert_eq!(media(known).judge(&medium, has_ended), expected, "{known:?} {word} {has_ended}");
        }
    }

    #[test]
    fn where_other_rows_show_a_medium_a_row_without_one_cannot_be_told() {
        let row = |word: &str| Nameless { medium: Medium::read(Some(word)), ..Nameless::default() };
        let mut media = CallMedia::default();
        for (shown, expected) in [("", IsCall::Yes), ("SMS", IsCall::CannotTell), ("", IsCall::CannotTell)] {
            media.see(&Page { nameless: vec![row(shown)], ..Page::default() });
            assert_eq!(media.judge(&Medium::default(), true), expected, "{shown:?}");
        }
    }
}

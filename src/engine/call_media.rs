//! Which conversations are phone calls, learnt from our own: texts and chats are on the same list, and what the vendor
//! calls a phone call is not documented (`annie-api.md`, GET /conversations).
//!
//! What our accepted calls show as their `medium` is what a call shows; a conversation of another medium is none. Fields
//! may be missing while a call is under way, so that is learnt apart from what ended calls show.

use std::collections::BTreeSet;

use crate::annie::{Conversation, Medium};

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

    /// Learns from a call of ours. Whether that was new. What the contract has for texts is never learnt.
    pub fn learn(&mut self, ours: &Conversation) -> bool {
        !ours.medium.is_text() && self.of_phase_mut(ours.has_ended()).insert(ours.medium.clone())
    }

    /// Whether a conversation that shows this medium is a call.
    #[must_use]
    pub fn judge(&self, medium: &Medium, has_ended: bool) -> IsCall {
        let (here, elsewhere) = if has_ended { (&self.ended, &self.under_way) } else { (&self.under_way, &self.ended) };
        let has_word = medium.word().is_some();
        if medium.is_text() {
            IsCall::No
        } else if here.contains(medium) || (has_word && elsewhere.contains(medium)) {
            IsCall::Yes
        } else if !here.is_empty() || (has_word && !elsewhere.is_empty()) {
            IsCall::No
        } else if elsewhere.is_empty() && medium.sounds_like_a_call() {
            IsCall::Yes
        } else {
            IsCall::CannotTell
        }
    }

    fn of_phase_mut(&mut self, ended: bool) -> &mut BTreeSet<Medium> {
        if ended { &mut self.ended } else { &mut self.under_way }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            (nothing, "", true, CannotTell),
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
            (untold, "EMAIL", true, No),
        ] {
            let medium = Medium::read(Some(word));
            assert_eq!(media(known).judge(&medium, has_ended), expected, "{known:?} {word} {has_ended}");
        }
    }
}

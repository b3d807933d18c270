//! From all capitals or all small letters to natural case.

use super::words::{Kind, Word};

/// Whether the letters, if there are any with case, are all capitals.
pub(super) fn is_all_capitals(name: &str) -> bool {
    name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}

/// Whether there are small letters only.
pub(super) fn is_all_small(name: &str) -> bool {
    name.chars().any(char::is_lowercase) && !name.chars().any(char::is_uppercase)
}

/// Whether a word of a mixed cell is in capitals, and no initials such as `RJ`.
pub(super) fn is_shouted(word: &str) -> bool {
    word.len() > 2 && is_all_capitals(word) && has_vowel(word) && word.chars().filter(|c| c.is_alphabetic()).count() > 2
}

fn has_vowel(word: &str) -> bool {
    word.chars().any(|c| !c.is_ascii() || matches!(c.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'y'))
}

/// `AJ`, `TJ`, `RJB`: in a name in capitals, initials rather than a name.
pub(super) fn is_initials(word: &str) -> bool {
    const NAMES: [&str; 8] = ["AL", "ED", "AN", "EM", "OZ", "UN", "IN", "AB"];
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    match letters {
        2 => word.len() == 2 && !NAMES.contains(&word) && !has_vowel(&word[1..]),
        3 => word.len() == 3 && !has_vowel(word),
        _ => false,
    }
}

/// Converts `MARY-KATE O'BRIEN III` to `Mary-Kate O'Brien III`. Particles before a last word get small letters.
pub(super) fn natural_case(words: &[Word<'_>], is_last_name: bool) -> String {
    let mut natural = String::new();
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            natural.push(' ');
        }
        let is_small = at + 1 < words.len() && (at > 0 || is_last_name) && word.is(Kind::Small);
        if is_small {
            natural.extend(word.text.chars().flat_map(char::to_lowercase));
        } else if at > 0 && word.is(Kind::Suffix) {
            natural.push_str(&suffix(word.text));
        } else if !is_last_name && is_initials(word.text) {
            natural.push_str(word.text);
        } else {
            push_natural_word(word.text, &mut natural);
        }
    }
    natural
}

/// Adds a word with capitals where a part of it begins.
pub(super) fn push_natural_word(word: &str, natural: &mut String) {
    let start = natural.len();
    let mut at_start = true;
    for c in word.chars() {
        if at_start {
            natural.extend(c.to_uppercase());
        } else {
            natural.extend(c.to_lowercase());
        }
        at_start = !(c.is_alphabetic() || c.is_ascii_digit()) || &natural[start..] == "Mc";
    }
}

/// A suffix: numerals in capitals, the others as `Jr` and `3rd`.
pub(super) fn suffix(word: &str) -> String {
    let is_numeral = word.len() > 1 && word.chars().all(|c| matches!(c.to_ascii_lowercase(), 'i' | 'v' | '.'));
    if is_numeral {
        return word.to_uppercase();
    }
    let mut natural = String::new();
    push_natural_word(word, &mut natural);
    natural
}

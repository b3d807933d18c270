//! Characters that look alike and are written differently: accents as characters of their own, full-width letters, spaces
//! of no width.

use std::borrow::Cow;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// A cell with its accents composed, as every keyboard writes them, and without characters that nobody sees. A list from a
/// Mac may have `e` and an accent where another has `é`.
pub(super) fn composed(cell: &str) -> Cow<'_, str> {
    if !needs_composing(cell) {
        return Cow::Borrowed(cell);
    }
    let seen: String = cell.chars().filter(|c| !is_unseen(*c)).collect();
    Cow::Owned(ComposingNormalizerBorrowed::new_nfc().normalize(&seen).into_owned())
}

/// Whether a text could have characters that [`composed`] changes.
pub(super) fn needs_composing(text: &str) -> bool {
    !text.is_ascii()
        && text.chars().any(|c| is_unseen(c) || matches!(c, '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}'))
}

/// Spaces without width, joiners, marks of direction and soft hyphens.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A text in small letters without accents, in characters of ordinary width: `ＤＮＣ` is `dnc`, `Falleció` is `fallecio`.
#[must_use]
pub fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let is_folded = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if is_folded { Cow::Borrowed(text) } else { Cow::Owned(text.to_ascii_lowercase()) };
    }
    if !text.chars().any(has_plain_form) {
        return Cow::Owned(text.to_lowercase());
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut plain = String::with_capacity(text.len());
    for c in decomposed.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}') && !is_unseen(*c)) {
        match plain_letters(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.extend(c.to_lowercase()),
        }
    }
    Cow::Owned(plain)
}

/// Whether a character is a letter with an accent, of another width, unseen, or one of [`plain_letters`].
fn has_plain_form(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{24f}' | '\u{2b0}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' | '\u{2018}' | '\u{2019}' | '´' | '\u{ff00}'..='\u{ffef}')
        || is_unseen(c)
}

/// Letters that are no letter with an accent, as those write them who do not have them.
fn plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ı' => "i",
        '’' | '‘' | 'ʼ' | '´' => "'",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_the_same() {
        for (written, seen) in [
            ("Ana", "Ana"),
            ("Rene\u{301}e", "Renée"),
            ("do\u{200b}not call", "donot call"),
            ("\u{feff}PatNum", "PatNum"),
            ("Mu\u{308}ller", "Müller"),
            ("José", "José"),
        ] {
            assert_eq!(composed(written), seen);
        }
        for (written, plain) in [
            ("ＤＮＣ", "dnc"),
            ("Falleció", "fallecio"),
            ("NUN\u{303}EZ", "nunez"),
            ("Groß", "gross"),
            ("don’t", "don't"),
        ] {
            assert_eq!(folded(written), plain);
        }
    }
}

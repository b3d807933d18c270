//! A text as words that can be compared: lower case, without accents, contractions written out, and with the marks at
//! which a phrase may end.

/// Ends a sentence.
pub(super) const STOP: &str = ".";
/// Ends a clause.
pub(super) const PAUSE: &str = ",";
/// Follows a question, before its [`STOP`].
pub(super) const QUESTION: &str = "?";

/// Whether a word is one of these marks.
pub(super) fn is_mark(word: &str) -> bool {
    [STOP, PAUSE, QUESTION].contains(&word)
}

/// Words after which a full stop ends no sentence.
const ABBREVIATIONS: [&str; 16] =
    ["dr", "dra", "mr", "mrs", "ms", "sr", "sra", "mme", "mlle", "appt", "pt", "tel", "ext", "approx", "vs", "st"];

/// Negations that are also written without their apostrophe.
const BARE_NEGATIONS: [&str; 14] = [
    "dont", "doesnt", "didnt", "wont", "cant", "isnt", "wasnt", "arent", "couldnt", "wouldnt", "shouldnt", "hasnt",
    "havent", "hadnt",
];

/// What an English contraction adds to its word, and no phrase needs.
const ENDINGS: [&str; 6] = ["s", "d", "ll", "re", "ve", "m"];

/// The words and marks of a text, in order.
pub(super) fn words(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().flat_map(plain).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        match letter {
            _ if letter.is_alphanumeric() => {
                if before.is_some_and(|before| begins_word(before, letter, after)) {
                    end_word(&mut words, &mut word);
                }
                word.extend(letter.to_lowercase());
            }
            '\'' => word.push('\''),
            '.' if is_inside(&word, after) => {}
            '.' if ABBREVIATIONS.contains(&&*word) => end_word(&mut words, &mut word),
            _ => {
                end_word(&mut words, &mut word);
                words.extend(marks(letter).iter().map(ToString::to_string));
            }
        }
    }
    end_word(&mut words, &mut word);
    words
}

/// Whether a capital begins a word inside a word: `noAnswer`, `VMLeft`.
fn begins_word(before: char, letter: char, after: Option<char>) -> bool {
    letter.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && after.is_some_and(char::is_lowercase)))
}

/// Whether a full stop is part of a word: `9.30`, `p.m.`, `R.I.P`.
fn is_inside(word: &str, after: Option<char>) -> bool {
    let is_digits = word.chars().last().is_some_and(|last| last.is_ascii_digit());
    let next = after.unwrap_or(' ');
    if is_digits { next.is_ascii_digit() } else { next.is_alphabetic() && (1..4).contains(&word.len()) }
}

/// The marks that a character that is no letter leaves.
fn marks(letter: char) -> &'static [&'static str] {
    match letter {
        '.' | '!' | ';' | '\n' | '•' | '…' => &[STOP],
        '?' => &[QUESTION, STOP],
        ',' | ':' | '(' | ')' | '—' | '–' => &[PAUSE],
        _ => &[],
    }
}

/// The longest word that is compared, in bytes; of a longer one the rest is left out.
const LONGEST_WORD: usize = 64;

/// Adds the finished word, with its contraction written out.
fn end_word(words: &mut Vec<String>, word: &mut String) {
    let mut found = std::mem::take(word);
    if found.len() > LONGEST_WORD {
        found = found.chars().take(LONGEST_WORD / 4).collect();
    }
    let found = found.trim_matches('\'');
    if let Some(stem) = found.strip_suffix("n't").or_else(|| bare_negation(found)) {
        let stem = match stem {
            "wo" => "will",
            "ca" => "can",
            "ai" => "is",
            other => other,
        };
        words.extend([stem.to_owned(), "not".to_owned()]);
    } else if found == "cannot" {
        words.extend(["can".to_owned(), "not".to_owned()]);
    } else {
        let mut parts = found.split('\'');
        let first = parts.next().unwrap_or_default();
        let rest = parts.filter(|part| first.len() == 1 || !ENDINGS.contains(part));
        words.extend(std::iter::once(first).chain(rest).filter(|part| !part.is_empty()).map(str::to_owned));
    }
}

fn bare_negation(word: &str) -> Option<&str> {
    BARE_NEGATIONS.contains(&word).then(|| word.strip_suffix("nt"))?
}

/// A character without its accent, and in its usual form.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0f}' | '\u{feff}' | '\u{ad}' => {
            (None, None)
        }
        '\u{ff01}'..='\u{ff5e}' => (char::from_u32(u32::from(letter) - 0xfee0), None),
        'à'..='å' | 'ā' | 'ă' | 'ą' => (Some('a'), None),
        'À'..='Å' => (Some('A'), None),
        'è'..='ë' | 'ē' | 'ę' | 'ě' => (Some('e'), None),
        'È'..='Ë' => (Some('E'), None),
        'ì'..='ï' | 'ī' => (Some('i'), None),
        'Ì'..='Ï' => (Some('I'), None),
        'ò'..='ö' | 'ø' | 'ō' => (Some('o'), None),
        'Ò'..='Ö' | 'Ø' => (Some('O'), None),
        'ù'..='ü' | 'ū' => (Some('u'), None),
        'Ù'..='Ü' => (Some('U'), None),
        'ñ' | 'ń' => (Some('n'), None),
        'Ñ' => (Some('N'), None),
        'ç' | 'ć' | 'č' => (Some('c'), None),
        'Ç' => (Some('C'), None),
        'ý' | 'ÿ' => (Some('y'), None),
        'ß' => (Some('s'), Some('s')),
        'œ' => (Some('o'), Some('e')),
        'æ' => (Some('a'), Some('e')),
        'Œ' => (Some('O'), Some('e')),
        'Æ' => (Some('A'), Some('e')),
        '’' | '‘' | '`' | '´' | 'ʼ' | '′' => (Some('\''), None),
        other => (Some(other), None),
    };
    first.into_iter().chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_words_and_marks() {
        for (text, expected) in [
            ("Don't call, please!", "do not call , please ."),
            ("She dont want calls", "she do not want calls"),
            ("can’t / cannot / won't", "can not can not will not"),
            ("Dr. Lee at 9.30 a.m. today. Left VM", "dr lee at 930 am . today . left vm"),
            ("the patient's husband, he'd said", "the patient husband , he said"),
            ("L'appel n'a pas été décroché", "l appel n a pas ete decroche"),
            ("¿Quién? No, señora", "quien ? . no , senora"),
            ("NoAnswer call_back opt-out VMLeft DNC", "no answer call back opt out vm left dnc"),
            ("🚫 ｄｎｃ\u{200b} e\u{301}", "dnc e"),
            ("'quoted' word", "quoted word"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }
}

//! What a message should say, and what it had better not (`calling-rules.md`, Privacy). Warnings only: a practice may
//! know better.

use super::rejection::TextName;
use super::tally::Warning;
use crate::campaign::Practice;

/// Words of treatment, results and money. A voicemail is heard by whoever plays it.
const SENSITIVE: [&str; 40] = [
    "abscess",
    "anesthesia",
    "balance",
    "billing",
    "biopsy",
    "cancer",
    "caries",
    "cavities",
    "cavity",
    "collections",
    "copay",
    "crown",
    "debt",
    "decay",
    "denture",
    "dentures",
    "diagnosis",
    "extraction",
    "filling",
    "gingivitis",
    "hepatitis",
    "hiv",
    "implant",
    "infection",
    "insurance",
    "invoice",
    "medication",
    "overdue",
    "owe",
    "owed",
    "owes",
    "payment",
    "periodontal",
    "periodontitis",
    "pregnancy",
    "pregnant",
    "prescription",
    "results",
    "surgery",
    "tumor",
];

/// What is wrong with one rendered text.
pub(super) fn sensitive_words(text: &str, name: TextName) -> impl Iterator<Item = Warning> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter_map(sensitive).map(move |word| Warning::SensitiveWord { text: name, word })
}

fn sensitive(word: &str) -> Option<&'static str> {
    // Most words are shorter or longer than any of these; comparing is cheap next to lowering case.
    if !(3..=13).contains(&word.len()) || !word.is_ascii() {
        return None;
    }
    let lower = word.to_ascii_lowercase();
    SENSITIVE.binary_search(&lower.as_str()).ok().map(|at| SENSITIVE[at])
}

/// Whoever hears a voicemail must know who called and how to call back.
pub(super) fn voicemail_lacks(text: &str, practice: &Practice) -> impl Iterator<Item = Warning> {
    let callback: String = practice.callback_number.expose().chars().skip(2).collect();
    let name = (!text.contains(&practice.name)).then_some(Warning::VoicemailWithoutPractice);
    let number = (!digits_of(text).contains(&callback)).then_some(Warning::VoicemailWithoutNumber);
    name.into_iter().chain(number)
}

/// The digits of a text, in figures or spelt out.
fn digits_of(text: &str) -> String {
    const SPELT: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut digits = String::new();
    for word in words {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.push_str(word);
        } else if let Some(digit) = SPELT.iter().position(|spelt| word.eq_ignore_ascii_case(spelt)) {
            digits.push_str(&digit.to_string());
        }
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_can_be_searched() {
        assert!(SENSITIVE.is_sorted());
        assert!(SENSITIVE.iter().all(|word| (3..=13).contains(&word.len())));
    }

    #[test]
    fn sensitive_words_are_whole_words() {
        let words = |text| sensitive_words(text, TextName::Context).count();
        assert_eq!(words("Your balance is overdue."), 2);
        assert_eq!(words("A well-balanced, feeling person crowned."), 0);
    }

    #[test]
    fn a_number_counts_however_it_is_spoken() {
        for text in ["(312) 555-0100", "3 1 2, 5 5 5, 0 1 0 0", "three one two five five five zero one zero zero"] {
            assert!(digits_of(text).contains("3125550100"), "{text}");
        }
    }
}

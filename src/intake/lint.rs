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

/// What to look at in a campaign's rendered texts.
#[derive(Debug, Clone)]
pub(super) struct Lint {
    must_say: Said,
}

impl Lint {
    pub(super) fn of(practice: &Practice) -> Self {
        Self { must_say: Said::of(practice) }
    }

    /// What somebody should look at in one text.
    pub(super) fn warnings(&self, text: &str, name: TextName) -> impl Iterator<Item = Warning> {
        let lacking = (name == TextName::Voicemail).then(|| self.must_say.lacking_in(text));
        sensitive_words(text, name).chain(lacking.into_iter().flatten())
    }
}

fn sensitive_words(text: &str, name: TextName) -> impl Iterator<Item = Warning> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter_map(sensitive).map(move |word| Warning::SensitiveWord { text: name, word })
}

fn sensitive(word: &str) -> Option<&'static str> {
    let lower = || word.bytes().map(|byte| byte.to_ascii_lowercase());
    SENSITIVE.binary_search_by(|other| other.bytes().cmp(lower())).ok().map(|at| SENSITIVE[at])
}

/// What whoever hears a voicemail must know: who called, and how to call back.
#[derive(Debug, Clone)]
struct Said {
    name: String,
    /// The callback number's ten digits.
    callback: String,
}

impl Said {
    fn of(practice: &Practice) -> Self {
        Self { name: practice.name.clone(), callback: practice.callback_number.expose().chars().skip(2).collect() }
    }

    /// What a voicemail does not say of it.
    fn lacking_in(&self, text: &str) -> impl Iterator<Item = Warning> {
        let name = (!text.contains(&self.name)).then_some(Warning::VoicemailWithoutPractice);
        let number = (!digits_of(text).contains(&self.callback)).then_some(Warning::VoicemailWithoutNumber);
        name.into_iter().chain(number)
    }
}

/// The digits of a text, in figures or spelt out.
fn digits_of(text: &str) -> String {
    const SPELT: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut digits = String::with_capacity(32);
    for word in words {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.push_str(word);
        } else if (3..=5).contains(&word.len())
            && let Some(digit) = SPELT.iter().position(|spelt| word.eq_ignore_ascii_case(spelt))
        {
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
        assert_eq!(words("Zoë, a crown—and your balance…"), 2);
        assert_eq!(words("Zoë is crownéd, and balancë."), 0);
    }

    #[test]
    fn a_number_counts_however_it_is_spoken() {
        for text in ["(312) 555-0100", "3 1 2, 5 5 5, 0 1 0 0", "three one two five five five zero one zero zero"] {
            assert!(digits_of(text).contains("3125550100"), "{text}");
        }
    }
}

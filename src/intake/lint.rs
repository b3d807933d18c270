//! Checks of rendered texts: sensitive words, and a voicemail without the practice's name or number
//! (`calling-rules.md`, Privacy). Findings are warnings only, because the practice may have its reasons.

use super::rejection::MessageKind;
use super::summary::IntakeWarning;
use crate::campaign::Practice;

/// Words about treatment, results and money, sorted. Anyone in the home may hear a voicemail.
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

/// The checks of one practice's rendered texts.
#[derive(Debug, Clone)]
pub(super) struct TextLint {
    identity: VoicemailIdentity,
}

impl TextLint {
    pub(super) fn new(practice: &Practice) -> Self {
        Self { identity: VoicemailIdentity::new(practice) }
    }

    /// The warnings about one text.
    pub(super) fn warnings(&self, text: &str, kind: MessageKind) -> impl Iterator<Item = IntakeWarning> {
        let missing = (kind == MessageKind::Voicemail).then(|| self.identity.missing_in(text));
        sensitive_words(text, kind).chain(missing.into_iter().flatten())
    }
}

fn sensitive_words(text: &str, kind: MessageKind) -> impl Iterator<Item = IntakeWarning> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter_map(sensitive).map(move |word| IntakeWarning::SensitiveWord { text: kind, word })
}

fn sensitive(word: &str) -> Option<&'static str> {
    let lower = || word.bytes().map(|byte| byte.to_ascii_lowercase());
    SENSITIVE.binary_search_by(|other| other.bytes().cmp(lower())).ok().map(|at| SENSITIVE[at])
}

/// What a voicemail must say: who called, and how to call back.
#[derive(Debug, Clone)]
struct VoicemailIdentity {
    name: String,
    /// The callback number's ten digits.
    callback: String,
}

impl VoicemailIdentity {
    fn new(practice: &Practice) -> Self {
        Self { name: practice.name.clone(), callback: practice.callback_number.expose().chars().skip(2).collect() }
    }

    fn missing_in(&self, text: &str) -> impl Iterator<Item = IntakeWarning> {
        let name = (!text.contains(&self.name)).then_some(IntakeWarning::VoicemailWithoutPractice);
        let number = (!digits_of(text).contains(&self.callback)).then_some(IntakeWarning::VoicemailWithoutNumber);
        name.into_iter().chain(number)
    }
}

/// The digits of a text, written as figures or as words.
fn digits_of(text: &str) -> String {
    const DIGIT_WORDS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let words = text.split(|c: char| !c.is_alphanumeric());
    let mut digits = String::with_capacity(32);
    for word in words {
        if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.push_str(word);
        } else if (3..=5).contains(&word.len())
            && let Some(digit) = DIGIT_WORDS.iter().position(|digit_word| word.eq_ignore_ascii_case(digit_word))
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
    fn the_words_are_sorted() {
        assert!(SENSITIVE.is_sorted());
        assert!(SENSITIVE.iter().all(|word| (3..=13).contains(&word.len())));
    }

    #[test]
    fn sensitive_words_are_whole_words() {
        let words = |text| sensitive_words(text, MessageKind::Context).count();
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

//! Notes in cells that are not fields of their own: words that forbid a call, wherever they stand, and a death noted in a
//! name. A note bars the patient; a note about a single number ([`crate::phone::parse_cell`]) bars that number.

use super::cell_words::words_of;
use crate::entry::Reason;

/// Phrases that forbid a call, as words in small letters.
const FORBID: [&str; 32] = [
    "do not call",
    "dont call",
    "do not contact",
    "dont contact",
    "do not phone",
    "dont phone",
    "do not ring",
    "do not telephone",
    "do not dial",
    "do not recall",
    "never call",
    "never contact",
    "no calls",
    "no phone calls",
    "no more calls",
    "no contact",
    "not to be called",
    "not be called",
    "not call",
    "stop calling",
    "stop calls",
    "stop contacting",
    "dnc",
    "opted out",
    "opt out",
    "wants no calls",
    "refuses calls",
    "donotcall",
    "cease and desist",
    "no llamar",
    "ne pas appeler",
    "ne pas contacter",
];

/// Phrases of a death, in a name.
const DEATH: [&str; 12] = [
    "deceased",
    "decd",
    "dec d",
    "passed away",
    "died",
    "estate of",
    "est of",
    "fallecido",
    "fallecida",
    "décédé",
    "décédée",
    "difunto",
];

/// Parts of words of which every phrase of [`FORBID`] has one.
const STEMS: [&str; 9] = ["call", "contact", "phone", "dnc", "opt", "ring", "dial", "desist", "appeler"];

/// The reason for which a note forbids a call.
pub(super) fn forbids(note: &str) -> Option<Reason> {
    if !STEMS.iter().any(|stem| has_stem(note, stem)) && !has_stem(note, "llamar") {
        return None;
    }
    has_phrase(note, &FORBID).then_some(Reason::DoNotCall)
}

/// The reason for which a note in a name or a phone cell forbids a call.
pub(super) fn forbids_in_name(name: &str) -> Option<Reason> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b' ' | b'-' | b'\''));
    if name.len() < 4 || (is_plain && name.len() < 7 && !has_stem(name, "dec") && !has_stem(name, "dnc")) {
        return None;
    }
    if name.contains('†') || has_phrase(name, &DEATH) {
        return Some(Reason::Deceased);
    }
    forbids(name)
}

/// Whether the text has an ASCII word part, without case.
fn has_stem(text: &str, stem: &str) -> bool {
    text.as_bytes().windows(stem.len()).any(|window| window.eq_ignore_ascii_case(stem.as_bytes()))
}

fn has_phrase(text: &str, phrases: &[&str]) -> bool {
    let words = format!(" {} ", words_of(text).join(" "));
    phrases.iter().any(|phrase| words.contains(&format!(" {phrase} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_forbid_a_call_are_found_in_any_note() {
        for note in [
            "DO NOT CALL",
            "pt says: don't call!",
            "Asked us to stop calling (3/2024)",
            "prefers e-mail, no phone calls please",
            "DNC per spouse",
            "DoNotCall",
            "opted-out 2025-01-02",
            "Please do not contact at all",
        ] {
            assert_eq!(forbids(note), Some(Reason::DoNotCall), "{note}");
        }
        for note in [
            "call after 5pm",
            "Call mom",
            "prefers calls",
            "contact by phone",
            "",
            "ring twice",
            "optical",
            "no show once",
        ] {
            assert_eq!(forbids(note), None, "{note}");
        }
    }

    #[test]
    fn a_death_is_found_in_a_name_only() {
        for name in
            ["Ruiz (deceased)", "DECEASED Ana", "Ana †", "Estate of Ana Ruiz", "Ruiz - Dec'd", "ANA RUIZ **DECEASED**"]
        {
            assert_eq!(forbids_in_name(name), Some(Reason::Deceased), "{name}");
        }
        assert_eq!(forbids_in_name("Ruiz DNC"), Some(Reason::DoNotCall));
        for name in
            ["Ana", "Decker", "Dececco", "Callahan", "Calloway, Ann", "Esther Ofori", "Dee Cedric", "Phoebe Optiz"]
        {
            assert_eq!(forbids_in_name(name), None, "{name}");
        }
        assert_eq!(forbids("husband deceased"), None);
    }
}

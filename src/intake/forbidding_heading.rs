//! Headings that are no field and look as if their column forbade or permitted calls.

use super::cell_words::words_of;
use super::field::{Field, exclusion_headings};
use super::word_lists::WordList;

/// Whether a heading looks as if its column forbade or permitted calls. Words for another
/// channel, for other consents and for other people say that it is about something else.
pub(super) fn looks_forbidding(heading: &str) -> bool {
    let words = words_of(heading);
    let list = WordList::named;
    let is_number_of = words.windows(2).any(|pair| pair == ["no", "of"])
        || (words.len() > 1 && words.last().is_some_and(|word| word == "no"));
    let is_about_calls = list("heading_calls").has_any(&words);
    let is_marketing = words.iter().any(|word| word == "marketing");
    if list("heading_other").has_any(&words) && (!is_about_calls || is_marketing) {
        return false;
    }
    // `No calls` denies; `Contact No 2` and `Phone no. (home)` are numbers.
    let denies = words.iter().enumerate().any(|(at, word)| {
        list("heading_negations").has(word) && (word != "no" || list("heading_calls").has_any(&words[at + 1..]))
    }) && !is_number_of;
    let opts = words.iter().any(|word| matches!(word.as_str(), "opt" | "opted"))
        && words.iter().any(|word| matches!(word.as_str(), "out" | "in"));
    let is_of_activity =
        words.iter().any(|word| matches!(word.as_str(), "active" | "activo" | "actif" | "alive" | "pewc"));
    let is_alone = matches!(words.as_slice(), [only] if matches!(only.as_str(), "stop" | "skip" | "hold" | "call"));
    (list("heading_stems").begins_any(&words) && !is_number_of)
        || opts
        || is_of_activity
        || is_alone
        || (is_about_calls && (denies || list("heading_permissions").has_any(&words)))
        || is_misspelt(heading)
}

/// The cells that say yes or no under a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagCells {
    None,
    /// `yes`, but not `1`.
    Words,
    Any,
}

/// What a heading means that forbids calls only together with certain cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WeakHeading {
    /// It has words for another channel, another consent or another person.
    pub(super) is_about_something_else: bool,
    /// With which cells it may be about calls.
    pub(super) flags: FlagCells,
    /// With dates: it may be about patients who have left.
    pub(super) is_end: bool,
}

/// Whether a column has no heading: a person's marks, such as `x`, of which only that person knows the meaning.
fn is_unnamed(heading: &str) -> bool {
    heading.strip_prefix("column ").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl WeakHeading {
    pub(super) fn of(heading: &str) -> Self {
        let words = words_of(heading);
        let list = WordList::named;
        let is_about_something_else = list("heading_other").has_any(&words);
        let is_about_calls = list("heading_calls").has_any(&words) && !words.iter().any(|word| word == "list");
        let is_meant = !is_about_something_else || is_about_calls;
        // `Do Not`, of which the rest is missing.
        let denies = words.last().is_some_and(|word| matches!(word.as_str(), "not" | "dont"));
        Self {
            is_about_something_else,
            flags: match () {
                () if !is_meant => FlagCells::None,
                // It counts calls, as the program's own report does.
                () if words == ["calls"] => FlagCells::Words,
                () if denies || is_unnamed(heading) || list("heading_flags").has_any(&words) => FlagCells::Any,
                () => FlagCells::None,
            },
            is_end: is_meant && list("heading_ends").has_any(&words),
        }
    }
}

/// Whether a heading is a letter or two from one of a column that may forbid a call.
fn is_misspelt(heading: &str) -> bool {
    let letters =
        |text: &str| -> String { text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect() };
    let wanted = letters(heading);
    let length = wanted.chars().count();
    let allowed = if length < 14 { 1 } else { 2 };
    (7..40).contains(&length)
        && exclusion_headings().map(letters).any(|known| {
            let is_near = known.chars().count().abs_diff(length) <= allowed
                && known.chars().count() > 7
                && known.chars().next() == wanted.chars().next();
            is_near && strsim::damerau_levenshtein(&wanted, &known) <= allowed
        })
}

/// The field that a heading is most likely meant for.
pub(super) fn likely_field(heading: &str) -> Field {
    let words = words_of(heading);
    let starts = |stem: &str| words.iter().any(|word| word.starts_with(stem));
    match () {
        () if ["dod", "deceas", "death", "died", "dead", "fallec", "deced"].into_iter().any(starts) => Field::Deceased,
        () if starts("consent") || starts("tcpa") => Field::Consent,
        () if starts("inactiv") || starts("archiv") || starts("dismiss") || starts("terminat") => Field::Inactive,
        () if WordList::named("heading_ends").has_any(&words) => Field::Inactive,
        () if starts("activ") || starts("actif") => Field::Active,
        () if is_unnamed(heading) || WordList::named("heading_negations").has_any(&words) => Field::DoNotCall,
        () if WordList::named("heading_forbids").begins_any(&words) => Field::DoNotCall,
        () if starts("opt") && !words.iter().any(|word| word == "in") => Field::DoNotCall,
        () => Field::OkToCall,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_that_forbids_calls_is_told_from_one_that_does_not() {
        for heading in [
            "Please do not ring",
            "DoNotPhoneFlag2",
            "No robocalls please",
            "Consent (calls)",
            "HIPAA consent",
            "Patient deceased on",
            "Inactivated by",
            "Archive reason",
            "OptOutReason",
            "Opted out when",
            "Never phone",
            "May we phone?",
            "Allowed to call",
            "Suppression reason",
            "Excluded by",
            "TCPA notes",
            "Active?2",
            "Restricted",
        ] {
            assert!(looks_forbidding(heading), "{heading}");
        }
        for heading in [
            "Contact No 2",
            "Phone no. (home)",
            "Tel no 3",
            "Notes",
            "Call notes",
            "Last called",
            "No. of calls",
            "Number of calls",
            "Recall type 2",
            "E-mail opt out",
            "HasOptedOutOfEmail",
            "SMS consent",
            "Insurance active",
            "Contact",
            "Contact person",
            "Phone label",
            "Next recall",
            "Activity",
            "Treatment consent",
            "Mail preferences",
            "Options",
            "Dnipro",
            "Canton",
            "Okinawa",
            "Balance",
            "Emergency contact",
            "Can",
            "Referral",
        ] {
            assert!(!looks_forbidding(heading), "{heading}");
        }
    }
}

//! Headings that are no field and look as if their column forbade or permitted calls.

use super::cell_words::words_of;
use super::field::Field;

/// Beginnings of words that forbid or permit.
const STEMS: [&str; 33] = [
    "deceas",
    "death",
    "died",
    "dead",
    "inactiv",
    "archiv",
    "optout",
    "optin",
    "unsubscri",
    "suppress",
    "blacklist",
    "blocklist",
    "blocked",
    "banned",
    "consent",
    "dnc",
    "dnd",
    "donot",
    "tcpa",
    "forbid",
    "prohibit",
    "restrict",
    "revok",
    "exclu",
    "dismiss",
    "terminat",
    "litig",
    "hospice",
    "callable",
    "contactable",
    "fallec",
    "décéd",
    "inactif",
];
/// Words for calls.
const CALLS: [&str; 20] = [
    "call",
    "calls",
    "calling",
    "called",
    "contact",
    "contacts",
    "contacted",
    "phone",
    "dial",
    "ring",
    "disturb",
    "solicit",
    "market",
    "marketing",
    "recall",
    "llamar",
    "appeler",
    "telephone",
    "robocall",
    "robocalls",
];
const NEGATIONS: [&str; 11] = ["not", "no", "never", "dont", "don", "stop", "cease", "avoid", "without", "ne", "skip"];
const PERMISSIONS: [&str; 12] = [
    "ok",
    "okay",
    "may",
    "can",
    "allow",
    "allowed",
    "allows",
    "permission",
    "permitted",
    "permit",
    "accepts",
    "agrees",
];
/// Words for another channel, and for what is not about calls.
const OTHER_THINGS: [&str; 33] = [
    "email",
    "mail",
    "sms",
    "text",
    "texts",
    "texting",
    "letter",
    "letters",
    "postal",
    "fax",
    "newsletter",
    "insurance",
    "ins",
    "plan",
    "policy",
    "coverage",
    "carrier",
    "subscriber",
    "medication",
    "treatment",
    "statement",
    "statements",
    "billing",
    "portal",
    "login",
    "user",
    "allergy",
    "xray",
    "photo",
    "photos",
    "website",
    "web",
    "report",
];

/// Whether a heading looks as if its column forbade or permitted calls. Words for another channel, or for money, plans and
/// accounts, say that it is about something else.
pub(super) fn looks_forbidding(heading: &str) -> bool {
    let words = words_of(heading);
    let counts = words.windows(2).any(|pair| pair == ["no", "of"]);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let is_about_calls = has(&CALLS);
    if has(&OTHER_THINGS) && (!is_about_calls || has(&["marketing", "market"])) {
        return false;
    }
    let joined: String = words.concat();
    let has_stem = STEMS.iter().any(|stem| words.iter().any(|word| word.starts_with(stem)) || joined.starts_with(stem));
    let opts = has(&["opt", "opted"]) && has(&["out", "in"]);
    has_stem
        || opts
        || has(&["active", "activo", "actif"])
        || (is_about_calls && !counts && (has(&NEGATIONS) || has(&PERMISSIONS)))
}

/// The field that a heading is most likely meant for.
pub(super) fn likely_field(heading: &str) -> Field {
    let words = words_of(heading);
    let starts = |stem: &str| words.iter().any(|word| word.starts_with(stem));
    match () {
        () if ["deceas", "death", "died", "dead", "fallec", "décéd"].into_iter().any(starts) => Field::Deceased,
        () if starts("consent") || starts("tcpa") => Field::Consent,
        () if starts("inactiv") || starts("archiv") || starts("dismiss") || starts("terminat") => Field::Inactive,
        () if starts("activ") || starts("actif") => Field::Active,
        () if ["ok", "may", "can", "allow", "permi", "accept", "agree"].into_iter().any(starts) => Field::OkToCall,
        () => Field::DoNotCall,
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

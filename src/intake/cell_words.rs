//! What the words in a cell mean: yes or no, nothing at all, a patient's status, an appointment's status
//! (`cell_words.tsv`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::normal_form::folded;
use crate::entry::Reason;

/// The value of a yes-or-no cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum YesNo {
    Yes,
    No,
    Blank,
    Other,
}

impl YesNo {
    pub(super) fn parse(cell: &str) -> Self {
        const YES: [&str; 22] = [
            "yes",
            "y",
            "true",
            "t",
            "1",
            "1.0",
            "x",
            "on",
            "✓",
            "✔",
            "si",
            "oui",
            "ja",
            "sim",
            "vrai",
            "verdadero",
            "vero",
            "wahr",
            "verdadeiro",
            "checked",
            "☑",
            "☒",
        ];
        const NO: [&str; 17] = [
            "no",
            "n",
            "false",
            "f",
            "0",
            "0.0",
            "off",
            "non",
            "nein",
            "nao",
            "faux",
            "falso",
            "falsch",
            "unchecked",
            "☐",
            "□",
            "not checked",
        ];
        const BLANK: [&str; 6] = ["", "na", "none", "unknown", "0001-01-01", "1900-01-01"];
        let cell = cell.trim();
        let word = cell.trim_end_matches(['!', '.', '*']);
        let plain = if word.is_ascii() { Cow::Borrowed(word) } else { folded(word) };
        let is = |words: &[&str]| words.iter().any(|known| plain.eq_ignore_ascii_case(known));
        match () {
            () if is(&YES) => Self::Yes,
            () if is(&NO) => Self::No,
            () if is(&BLANK) || is_nothing(cell) => Self::Blank,
            () if is_zero_date(cell) => Self::Blank,
            () => Self::Other,
        }
    }
}

/// Whether a cell is one of the dates that software writes for none: `0001-01-01`, `1/1/1900`, `12/30/1899`, `1/0/1900`,
/// `0000-00-00`, with or without a time.
fn is_zero_date(cell: &str) -> bool {
    let day = cell.split([' ', 'T']).next().unwrap_or_default();
    let mut numbers = day.split(['-', '/', '.']).map(str::parse::<u32>);
    let (Some(Ok(a)), Some(Ok(b)), Some(Ok(c)), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return false;
    };
    let (year, month, day) = if a > 31 || day.len() - day.trim_start_matches(|c: char| c.is_ascii_digit()).len() == 4 {
        (a, b, c)
    } else {
        (c, a, b)
    };
    match year {
        0 | 1899 => true,
        1 | 1900 => month <= 1 && day <= 1,
        _ => false,
    }
}

/// Whether a cell, without space around it, is what a database or a spreadsheet writes for no value. Words that are
/// also names (`Nan`, `Null`, `None`) are nothing only in the case in which software writes them.
pub(super) fn is_nothing(cell: &str) -> bool {
    const WORDS: &str = "NULL null (null) (NULL) <null> <NULL> [null] [NULL] \\N \\n NaN nan NAN <NA> NaT None none NONE (none) (None) \
                         nil NIL undefined N/A n/a N.A. n.a. NA n\\a (blank) (empty) [blank] [empty] <blank> <empty> #N/A #NA #REF! \
                         #VALUE! #NAME? #DIV/0! #NUM! #NULL! #SPILL! #CALC! #GETTING_DATA #FIELD! #BLOCKED! #BUSY! #UNKNOWN! \
                         #CONNECT!";
    // Nearly every cell ends here: it begins with another byte.
    let Some(first) = cell.bytes().next() else { return true };
    if !matches!(
        first,
        b'N' | b'n' | b'u' | b'(' | b'<' | b'[' | b'\\' | b'#' | b'-' | b'?' | b'.' | b'_' | b'*' | b'/' | 0xe2 | 0xef
    ) {
        return false;
    }
    let is_mark = |c: char| {
        matches!(c, '-' | '?' | '.' | '_' | '*' | '#' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fffd}')
    };
    WORDS.split_ascii_whitespace().any(|word| word == cell) || cell.chars().all(|c| is_mark(c) || c == ' ')
}

/// What a status says of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatientWords {
    Nothing,
    /// Nothing against a call.
    Active,
    Forbids(Reason),
    /// Words that are not known.
    Unknown,
}

/// What a status says of an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AppointmentWords {
    Nothing,
    /// It stands.
    On,
    /// It takes or took place: too late for a reminder.
    Over,
    Off,
    /// Words that are not about an appointment.
    Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    Neutral,
    Active,
    AppointmentOn,
    AppointmentOver,
    AppointmentOff,
    Inactive,
    DoNotCall,
    Deceased,
}

impl Meaning {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "neutral" => Self::Neutral,
            "active" => Self::Active,
            "appointment_on" => Self::AppointmentOn,
            "appointment_over" => Self::AppointmentOver,
            "appointment_off" => Self::AppointmentOff,
            "inactive" => Self::Inactive,
            "do_not_call" => Self::DoNotCall,
            "deceased" => Self::Deceased,
            _ => return None,
        })
    }

    fn is_of_appointment(self) -> bool {
        matches!(self, Self::AppointmentOn | Self::AppointmentOver | Self::AppointmentOff)
    }
}

/// The phrases of one vocabulary, as words joined by one space.
struct Vocabulary {
    phrases: HashMap<&'static str, Meaning>,
    longest: usize,
}

impl Vocabulary {
    fn of(is_wanted: impl Fn(Meaning) -> bool) -> Self {
        let mut phrases = HashMap::new();
        for (meaning, phrase) in table().filter(|(meaning, _)| is_wanted(*meaning)) {
            let known = phrases.entry(phrase).or_insert(meaning);
            *known = meaning.max(*known);
        }
        let longest = phrases.keys().map(|phrase| phrase.split(' ').count()).max().unwrap_or(1);
        Self { phrases, longest }
    }

    /// The gravest meaning of the phrases in `words`, and whether other words are left.
    fn read(&self, words: &[String]) -> (Option<Meaning>, bool) {
        let (mut gravest, mut has_others, mut at) = (None, false, 0);
        while at < words.len() {
            let lengths = (1..=self.longest.min(words.len() - at)).rev();
            let found = lengths.filter_map(|length| {
                let phrase = words[at..at + length].join(" ");
                self.phrases.get(phrase.as_str()).map(|meaning| (*meaning, length))
            });
            let Some((meaning, length)) = { found }.next() else {
                has_others |= !words[at].bytes().all(|byte| byte.is_ascii_digit());
                at += 1;
                continue;
            };
            gravest = gravest.max(Some(meaning));
            at += length;
        }
        (gravest, has_others)
    }
}

/// The rows of `cell_words.tsv`.
fn table() -> impl Iterator<Item = (Meaning, &'static str)> {
    let lines = include_str!("cell_words.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows =
        lines.filter_map(|line| line.split_once('\t')).filter_map(|(word, rest)| Some((Meaning::named(word)?, rest)));
    rows.flat_map(|(meaning, phrases)| phrases.split(" | ").map(move |phrase| (meaning, phrase)))
}

/// The words of a cell in small letters without accents: `NonPatient` has two, `don't` one.
pub(super) fn words_of(cell: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in cell.chars().filter(|c| !matches!(c, '\'' | '’')) {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        after_small = c.is_lowercase();
        if let Some(last) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            last.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    for word in words.iter_mut().filter(|word| !word.is_ascii()) {
        *word = folded(word).into_owned();
    }
    words
}

/// What the words of a status say of a patient.
pub(super) fn patient_words(cell: &str) -> PatientWords {
    static WORDS: LazyLock<Vocabulary> = LazyLock::new(|| Vocabulary::of(|meaning| !meaning.is_of_appointment()));
    if is_nothing(cell) {
        return PatientWords::Nothing;
    }
    // The usual words, without taking them apart.
    if ["patient", "active", "current"].iter().any(|word| cell.eq_ignore_ascii_case(word)) {
        return PatientWords::Active;
    }
    // The codes of a letter.
    match cell {
        "A" | "a" => return PatientWords::Active,
        "I" | "i" => return PatientWords::Forbids(Reason::Inactive),
        _ => {}
    }
    // A mark whose meaning stands elsewhere, perhaps a death.
    if cell.contains(['†', '‡', '§']) {
        return PatientWords::Unknown;
    }
    match WORDS.read(&words_of(cell)) {
        (Some(Meaning::Deceased), _) => PatientWords::Forbids(Reason::Deceased),
        (Some(Meaning::DoNotCall), _) => PatientWords::Forbids(Reason::DoNotCall),
        (Some(Meaning::Inactive), _) => PatientWords::Forbids(Reason::Inactive),
        (Some(Meaning::Active), false) => PatientWords::Active,
        _ => PatientWords::Unknown,
    }
}

/// What the words of a status say of an appointment.
pub(super) fn appointment_words(cell: &str) -> AppointmentWords {
    static WORDS: LazyLock<Vocabulary> =
        LazyLock::new(|| Vocabulary::of(|meaning| meaning.is_of_appointment() || meaning == Meaning::Neutral));
    if is_nothing(cell) {
        return AppointmentWords::Nothing;
    }
    match WORDS.read(&words_of(cell)) {
        (Some(Meaning::AppointmentOff), _) => AppointmentWords::Off,
        (Some(Meaning::AppointmentOver), _) => AppointmentWords::Over,
        (Some(Meaning::AppointmentOn), false) => AppointmentWords::On,
        _ => AppointmentWords::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("cell_words.tsv").lines().filter(|line| !line.starts_with('#'));
        let named =
            lines.clone().filter(|line| line.split_once('\t').is_some_and(|(word, _)| Meaning::named(word).is_some()));
        assert_eq!(named.count(), lines.count());
        for (_, phrase) in table() {
            assert_eq!(words_of(phrase).join(" "), phrase);
        }
    }

    #[test]
    fn a_status_is_read_by_its_meaning() {
        const GONE: PatientWords = PatientWords::Forbids(Reason::Inactive);
        const BARRED: PatientWords = PatientWords::Forbids(Reason::DoNotCall);
        const DEAD: PatientWords = PatientWords::Forbids(Reason::Deceased);
        for (cell, expected) in [
            ("", PatientWords::Nothing),
            ("NULL", PatientWords::Nothing),
            ("Patient", PatientWords::Active),
            ("Active", PatientWords::Active),
            ("ACTIVE PATIENT", PatientWords::Active),
            ("Active since 2019", PatientWords::Active),
            ("Not deceased", PatientWords::Active),
            ("NonPatient", GONE),
            ("NON-PATIENT", GONE),
            ("Inactive: transferred", GONE),
            ("Moved to Ohio", GONE),
            ("not active", GONE),
            ("Active (do not call)", BARRED),
            ("no calls", BARRED),
            ("Don’t call!", BARRED),
            ("DNC", BARRED),
            ("E-mail only", BARRED),
            ("DECEASED (2023)", DEAD),
            ("passed away in May", DEAD),
            ("Décédée", DEAD),
            ("Hospice", PatientWords::Unknown),
            ("Active hospice", PatientWords::Unknown),
            ("VIP", PatientWords::Unknown),
            ("7", PatientWords::Unknown),
        ] {
            assert_eq!(patient_words(cell), expected, "{cell}");
        }
    }

    #[test]
    fn an_appointments_status_is_read_by_its_meaning() {
        for (cell, expected) in [
            ("", AppointmentWords::Nothing),
            ("Scheduled", AppointmentWords::On),
            ("Unconfirmed", AppointmentWords::On),
            ("Not confirmed", AppointmentWords::On),
            ("LEFT MSG", AppointmentWords::On),
            ("Cancelled", AppointmentWords::Off),
            ("Canceled by patient 11/20", AppointmentWords::Off),
            ("No-Show", AppointmentWords::Off),
            ("Broken appt", AppointmentWords::Off),
            ("Rescheduled", AppointmentWords::Off),
            ("Complete", AppointmentWords::Over),
            ("Checked Out", AppointmentWords::Over),
            ("Deceased", AppointmentWords::Unknown),
            ("Blue", AppointmentWords::Unknown),
        ] {
            assert_eq!(appointment_words(cell), expected, "{cell}");
        }
    }

    #[test]
    fn what_software_writes_for_nothing_is_nothing_and_a_name_is_not() {
        for cell in [
            "", "NULL", "null", "\\N", "nan", "NaN", "<NA>", "NaT", "None", "#N/A", "#REF!", "#VALUE!", "-", "—", "--",
            "?", "???", "...", "(blank)", "n/a", "N/A", "#####", "- -", "#SPILL!",
        ] {
            assert!(is_nothing(cell), "{cell}");
        }
        for cell in ["Null", "Nan", "Na", "Nil", "Al", "0", "No", "Nanette", "-1", "+", "A.", "?x"] {
            assert!(!is_nothing(cell), "{cell}");
        }
    }
}

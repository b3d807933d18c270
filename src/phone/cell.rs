//! A phone cell, as practices fill it in: from `(312) 555-0142 x12` or `312.555.0142 (mom) / 773…` to the numbers that
//! can be dialled, or one reason why there are none.
//!
//! Three readings, the next one only if the last brought nothing. Plain ten digits of a known area code are taken as
//! they are (libphonenumber says the same; a test compares). Then libphonenumber reads the cell as it stands. Last, what
//! spreadsheets do to numbers is undone and libphonenumber searches the text. The order matters: to libphonenumber
//! letters are digits, so `… cell` makes a good number too long, while a cleaned cell may have lost its extension.

use rlibphonenumber::phonenumber_matcher::{Leniency, PHONE_MATCHER_FACTORY};
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumber, Region};

use super::{E164, NorthAmerican, area_codes};

/// Longer cells hold prose, not a number.
const LONGEST_CELL: usize = 250;

/// What else must be known to judge a number.
#[derive(Debug, Clone, Copy)]
pub struct CellRules<'a> {
    /// Whether numbers reserved for fiction may be dialled: in a rehearsal only.
    pub fiction_allowed: bool,
    /// The practice's own numbers, never dialled.
    pub own: &'a [E164],
}

/// A number that can be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usable {
    /// The number, without its extension.
    pub number: E164,
    /// The cell names an extension, which cannot be dialled.
    pub extension: bool,
}

/// Why a cell holds no usable number. It never repeats the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum PhoneProblem {
    /// Nothing, or no digit.
    #[error("missing")]
    Missing,
    /// Seven digits.
    #[error("no area code")]
    NoAreaCode,
    /// Fewer digits than a number has.
    #[error("too short")]
    TooShort,
    /// More digits than a number has.
    #[error("too long")]
    TooLong,
    /// Typed to fill a required field.
    #[error("a filler, not a number")]
    Filler,
    /// Ten digits that are nobody's number.
    #[error("no such number")]
    NoSuchNumber,
    /// 800 and its kin.
    #[error("a toll-free number")]
    TollFree,
    /// 900.
    #[error("a premium-rate number")]
    Premium,
    /// 211 to 911.
    #[error("a service number")]
    Service,
    /// 555-0100 to 555-0199.
    #[error("reserved for fiction; such numbers are dialled against the simulator only")]
    Fictitious,
    /// The practice's own.
    #[error("the practice's own number")]
    Own,
    /// Not in the North American numbering plan.
    #[error("not a number of the United States or Canada")]
    Foreign,
    /// Anything else.
    #[error("not a number")]
    NotANumber,
}

impl PhoneProblem {
    /// Whether a number was read and refused, so that searching the cell again could only find less of it.
    fn is_final(self) -> bool {
        match self {
            Self::Missing
            | Self::Filler
            | Self::TollFree
            | Self::Premium
            | Self::Service
            | Self::Fictitious
            | Self::Own
            | Self::Foreign => true,
            Self::NoAreaCode | Self::TooShort | Self::TooLong | Self::NoSuchNumber | Self::NotANumber => false,
        }
    }
}

/// The numbers of a cell that can be dialled, in the cell's order, each once; or why there is none.
pub fn numbers_in(cell: &str, rules: CellRules<'_>) -> Result<Vec<Usable>, PhoneProblem> {
    let cell = cell.trim();
    if let Some(plain) = plain_ten_digits(cell) {
        return judge(plain, false, rules).map(|usable| vec![usable]);
    }
    if cell.len() > LONGEST_CELL {
        return Err(PhoneProblem::NotANumber);
    }
    match read_raw(cell, rules) {
        Ok(usable) => Ok(vec![usable]),
        Err(problem) if problem.is_final() => Err(problem),
        Err(problem) => read_cleaned(cell, rules).map_err(|cleaned| cleaned.unwrap_or(problem)),
    }
}

/// Colorado's 983: of its exchanges, libphonenumber knows those that are in use.
const KNOWN_BY_EXCHANGE: u16 = 983;

/// Ten ASCII digits of a known area code, with or without the usual punctuation: four in five cells of a clean list.
/// The Virgin Islands and 983 are left to libphonenumber, which knows their exchanges one by one.
fn plain_ten_digits(cell: &str) -> Option<E164> {
    let mut national = 0;
    let mut count = 0;
    for byte in cell.bytes() {
        match byte {
            b'0'..=b'9' => (national, count) = (national * 10 + u64::from(byte - b'0'), count + 1),
            b'-' | b'.' | b' ' | b'(' | b')' if count < 10 => {}
            _ => return None,
        }
        if count > 10 {
            return None;
        }
    }
    let exchange = national / 10_000 % 1_000;
    let area = (national / 10_000_000) as u16;
    let all_alike = area != KNOWN_BY_EXCHANGE && area_codes::lookup(area)?.region != "VI";
    (count == 10 && exchange >= 200 && all_alike).then_some(E164(10_000_000_000 + national))
}

/// The cell as it stands.
fn read_raw(cell: &str, rules: CellRules<'_>) -> Result<Usable, PhoneProblem> {
    if !cell.chars().any(char::is_numeric) {
        return Err(PhoneProblem::Missing);
    }
    if matches!(cell.as_bytes(), [b'2'..=b'9', b'1', b'1']) {
        return Err(PhoneProblem::Service);
    }
    let parsed = PHONE_NUMBER_UTIL.parse(cell, Some(Region::US)).map_err(|error| problem_of(&error))?;
    let usable = usable(&parsed, rules)?;
    // `312-5550 mom` spells a number on a dial; nobody who wrote it meant that.
    match cell.chars().filter(|c| c.is_numeric()).count() {
        count @ ..10 => Err(too_few(count)),
        _ => Ok(usable),
    }
}

/// Every number that libphonenumber finds in the cell once a spreadsheet's doings are undone. `Err(None)`: found nothing
/// to say more about than the raw reading did.
fn read_cleaned(cell: &str, rules: CellRules<'_>) -> Result<Vec<Usable>, Option<PhoneProblem>> {
    let cleaned = undo_spreadsheet(cell);
    let matcher = PHONE_MATCHER_FACTORY
        .matcher_builder(&cleaned)
        .leniency(Leniency::Possible)
        .preferred_region(Region::US)
        .max_tries(100)
        .build();
    let mut found = Vec::new();
    let mut problem = None;
    for candidate in matcher {
        match usable(&candidate.number, rules) {
            Ok(number) if !found.contains(&number) => found.push(number),
            Ok(_) => {}
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    if found.is_empty() { Err(problem) } else { Ok(found) }
}

/// `3.125550142E+09` and `3125550142.0` are numbers that went through a spreadsheet; `001` is how one dials North
/// America from abroad; an underscore is a dash to people and a letter to libphonenumber.
fn undo_spreadsheet(cell: &str) -> String {
    let text = cell.trim_start_matches('\'').replace('_', "-");
    if let Some(whole) = whole_number(&text) {
        return whole;
    }
    match text.strip_prefix("001") {
        Some(rest) => format!("+1{rest}"),
        None => text,
    }
}

/// The integer that a decimal or scientific notation stands for, if it is one of ten or eleven digits.
fn whole_number(text: &str) -> Option<String> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'E' | b'e' | b'+'));
    if !decimal || text.starts_with('+') || !text.contains('.') {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && (1e9..1e11).contains(&value)).then(|| format!("{value:.0}"))
}

fn too_few(count: usize) -> PhoneProblem {
    if count == 7 { PhoneProblem::NoAreaCode } else { PhoneProblem::TooShort }
}

fn problem_of(error: &ParseError) -> PhoneProblem {
    match error {
        ParseError::InvalidCountryCode => PhoneProblem::Foreign,
        ParseError::NotANumber(_) => PhoneProblem::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneProblem::TooShort,
        ParseError::TooLongNsn => PhoneProblem::TooLong,
    }
}

/// What libphonenumber read, as a number that may be dialled.
fn usable(parsed: &PhoneNumber, rules: CellRules<'_>) -> Result<Usable, PhoneProblem> {
    if parsed.country_code != 1 {
        return Err(PhoneProblem::Foreign);
    }
    match parsed.get_national_significant_number().len() {
        10 => {}
        count @ ..10 => return Err(too_few(count)),
        _ => return Err(PhoneProblem::TooLong),
    }
    let number = E164(10_000_000_000 + parsed.national_number);
    let usable = judge(number, parsed.extension.is_some(), rules)?;
    // An area code that the metadata has never heard of may be newer than the metadata.
    let known = number.north_american().is_some_and(|parts| area_codes::lookup(parts.area).is_some());
    if known && !parsed.is_valid() {
        return Err(PhoneProblem::NoSuchNumber);
    }
    Ok(usable)
}

/// The rules that hold however a number was read (`calling-rules.md`, Suppression, consent, eligibility).
fn judge(number: E164, extension: bool, rules: CellRules<'_>) -> Result<Usable, PhoneProblem> {
    let parts = number.north_american().ok_or(PhoneProblem::Foreign)?;
    let problem = match parts {
        _ if is_filler(parts) => PhoneProblem::Filler,
        _ if parts.is_toll_free() => PhoneProblem::TollFree,
        _ if parts.is_premium() => PhoneProblem::Premium,
        _ if parts.is_service() => PhoneProblem::Service,
        _ if !could_be_assigned(parts) => PhoneProblem::NoSuchNumber,
        _ if parts.is_fictitious() && !rules.fiction_allowed => PhoneProblem::Fictitious,
        _ if rules.own.contains(&number) => PhoneProblem::Own,
        _ => return Ok(Usable { number, extension }),
    };
    Err(problem)
}

/// One digit ten times, digits in order, `000`, `555-5555`, and directory assistance.
fn is_filler(parts: NorthAmerican) -> bool {
    let national = u64::from(parts.area) * 10_000_000 + u64::from(parts.exchange) * 10_000 + u64::from(parts.line);
    let same = national.is_multiple_of(1_111_111_111);
    let in_order = matches!(national, 123_456_789 | 1_234_567_890 | 2_345_678_901 | 9_876_543_210);
    let placeholder = parts.exchange == 555 && matches!(parts.line, 0 | 1212 | 5555);
    same || in_order || placeholder || parts.area == 0 || (parts.exchange == 0 && parts.line == 0)
}

/// Area codes and exchanges start with 2 to 9, and no area code has a 9 in its middle.
fn could_be_assigned(parts: NorthAmerican) -> bool {
    parts.area >= 200 && parts.exchange >= 200 && parts.area / 10 % 10 != 9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> CellRules<'static> {
        CellRules { fiction_allowed: true, own: &[] }
    }

    fn read(cell: &str) -> Result<Vec<String>, PhoneProblem> {
        let shown =
            |usable: Usable| format!("{}{}", usable.number.expose(), if usable.extension { " ext" } else { "" });
        numbers_in(cell, rules()).map(|found| found.into_iter().map(shown).collect())
    }

    #[test]
    fn messy_cells_hold_good_numbers() {
        for cell in [
            "3125550142",
            " (312) 555-0142 ",
            "312.555.0142",
            "312 - 555 - 0142",
            "312.555.0142 (mom)",
            "H: 312-555-0142",
            "312-555-0142 cell",
            "312555-0142cell",
            "312_555_0142",
            "3125550142.0",
            "3.125550142E+09",
            "'3125550142",
            "312–555–0142",
            "312\u{a0}555\u{a0}0142",
            "３１２５５５０１４２",
            "tel:+1-312-555-0142",
            "0013125550142",
            "+13125550142",
            "13125550142",
            "1-312-555-0142",
            "+1 (312) 555 0142",
            "312-555-0142 call after 5pm",
        ] {
            assert_eq!(read(cell), Ok(vec!["+13125550142".to_owned()]), "{cell}");
        }
    }

    #[test]
    fn two_numbers_in_a_cell_are_both_found_in_order() {
        for cell in [
            "312-555-0142 / 773-555-0143",
            "3125550142/7735550143",
            "312-555-0142 or 773-555-0143",
            "3125550142 7735550143",
            "(312)555-0142;(773)555-0143",
            "312-555-0142, 773-555-0143",
            "C 312.555.0142 W 773.555.0143",
            "(312) 555-0142\n(773) 555-0143",
        ] {
            assert_eq!(read(cell), Ok(vec!["+13125550142".to_owned(), "+17735550143".to_owned()]), "{cell}");
        }
        assert_eq!(read("312-555-0142 / 312-555-0142"), Ok(vec!["+13125550142".to_owned()]));
    }

    #[test]
    fn an_extension_is_seen() {
        for cell in ["(312) 555-0142 x12", "312-555-0142 ext. 12", "3125550142x5", "312-555-0142 #12"] {
            assert_eq!(read(cell), Ok(vec!["+13125550142 ext".to_owned()]), "{cell}");
        }
    }

    #[test]
    fn what_cannot_be_dialled_has_one_reason() {
        for (cell, problem) in [
            ("", PhoneProblem::Missing),
            ("none", PhoneProblem::Missing),
            ("555-0142", PhoneProblem::NoAreaCode),
            ("312-5550 mom", PhoneProblem::NoAreaCode),
            ("312-555-014", PhoneProblem::TooShort),
            ("312-555-01421", PhoneProblem::TooLong),
            ("000-000-0000", PhoneProblem::Filler),
            ("555-555-5555", PhoneProblem::Filler),
            ("1234567890", PhoneProblem::Filler),
            ("312-555-1212", PhoneProblem::Filler),
            ("999-999-9999", PhoneProblem::Filler),
            ("800-555-0142", PhoneProblem::TollFree),
            ("1-800-FLOWERS", PhoneProblem::TollFree),
            ("888 555 0142", PhoneProblem::TollFree),
            ("900-555-0142", PhoneProblem::Premium),
            ("312-911-0142", PhoneProblem::Service),
            ("311-555-0142", PhoneProblem::Service),
            ("911", PhoneProblem::Service),
            ("312-155-0142", PhoneProblem::NoSuchNumber),
            ("292-555-0142", PhoneProblem::NoSuchNumber),
            ("+44 20 7946 0000", PhoneProblem::Foreign),
            ("+999 1234567", PhoneProblem::Foreign),
            ("+999 312 555 0142", PhoneProblem::Foreign),
        ] {
            assert_eq!(read(cell), Err(problem), "{cell}");
        }
    }

    #[test]
    fn an_area_code_newer_than_the_metadata_is_no_bad_number() {
        assert_eq!(read("436-555-0142"), Ok(vec!["+14365550142".to_owned()]));
    }

    #[test]
    fn fiction_is_refused_in_earnest_and_the_practice_never_calls_itself() {
        let number = E164::parse("+13125550142").expect("a number");
        let earnest = CellRules { fiction_allowed: false, own: &[] };
        assert_eq!(numbers_in("312-555-0142", earnest), Err(PhoneProblem::Fictitious));
        assert!(numbers_in("312-555-0242", earnest).is_ok());
        let own = CellRules { fiction_allowed: true, own: &[number] };
        assert_eq!(numbers_in("312-555-0142", own), Err(PhoneProblem::Own));
    }

    #[test]
    fn the_fast_path_agrees_with_libphonenumber_about_every_exchange() {
        let mut differ = std::collections::BTreeSet::new();
        for exchange in (200_000..1_000_000_u64).filter(|exchange| exchange % 1_000 >= 200) {
            for rest in [142, 6_000] {
                let cell = (exchange * 10_000 + rest).to_string();
                let Some(fast) = plain_ten_digits(&cell) else { continue };
                let parsed = PHONE_NUMBER_UTIL.parse(&cell, Some(Region::US)).expect("ten digits");
                if !parsed.is_valid() || fast.expose() != parsed.to_string() {
                    differ.insert(exchange / 1_000);
                }
            }
        }
        assert!(differ.is_empty(), "area codes whose exchanges are not all alike: {differ:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn however_ten_digits_are_written_the_fast_path_agrees_with_libphonenumber(
            cell in "[ (]{0,2}[2-9][0-9]{2}[-. )]{0,2}[0-9]{3}[-. ]{0,2}[0-9]{4}|[-. ()0-9]{10,16}"
        ) {
            if let Some(fast) = plain_ten_digits(&cell) {
                let parsed = PHONE_NUMBER_UTIL.parse(&cell, Some(Region::US)).expect("ten digits");
                prop_assert!(parsed.is_valid(), "{cell}");
                prop_assert_eq!(fast.expose(), parsed.to_string(), "{}", cell);
                // The rules after it are the same ones: so is what becomes of the cell.
                let slow = read_raw(&cell, rules()).map(|usable| vec![usable]);
                prop_assert_eq!(numbers_in(&cell, rules()), slow, "{}", cell);
            }
        }
    }

    #[test]
    fn a_long_text_is_not_searched_for_ever() {
        assert_eq!(read(&"3".repeat(10_000)), Err(PhoneProblem::NotANumber));
    }
}

//! Parses a phone cell as practices fill it in, such as `(312) 555-0142 x12` or `312.555.0142 (mom) / 773…`, into the
//! numbers that can be dialled, or one reason why there are none.
//!
//! Three steps, each only if the one before found nothing. Ten digits of a known area code are taken directly (with the
//! same result as libphonenumber; a test compares them). Then libphonenumber parses the whole cell. Last, changes that
//! spreadsheets make to numbers are undone and libphonenumber searches the text. The order matters: libphonenumber
//! reads letters as digits, so `… cell` makes a good number too long, while a cleaned cell may have lost its extension.

use std::ops::Range;

use rlibphonenumber::phonenumber_matcher::{Leniency, PHONE_MATCHER_FACTORY, PhoneNumberMatch};
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumber, Region};

use super::number_notes::{has_unusable_word, is_marked};
use super::{E164, NorthAmerican, area_codes};

/// The greatest length of a cell, in bytes. Longer cells hold prose, not a number.
const MAX_CELL_LENGTH: usize = 250;

/// The rules by which a number may be dialled.
#[derive(Debug, Clone, Copy)]
pub struct DialRules<'a> {
    /// Whether numbers reserved for fiction may be dialled; in a rehearsal only.
    pub fiction_allowed: bool,
    /// The practice's own numbers, never dialled.
    pub own: &'a [E164],
}

/// A number that can be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialableNumber {
    /// The number, without its extension.
    pub number: E164,
    /// Whether the cell has an extension, which cannot be dialled.
    pub extension: bool,
}

/// Why a cell has no number that can be dialled. The message never repeats the cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum PhoneError {
    /// The cell is empty or has no digit.
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
    /// A placeholder typed into a required field.
    #[error("a filler, not a number")]
    Filler,
    /// Ten digits that are not an assigned number.
    #[error("no such number")]
    NoSuchNumber,
    /// 800 and its overlays.
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
    /// Scientific notation with fewer digits than the number has.
    #[error("digits are lost: a spreadsheet wrote it as 3.12555E+09; format the column as text and export again")]
    DigitsLost,
    /// The cell says that the number is wrong, dead or a fax.
    #[error("the cell says that the number is not to be used")]
    MarkedUnusable,
    /// Anything else.
    #[error("not a number")]
    NotANumber,
}

impl PhoneError {
    /// Whether a number was parsed and refused. Then searching the cell again could only find a part of that number.
    fn is_final(self) -> bool {
        match self {
            Self::Missing
            | Self::Filler
            | Self::TollFree
            | Self::Premium
            | Self::Service
            | Self::Fictitious
            | Self::Own
            | Self::DigitsLost
            | Self::MarkedUnusable
            | Self::Foreign => true,
            Self::NoAreaCode | Self::TooShort | Self::TooLong | Self::NoSuchNumber | Self::NotANumber => false,
        }
    }
}

/// The numbers of a cell that can be dialled, in the order of the cell, each once; not those that the cell calls wrong,
/// dead or a fax.
///
/// # Errors
/// Why the cell has none.
pub fn numbers_in(cell: &str, rules: DialRules<'_>) -> Result<Vec<DialableNumber>, PhoneError> {
    read_cell(cell, rules, true)
}

/// All numbers of a cell, whatever it says of them: for suppression, where one too many is better than one too few.
///
/// # Errors
/// Why the cell has none.
pub fn all_numbers_in(cell: &str) -> Result<Vec<E164>, PhoneError> {
    let found = read_cell(cell, DialRules { fiction_allowed: true, own: &[] }, false)?;
    Ok(found.into_iter().map(|dialable| dialable.number).collect())
}

fn read_cell(cell: &str, rules: DialRules<'_>, words_count: bool) -> Result<Vec<DialableNumber>, PhoneError> {
    let cell = cell.trim();
    if let Some(plain) = plain_ten_digits(cell) {
        return apply_rules(plain, false, rules).map(|number| vec![number]);
    }
    if cell.len() > MAX_CELL_LENGTH {
        return Err(PhoneError::NotANumber);
    }
    if has_lost_digits(cell) {
        return Err(PhoneError::DigitsLost);
    }
    let cell = without_decimals(cell);
    if let Some(numbers) = plain_numbers(cell) {
        return usable(cell, &numbers, rules, words_count);
    }
    if words_count && has_unusable_word(cell) {
        // A slash also separates two numbers.
        return search_marked(&cell.replace("d/c", "dc").replace("D/C", "DC"), rules);
    }
    parse(cell, rules)
}

fn parse(cell: &str, rules: DialRules<'_>) -> Result<Vec<DialableNumber>, PhoneError> {
    match parse_whole(cell, rules) {
        Ok(number) => Ok(vec![number]),
        Err(problem) if problem.is_final() => Err(problem),
        Err(problem) => search_cleaned(cell, rules).map_err(|cleaned| cleaned.unwrap_or(problem)),
    }
}

/// A plain number without the decimals that a spreadsheet added: `3125550142,00`.
fn without_decimals(cell: &str) -> &str {
    match cell.split_once(',') {
        Some((whole, decimals))
            if matches!(whole.len(), 10 | 11)
                && !decimals.is_empty()
                && whole.bytes().all(|byte| byte.is_ascii_digit())
                && decimals.bytes().all(|byte| byte == b'0') =>
        {
            whole
        }
        _ => cell,
    }
}

/// Whether the cell is a number in scientific notation that shows fewer digits than it has: the others became zeros.
fn has_lost_digits(cell: &str) -> bool {
    let text = cell.trim_start_matches('\'').to_ascii_lowercase();
    let Some((mantissa, exponent)) = text.split_once('e') else { return false };
    let shown = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let is_number = mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'+'));
    let exponent: Option<usize> = exponent.trim_start_matches('+').parse().ok();
    is_number && shown > 0 && exponent.is_some_and(|exponent| shown < exponent + 1)
}

/// The places of two or more plain numbers, if the cell has no other digits: ten digits each, or eleven with the country
/// code. What separates them does not matter.
fn plain_numbers(cell: &str) -> Option<Vec<(Range<usize>, E164)>> {
    let mut numbers = Vec::new();
    let mut rest = 0;
    while let Some(start) = cell[rest..].find(|c: char| c.is_ascii_digit()).map(|at| rest + at) {
        let end = cell[start..].find(|c: char| !c.is_ascii_digit()).map_or(cell.len(), |length| start + length);
        let digits = &cell[start..end];
        let national = if digits.len() == 11 { digits.strip_prefix('1')? } else { digits };
        if national.len() != 10 {
            return None;
        }
        numbers.push((start..end, E164(10_000_000_000 + national.parse::<u64>().ok()?)));
        rest = end;
    }
    (numbers.len() > 1).then_some(numbers)
}

/// Those of the numbers that can be dialled and are not marked as unusable.
fn usable(
    cell: &str,
    numbers: &[(Range<usize>, E164)],
    rules: DialRules<'_>,
    words_count: bool,
) -> Result<Vec<DialableNumber>, PhoneError> {
    let mut found: Vec<DialableNumber> = Vec::new();
    let mut problem = PhoneError::Missing;
    for (at, (place, number)) in numbers.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |previous| numbers[previous].0.end);
        let after = numbers.get(at + 1).map_or(cell.len(), |next| next.0.start);
        let judged = if words_count && is_marked(&cell[before..place.start], &cell[place.end..after], at == 0) {
            Err(PhoneError::MarkedUnusable)
        } else {
            apply_rules(*number, false, rules)
        };
        match judged {
            Ok(number) if !found.contains(&number) => found.push(number),
            Err(error) if problem == PhoneError::Missing => problem = error,
            Ok(_) | Err(_) => {}
        }
    }
    if found.is_empty() { Err(problem) } else { Ok(found) }
}

/// The numbers of a cell with words that say of some number that it is not to be used. A single number is that one.
fn search_marked(cell: &str, rules: DialRules<'_>) -> Result<Vec<DialableNumber>, PhoneError> {
    let places = numbers_within(cell).map(|found| (found.start, found.start + found.raw_string.len()));
    let places: Vec<(usize, usize)> = places.collect();
    let mut usable = Vec::new();
    for (at, (start, end)) in places.iter().enumerate() {
        let before = at.checked_sub(1).map_or(0, |previous| places[previous].1);
        let after = places.get(at + 1).map_or(cell.len(), |next| next.0);
        if !is_marked(&cell[before..*start], &cell[*end..after], at == 0) {
            usable.extend(parse(&cell[*start..*end], rules).unwrap_or_default());
        }
    }
    if usable.is_empty() { Err(PhoneError::MarkedUnusable) } else { Ok(usable) }
}

/// Colorado's 983: libphonenumber has only its exchanges in use.
const CHECKED_BY_EXCHANGE: u16 = 983;

/// Fast path: ten ASCII digits of a known area code, with or without the usual punctuation. Numbers of the Virgin
/// Islands and 983 are left to libphonenumber, which lists their exchanges.
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
    let has_uniform_exchanges = area != CHECKED_BY_EXCHANGE && area_codes::lookup(area)?.region != "VI";
    (count == 10 && exchange >= 200 && has_uniform_exchanges).then_some(E164(10_000_000_000 + national))
}

/// Parses the whole cell as one number.
fn parse_whole(cell: &str, rules: DialRules<'_>) -> Result<DialableNumber, PhoneError> {
    if !cell.chars().any(char::is_numeric) {
        return Err(PhoneError::Missing);
    }
    if matches!(cell.as_bytes(), [b'2'..=b'9', b'1', b'1']) {
        return Err(PhoneError::Service);
    }
    let parsed = PHONE_NUMBER_UTIL.parse(cell, Some(Region::US)).map_err(|error| problem_of(&error))?;
    let number = dialable(&parsed, rules)?;
    // libphonenumber reads the letters of `312-5550 mom` as digits, which the writer did not mean.
    match cell.chars().filter(|c| c.is_numeric()).count() {
        count @ ..10 => Err(too_few(count)),
        _ => Ok(number),
    }
}

/// Every number that libphonenumber finds in the cell after spreadsheet changes are undone. `Err(None)` if it finds no
/// number at all: then the error of [`parse_whole`] is reported.
fn search_cleaned(cell: &str, rules: DialRules<'_>) -> Result<Vec<DialableNumber>, Option<PhoneError>> {
    let cleaned = undo_spreadsheet(cell);
    let mut found = Vec::new();
    let mut problem = None;
    for candidate in numbers_within(&cleaned) {
        match dialable(&candidate.number, rules) {
            Ok(number) if !found.contains(&number) => found.push(number),
            Ok(_) => {}
            Err(error) => problem = problem.or(Some(error)),
        }
    }
    if found.is_empty() { Err(problem) } else { Ok(found) }
}

/// Every number that libphonenumber finds in a text.
fn numbers_within(text: &str) -> impl Iterator<Item = PhoneNumberMatch<'_>> {
    let matcher = PHONE_MATCHER_FACTORY.matcher_builder(text).leniency(Leniency::Possible);
    matcher.preferred_region(Region::US).max_tries(100).build()
}

/// Spreadsheets write `3.125550142E+09` and `3125550142.0`; `001` is the prefix for North America from abroad; an
/// underscore is meant as a dash, but libphonenumber reads it as a letter.
fn undo_spreadsheet(cell: &str) -> String {
    let text = cell.trim_start_matches('\'').replace('_', "-").replace('~', "/");
    let text = if text.contains(['E', 'e']) { text.replacen(',', ".", 1) } else { text };
    if let Some(whole) = whole_number(&text) {
        return whole;
    }
    match text.strip_prefix("001") {
        Some(national) => format!("+1{national}"),
        None => text,
    }
}

/// The value of a number in decimal or scientific notation, if it is an integer of ten or eleven digits.
fn whole_number(text: &str) -> Option<String> {
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'E' | b'e' | b'+'));
    if !decimal || text.starts_with('+') || !text.contains('.') {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    (value.fract() == 0.0 && (1e9..1e11).contains(&value)).then(|| format!("{value:.0}"))
}

fn too_few(count: usize) -> PhoneError {
    if count == 7 { PhoneError::NoAreaCode } else { PhoneError::TooShort }
}

fn problem_of(error: &ParseError) -> PhoneError {
    match error {
        ParseError::InvalidCountryCode => PhoneError::Foreign,
        ParseError::NotANumber(_) => PhoneError::NotANumber,
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => PhoneError::TooShort,
        ParseError::TooLongNsn => PhoneError::TooLong,
    }
}

/// The number that libphonenumber parsed, if it can be dialled.
fn dialable(parsed: &PhoneNumber, rules: DialRules<'_>) -> Result<DialableNumber, PhoneError> {
    if parsed.country_code != 1 {
        return Err(PhoneError::Foreign);
    }
    match parsed.get_national_significant_number().len() {
        10 => {}
        count @ ..10 => return Err(too_few(count)),
        _ => return Err(PhoneError::TooLong),
    }
    let number = E164(10_000_000_000 + parsed.national_number);
    let dialable = apply_rules(number, parsed.extension.is_some(), rules)?;
    // An unknown area code may be newer than the metadata.
    let known = number.north_american().is_some_and(|parts| area_codes::lookup(parts.area).is_some());
    if known && !parsed.is_valid() {
        return Err(PhoneError::NoSuchNumber);
    }
    Ok(dialable)
}

/// The rules for every number, however it was parsed (`calling-rules.md`, Suppression, consent, eligibility).
fn apply_rules(number: E164, extension: bool, rules: DialRules<'_>) -> Result<DialableNumber, PhoneError> {
    let parts = number.north_american().ok_or(PhoneError::Foreign)?;
    let problem = match parts {
        _ if is_filler(parts) => PhoneError::Filler,
        _ if parts.is_toll_free() => PhoneError::TollFree,
        _ if parts.is_premium() => PhoneError::Premium,
        _ if parts.is_service() => PhoneError::Service,
        _ if !could_be_assigned(parts) => PhoneError::NoSuchNumber,
        _ if parts.is_fictitious() && !rules.fiction_allowed => PhoneError::Fictitious,
        _ if rules.own.contains(&number) => PhoneError::Own,
        _ => return Ok(DialableNumber { number, extension }),
    };
    Err(problem)
}

/// One digit ten times, digits in order, `000`, `555-5555`, and directory assistance.
fn is_filler(parts: NorthAmerican) -> bool {
    let national =
        u64::from(parts.area) * 10_000_000 + u64::from(parts.exchange) * 10_000 + u64::from(parts.subscriber);
    let same = national.is_multiple_of(1_111_111_111);
    let in_order = matches!(national, 123_456_789 | 1_234_567_890 | 2_345_678_901 | 9_876_543_210);
    let placeholder = parts.exchange == 555 && matches!(parts.subscriber, 0 | 1212 | 5555);
    same || in_order || placeholder || parts.area == 0 || (parts.exchange == 0 && parts.subscriber == 0)
}

/// Area codes and exchanges start with 2 to 9, and no area code has a 9 in its middle.
fn could_be_assigned(parts: NorthAmerican) -> bool {
    parts.area >= 200 && parts.exchange >= 200 && parts.area / 10 % 10 != 9
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules() -> DialRules<'static> {
        DialRules { fiction_allowed: true, own: &[] }
    }

    fn read(cell: &str) -> Result<Vec<String>, PhoneError> {
        let shown =
            |found: DialableNumber| format!("{}{}", found.number.expose(), if found.extension { " ext" } else { "" });
        numbers_in(cell, rules()).map(|found| found.into_iter().map(shown).collect())
    }

    #[test]
    fn numbers_are_found_in_messy_cells() {
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
    fn numbers_that_the_cell_calls_unusable_are_not_dialled() {
        let (first, second) = ("+13125550142".to_owned(), "+17735550143".to_owned());
        for cell in [
            "312-555-0142 (disconnected)",
            "fax: 312-555-0142",
            "3125550142 WRONG NUMBER",
            "312.555.0142 not in service",
            "do not use 3125550142",
            "312-555-0142 (dead)",
        ] {
            assert_eq!(read(cell), Err(PhoneError::MarkedUnusable), "{cell}");
        }
        for cell in [
            "312-555-0142 (disconnected) / 773-555-0143",
            "3125550142 wrong; 7735550143",
            "Fax 312-555-0142, cell 773-555-0143",
            "fax: 3125550142 cell: 7735550143",
        ] {
            assert_eq!(read(cell), Ok(vec![second.clone()]), "{cell}");
        }
        for cell in
            ["312-555-0142 / 773-555-0143 (old)", "cell 3125550142 fax: 7735550143", "312-555-0142; fax 773-555-0143"]
        {
            assert_eq!(read(cell), Ok(vec![first.clone()]), "{cell}");
        }
    }

    #[test]
    fn plain_numbers_are_two_whatever_separates_them() {
        let both = Ok(vec!["+13125550142".to_owned(), "+17735550143".to_owned()]);
        for cell in [
            "3125550142|7735550143",
            "3125550142;7735550143",
            "3125550142 & 7735550143",
            "3125550142~7735550143",
            "3125550142 - 7735550143",
            "3125550142\\7735550143",
            "[\"3125550142\",\"7735550143\"]",
            "[\"+13125550142\", \"+17735550143\"]",
            "3125550142 and 7735550143",
            "13125550142,17735550143",
            "3125550142:7735550143",
            "3125550142_7735550143",
            "312-555-0142|773-555-0143",
            "312-555-0142 + 773-555-0143",
            "312-555-0142~773-555-0143",
        ] {
            assert_eq!(read(cell), both, "{cell}");
        }
    }

    #[test]
    fn a_number_that_lost_its_digits_is_not_completed() {
        for cell in
            ["3.12555E+09", "3.1E+09", "3,12555E+09", "3.12555014E+09", "3.12555e9", "'3.12555E+09", "3.12555E+10"]
        {
            assert_eq!(read(cell), Err(PhoneError::DigitsLost), "{cell}");
        }
        assert_eq!(read("3,125550142E+09"), Ok(vec!["+13125550142".to_owned()]));
    }

    #[test]
    fn an_extension_is_recognised() {
        for cell in ["(312) 555-0142 x12", "312-555-0142 ext. 12", "3125550142x5", "312-555-0142 #12"] {
            assert_eq!(read(cell), Ok(vec!["+13125550142 ext".to_owned()]), "{cell}");
        }
    }

    #[test]
    fn a_cell_without_a_dialable_number_has_one_reason() {
        for (cell, problem) in [
            ("", PhoneError::Missing),
            ("none", PhoneError::Missing),
            ("555-0142", PhoneError::NoAreaCode),
            ("312-5550 mom", PhoneError::NoAreaCode),
            ("312-555-014", PhoneError::TooShort),
            ("312-555-01421", PhoneError::TooLong),
            ("000-000-0000", PhoneError::Filler),
            ("555-555-5555", PhoneError::Filler),
            ("1234567890", PhoneError::Filler),
            ("312-555-1212", PhoneError::Filler),
            ("999-999-9999", PhoneError::Filler),
            ("800-555-0142", PhoneError::TollFree),
            ("1-800-FLOWERS", PhoneError::TollFree),
            ("888 555 0142", PhoneError::TollFree),
            ("900-555-0142", PhoneError::Premium),
            ("312-911-0142", PhoneError::Service),
            ("311-555-0142", PhoneError::Service),
            ("911", PhoneError::Service),
            ("312-155-0142", PhoneError::NoSuchNumber),
            ("292-555-0142", PhoneError::NoSuchNumber),
            ("+44 20 7946 0000", PhoneError::Foreign),
            ("+999 1234567", PhoneError::Foreign),
            ("+999 312 555 0142", PhoneError::Foreign),
        ] {
            assert_eq!(read(cell), Err(problem), "{cell}");
        }
    }

    #[test]
    fn an_area_code_newer_than_the_metadata_is_accepted() {
        assert_eq!(read("436-555-0142"), Ok(vec!["+14365550142".to_owned()]));
    }

    #[test]
    fn fictitious_numbers_are_refused_in_live_runs_and_the_practice_never_calls_itself() {
        let number = E164::parse("+13125550142").expect("a number");
        let live = DialRules { fiction_allowed: false, own: &[] };
        assert_eq!(numbers_in("312-555-0142", live), Err(PhoneError::Fictitious));
        assert!(numbers_in("312-555-0242", live).is_ok());
        let own = DialRules { fiction_allowed: true, own: &[number] };
        assert_eq!(numbers_in("312-555-0142", own), Err(PhoneError::Own));
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
        assert!(differ.is_empty(), "area codes whose exchanges differ: {differ:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_fast_path_agrees_with_libphonenumber_about_every_notation(
            cell in "[ (]{0,2}[2-9][0-9]{2}[-. )]{0,2}[0-9]{3}[-. ]{0,2}[0-9]{4}|[-. ()0-9]{10,16}"
        ) {
            if let Some(fast) = plain_ten_digits(&cell) {
                let parsed = PHONE_NUMBER_UTIL.parse(&cell, Some(Region::US)).expect("ten digits");
                prop_assert!(parsed.is_valid(), "{cell}");
                prop_assert_eq!(fast.expose(), parsed.to_string(), "{}", cell);
                // The rules that follow are the same, so the results are, too.
                let slow = parse_whole(&cell, rules()).map(|number| vec![number]);
                prop_assert_eq!(numbers_in(&cell, rules()), slow, "{}", cell);
            }
        }
    }

    #[test]
    fn a_long_text_is_not_searched() {
        assert_eq!(read(&"3".repeat(10_000)), Err(PhoneError::NotANumber));
    }
}

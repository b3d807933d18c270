//! Reads a text that holds phone numbers and no notes about them.
//!
//! Three steps, each only if the one before found nothing. Ten digits of a known area code are taken directly (with the
//! same result as libphonenumber; a test compares them). Then libphonenumber parses the whole text. Last, changes that
//! spreadsheets make to numbers are undone and libphonenumber searches the text. The order matters: libphonenumber
//! reads letters as digits, so `… cell` makes a good number too long, while a cleaned text may have lost its extension.

use rlibphonenumber::phonenumber_matcher::{Leniency, PHONE_MATCHER_FACTORY, PhoneNumberMatch};
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumber, Region};

use super::dial_rules::{DialRules, DialableNumber, PhoneError, apply_rules};
use super::{E164, area_codes};

pub(super) fn parse(cell: &str, rules: DialRules<'_>) -> Result<Vec<DialableNumber>, PhoneError> {
    match parse_whole(cell, rules) {
        Ok(number) => Ok(vec![number]),
        Err(problem) if problem.is_final() => Err(problem),
        Err(problem) => search_cleaned(cell, rules).map_err(|cleaned| cleaned.unwrap_or(problem)),
    }
}

/// A plain number without the decimals that a spreadsheet added: `3125550142,00`.
pub(super) fn without_decimals(cell: &str) -> &str {
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
pub(super) fn has_lost_digits(cell: &str) -> bool {
    let text = cell.trim_start_matches('\'').to_ascii_lowercase();
    let Some((mantissa, exponent)) = text.split_once('e') else { return false };
    let shown = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let is_number = mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'+'));
    let exponent: Option<usize> = exponent.trim_start_matches('+').parse().ok();
    is_number && shown > 0 && exponent.is_some_and(|exponent| shown < exponent + 1)
}

/// Colorado's 983: libphonenumber has only its exchanges in use.
const CHECKED_BY_EXCHANGE: u16 = 983;

/// Fast path: ten ASCII digits of a known area code, with or without the usual punctuation. Numbers of the Virgin
/// Islands and 983 are left to libphonenumber, which lists their exchanges.
pub(super) fn plain_ten_digits(cell: &str) -> Option<E164> {
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
pub(super) fn parse_whole(cell: &str, rules: DialRules<'_>) -> Result<DialableNumber, PhoneError> {
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
pub(super) fn numbers_within(text: &str) -> impl Iterator<Item = PhoneNumberMatch<'_>> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
                let rules = DialRules { fiction_allowed: true, own: &[] };
                prop_assert_eq!(apply_rules(fast, false, rules), parse_whole(&cell, rules), "{}", cell);
            }
        }
    }
}

//! Parses a phone cell as practices fill it in, such as `(312) 555-0142 x12` or `312.555.0142 (mom) / 773…`, into the
//! numbers that can be dialled, or one reason why there are none. Words in the cell that call a number wrong, dead or a
//! fax bar that number.

use std::ops::Range;

use super::E164;
use super::dial_rules::apply_rules;
pub use super::dial_rules::{DialRules, DialableNumber, PhoneError};
use super::number_notes::{has_unusable_word, is_marked};
use super::parse_number::{has_lost_digits, numbers_within, parse, plain_ten_digits, without_decimals};

/// The greatest length of a cell, in bytes. Longer cells hold prose, not a number.
const MAX_CELL_LENGTH: usize = 250;

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

#[cfg(test)]
mod tests {
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
    fn a_long_text_is_not_searched() {
        assert_eq!(read(&"3".repeat(10_000)), Err(PhoneError::NotANumber));
    }
}

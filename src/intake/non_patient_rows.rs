//! Rows that are not patients: totals, page footers and repeated headers. They are skipped and not counted; `check`
//! reports their lines.

use super::columns::Columns;
use super::list::ListRow;

/// The minimum number of digits of a phone number; a total or a page number has fewer.
const PHONE_DIGITS: usize = 7;

/// Whether a row is not a patient. An uncertain row counts as a patient, so that it is rejected with a reason.
pub(super) fn is_non_patient_row(row: &ListRow, columns: &Columns) -> bool {
    is_repeated_header(row, columns) || (is_short(row) && first_text(row).is_some_and(|text| is_footer(&text)))
}

fn is_repeated_header(row: &ListRow, columns: &Columns) -> bool {
    let mut same = 0;
    for (at, name) in columns.names().iter().enumerate() {
        let cell = row.cell(at);
        if cell == name {
            same += 1;
        } else if !name.starts_with(cell) {
            return false;
        }
    }
    same >= 2
}

/// Whether at most three cells are filled, none of them with a phone number.
fn is_short(row: &ListRow) -> bool {
    let mut filled = row.cells.iter().filter(|cell| !cell.trim().is_empty());
    let has_number = |cell: &str| cell.bytes().filter(u8::is_ascii_digit).count() >= PHONE_DIGITS;
    filled.clone().nth(3).is_none() && !filled.any(|cell| has_number(cell) && !cell.contains('/'))
}

fn first_text(row: &ListRow) -> Option<String> {
    row.cells.iter().map(str::trim).find(|cell| !cell.is_empty()).map(str::to_lowercase)
}

/// Recognises `Total`, `Subtotal for Dr. Voss: 3`, `Page 2 of 7`, `42 patients`, `Printed 11/24/2026`. A word that
/// could be a name, such as Page, needs a number after it.
fn is_footer(text: &str) -> bool {
    let mut parts = text.split(|c: char| c.is_whitespace() || c == ':').filter(|part| !part.is_empty());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_number = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    match first {
        "total" | "totals" | "subtotal" | "sub-total" => true,
        "grand" => second == "total",
        "page" | "printed" | "count" | "generated" | "records" | "rows" | "patients" => is_number(second),
        "end" | "number" => second == "of",
        _ => is_number(first) && matches!(second, "patients" | "records" | "rows"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_told_from_a_person() {
        for words in ["total", "subtotal for dr. voss: 3", "grand total: 7", "page 2 of 7", "42 patients", "count: 7"] {
            assert!(is_footer(words), "{words}");
        }
        for words in ["page", "page, ann", "count", "1042", "grand, ben", "ruiz", "", "totally, ann"] {
            assert!(!is_footer(words), "{words}");
        }
    }
}

//! Rows that are no patients: totals, footers of printed pages, and the header over again. They are left out before
//! anything is counted, and `check` says on which lines.

use super::columns::Columns;
use super::list::Row;

/// A number to call has as many digits; a total or a page has fewer.
const DIGITS_OF_A_NUMBER: usize = 7;

/// Whether a row is furniture of the export. Doubt makes it a patient, whose row is then rejected with a reason.
pub(super) fn is_no_patient(row: &Row, columns: &Columns) -> bool {
    is_header_again(row, columns) || (is_short(row) && first_words(row).is_some_and(|words| is_footer(&words)))
}

fn is_header_again(row: &Row, columns: &Columns) -> bool {
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

/// Few cells, none of them a number to call.
fn is_short(row: &Row) -> bool {
    let mut filled = row.cells.iter().filter(|cell| !cell.trim().is_empty());
    let has_number = |cell: &str| cell.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_OF_A_NUMBER;
    filled.clone().nth(3).is_none() && !filled.any(|cell| has_number(cell) && !cell.contains('/'))
}

fn first_words(row: &Row) -> Option<String> {
    row.cells.iter().map(str::trim).find(|cell| !cell.is_empty()).map(str::to_lowercase)
}

/// `Total`, `Subtotal for Dr. Voss: 3`, `Page 2 of 7`, `42 patients`, `Printed 11/24/2026`. A person may be called Page,
/// so a word that could be a name needs a figure beside it.
fn is_footer(words: &str) -> bool {
    let mut parts = words.split(|c: char| c.is_whitespace() || c == ':').filter(|part| !part.is_empty());
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_figure = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    match first {
        "total" | "totals" | "subtotal" | "sub-total" => true,
        "grand" => second == "total",
        "page" | "printed" | "count" | "generated" | "records" | "rows" | "patients" => is_figure(second),
        "end" | "number" => second == "of",
        _ => is_figure(first) && matches!(second, "patients" | "records" | "rows"),
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

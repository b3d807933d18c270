//! A cell as the intake reads it: what software writes for nothing is empty, and an id has no decimals.

use super::cell_words::is_nothing;
use super::list::ListRow;

/// An id without the decimals that a spreadsheet or a data frame gave it: `1001.0` is `1001`.
pub(super) fn whole_id(cell: &str) -> &str {
    let whole = cell.strip_suffix(".0").or_else(|| cell.strip_suffix(".00")).unwrap_or(cell);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) { whole } else { cell }
}

/// A row's cell, without surrounding space; empty if it is what software writes for nothing.
pub(super) fn value(row: &ListRow, at: usize) -> &str {
    let cell = row.cell(at);
    if is_nothing(cell) { "" } else { cell }
}

//! Which sheet of a workbook holds the list.

use super::expectations::IsKnown;
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS, MAX_ROW_BYTES};
use crate::intake::error::ListError;

/// Gets the number and the cells of each row that is not empty; returns whether to go on.
pub(super) type OnRow<'r> = dyn FnMut(u64, &[String]) -> Result<bool, ListError> + 'r;

/// The only visible sheet with rows or, among several, the only one with a recognised header. Several candidates are an
/// error: the patients of an ignored sheet would silently never be called. `rows` reads a sheet from its start.
pub(super) fn list_sheet<S: Clone>(
    sheets: &[(S, String)],
    is_known: IsKnown<'_>,
    mut rows: impl FnMut(&S, &mut OnRow<'_>) -> Result<(), ListError>,
) -> Result<S, ListError> {
    let mut filled = Vec::new();
    for (sheet, name) in sheets {
        let (mut count, mut has_header) = (0, false);
        rows(sheet, &mut |_, cells| {
            count += 1;
            has_header |= cells.iter().filter(|cell| is_known(cell)).count() >= 2;
            Ok(count < HEADER_SEARCH_ROWS && !has_header)
        })?;
        if count > 0 {
            filled.push((sheet, name, has_header));
        }
    }
    if filled.iter().any(|(.., has_header)| *has_header) {
        filled.retain(|(.., has_header)| *has_header);
    }
    match filled.as_slice() {
        [] => Err(ListError::Empty),
        [(sheet, ..)] => Ok((*sheet).clone()),
        _ => Err(ListError::SeveralSheets { sheets: filled.into_iter().map(|(_, name, _)| name.clone()).collect() }),
    }
}

/// The cells of a row, within the limits of a list.
#[derive(Default)]
pub(super) struct RowCells {
    cells: Vec<String>,
    bytes: usize,
}

impl RowCells {
    /// Sets a cell, unless its text is empty. `line` is the row's number.
    pub(super) fn set(&mut self, line: u64, column: usize, text: String) -> Result<(), ListError> {
        if text.is_empty() {
            return Ok(());
        }
        if column >= MAX_COLUMNS {
            return Err(ListError::TooManyColumns { limit: MAX_COLUMNS });
        }
        // Every cell may refer to the same long shared string.
        self.bytes += text.len();
        if self.bytes > MAX_ROW_BYTES {
            return Err(ListError::TooLong { line });
        }
        self.cells.resize(self.cells.len().max(column + 1), String::new());
        self.cells[column] = text;
        Ok(())
    }

    /// The cells up to the last one that is set, which empties the row.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.bytes = 0;
        std::mem::take(&mut self.cells)
    }
}

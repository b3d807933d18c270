//! Which sheet of a workbook holds the list, and its rows.

use std::io::{Read, Seek};

use calamine::{Reader, Sheet, SheetType, SheetVisible};

use super::expectations::IsKnown;
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS, MAX_ROW_BYTES};
use super::row::RowPlace;
use super::source::ListOrigin;
use crate::intake::error::ListError;

/// Gets the place and the cells of each row that is not empty; returns whether to go on.
pub(super) type OnRow<'r> = dyn FnMut(RowPlace, &[String]) -> Result<bool, ListError> + 'r;

/// The sheet that holds the list.
pub(super) struct ChosenSheet<S> {
    pub(super) sheet: S,
    /// The names of all sheets, and the first texts of the others: one of them may say that these patients must not be
    /// called.
    pub(super) titles: Vec<String>,
}

/// A sheet of a workbook, as CSV.
pub(super) struct SpooledSheet {
    pub(super) origin: ListOrigin,
    pub(super) titles: Vec<String>,
}

/// The first rows of another sheet whose texts are titles.
const TITLE_ROWS: usize = 2;

/// The only visible sheet with rows or, among several, the only one with a recognised header. Several candidates are an
/// error: the patients of an ignored sheet would silently never be called. `rows` reads a sheet from its start.
pub(super) fn list_sheet<S: Clone>(
    sheets: &[(S, String)],
    is_known: IsKnown<'_>,
    mut rows: impl FnMut(&S, &mut OnRow<'_>) -> Result<(), ListError>,
) -> Result<ChosenSheet<S>, ListError> {
    let (mut filled, mut titles) = (Vec::new(), Vec::new());
    for (sheet, name) in sheets {
        let (mut count, mut has_header, mut texts) = (0, false, vec![name.clone()]);
        rows(sheet, &mut |_, cells| {
            count += 1;
            if count <= TITLE_ROWS {
                texts.extend(cells.iter().filter(|cell| !cell.trim().is_empty()).cloned());
            }
            has_header |= cells.iter().filter(|cell| is_known(cell)).count() >= 2;
            Ok(count < HEADER_SEARCH_ROWS && !has_header)
        })?;
        if count > 0 {
            filled.push((sheet, name, has_header));
            // The names of a header's columns are no titles.
            texts.truncate(if has_header { 1 } else { texts.len() });
            titles.extend(texts);
        }
    }
    if filled.iter().any(|(.., has_header)| *has_header) {
        filled.retain(|(.., has_header)| *has_header);
    }
    match filled.as_slice() {
        [] => Err(ListError::Empty),
        [(sheet, ..)] => Ok(ChosenSheet { sheet: (*sheet).clone(), titles }),
        _ => Err(ListError::SeveralSheets { sheets: filled.into_iter().map(|(_, name, _)| name.clone()).collect() }),
    }
}

/// The names of the visible sheets with cells of a workbook that calamine reads.
pub(super) fn visible_sheets<S: Read + Seek>(book: &impl Reader<S>) -> Vec<(String, String)> {
    let visible = |sheet: &&Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    book.sheets_metadata().iter().filter(visible).map(|sheet| (sheet.name.clone(), sheet.name.clone())).collect()
}

/// Calls `on_row` with the rows of a sheet, whose cells come in order: each with its row, counted from 0, its column and
/// its text. `place` gives the place of a line.
pub(super) fn for_each_row_of_cells(
    mut next_cell: impl FnMut() -> Result<Option<(u32, u32, String)>, ListError>,
    place: &dyn Fn(u64) -> RowPlace,
    on_row: &mut OnRow<'_>,
) -> Result<(), ListError> {
    let (mut line, mut row) = (0, RowCells::default());
    while let Some((number, column, text)) = next_cell()? {
        let number = u64::from(number) + 1;
        if number != line {
            let cells = row.take();
            if !cells.is_empty() && !on_row(place(line), &cells)? {
                return Ok(());
            }
        }
        line = number;
        row.set(line, column as usize, text)?;
    }
    let cells = row.take();
    if cells.is_empty() { Ok(()) } else { on_row(place(line), &cells).map(|_| ()) }
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

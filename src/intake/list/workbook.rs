//! Excel workbooks (`.xlsx`): converts one sheet to CSV, cell by cell. Numbers become decimal digits, dates
//! `1988-03-22`, times `09:30:00`.

use std::fmt::Write;

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};

use super::archive;
use super::csv_spool::spool_csv;
use super::expectations::IsKnown;
use super::sheet_choice::{ChosenSheet, OnRow, SpooledSheet, for_each_row_of_cells, list_sheet, visible_sheets};
use super::sheet_rows::SheetRows;
use super::source::{ListBytes, ListOrigin};
use crate::intake::error::{ListError, UnsupportedFormat};

/// Converts the sheet that holds the list to CSV.
pub(super) fn to_csv(origin: &ListOrigin, is_known: IsKnown<'_>) -> Result<SpooledSheet, ListError> {
    archive::refuse_bomb(origin)?;
    let mut book: Xlsx<ListBytes> = Xlsx::new(origin.bytes()?).map_err(list_error)?;
    let sheets = visible_sheets(&book);
    let unknown = SheetRows::default();
    let ChosenSheet { sheet, titles } =
        list_sheet(&sheets, is_known, |sheet, on_row| for_each_row(&mut book, sheet, &unknown, on_row))?;
    let sheet_rows = SheetRows::read(origin, &sheet)?;
    let origin = spool_csv(origin.modified(), |rows| {
        for_each_row(&mut book, &sheet, &sheet_rows, &mut |place, cells| rows.write_row(place, cells).map(|()| true))
    })?;
    Ok(SpooledSheet { origin, titles })
}

/// Calls `on_row` with the rows of a sheet.
fn for_each_row(
    book: &mut Xlsx<ListBytes>,
    sheet: &str,
    sheet_rows: &SheetRows,
    on_row: &mut OnRow<'_>,
) -> Result<(), ListError> {
    let mut reader = book.worksheet_cells_reader(sheet).map_err(list_error)?;
    let next_cell = || {
        let cell = reader.next_cell().map_err(list_error)?;
        Ok(cell.map(|cell| (cell.get_position().0, cell.get_position().1, cell_text(cell.get_value()))))
    };
    for_each_row_of_cells(next_cell, &|line| sheet_rows.place(line), on_row)
}

fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(time) => date_time_text(time),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A date, a time of day, or both. A cell that Excel shows as a date becomes a date in any column.
pub(super) fn date_time_text(time: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
    let has_date = time.as_f64() >= 1.0;
    let mut text = String::new();
    if has_date {
        let _ = write!(text, "{year:04}-{month:02}-{day:02}");
    }
    if !has_date || (hour, minute, second) != (0, 0, 0) {
        let separator = if has_date { "T" } else { "" };
        let _ = write!(text, "{separator}{hour:02}:{minute:02}:{second:02}");
    }
    text
}

#[allow(clippy::wildcard_enum_match_arm, reason = "every other error means a damaged file")]
fn list_error(error: XlsxError) -> ListError {
    match error {
        XlsxError::Io(error) => error.into(),
        XlsxError::Password => ListError::NotText(UnsupportedFormat::Locked),
        XlsxError::FileNotFound(_) => ListError::NotText(UnsupportedFormat::Archive),
        _ => ListError::Damaged,
    }
}

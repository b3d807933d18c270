//! Excel workbooks (`.xlsx`): converts one sheet to CSV, cell by cell. Numbers become decimal digits, dates
//! `1988-03-22`, times `09:30:00`.

use std::fmt::Write;

use calamine::{DataRef, ExcelDateTime, Reader, Sheet, SheetType, SheetVisible, Xlsx, XlsxError};

use super::archive;
use super::csv_spool::spool_csv;
use super::expectations::IsKnown;
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS, MAX_ROW_BYTES};
use super::source::{ListBytes, ListOrigin};
use crate::intake::error::{ListError, UnsupportedFormat};

/// The first bytes of a zip archive.
const MAGIC: [u8; 4] = [0x50, 0x4b, 0x03, 0x04];

/// Whether `origin` is a workbook or another zip archive.
pub(super) fn is_workbook(origin: &ListOrigin) -> Result<bool, ListError> {
    origin.starts_with(&MAGIC)
}

/// Converts the sheet that holds the list to CSV.
pub(super) fn to_csv(origin: &ListOrigin, is_known: IsKnown<'_>) -> Result<ListOrigin, ListError> {
    archive::refuse_bomb(origin)?;
    let mut book: Xlsx<ListBytes> = Xlsx::new(origin.bytes()?).map_err(list_error)?;
    let sheet = list_sheet(&mut book, is_known)?;
    spool_csv(origin.modified(), |rows| {
        for_each_row(&mut book, &sheet, |line, cells| {
            rows.write_row(line, cells.iter().map(String::as_str)).map(|()| true)
        })
    })
}

/// The only visible sheet with rows or, among several, the only one with a recognised header. Several candidates are an
/// error: the patients of an ignored sheet would silently never be called.
fn list_sheet(book: &mut Xlsx<ListBytes>, is_known: IsKnown<'_>) -> Result<String, ListError> {
    let visible = |sheet: &&Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let names: Vec<String> = book.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).collect();
    let mut filled = Vec::new();
    for name in names {
        let profile = profile_sheet(book, &name, is_known)?;
        if profile.rows > 0 {
            filled.push((name, profile.has_header));
        }
    }
    if filled.iter().any(|(_, has_header)| *has_header) {
        filled.retain(|(_, has_header)| *has_header);
    }
    match filled.as_slice() {
        [] => Err(ListError::Empty),
        [(name, _)] => Ok(name.clone()),
        _ => Err(ListError::SeveralSheets { sheets: filled.into_iter().map(|(name, _)| name).collect() }),
    }
}

/// What the first rows of a sheet contain.
#[derive(Default)]
struct SheetProfile {
    rows: usize,
    has_header: bool,
}

fn profile_sheet(book: &mut Xlsx<ListBytes>, sheet: &str, is_known: IsKnown<'_>) -> Result<SheetProfile, ListError> {
    let mut profile = SheetProfile::default();
    for_each_row(book, sheet, |_, cells| {
        profile.rows += 1;
        profile.has_header |= cells.iter().filter(|cell| is_known(cell)).count() >= 2;
        Ok(profile.rows < HEADER_SEARCH_ROWS && !profile.has_header)
    })?;
    Ok(profile)
}

/// Calls `on_row` with the number and the cells of each row that is not empty, until `on_row` returns `false`.
fn for_each_row(
    book: &mut Xlsx<ListBytes>,
    sheet: &str,
    mut on_row: impl FnMut(u64, &[String]) -> Result<bool, ListError>,
) -> Result<(), ListError> {
    let mut reader = book.worksheet_cells_reader(sheet).map_err(list_error)?;
    let (mut line, mut cells, mut left) = (0, Vec::new(), MAX_ROW_BYTES);
    while let Some(cell) = reader.next_cell().map_err(list_error)? {
        let (row, column) = cell.get_position();
        let (row, column) = (u64::from(row) + 1, column as usize);
        if row != line && !cells.is_empty() {
            if !on_row(line, &cells)? {
                return Ok(());
            }
            cells.clear();
            left = MAX_ROW_BYTES;
        }
        line = row;
        let text = cell_text(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if column >= MAX_COLUMNS {
            return Err(ListError::TooManyColumns { limit: MAX_COLUMNS });
        }
        // Every cell may refer to the same long shared string.
        left = left.checked_sub(text.len()).ok_or(ListError::TooLong { line })?;
        cells.resize(cells.len().max(column + 1), String::new());
        cells[column] = text;
    }
    if cells.is_empty() { Ok(()) } else { on_row(line, &cells).map(|_| ()) }
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
fn date_time_text(time: &ExcelDateTime) -> String {
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

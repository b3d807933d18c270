//! Excel workbooks (`.xlsx`): one sheet, cell by cell, rewritten as CSV. Numbers become the digits that Excel shows,
//! dates `1988-03-22`, times `09:30`.

use std::fmt::Write;

use calamine::{DataRef, ExcelDateTime, Reader, Sheet, SheetType, SheetVisible, Xlsx, XlsxError};

use super::archive;
use super::elements::LONGEST_VALUE;
use super::rewritten::rewritten;
use super::source::{Bytes, Origin};
use super::{IsKnown, MOST_COLUMNS};
use crate::intake::problem::{ListProblem, NotAList};

/// A zip archive's first bytes.
const MAGIC: [u8; 4] = [0x50, 0x4b, 0x03, 0x04];
/// As many rows of a sheet are looked at to tell whether it has a header.
const ROWS_ABOVE_HEADER: u64 = 20;

/// Whether `origin` is a workbook, or another archive.
pub(super) fn is_one(origin: &Origin) -> Result<bool, ListProblem> {
    origin.starts_with(&MAGIC)
}

/// The one sheet that holds the list, as CSV.
pub(super) fn as_text(origin: &Origin, is_known: IsKnown<'_>) -> Result<Origin, ListProblem> {
    archive::refuse_a_bomb(origin)?;
    let mut book: Xlsx<Bytes> = Xlsx::new(origin.bytes()?).map_err(|error| problem_of(&error))?;
    let sheet = the_list(&mut book, is_known)?;
    rewritten(origin.modified(), |rows| {
        walk(&mut book, &sheet, |line, cells| rows.row(line, cells.iter().map(String::as_str)).map(|()| true))
    })
}

/// The visible sheet that holds rows; of several, the only one with a header that is understood. Rows of another sheet
/// would be patients whom nobody calls, and nobody misses.
fn the_list(book: &mut Xlsx<Bytes>, is_known: IsKnown<'_>) -> Result<String, ListProblem> {
    let visible = |sheet: &&Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
    let names: Vec<String> = book.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).collect();
    let mut filled = Vec::new();
    for name in names {
        let about = look_at(book, &name, is_known)?;
        if about.rows > 0 {
            filled.push((name, about.has_header));
        }
    }
    if filled.iter().any(|(_, has_header)| *has_header) {
        filled.retain(|(_, has_header)| *has_header);
    }
    match filled.as_slice() {
        [] => Err(ListProblem::Empty),
        [(name, _)] => Ok(name.clone()),
        _ => Err(ListProblem::SeveralSheets { sheets: filled.into_iter().map(|(name, _)| name).collect() }),
    }
}

/// What the first rows of a sheet tell.
#[derive(Default)]
struct About {
    rows: u64,
    has_header: bool,
}

fn look_at(book: &mut Xlsx<Bytes>, sheet: &str, is_known: IsKnown<'_>) -> Result<About, ListProblem> {
    let mut about = About::default();
    walk(book, sheet, |_, cells| {
        about.rows += 1;
        about.has_header |= cells.iter().filter(|cell| is_known(cell)).count() >= 2;
        Ok(about.rows < ROWS_ABOVE_HEADER && !about.has_header)
    })?;
    Ok(about)
}

/// Shows `see` every row that is not empty, with its number, until it says `false`.
fn walk(
    book: &mut Xlsx<Bytes>,
    sheet: &str,
    mut see: impl FnMut(u64, &[String]) -> Result<bool, ListProblem>,
) -> Result<(), ListProblem> {
    let mut reader = book.worksheet_cells_reader(sheet).map_err(|error| problem_of(&error))?;
    let (mut line, mut cells, mut room) = (0, Vec::new(), LONGEST_VALUE);
    while let Some(cell) = reader.next_cell().map_err(|error| problem_of(&error))? {
        let (row, column) = cell.get_position();
        let (row, column) = (u64::from(row) + 1, column as usize);
        if row != line && !cells.is_empty() {
            if !see(line, &cells)? {
                return Ok(());
            }
            cells.clear();
            room = LONGEST_VALUE;
        }
        line = row;
        let text = text_of(cell.get_value());
        if text.is_empty() {
            continue;
        }
        if column >= MOST_COLUMNS {
            return Err(ListProblem::TooManyColumns { most: MOST_COLUMNS });
        }
        // The same shared string may stand in every cell.
        room = room.checked_sub(text.len()).ok_or(ListProblem::TooLong { line })?;
        cells.resize(cells.len().max(column + 1), String::new());
        cells[column] = text;
    }
    if cells.is_empty() { Ok(()) } else { see(line, &cells).map(|_| ()) }
}

fn text_of(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) => moment_of(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A day, a time of day, or both. What Excel shows as a date is one whatever the column is called.
fn moment_of(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let has_date = moment.as_f64() >= 1.0;
    let mut text = String::new();
    if has_date {
        let _ = write!(text, "{year:04}-{month:02}-{day:02}");
    }
    if !has_date || (hour, minute, second) != (0, 0, 0) {
        let joint = if has_date { "T" } else { "" };
        let _ = write!(text, "{joint}{hour:02}:{minute:02}:{second:02}");
    }
    text
}

#[allow(clippy::wildcard_enum_match_arm, reason = "whatever else is wrong inside, the file is damaged")]
fn problem_of(error: &XlsxError) -> ListProblem {
    match error {
        XlsxError::Io(error) => super::unreadable(error),
        XlsxError::Password => ListProblem::NotText(NotAList::Locked),
        XlsxError::FileNotFound(_) => ListProblem::NotText(NotAList::Archive),
        _ => ListProblem::Damaged,
    }
}

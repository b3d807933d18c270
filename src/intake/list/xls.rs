//! Excel 97 workbooks (`.xls`): converts one sheet to CSV. (calamine's reader trusts the sizes that the file states, and
//! keeps a copy of a shared string for every cell that has it.)

use std::collections::{HashMap, HashSet};

use calamine::{ExcelDateTime, ExcelDateTimeType};

use super::compound_file::{CompoundFile, u16_at, u32_at};
use super::csv_spool::spool_csv;
use super::expectations::IsKnown;
use super::row::RowPlace;
use super::sheet_choice::{ChosenSheet, OnRow, RowCells, SpooledSheet, list_sheet};
use super::source::ListOrigin;
use super::workbook::date_time_text;
use super::xls_strings::{SharedStrings, decode, string_at};
use crate::intake::error::{ListError, UnsupportedFormat};

/// Names of streams in documents that are no workbooks.
const DOCUMENTS: [&str; 3] = ["WordDocument", "PowerPoint Document", "__properties_version1.0"];

/// The maximum number of bytes that reading the start of every sheet may take.
const MAX_READ: usize = 1 << 30;

const OLD: ListError = ListError::NotText(UnsupportedFormat::OldWorkbook);

/// Converts the sheet that holds the list to CSV; `None` if `origin` is not a compound file.
pub(super) fn to_csv(origin: &ListOrigin, is_known: IsKnown<'_>) -> Result<Option<SpooledSheet>, ListError> {
    let Some(file) = CompoundFile::open(origin)? else { return Ok(None) };
    if file.has("EncryptedPackage") {
        return Err(ListError::NotText(UnsupportedFormat::Locked));
    }
    if DOCUMENTS.iter().any(|name| file.has(name)) {
        return Err(ListError::NotText(UnsupportedFormat::Document));
    }
    let stream = file.stream("Workbook").ok_or(OLD)?;
    let book = Workbook::read(&stream)?;
    // Every sheet may begin at the same place.
    if book.sheets.len().saturating_mul(stream.len()) > MAX_READ {
        return Err(ListError::NotText(UnsupportedFormat::Bomb));
    }
    let ChosenSheet { sheet, titles } =
        list_sheet(&book.sheets, is_known, |sheet, on_row| book.for_each_row(*sheet, on_row))?;
    let origin = spool_csv(origin.modified(), |rows| {
        book.for_each_row(sheet, &mut |place, cells| rows.write_row(place, cells).map(|()| true))
    })?;
    Ok(Some(SpooledSheet { origin, titles }))
}

/// A record: its type and the offsets of its data.
#[derive(Clone, Copy)]
struct Record<'s> {
    kind: u16,
    start: usize,
    data: &'s [u8],
}

/// The records from an offset to the end of that part of the stream, without those of charts inside it.
fn records(stream: &[u8], start: usize) -> impl Iterator<Item = Record<'_>> {
    let (mut at, mut depth) = (start, 0_u32);
    std::iter::from_fn(move || {
        loop {
            let (kind, length) = (u16_at(stream, at)?, usize::from(u16_at(stream, at + 2)?));
            let record = Record { kind, start: at + 4, data: stream.get(at + 4..at + 4 + length)? };
            at += 4 + length;
            match kind {
                BEGIN => depth += 1,
                END if depth <= 1 => return None,
                END => depth -= 1,
                _ => {}
            }
            if depth <= 1 {
                return Some(record);
            }
        }
    })
}

const BEGIN: u16 = 0x0809;
const END: u16 = 0x000a;
const CONTINUE: u16 = 0x003c;

/// The version of Excel 97 and later, in the record that begins a part.
const EXCEL_97: u16 = 0x0600;

/// The parts of a workbook that all sheets share.
struct Workbook<'s> {
    stream: &'s [u8],
    /// The offsets and names of the visible sheets with cells.
    sheets: Vec<(usize, String)>,
    strings: SharedStrings,
    /// For each cell style: whether it shows dates or times.
    has_dates: Vec<bool>,
    is_1904: bool,
}

/// A cell: its place, and where its value is.
#[derive(Clone, Copy)]
struct Cell {
    row: u16,
    column: u16,
    style: u16,
    kind: ValueKind,
    at: usize,
}

#[derive(Clone, Copy)]
enum ValueKind {
    Number,
    /// A number in four bytes.
    Packed,
    Shared,
    Text,
    Bool,
}

impl<'s> Workbook<'s> {
    fn read(stream: &'s [u8]) -> Result<Self, ListError> {
        let mut book = Self {
            stream,
            sheets: Vec::new(),
            strings: SharedStrings::default(),
            has_dates: Vec::new(),
            is_1904: false,
        };
        let (mut formats, mut styles, mut shared): (HashMap<u16, bool>, Vec<u16>, Vec<&[u8]>) = Default::default();
        let mut previous = 0;
        for record in records(stream, 0) {
            let Record { kind, data, .. } = record;
            match kind {
                BEGIN if u16_at(data, 0) != Some(EXCEL_97) => return Err(OLD),
                0x002f => return Err(ListError::NotText(UnsupportedFormat::Locked)),
                0x0022 => book.is_1904 = u16_at(data, 0) == Some(1),
                0x041e => formats.extend(u16_at(data, 0).map(|id| (id, is_date_format(&string_at(data, 2))))),
                0x00e0 => styles.extend(u16_at(data, 2)),
                0x0085 => book.add_sheet(data),
                0x00fc => shared.push(data),
                CONTINUE if previous == 0x00fc => shared.push(data),
                _ => {}
            }
            if kind != CONTINUE {
                previous = kind;
            }
        }
        book.strings = SharedStrings::read(&shared);
        book.has_dates =
            styles.into_iter().map(|id| formats.get(&id).copied().unwrap_or_else(|| is_built_in_date(id))).collect();
        Ok(book)
    }

    fn add_sheet(&mut self, data: &[u8]) {
        let (Some(at), Some([state, kind, length, flags])) = (u32_at(data, 0), data.get(4..8)) else { return };
        // Bits 0 and 1 of the state: hidden, very hidden.
        let is_hidden = state % 4 != 0;
        if !is_hidden && *kind == 0 {
            let name = decode(data.get(8..).unwrap_or_default(), usize::from(*length), *flags);
            self.sheets.push((at as usize, name));
        }
    }

    /// Calls `on_row` with the rows of the sheet at an offset of the stream.
    fn for_each_row(&self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), ListError> {
        let mut cells = self.cells(sheet);
        let hidden = self.hidden_rows(sheet);
        // Sheets are written row by row, but nothing says that they must be.
        cells.sort_by_key(|cell| (cell.row, cell.column));
        for of_row in cells.chunk_by(|one, other| one.row == other.row) {
            let line = u64::from(of_row[0].row) + 1;
            let mut row = RowCells::default();
            for cell in of_row {
                row.set(line, usize::from(cell.column), self.text(*cell).ok_or(ListError::Damaged)?)?;
            }
            let texts = row.take();
            let place = RowPlace { line, is_hidden: hidden.contains(&of_row[0].row), fault: None };
            if !texts.is_empty() && !on_row(place, &texts)? {
                break;
            }
        }
        Ok(())
    }

    /// The rows whose record says that their height is zero: a filter hides a row so, too.
    fn hidden_rows(&self, sheet: usize) -> HashSet<u16> {
        const ROW: u16 = 0x0208;
        const ZERO_HEIGHT: u16 = 0x20;
        let is_hidden =
            |row: &Record<'_>| row.kind == ROW && u16_at(row.data, 12).is_some_and(|it| it & ZERO_HEIGHT != 0);
        records(self.stream, sheet).filter(is_hidden).filter_map(|row| u16_at(row.data, 0)).collect()
    }

    fn cells(&self, sheet: usize) -> Vec<Cell> {
        let (mut cells, mut formula) = (Vec::new(), None);
        for Record { kind, start, data } in records(self.stream, sheet) {
            if kind == 0x0207 {
                // The text of the formula before it.
                cells.extend(formula.take().map(|(row, column)| Cell {
                    row,
                    column,
                    style: 0,
                    kind: ValueKind::Text,
                    at: start,
                }));
                continue;
            }
            let place = u16_at(data, 0).zip(u16_at(data, 2)).zip(u16_at(data, 4));
            let Some(((row, column), style)) = place else { continue };
            let value = match kind {
                0x0203 => ValueKind::Number,
                0x027e => ValueKind::Packed,
                0x00fd => ValueKind::Shared,
                0x0204 | 0x00d6 => ValueKind::Text,
                0x0205 => ValueKind::Bool,
                0x0006 => {
                    formula = Some((row, column));
                    if u16_at(data, 12) != Some(0xffff) {
                        ValueKind::Number
                    } else if data.get(6) == Some(&1) {
                        cells.push(Cell { row, column, style, kind: ValueKind::Bool, at: start + 8 });
                        continue;
                    } else {
                        continue;
                    }
                }
                0x00bd => {
                    let several = data.get(4..data.len().saturating_sub(2)).unwrap_or_default().chunks_exact(6);
                    cells.extend(several.enumerate().map(|(at, pair)| Cell {
                        row,
                        column: column.saturating_add(at as u16),
                        style: u16::from_le_bytes([pair[0], pair[1]]),
                        kind: ValueKind::Packed,
                        at: start + 6 + at * 6,
                    }));
                    continue;
                }
                _ => continue,
            };
            cells.push(Cell { row, column, style, kind: value, at: start + 6 });
        }
        cells
    }

    fn text(&self, cell: Cell) -> Option<String> {
        let Cell { style, kind, at, .. } = cell;
        Some(match kind {
            ValueKind::Number => {
                let bytes = self.stream.get(at..at + 8)?.try_into().ok()?;
                self.number_text(f64::from_le_bytes(bytes), style)
            }
            ValueKind::Packed => self.number_text(packed_number(u32_at(self.stream, at)?), style),
            ValueKind::Shared => self.strings.get(u32_at(self.stream, at)? as usize)?.to_owned(),
            ValueKind::Text => string_at(self.stream, at),
            ValueKind::Bool => match self.stream.get(at..at + 2)? {
                [1, 0] => "TRUE".to_owned(),
                [0, 0] => "FALSE".to_owned(),
                // An error such as #N/A.
                _ => String::new(),
            },
        })
    }

    fn number_text(&self, number: f64, style: u16) -> String {
        if self.has_dates.get(usize::from(style)) == Some(&true) && number.is_finite() && (0.0..3e6).contains(&number) {
            return date_time_text(&ExcelDateTime::new(number, ExcelDateTimeType::DateTime, self.is_1904));
        }
        number.to_string()
    }
}

/// A number in four bytes: the upper part of a float or a whole number, perhaps of hundredths.
fn packed_number(packed: u32) -> f64 {
    let number =
        if packed & 2 == 0 { f64::from_bits(u64::from(packed & !3) << 32) } else { f64::from((packed as i32) >> 2) };
    if packed & 1 == 0 { number } else { number / 100.0 }
}

fn is_built_in_date(format: u16) -> bool {
    matches!(format, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

/// Whether a number format shows a date or a time: it has a letter for one outside quotes, brackets and escapes.
fn is_date_format(format: &str) -> bool {
    let mut chars = format.split(';').next().unwrap_or_default().chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => drop(chars.by_ref().find(|c| *c == '"')),
            '[' => drop(chars.by_ref().find(|c| *c == ']')),
            '\\' | '_' | '*' => drop(chars.next()),
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return true,
            'G' if chars.as_str().starts_with("eneral") => return false,
            _ => {}
        }
    }
    false
}

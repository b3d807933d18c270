//! CSV: cells separated by `,` `;` tab or `|`.

use std::io::{self, Cursor, Read};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::csv_spool::row_place;
use super::encoding::DecodedText;
use super::expectations::IsKnown;
use super::group_header;
use super::header::Header;
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS, MAX_ROW_BYTES};
use super::row::{ListRow, RowPlace};
use crate::intake::error::ListError;
use crate::visible::original_cell;

/// The bytes at the start of the file in which the separator and the header are searched.
const SAMPLE: u64 = 1 << 16;
const SEPARATORS: [u8; 4] = *b",;\t|";

/// How a CSV file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct CsvDialect {
    separator: u8,
    ends: LineEnd,
    lines: LineNumbers,
    /// The number of records up to and including the header.
    skip: usize,
    /// The number of leading columns that callrounds added: the line number of a converted list, `line` and `reason` of
    /// a rejects file.
    drop: usize,
    /// The number of the header's columns, without the dropped ones.
    width: usize,
    /// The number of empty cells that every row has behind those of the header's columns.
    surplus: usize,
}

/// The rows up to the header.
pub(super) struct HeaderRows {
    pub(super) dialect: CsvDialect,
    pub(super) header: Header,
    /// The texts above the header.
    pub(super) titles: Vec<String>,
}

impl CsvDialect {
    /// The separator of the cells; `None` for a list that was converted from another format.
    pub(super) fn separator(self) -> Option<char> {
        (self.lines == LineNumbers::Counted).then_some(char::from(self.separator))
    }

    pub(super) fn separator_byte(self) -> u8 {
        self.separator
    }

    /// The cell as the original list had it: a rejects file protects cells that a spreadsheet would take for formulas.
    fn original(self, cell: &str) -> &str {
        if self.is_rejects_file() { original_cell(cell) } else { cell }
    }

    pub(super) fn is_rejects_file(self) -> bool {
        self.drop > self.lines.columns()
    }
}

/// Where a row's line number comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineNumbers {
    /// The lines are counted.
    Counted,
    /// The first cell holds it: the list was converted to CSV.
    FirstCell,
}

impl LineNumbers {
    /// The number of columns in front of the list's own.
    fn columns(self) -> usize {
        match self {
            Self::Counted => 0,
            Self::FirstCell => 1,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Lf,
    CrLf,
    Cr,
}

impl LineEnd {
    fn detect(sample: &[u8]) -> Self {
        match sample.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(at) if sample[at] == b'\n' => Self::Lf,
            Some(at) if sample.get(at + 1) == Some(&b'\n') => Self::CrLf,
            Some(_) => Self::Cr,
            None => Self::Lf,
        }
    }

    fn bytes(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::CrLf => b"\r\n",
            Self::Cr => b"\r",
        }
    }
}

/// A header found in a sample.
struct HeaderMatch {
    dialect: CsvDialect,
    cells: StringRecord,
    /// The number of known column names.
    known: usize,
    titles: Vec<String>,
}

/// Finds the separator and the header. Chooses the separator under which most column names are known; among equals, the
/// one that gives most columns.
pub(super) fn dialect(text: DecodedText, lines: LineNumbers, is_known: IsKnown<'_>) -> Result<HeaderRows, ListError> {
    let mut sample = Vec::new();
    text.take(SAMPLE).read_to_end(&mut sample)?;
    let separators = match lines {
        LineNumbers::Counted => SEPARATORS.as_slice(),
        LineNumbers::FirstCell => b",",
    };
    let best = separators
        .iter()
        .filter_map(|separator| find_header(&sample, *separator, lines, is_known))
        .reduce(|best, next| if (next.known, next.cells.len()) > (best.known, best.cells.len()) { next } else { best })
        .ok_or(ListError::Empty)?;
    if best.cells.len() > MAX_COLUMNS {
        return Err(ListError::TooManyColumns { limit: MAX_COLUMNS });
    }
    let names = best.cells.iter().skip(best.dialect.drop).map(|name| best.dialect.original(name));
    let header = Header::new(names);
    let dialect = CsvDialect { surplus: surplus(&sample, best.dialect), ..best.dialect };
    Ok(HeaderRows { dialect, header, titles: best.titles })
}

/// The number of empty cells that every row of the sample has behind those of the header's columns: spreadsheets and some
/// programs add them. A single row that has more is one whose cells have moved.
fn surplus(sample: &[u8], dialect: CsvDialect) -> usize {
    let (mut reader, mut record) = (reader(sample, dialect.separator), StringRecord::new());
    let (mut at, mut least) = (0, None);
    while let Ok(true) = read_record(&mut reader, &mut record) {
        at += 1;
        // The sample ends within its last row.
        let is_whole = at <= dialect.skip || reader.position().byte() < sample.len() as u64;
        if at > dialect.skip && is_whole && record.len() >= dialect.drop + dialect.width {
            let more = record.len() - dialect.drop - dialect.width;
            least = Some(least.map_or(more, |least: usize| least.min(more)));
        }
    }
    least.unwrap_or_default()
}

/// The first row with two known names, or else the first row that is not blank.
fn find_header(sample: &[u8], separator: u8, lines: LineNumbers, is_known: IsKnown<'_>) -> Option<HeaderMatch> {
    let ends = LineEnd::detect(sample);
    let mut reader = reader(sample, separator);
    let mut rows: Vec<StringRecord> = Vec::new();
    let mut record = StringRecord::new();
    while rows.len() <= HEADER_SEARCH_ROWS && read_record(&mut reader, &mut record).ok()? {
        rows.push(record.clone());
    }
    let mut first = None;
    for (at, record) in rows.iter().enumerate().take(HEADER_SEARCH_ROWS) {
        // A list has no more columns, and the test of each name costs a search among all known names.
        let known = record.iter().take(MAX_COLUMNS).filter(|cell| is_known(cell)).count();
        let own_start = lines.columns();
        let is_rejects = record.get(own_start) == Some("line") && record.get(own_start + 1) == Some("reason");
        let drop = own_start + if is_rejects { 2 } else { 0 };
        let width = record.len().saturating_sub(drop);
        let dialect = CsvDialect { separator, ends, lines, skip: at + 1, drop, width, surplus: 0 };
        let titles = texts(&rows[..at], own_start);
        let found = HeaderMatch { dialect, cells: record.clone(), known, titles };
        if known >= 2 {
            return Some(if is_rejects { found } else { with_second_row(found, &rows, at, is_known) });
        }
        if first.is_none() && record.iter().any(|cell| !cell.trim().is_empty()) {
            first = Some(found);
        }
    }
    first
}

/// The header with the row above or below it, if the two are one.
fn with_second_row(found: HeaderMatch, rows: &[StringRecord], at: usize, is_known: IsKnown<'_>) -> HeaderMatch {
    let own_start = found.dialect.drop;
    let own = |row: &StringRecord| row.iter().skip(own_start).collect::<StringRecord>();
    let pair = |upper: usize| {
        let (first, second) = (own(rows.get(upper)?), own(rows.get(upper + 1)?));
        Some((upper + 1, group_header::joined(&first, &second, is_known)?))
    };
    // What is above a header is a title unless the header's names need it.
    let above = || at.checked_sub(1).filter(|_| group_header::has_repeated(&own(&rows[at]))).and_then(pair);
    let Some((last, cells)) = pair(at).or_else(above) else { return found };
    let cells: StringRecord = std::iter::repeat_n("", own_start).chain(&cells).collect();
    let width = cells.len() - own_start;
    let known = cells.iter().filter(|cell| is_known(cell)).count();
    HeaderMatch { dialect: CsvDialect { skip: last + 1, width, ..found.dialect }, cells, known, ..found }
}

/// The texts of rows.
fn texts(rows: &[StringRecord], own_start: usize) -> Vec<String> {
    let cells = rows.iter().flat_map(|row| row.iter().skip(own_start));
    cells.map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

fn reader<R: Read>(text: R, separator: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text)
}

/// Decodes lossily, because the sample may end in the middle of a character.
fn read_record<R: Read>(reader: &mut Reader<R>, record: &mut StringRecord) -> Result<bool, csv::Error> {
    let mut bytes = csv::ByteRecord::new();
    let more = reader.read_byte_record(&mut bytes)?;
    *record = StringRecord::from_byte_record_lossy(bytes);
    Ok(more)
}

/// A text whose last line is terminated.
type TerminatedText = io::Chain<DecodedText, Cursor<&'static [u8]>>;

/// A reader that limits the size of one row: an unclosed quote would make one row of the rest of the file.
#[derive(Debug)]
struct BoundedRows<R> {
    text: R,
    /// The bytes that the current row may still take.
    left: usize,
}

impl<R: Read> Read for BoundedRows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = buffer.len().min(self.left);
        if limit == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.text.read(&mut buffer[..limit])?;
        self.left -= read;
        Ok(read)
    }
}

/// The rows of a CSV file.
#[derive(Debug)]
pub(super) struct CsvRows {
    /// Adds a line end to the last line, so that lines can be counted.
    reader: Reader<BoundedRows<TerminatedText>>,
    dialect: CsvDialect,
    records: u64,
    record: StringRecord,
}

impl CsvRows {
    pub(super) fn new(text: DecodedText, dialect: CsvDialect) -> Self {
        let terminated = text.chain(Cursor::new(dialect.ends.bytes()));
        Self {
            reader: reader(BoundedRows { text: terminated, left: 0 }, dialect.separator),
            dialect,
            records: 0,
            record: StringRecord::new(),
        }
    }

    /// Reads the next row into `row`. Returns `false` at the end.
    pub(super) fn read_into(&mut self, row: &mut ListRow) -> Result<bool, ListError> {
        while self.records < self.dialect.skip as u64 {
            if !self.advance()? {
                return Ok(false);
            }
        }
        if !self.advance()? {
            return Ok(false);
        }
        let place = self.place();
        (row.line, row.is_hidden, row.fault) = (place.line, place.is_hidden, place.fault);
        match self.own_cells() {
            Some(cells) => row.cells = cells,
            None => std::mem::swap(&mut self.record, &mut row.cells),
        }
        Ok(true)
    }

    fn advance(&mut self) -> Result<bool, ListError> {
        self.records += 1;
        // The limit is inexact by one buffer, because the reader reads ahead. Conversion to CSV doubles quotes.
        let limit = MAX_ROW_BYTES * if self.dialect.lines == LineNumbers::FirstCell { 4 } else { 1 };
        self.reader.get_mut().left = limit;
        let before = self.reader.position().line();
        self.reader.read_record(&mut self.record).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            if let csv::ErrorKind::Io(error) = error.kind()
                && error.kind() == io::ErrorKind::FileTooLarge
            {
                return ListError::TooLong { line: before };
            }
            // The decoded text is UTF-8, so no other error should occur.
            if let csv::ErrorKind::Io(error) = error.into_kind() {
                error.into()
            } else {
                ListError::Malformed { line, what: "not readable as text" }
            }
        })
    }

    /// The record's first line, and what a conversion says of it. The line is computed from the record's end: the csv
    /// crate counts the start of a record before the blank lines above it and, with CR LF, one line too early.
    fn place(&self) -> RowPlace {
        if self.dialect.lines == LineNumbers::FirstCell {
            return self.record.get(0).and_then(row_place).unwrap_or(self.records.into());
        }
        let breaks = self.record.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
        let end = self.reader.position().line();
        let line = match self.dialect.ends {
            LineEnd::Lf => end.saturating_sub(1 + breaks),
            LineEnd::CrLf => end.saturating_sub(breaks),
            LineEnd::Cr => self.records,
        };
        line.max(1).into()
    }

    /// The row's cells without the dropped columns, and without the empty surplus cells that spreadsheets append.
    /// Conversion to CSV omits trailing empty cells; they are restored here. `None` if the record needs no change.
    fn own_cells(&self) -> Option<StringRecord> {
        let CsvDialect { drop, width, lines, surplus, .. } = self.dialect;
        if lines == LineNumbers::FirstCell && self.record.len() < drop + width {
            let missing = drop + width - self.record.len();
            return Some(
                self.record
                    .iter()
                    .skip(drop)
                    .map(|cell| self.dialect.original(cell))
                    .chain(std::iter::repeat_n("", missing))
                    .collect(),
            );
        }
        if drop == 0 && self.record.len() <= width {
            return None;
        }
        let is_like_others = lines == LineNumbers::FirstCell || self.record.len() <= drop + width + surplus;
        let surplus_is_empty =
            is_like_others && self.record.iter().skip(drop + width).all(|cell| cell.trim().is_empty());
        if drop == 0 && !surplus_is_empty {
            return None;
        }
        let keep = if surplus_is_empty { width } else { usize::MAX };
        Some(self.record.iter().skip(drop).take(keep).map(|cell| self.dialect.original(cell)).collect())
    }
}

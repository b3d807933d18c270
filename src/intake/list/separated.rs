//! CSV and its kin: cells separated by `,` `;` tab or `|`.

use std::io::{self, Cursor, Read};

use csv::{Reader, ReaderBuilder, StringRecord};

use super::elements::LONGEST_VALUE;
use super::encoding::Text;
use super::{Header, IsKnown, MOST_COLUMNS, Row};
use crate::intake::problem::ListProblem;
use crate::visible::cell_as_it_was;

/// How much of the file is looked at to tell its separator and to find its header.
const SAMPLE: u64 = 1 << 16;
/// A title or two may stand above the header, no more than this many rows.
const ROWS_ABOVE_HEADER: usize = 20;
const SEPARATORS: [u8; 4] = *b",;\t|";

/// How a separated file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    separator: u8,
    ends: LineEnd,
    lines: Lines,
    /// Records up to and including the header.
    skip: usize,
    /// Columns in front that an intake put there: the line of a rewritten list, `line` and `reason` of a rejects file.
    drop: usize,
    /// Columns of the header, without the dropped ones.
    width: usize,
}

impl Dialect {
    /// What separates its cells; nothing if it was rewritten from another format.
    pub(super) fn separator(self) -> Option<char> {
        (self.lines == Lines::Counted).then_some(char::from(self.separator))
    }

    /// A cell of the list that a rejects file was made of.
    fn as_it_was(self, cell: &str) -> &str {
        if self.is_rejects_file() { cell_as_it_was(cell) } else { cell }
    }

    pub(super) fn is_rejects_file(self) -> bool {
        self.drop > self.lines.columns()
    }
}

/// How a row's line is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// By counting.
    Counted,
    /// The first cell says it: the text was rewritten.
    Given,
}

impl Lines {
    /// Columns in front of the list's own.
    fn columns(self) -> usize {
        match self {
            Self::Counted => 0,
            Self::Given => 1,
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
    fn of(sample: &[u8]) -> Self {
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

/// A header found in a sample, and how well it was understood.
struct Found {
    dialect: Dialect,
    cells: StringRecord,
    known: usize,
}

/// Finds the separator and the header: the separator under which most column names are known, and of two such the one
/// that makes more columns.
pub(super) fn dialect(text: Text, lines: Lines, is_known: IsKnown<'_>) -> Result<(Dialect, Header), ListProblem> {
    let mut sample = Vec::new();
    text.take(SAMPLE).read_to_end(&mut sample).map_err(|error| super::unreadable(&error))?;
    let separators = match lines {
        Lines::Counted => SEPARATORS.as_slice(),
        Lines::Given => b",",
    };
    let best = separators
        .iter()
        .filter_map(|separator| find_header(&sample, *separator, lines, is_known))
        .reduce(|best, next| if (next.known, next.cells.len()) > (best.known, best.cells.len()) { next } else { best })
        .ok_or(ListProblem::Empty)?;
    if best.cells.len() > MOST_COLUMNS {
        return Err(ListProblem::TooManyColumns { most: MOST_COLUMNS });
    }
    let names = best.cells.iter().skip(best.dialect.drop).map(|name| best.dialect.as_it_was(name));
    Ok((best.dialect, Header::new(names)))
}

/// The first row of which two cells are known names; if there is none, the first row that is not blank.
fn find_header(sample: &[u8], separator: u8, lines: Lines, is_known: IsKnown<'_>) -> Option<Found> {
    let ends = LineEnd::of(sample);
    let mut reader = reader(sample, separator);
    let mut record = StringRecord::new();
    let mut first = None;
    for at in 0..ROWS_ABOVE_HEADER {
        if !read_record(&mut reader, &mut record).ok()? {
            break;
        }
        // No list has more columns, and each name costs a look through all that are known.
        let known = record.iter().take(MOST_COLUMNS).filter(|cell| is_known(cell)).count();
        let first_own = lines.columns();
        let is_rejects = record.get(first_own) == Some("line") && record.get(first_own + 1) == Some("reason");
        let drop = first_own + if is_rejects { 2 } else { 0 };
        let dialect = Dialect { separator, ends, lines, skip: at + 1, drop, width: record.len().saturating_sub(drop) };
        let found = Found { dialect, cells: record.clone(), known };
        if known >= 2 {
            return Some(found);
        }
        if first.is_none() && record.iter().any(|cell| !cell.trim().is_empty()) {
            first = Some(found);
        }
    }
    first
}

fn reader<R: Read>(text: R, separator: u8) -> Reader<R> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text)
}

/// A sample may end in the middle of a character: what cannot be read there is no header.
fn read_record<R: Read>(reader: &mut Reader<R>, record: &mut StringRecord) -> Result<bool, csv::Error> {
    let mut bytes = csv::ByteRecord::new();
    let more = reader.read_byte_record(&mut bytes)?;
    *record = StringRecord::from_byte_record_lossy(bytes);
    Ok(more)
}

/// A text with the end of its last line.
type Ended = io::Chain<Text, Cursor<&'static [u8]>>;

/// A text of which one row takes a bounded part: a quote that is never closed would make a row of all the rest.
#[derive(Debug)]
struct Measured<R> {
    text: R,
    /// Bytes that the row may still take.
    left: usize,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.left);
        if most == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.text.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// The rows of a separated file.
#[derive(Debug)]
pub(super) struct SeparatedRows {
    // The last line is ended for the file that does not end it, so that lines can be counted.
    reader: Reader<Measured<Ended>>,
    dialect: Dialect,
    records: u64,
    record: StringRecord,
}

impl SeparatedRows {
    pub(super) fn new(text: Text, dialect: Dialect) -> Self {
        let ended = text.chain(Cursor::new(dialect.ends.bytes()));
        Self {
            reader: reader(Measured { text: ended, left: 0 }, dialect.separator),
            dialect,
            records: 0,
            record: StringRecord::new(),
        }
    }

    /// Reads the next row in the place of `row`. Whether there was one.
    pub(super) fn read_into(&mut self, row: &mut Row) -> Result<bool, ListProblem> {
        while self.records < self.dialect.skip as u64 {
            if !self.advance()? {
                return Ok(false);
            }
        }
        if !self.advance()? {
            return Ok(false);
        }
        row.line = self.first_line();
        match self.own_cells() {
            Some(cells) => row.cells = cells,
            None => std::mem::swap(&mut self.record, &mut row.cells),
        }
        Ok(true)
    }

    fn advance(&mut self) -> Result<bool, ListProblem> {
        self.records += 1;
        // The reader looks ahead by a buffer: as little as that is not counted exactly. Rewriting has doubled quotes.
        let most = LONGEST_VALUE * if self.dialect.lines == Lines::Given { 4 } else { 1 };
        self.reader.get_mut().left = most;
        let before = self.reader.position().line();
        self.reader.read_record(&mut self.record).map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            if let csv::ErrorKind::Io(error) = error.kind()
                && error.kind() == io::ErrorKind::FileTooLarge
            {
                return ListProblem::TooLong { line: before };
            }
            // The text has been decoded: what is not the disk's fault is not text after all.
            if let csv::ErrorKind::Io(error) = error.into_kind() {
                super::unreadable(&error)
            } else {
                ListProblem::Malformed { line, what: "not readable as text" }
            }
        })
    }

    /// The record's first line. The reader's own count of a record's start stands before the blank lines above it and,
    /// where lines end in CR LF, one line too early; its count of the end is right.
    fn first_line(&self) -> u64 {
        if self.dialect.lines == Lines::Given {
            return self.record.get(0).and_then(|line| line.parse().ok()).unwrap_or(self.records);
        }
        let inside = self.record.as_slice().bytes().filter(|byte| *byte == b'\n').count() as u64;
        let end = self.reader.position().line();
        match self.dialect.ends {
            LineEnd::Lf => end.saturating_sub(1 + inside),
            LineEnd::CrLf => end.saturating_sub(inside),
            LineEnd::Cr => self.records,
        }
        .max(1)
    }

    /// The row's own cells: without the columns of an earlier intake, and without empty ones after the last column,
    /// which spreadsheets add. Where the list was rewritten, its last empty cells were left out. Nothing if they are all of
    /// the record's.
    fn own_cells(&self) -> Option<StringRecord> {
        let Dialect { drop, width, lines, .. } = self.dialect;
        if lines == Lines::Given && self.record.len() < drop + width {
            let missing = drop + width - self.record.len();
            return Some(
                self.record
                    .iter()
                    .skip(drop)
                    .map(|cell| self.dialect.as_it_was(cell))
                    .chain(std::iter::repeat_n("", missing))
                    .collect(),
            );
        }
        if drop == 0 && self.record.len() <= width {
            return None;
        }
        let surplus_is_empty = self.record.iter().skip(drop + width).all(|cell| cell.trim().is_empty());
        if drop == 0 && !surplus_is_empty {
            return None;
        }
        let keep = if surplus_is_empty { width } else { usize::MAX };
        Some(self.record.iter().skip(drop).take(keep).map(|cell| self.dialect.as_it_was(cell)).collect())
    }
}

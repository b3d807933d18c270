//! From bytes to rows of text: the only part of the intake that reads anything.
//!
//! A [`List`] is one export, of whatever format, as a [`Header`] and its [`Row`]s. It can be read any number of times,
//! always from the start and never held in memory: standard input and pipes are copied to a temporary file without a
//! name first. Cells stay the texts they are; nothing here knows what a column means, but that a row of known names is
//! a header.

mod archive;
mod compressed;
mod elements;
mod encoding;
mod fhir;
mod json;
mod rewritten;
mod separated;
mod source;
mod workbook;

use std::collections::HashMap;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use csv::StringRecord;

use self::encoding::Encoding;
pub use self::fhir::RowPer;
use self::json::{JsonRows, Wrapping};
use self::separated::{Dialect, Lines, SeparatedRows};
pub use self::source::ListSource;
use self::source::Origin;
use super::problem::ListProblem;

/// More columns than any export has: a sign that JSON keys are data.
const MOST_COLUMNS: usize = 1_000;

/// The names of a list's columns, in order, no two the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    names: Vec<String>,
    /// For a column whose name came before: the first one of that name.
    first: Vec<Option<usize>>,
    /// Where each name stands, and how often it came: there may be a thousand columns of one name.
    places: HashMap<String, (usize, usize)>,
}

impl Header {
    /// Names the columns. A name that comes again is kept apart as `name (2)`, an empty one is called `column 3`.
    fn new<'a>(cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut header = Self::default();
        for cell in cells {
            header.push(cell.trim());
        }
        header
    }

    fn push(&mut self, name: &str) {
        let plain = if name.is_empty() { format!("column {}", self.names.len() + 1) } else { name.to_owned() };
        let at = self.names.len();
        let (first, mut count) = self.places.get(&plain).copied().unwrap_or((at, 0));
        let unique = loop {
            count += 1;
            let unique = if count == 1 { plain.clone() } else { format!("{plain} ({count})") };
            if !self.places.contains_key(&unique) {
                break unique;
            }
        };
        self.places.insert(plain, (first, count));
        self.places.entry(unique.clone()).or_insert((at, 1));
        self.first.push((first != at).then_some(first));
        self.names.push(unique);
    }

    /// The names, in the order of the cells.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The first column of the same name, if the one at `at` is not the first.
    #[must_use]
    pub fn first_of_name(&self, at: usize) -> Option<usize> {
        self.first.get(at).copied().flatten()
    }
}

/// One row of a list. It holds a patient's data, so `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The row's first line in the file, counted from 1.
    pub line: u64,
    /// The cells, untouched. As many as the header has, unless the file is malformed there.
    pub cells: StringRecord,
}

impl Row {
    /// The cell of column `at`, without surrounding space; empty if the row ends before.
    #[must_use]
    pub fn cell(&self, at: usize) -> &str {
        self.cells.get(at).unwrap_or_default().trim()
    }

    /// Whether one of its cells has more than one line.
    #[must_use]
    pub fn has_lines(&self) -> bool {
        self.cells.as_slice().contains(['\n', '\r'])
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row(line {}, masked)", self.line)
    }
}

/// Tells whether a text is the name of a column that means something.
pub type IsKnown<'a> = &'a dyn Fn(&str) -> bool;

/// What a list is read for.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// Which column names mean something.
    pub is_known: IsKnown<'a>,
    /// What a row of a list without rows of its own (FHIR) is made of.
    pub row_per: RowPer,
    /// The present instant, by the runner's clock.
    pub now: DateTime<Utc>,
}

/// One patient export, open for reading.
#[derive(Debug)]
pub struct List {
    origin: Origin,
    encoding: Encoding,
    format: Format,
    header: Header,
}

#[derive(Debug, Clone)]
enum Format {
    Separated(Dialect),
    Json(Wrapping),
}

impl List {
    /// Opens `source` and finds out what it is: packed or not, its encoding and format, and where its header stands.
    pub fn open(source: &ListSource, expected: &Expected<'_>) -> Result<Self, ListProblem> {
        let origin = compressed::unpacked(source.open()?)?;
        if workbook::is_one(&origin)? {
            return Self::of_rewritten(workbook::as_text(&origin, expected.is_known)?, expected);
        }
        let encoding = Encoding::of(origin.bytes()?)?;
        let text = || -> Result<_, ListProblem> { Ok(encoding.decode(origin.bytes()?)) };
        let Some(wrapping) = json::wrapping(text()?)? else {
            let (dialect, header) = separated::dialect(text()?, Lines::Counted, expected.is_known)?;
            return Ok(Self { origin, encoding, format: Format::Separated(dialect), header });
        };
        let rows = || -> Result<_, ListProblem> { Ok(JsonRows::new(text()?, wrapping.clone(), Header::default())) };
        if fhir::is_fhir(rows()?)? {
            fhir::refuse_a_page(&wrapping)?;
            let rewritten = fhir::as_text(&origin, rows, expected.row_per, expected.now)?;
            return Self::of_rewritten(rewritten, expected);
        }
        let header = json::header(rows()?)?;
        Ok(Self { origin, encoding, format: Format::Json(wrapping), header })
    }

    fn of_rewritten(origin: Origin, expected: &Expected<'_>) -> Result<Self, ListProblem> {
        let encoding = Encoding::utf8();
        let text = encoding.decode(origin.bytes()?);
        let (dialect, header) = separated::dialect(text, Lines::Given, expected.is_known)?;
        Ok(Self { origin, encoding, format: Format::Separated(dialect), header })
    }

    /// The columns.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether this is a rejects file that an intake wrote.
    #[must_use]
    pub fn is_rejects_file(&self) -> bool {
        matches!(&self.format, Format::Separated(dialect) if dialect.is_rejects_file())
    }

    /// What separates the cells, where the list's own text has them side by side.
    #[must_use]
    pub fn separator(&self) -> Option<char> {
        match &self.format {
            Format::Separated(dialect) => dialect.separator(),
            Format::Json(_) => None,
        }
    }

    /// When the file was last written; unknown for standard input and pipes.
    #[must_use]
    pub fn modified(&self) -> Option<DateTime<Utc>> {
        self.origin.modified()
    }

    /// Reads the list from its start. Only one reading at a time: they share the file's position.
    pub fn rows(&self) -> Result<Rows, ListProblem> {
        let text = self.encoding.decode(self.origin.bytes()?);
        Ok(Rows(match &self.format {
            Format::Separated(dialect) => Kind::Separated(Box::new(SeparatedRows::new(text, *dialect))),
            Format::Json(wrapping) => Kind::Json(Box::new(JsonRows::new(text, wrapping.clone(), self.header.clone()))),
        }))
    }
}

/// The rows of a list, one after the other; blank ones are left out. The first error is the last item.
#[derive(Debug)]
pub struct Rows(Kind);

#[derive(Debug)]
enum Kind {
    Separated(Box<SeparatedRows>),
    Json(Box<JsonRows>),
}

impl Rows {
    /// Reads the next row in the place of `row`. Whether there was one.
    pub fn read_into(&mut self, row: &mut Row) -> Result<bool, ListProblem> {
        loop {
            let is_there = match &mut self.0 {
                Kind::Separated(rows) => rows.read_into(row)?,
                Kind::Json(rows) => rows.read()?.map(|next| *row = next).is_some(),
            };
            if !is_there || !row.is_blank() {
                return Ok(is_there);
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, ListProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = Row::default();
        match self.read_into(&mut row) {
            Ok(is_there) => is_there.then_some(Ok(row)),
            Err(problem) => Some(Err(problem)),
        }
    }
}

/// What went wrong while reading, without the text that was read.
fn unreadable(error: &std::io::Error) -> ListProblem {
    ListProblem::Unreadable { path: PathBuf::new(), kind: error.kind() }
}

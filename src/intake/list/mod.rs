//! From bytes to rows of text: the only part of the intake that reads a list file.
//!
//! A [`List`] is one export of any supported format: a [`Header`] and [`ListRow`]s. It can be read any number of times,
//! always from the start, and is never held in memory: standard input and pipes are first copied to an unnamed
//! temporary file. Cells are unchanged text. The meaning of columns is decided elsewhere ([`columns`](super::columns));
//! this module only recognises a header by its known names.

mod archive;
mod cp850;
mod csv;
mod csv_spool;
mod encoding;
mod encoding_guess;
mod expectations;
mod fhir;
mod gzip;
mod header;
mod json;
mod json_scanner;
mod limits;
mod row;
mod source;
mod workbook;

use chrono::{DateTime, Utc};

use self::csv::{CsvDialect, CsvRows, LineNumbers};
use self::encoding::Encoding;
pub use self::expectations::{ListExpectations, RowPer};
pub use self::header::Header;
use self::json::{JsonRows, Wrapping};
pub use self::row::ListRow;
use self::source::ListOrigin;
pub use self::source::ListSource;
use super::error::ListError;

/// One patient export, open for reading.
#[derive(Debug)]
pub struct List {
    origin: ListOrigin,
    encoding: Encoding,
    format: ListFormat,
    header: Header,
}

#[derive(Debug, Clone)]
enum ListFormat {
    Csv(CsvDialect),
    Json(Wrapping),
}

impl List {
    /// Opens `source` and detects its compression, encoding, format and header.
    pub fn open(source: &ListSource, expected: &ListExpectations<'_>) -> Result<Self, ListError> {
        let origin = gzip::unpack(source.open()?)?;
        if workbook::is_workbook(&origin)? {
            return Self::open_spooled(workbook::to_csv(&origin, expected.is_known)?, expected);
        }
        let encoding = Encoding::detect(origin.bytes()?, expected.encoding)?;
        let text = || -> Result<_, ListError> { Ok(encoding.decode(origin.bytes()?)) };
        let Some(wrapping) = json::wrapping(text()?)? else {
            let (dialect, header) = csv::dialect(text()?, LineNumbers::Counted, expected.is_known)?;
            return Ok(Self { origin, encoding, format: ListFormat::Csv(dialect), header });
        };
        let rows = || -> Result<_, ListError> { Ok(JsonRows::new(text()?, wrapping.clone(), Header::default())) };
        if fhir::is_fhir(rows()?)? {
            fhir::require_whole_bundle(&wrapping)?;
            let spooled = fhir::to_csv(&origin, rows, expected.row_per, expected.now)?;
            return Self::open_spooled(spooled, expected);
        }
        let header = json::header(rows()?)?;
        Ok(Self { origin, encoding, format: ListFormat::Json(wrapping), header })
    }

    /// Opens a list that was converted to CSV.
    fn open_spooled(origin: ListOrigin, expected: &ListExpectations<'_>) -> Result<Self, ListError> {
        let encoding = Encoding::utf8();
        let text = encoding.decode(origin.bytes()?);
        let (dialect, header) = csv::dialect(text, LineNumbers::FirstCell, expected.is_known)?;
        Ok(Self { origin, encoding, format: ListFormat::Csv(dialect), header })
    }

    /// The column names.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether this is a rejects file that callrounds wrote.
    #[must_use]
    pub fn is_rejects_file(&self) -> bool {
        matches!(&self.format, ListFormat::Csv(dialect) if dialect.is_rejects_file())
    }

    /// The separator of the cells; `None` for a list that is not CSV.
    #[must_use]
    pub fn separator(&self) -> Option<char> {
        match &self.format {
            ListFormat::Csv(dialect) => dialect.separator(),
            ListFormat::Json(_) => None,
        }
    }

    /// When the file was last written; `None` for standard input and pipes.
    #[must_use]
    pub fn modified(&self) -> Option<DateTime<Utc>> {
        self.origin.modified()
    }

    /// Reads the list from its start. Only one iteration at a time is possible: all share the file's position.
    pub fn rows(&self) -> Result<ListRows, ListError> {
        let text = self.encoding.decode(self.origin.bytes()?);
        Ok(ListRows(match &self.format {
            ListFormat::Csv(dialect) => RowReader::Csv(Box::new(CsvRows::new(text, *dialect))),
            ListFormat::Json(wrapping) => {
                RowReader::Json(Box::new(JsonRows::new(text, wrapping.clone(), self.header.clone())))
            }
        }))
    }
}

/// An iterator over the rows of a list, without blank rows. The first error is the last item.
#[derive(Debug)]
pub struct ListRows(RowReader);

#[derive(Debug)]
enum RowReader {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
}

impl ListRows {
    /// Reads the next row into `row`. Returns `false` at the end.
    pub fn read_into(&mut self, row: &mut ListRow) -> Result<bool, ListError> {
        loop {
            let found = match &mut self.0 {
                RowReader::Csv(rows) => rows.read_into(row)?,
                RowReader::Json(rows) => rows.read()?.map(|next| *row = next).is_some(),
            };
            if !found || !row.is_blank() {
                return Ok(found);
            }
        }
    }
}

impl Iterator for ListRows {
    type Item = Result<ListRow, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = ListRow::default();
        match self.read_into(&mut row) {
            Ok(found) => found.then_some(Ok(row)),
            Err(error) => Some(Err(error)),
        }
    }
}

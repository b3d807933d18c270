//! From bytes to rows of text: the only part of the intake that reads a list file.
//!
//! A [`List`] is one export of any supported format: a [`Header`] and [`ListRow`]s. It can be read any number of times,
//! always from the start, and is never held in memory: standard input and pipes are first copied to an unnamed
//! temporary file. Cells are unchanged text. The meaning of columns is decided elsewhere ([`columns`](super::columns));
//! this module only recognises a header by its known names.

mod archive;
mod compound_file;
mod cp850;
mod csv;
mod csv_quotes;
mod csv_spool;
mod encoding;
mod encoding_guess;
mod expectations;
mod fhir;
mod fhir_bans;
mod group_header;
mod gzip;
mod header;
mod json;
mod json_layout;
mod json_pages;
mod json_scanner;
mod json_table;
mod json_walk;
mod limits;
mod ods;
mod row;
mod sheet_choice;
mod sheet_rows;
mod source;
mod unsupported;
mod workbook;
mod xls;
mod xls_strings;
mod zip_archive;

use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::{DateTime, Utc};

use self::csv::{CsvDialect, CsvRows, HeaderRows, LineNumbers};
use self::encoding::Encoding;
pub use self::expectations::{ListExpectations, RowPer};
pub use self::header::Header;
use self::json::{JsonElements, JsonKind, JsonRows};
use self::json_layout::JsonLayout;
use self::json_walk::JsonWalk;
pub use self::row::{ListRow, RowFault, RowUnit};
use self::sheet_choice::SpooledSheet;
use self::source::ListOrigin;
pub use self::source::ListSource;
use self::zip_archive::ZipKind;
use super::error::{ListError, UnsupportedFormat};

/// One patient export, open for reading.
#[derive(Debug)]
pub struct List {
    origin: ListOrigin,
    encoding: Encoding,
    format: ListFormat,
    header: Header,
    titles: Vec<String>,
    unit: RowUnit,
    other_resources: BTreeMap<String, u64>,
}

#[derive(Debug, Clone)]
enum ListFormat {
    Csv(CsvDialect),
    Json(Rc<JsonLayout>),
}

impl List {
    /// Opens `source` and detects its compression, encoding, format and header.
    pub fn open(source: &ListSource, expected: &ListExpectations<'_>) -> Result<Self, ListError> {
        Self::open_unpacked(gzip::unpack(source.open()?)?, expected, false)
    }

    /// Opens a list that is perhaps still in a zip archive, unless it was already (`is_unzipped`).
    fn open_unpacked(
        origin: ListOrigin,
        expected: &ListExpectations<'_>,
        is_unzipped: bool,
    ) -> Result<Self, ListError> {
        let is_known = expected.is_known;
        match zip_archive::kind(&origin)? {
            Some(ZipKind::Workbook) => return Self::open_sheet(workbook::to_csv(&origin, is_known)?, expected),
            Some(ZipKind::OpenDocument) => return Self::open_sheet(ods::to_csv(&origin, is_known)?, expected),
            Some(ZipKind::List(_)) if is_unzipped => return Err(ListError::NotText(UnsupportedFormat::Compressed)),
            Some(ZipKind::List(at)) => {
                return Self::open_unpacked(gzip::unpack(zip_archive::unpack(&origin, at)?)?, expected, true);
            }
            None => {}
        }
        if let Some(spooled) = xls::to_csv(&origin, is_known)? {
            return Self::open_sheet(spooled, expected);
        }
        let encoding = Encoding::detect(origin.bytes()?, expected.encoding)?;
        let text = || -> Result<_, ListError> { Ok(encoding.decode(origin.bytes()?)) };
        let Some(layout) = json_layout::layout(text, expected.is_known)? else {
            let HeaderRows { dialect, header, titles } =
                csv::dialect(text()?, LineNumbers::Counted, expected.is_known)?;
            csv_quotes::refuse_misplaced(text()?, dialect.separator_byte())?;
            return Ok(Self { titles, ..Self::new(origin, encoding, ListFormat::Csv(dialect), header) });
        };
        let layout = Rc::new(layout);
        let elements = || -> Result<_, ListError> { Ok(JsonElements::new(text()?, &layout)) };
        let kind = json::kind(elements()?)?;
        // An array of objects says nothing about itself.
        let says_something = layout.containers.len() > 1 || kind != JsonKind::Objects;
        let walk = || -> Result<_, ListError> { Ok(JsonWalk::new(text()?, Rc::clone(&layout))) };
        let unit = if says_something { json_pages::require_all_pages(walk()?)? } else { RowUnit::Line };
        match kind {
            JsonKind::Fhir => {
                let rows = fhir::to_csv(&origin, elements, unit, expected.row_per, expected.now)?;
                let list = Self::open_spooled(rows.origin, expected)?;
                Ok(Self { unit, other_resources: rows.others, ..list })
            }
            JsonKind::Arrays => {
                let spooled = json_table::to_csv(&origin, elements, unit, layout.table_header.as_deref())?;
                Ok(Self { unit, ..Self::open_spooled(spooled, expected)? })
            }
            JsonKind::Objects => {
                let (header, unit) = json::header(elements()?, expected.is_known)?;
                Ok(Self { unit, ..Self::new(origin, encoding, ListFormat::Json(layout), header) })
            }
        }
    }

    fn new(origin: ListOrigin, encoding: Encoding, format: ListFormat, header: Header) -> Self {
        let (unit, other_resources, titles) = (RowUnit::Line, BTreeMap::new(), Vec::new());
        Self { origin, encoding, format, header, titles, unit, other_resources }
    }

    /// Opens a sheet of a workbook.
    fn open_sheet(sheet: SpooledSheet, expected: &ListExpectations<'_>) -> Result<Self, ListError> {
        let list = Self::open_spooled(sheet.origin, expected)?;
        Ok(Self { titles: [list.titles, sheet.titles].concat(), ..list })
    }

    /// Opens a list that was converted to CSV.
    fn open_spooled(origin: ListOrigin, expected: &ListExpectations<'_>) -> Result<Self, ListError> {
        let encoding = Encoding::utf8();
        let text = encoding.decode(origin.bytes()?);
        let HeaderRows { dialect, header, titles } = csv::dialect(text, LineNumbers::FirstCell, expected.is_known)?;
        Ok(Self { titles, ..Self::new(origin, encoding, ListFormat::Csv(dialect), header) })
    }

    /// What the numbers of the rows count.
    #[must_use]
    pub fn unit(&self) -> RowUnit {
        self.unit
    }

    /// The FHIR resources that are neither patients nor appointments, by type.
    #[must_use]
    pub fn other_resources(&self) -> &BTreeMap<String, u64> {
        &self.other_resources
    }

    /// The column names.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The texts above the header, the names of a workbook's sheets and the first texts of its other sheets.
    #[must_use]
    pub fn titles(&self) -> &[String] {
        &self.titles
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
            ListFormat::Json(layout) => {
                let elements = JsonElements::new(text, layout);
                RowReader::Json(Box::new(JsonRows::new(elements, self.header.clone(), self.unit)))
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
            row.compose();
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

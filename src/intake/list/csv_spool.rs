//! Conversion of workbooks, FHIR lists and lists of JSON arrays to CSV in an unnamed temporary file. The first cell of
//! each row is its line in the original, with a mark of a hidden row and of one that cannot be read. So the CSV reader
//! serves these formats, too.

use std::io::BufWriter;

use chrono::{DateTime, Utc};
use csv::Writer;

use super::row::{RowFault, RowPlace};
use super::source::{ListOrigin, spool};
use crate::intake::error::{ListError, UnsupportedFormat};

/// A CSV file that a converter fills.
pub(super) struct CsvSpool<'f> {
    writer: Writer<BufWriter<&'f mut std::fs::File>>,
    /// The bytes that may still be written.
    left: u64,
}

/// The maximum size of a converted list, in bytes, which bounds disk space and time: about a million rows of 300
/// characters.
const MAX_BYTES: u64 = 320 << 20;

impl CsvSpool<'_> {
    /// Adds a row of the original that cannot be read, with the start of its text.
    pub(super) fn write_fault(&mut self, line: u64, fault: RowFault, text: &str) -> Result<(), ListError> {
        self.write_cells(&number_and_fault(line, fault), [text])
    }

    /// Adds the row at `place` of the original.
    pub(super) fn write_row<C: AsRef<[u8]>>(
        &mut self,
        place: impl Into<RowPlace>,
        cells: impl IntoIterator<Item = C>,
    ) -> Result<(), ListError> {
        let RowPlace { line, is_hidden, fault } = place.into();
        if let Some(fault) = fault {
            return self.write_cells(&number_and_fault(line, fault), cells);
        }
        let mark = if is_hidden { HIDDEN } else { "" };
        self.write_cells(&format!("{line}{mark}"), cells)
    }

    fn write_cells<C: AsRef<[u8]>>(
        &mut self,
        number: &str,
        cells: impl IntoIterator<Item = C>,
    ) -> Result<(), ListError> {
        let failed = |error: csv::Error| {
            if let csv::ErrorKind::Io(error) = error.into_kind() { error.into() } else { ListError::Damaged }
        };
        self.writer.write_field(number).map_err(failed)?;
        for cell in cells {
            let length = cell.as_ref().len() as u64 + 1;
            self.left = self.left.checked_sub(length).ok_or(ListError::NotText(UnsupportedFormat::Bomb))?;
            self.writer.write_field(cell).map_err(failed)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }
}

/// The mark of a hidden row, behind its line.
const HIDDEN: &str = "h";

/// The first cell of a row that cannot be read: `12!0` is the first of all faults on line 12.
fn number_and_fault(line: u64, fault: RowFault) -> String {
    let at = RowFault::ALL.iter().position(|one| *one == fault).unwrap_or_default();
    format!("{line}!{at}")
}

/// Reads the first cell of a converted row.
pub(super) fn row_place(cell: &str) -> Option<RowPlace> {
    let (line, fault) = cell.split_once('!').unwrap_or((cell, ""));
    let fault = fault.parse().ok().and_then(|at: usize| RowFault::ALL.get(at).copied());
    let number = line.strip_suffix(HIDDEN).unwrap_or(line);
    Some(RowPlace { line: number.parse().ok()?, is_hidden: number.len() < line.len(), fault })
}

/// The CSV file that `write` fills.
pub(super) fn spool_csv(
    modified: Option<DateTime<Utc>>,
    write: impl FnOnce(&mut CsvSpool<'_>) -> Result<(), ListError>,
) -> Result<ListOrigin, ListError> {
    let fill = |file: &mut std::fs::File| {
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(file));
        let mut rows = CsvSpool { writer, left: MAX_BYTES };
        write(&mut rows)?;
        Ok(rows.writer.flush()?)
    };
    spool(fill, modified)
}

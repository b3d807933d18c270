//! Tables in the formats that spreadsheets and people read: what reports, the worklist and write-back files share.

use std::io::Write;

use comfy_table::{Table, presets};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

use crate::visible::cell_without_formula;

use super::exporter::ExportError;

/// The rows that a sheet can hold, including the header.
const MOST_ROWS: u32 = 1_048_576;

/// A table as CSV, written row by row. No cell is a formula.
pub struct CsvTable<'o> {
    out: csv::Writer<&'o mut dyn Write>,
}

impl<'o> CsvTable<'o> {
    /// Writes the header.
    pub fn begin(out: &'o mut dyn Write, header: &[impl AsRef<[u8]>]) -> Result<Self, ExportError> {
        let mut out = csv::Writer::from_writer(out);
        out.write_record(header)?;
        Ok(Self { out })
    }

    /// Writes a row.
    pub fn row(&mut self, cells: &[String]) -> Result<(), ExportError> {
        Ok(self.out.write_record(cells.iter().map(|cell| cell_without_formula(cell).into_owned()))?)
    }

    /// Writes what is left to write.
    pub fn finish(mut self) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

/// A table as a sheet of a workbook. Every cell but a count is text, so that none is a formula.
pub struct Sheet {
    worksheet: Worksheet,
    /// Rows written, including the header.
    written: u32,
    columns: u16,
    /// The column that holds counts.
    count_column: Option<usize>,
}

impl Sheet {
    /// A sheet with this name and header.
    pub fn begin(name: &str, header: &[&str], count_column: Option<usize>) -> Result<Self, ExportError> {
        let mut sheet = Worksheet::new();
        let bold = Format::new().set_bold();
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (column, name) in (0..).zip(header) {
            sheet.write_string_with_format(0, column, *name, &bold)?;
        }
        Ok(Self { worksheet: sheet, written: 1, columns: header.len() as u16, count_column })
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[String]) -> Result<(), ExportError> {
        if self.written == MOST_ROWS {
            let most = MOST_ROWS - 1;
            return Err(ExportError::Format(format!("a workbook holds {most} patients at most: ask for --format csv")));
        }
        for (column, cell) in cells.iter().enumerate() {
            let at = column as u16;
            match cell.parse::<f64>() {
                Ok(count) if self.count_column == Some(column) => {
                    self.worksheet.write_number(self.written, at, count)?;
                }
                Ok(_) | Err(_) if !cell.is_empty() => {
                    self.worksheet.write_string(self.written, at, cell)?;
                }
                Ok(_) | Err(_) => {}
            }
        }
        self.written += 1;
        Ok(())
    }

    /// Writes a workbook of this sheet, with a filter over its columns, and of a sheet with lines of text.
    pub fn save(mut self, notes: (&str, &str), out: &mut dyn Write) -> Result<(), ExportError> {
        self.worksheet.autofilter(0, 0, self.written - 1, self.columns - 1)?;
        let (name, text) = notes;
        let mut lines = Worksheet::new();
        lines.set_name(name)?;
        for (at, line) in (0..).zip(text.lines()) {
            lines.write_string(at, 0, line)?;
        }
        let mut book = Workbook::new();
        book.push_worksheet(self.worksheet);
        book.push_worksheet(lines);
        Ok(out.write_all(&book.save_to_buffer()?)?)
    }
}

/// A table for people. Cells must be escaped.
pub struct TextTable(Table);

impl TextTable {
    /// A table with these headings.
    #[must_use]
    pub fn begin(headings: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(headings);
        Self(table)
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[String]) {
        self.0.add_row(cells);
    }

    /// Writes the table.
    pub fn write(self, out: &mut dyn Write) -> Result<(), ExportError> {
        for line in self.0.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl From<csv::Error> for ExportError {
    fn from(error: csv::Error) -> Self {
        let text = error.to_string();
        if let csv::ErrorKind::Io(error) = error.into_kind() { Self::Output(error) } else { Self::Format(text) }
    }
}

impl From<XlsxError> for ExportError {
    fn from(error: XlsxError) -> Self {
        Self::Format(format!("the workbook cannot be written: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_stops_reading_is_known_as_such() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let error = ExportError::from(csv::Error::from(closed));
        assert!(
            matches!(&error, ExportError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe),
            "{error}"
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        for cell in ["=1+1", "+13125550142", "-2", "@SUM(A1)", "\tx"] {
            assert_eq!(cell_without_formula(cell), format!("'{cell}"));
        }
        assert_eq!(cell_without_formula("O'Brien"), "O'Brien");
    }
}

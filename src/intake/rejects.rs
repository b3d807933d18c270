//! The rejects file: rejected rows in the list's own columns, each with its line and reason in front, ready to be
//! corrected and fed back. Line and reason stand in front so that a row with too few or too many cells keeps its shape.
//!
//! Only such a file is ever replaced or removed: what its name was given to by mistake, a list, a ledger or a key, stays.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::list::{Header, Row};
use super::rejection::Rejection;
use crate::visible::cell_without_formula;

/// A file for its owner alone that is to be put at `path` once it is whole: beside it, so that it can be moved there. If it
/// never is, it is gone.
pub fn private_file_beside(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The first two columns, by which a rejects file is known.
const COLUMNS: [&str; 2] = ["line", "reason"];

/// Whether a file that starts so is a rejects file. A spreadsheet that saved it may have put a byte order mark in front, quotes around the names and another
/// separator between them.
#[must_use]
pub fn is_one(start: &[u8]) -> bool {
    let mut rest = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    COLUMNS.iter().all(|name| {
        let quoted = format!("\"{name}\"");
        let Some(behind) = rest.strip_prefix(quoted.as_bytes()).or_else(|| rest.strip_prefix(name.as_bytes())) else {
            return false;
        };
        let separator = behind.first();
        rest = behind.get(1..).unwrap_or_default();
        separator.is_none_or(|byte| b",;\t\r\n".contains(byte))
    })
}

/// A rejects file being written: CSV in UTF-8, readable by its owner only. It holds patients' data.
///
/// It takes its place once it is complete, so that it may be the very list that is being read.
#[derive(Debug)]
pub struct RejectsFile {
    writer: csv::Writer<NamedTempFile>,
    path: PathBuf,
    rows: u64,
}

impl RejectsFile {
    /// Starts a file that will be at `path`, in place of one that is there.
    pub fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(private_file_beside(path)?);
        let mut file = Self { writer, path: path.to_owned(), rows: 0 };
        let names = COLUMNS.into_iter().chain(header.names().iter().map(String::as_str));
        file.writer.write_record(names.map(|name| cell_without_formula(name).into_owned()))?;
        Ok(file)
    }

    /// Adds a row. Its cells are as they were, but that none is a formula: reading the file gives back each exactly.
    pub fn write(&mut self, rejection: &Rejection, row: &Row) -> io::Result<()> {
        let (line, reason) = (rejection.line.to_string(), rejection.reason.to_string());
        for cell in [line.as_str(), reason.as_str()].into_iter().chain(row.cells.iter()) {
            self.writer.write_field(cell_without_formula(cell).as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        self.rows += 1;
        Ok(())
    }

    /// Completes the file, puts it in its place, and says how many rows it has.
    pub fn finish(self) -> io::Result<u64> {
        let file = self.writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.persist(&self.path).map_err(|refused| refused.error)?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejects_file_is_known_by_its_first_columns_and_anything_else_is_a_stranger() {
        for ours in [
            &b"line,reason\n"[..],
            b"line,reason,patient_id,phone\n2,phone: too short,1,773\n",
            b"\xEF\xBB\xBFline,reason,phone\r\n",
            b"\"line\",\"reason\",\"phone\"\n",
            b"line;reason;phone\n",
        ] {
            assert!(is_one(ours), "{ours:?}");
        }
        for strange in [
            &b""[..],
            b"line\n",
            b"patient_id,first_name,phone\n1,Ana,773-555-0110\n",
            b"SQLite format 3\0",
            b"name = \"recall\"\n",
            b"line,reasons\n",
            b"lines,reason\n",
            b"line, reason\n",
            b"reason,line\n",
        ] {
            assert!(!is_one(strange), "{strange:?}");
        }
    }
}

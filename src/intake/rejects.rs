//! The rejects file: the rejected rows in the list's own columns, to be corrected and used as a list again. Line and
//! reason are the first columns, so that a row with too few or too many cells keeps its shape.
//!
//! Only a rejects file is ever replaced or removed. If its path is by mistake that of a list, a ledger or a key file,
//! that file stays.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::list::{Header, ListRow};
use super::rejection::Rejection;
use crate::visible::cell_without_formula;

/// A temporary file in the directory of `path`, readable by its owner only, to be renamed to `path` once it is
/// complete. It is removed if it never is.
pub fn private_file_in_folder_of(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The first two columns, by which a rejects file is recognised.
const COLUMNS: [&str; 2] = ["line", "reason"];

/// Whether a file that starts with `start` is a rejects file. A spreadsheet may have added a byte order mark and
/// quotes, or changed the separator.
#[must_use]
pub fn is_rejects_file(start: &[u8]) -> bool {
    let mut rest = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    COLUMNS.iter().all(|name| {
        let quoted = format!("\"{name}\"");
        let Some(after) = rest.strip_prefix(quoted.as_bytes()).or_else(|| rest.strip_prefix(name.as_bytes())) else {
            return false;
        };
        let separator = after.first();
        rest = after.get(1..).unwrap_or_default();
        separator.is_none_or(|byte| b",;\t\r\n".contains(byte))
    })
}

/// The writer of a rejects file: CSV in UTF-8, readable by its owner only. The file holds patient data.
///
/// The file replaces the one at its path only once it is complete, so the list being read may be that file.
#[derive(Debug)]
pub struct RejectsFile {
    writer: csv::Writer<NamedTempFile>,
    path: PathBuf,
    rows: u64,
}

impl RejectsFile {
    /// Starts a file that will replace the one at `path`.
    pub fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(private_file_in_folder_of(path)?);
        let mut file = Self { writer, path: path.to_owned(), rows: 0 };
        let names = COLUMNS.into_iter().chain(header.names().iter().map(String::as_str));
        file.writer.write_record(names.map(|name| cell_without_formula(name).into_owned()))?;
        Ok(file)
    }

    /// Adds a row. A cell that a spreadsheet would take for a formula is escaped; reading the file restores it exactly.
    pub fn write(&mut self, rejection: &Rejection, row: &ListRow) -> io::Result<()> {
        let (line, reason) = (rejection.line.to_string(), rejection.reason.to_string());
        for cell in [line.as_str(), reason.as_str()].into_iter().chain(row.cells.iter()) {
            self.writer.write_field(cell_without_formula(cell).as_bytes())?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        self.rows += 1;
        Ok(())
    }

    /// Completes the file, moves it to its path and returns the number of rows.
    pub fn finish(self) -> io::Result<u64> {
        let file = self.writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.persist(&self.path).map_err(|error| error.error)?;
        Ok(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejects_file_is_recognised_by_its_first_columns() {
        for rejects in [
            &b"line,reason\n"[..],
            b"line,reason,patient_id,phone\n2,phone: too short,1,773\n",
            b"\xEF\xBB\xBFline,reason,phone\r\n",
            b"\"line\",\"reason\",\"phone\"\n",
            b"line;reason;phone\n",
        ] {
            assert!(is_rejects_file(rejects), "{rejects:?}");
        }
        for other in [
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
            assert!(!is_rejects_file(other), "{other:?}");
        }
    }
}

//! The rejects file: rejected rows in the list's own columns, each with its line and reason in front, ready to be
//! corrected and fed back. Line and reason stand in front so that a row with too few or too many cells keeps its shape.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::list::{Header, Row};
use super::rejection::Rejection;

/// A file for its owner alone that is to be put at `path` once it is whole: beside it, so that it can be moved there. If it
/// never is, it is gone.
pub fn private_file_beside(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
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
        let names = ["line", "reason"].into_iter().chain(header.names().iter().map(String::as_str));
        file.writer.write_record(names)?;
        Ok(file)
    }

    /// Adds a row, its cells untouched.
    pub fn write(&mut self, rejection: &Rejection, row: &Row) -> io::Result<()> {
        let (line, reason) = (rejection.line.to_string(), rejection.reason.to_string());
        self.writer.write_record([line.as_str(), reason.as_str()].into_iter().chain(row.cells.iter()))?;
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

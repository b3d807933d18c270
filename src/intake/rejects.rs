//! The rejects file: rejected rows in the list's own columns, each with its line and reason in front, ready to be
//! corrected and fed back. Line and reason stand in front so that a row with too few or too many cells keeps its shape.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::list::{Header, Row};
use super::rejection::Rejection;

/// A rejects file being written: CSV in UTF-8, readable by its owner only. It holds patients' data.
#[derive(Debug)]
pub struct RejectsFile {
    writer: csv::Writer<File>,
    rows: u64,
}

impl RejectsFile {
    /// Starts a file at `path`, in place of one that is there.
    pub fn create(path: &Path, header: &Header) -> io::Result<Self> {
        let writer = csv::WriterBuilder::new().flexible(true).from_writer(private_file(path)?);
        let mut file = Self { writer, rows: 0 };
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

    /// Completes the file and says how many rows it has.
    pub fn finish(mut self) -> io::Result<u64> {
        self.writer.flush()?;
        Ok(self.rows)
    }
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // A file that was there before keeps its mode when it is opened.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

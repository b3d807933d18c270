//! The rejects file: rejected rows in the list's own columns, each with its line and reason in front, ready to be
//! corrected and fed back. Line and reason stand in front so that a row with too few or too many cells keeps its shape.
//!
//! Only such a file is ever replaced or removed: what its name was given to by mistake, a list, a ledger or a key, stays.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::list::{Header, Row};
use super::rejection::Rejection;

/// A file for its owner alone that is to be put at `path` once it is whole: beside it, so that it can be moved there. If it
/// never is, it is gone.
pub fn private_file_beside(path: &Path) -> io::Result<NamedTempFile> {
    NamedTempFile::new_in(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The first two columns, by which a rejects file is known.
const COLUMNS: [&str; 2] = ["line", "reason"];

/// What is at the place of a rejects file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A rejects file, which may be replaced.
    Rejects,
    /// Something else, which must stay.
    Stranger,
}

/// Looks at what is at `path`.
pub fn found(path: &Path) -> io::Result<Found> {
    let is_file = match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        // A link that leads nowhere is somebody's all the same.
        Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
            return Ok(Found::Nothing);
        }
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if !is_file {
        return Ok(Found::Stranger);
    }
    let mut start = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut start)?;
    Ok(if begins_with_our_columns(&start) { Found::Rejects } else { Found::Stranger })
}

/// A spreadsheet that saved the file may have put a byte order mark in front, quotes around the names and another
/// separator between them.
fn begins_with_our_columns(start: &[u8]) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejects_file_is_known_by_its_first_columns_and_anything_else_is_a_stranger() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("some.csv");
        assert_eq!(found(&path).expect("looked"), Found::Nothing);
        for ours in [
            &b"line,reason\n"[..],
            b"line,reason,patient_id,phone\n2,phone: too short,1,773\n",
            b"\xEF\xBB\xBFline,reason,phone\r\n",
            b"\"line\",\"reason\",\"phone\"\n",
            b"line;reason;phone\n",
        ] {
            std::fs::write(&path, ours).expect("written");
            assert_eq!(found(&path).expect("looked"), Found::Rejects, "{ours:?}");
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
            std::fs::write(&path, strange).expect("written");
            assert_eq!(found(&path).expect("looked"), Found::Stranger, "{strange:?}");
        }
        assert_eq!(found(folder.path()).expect("looked"), Found::Stranger, "a folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).expect("a link");
        assert_eq!(found(&link).expect("looked"), Found::Stranger, "a link that leads nowhere");
    }
}

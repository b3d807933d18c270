//! Where a list comes from, and how it is read more than once.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::intake::problem::ListProblem;

/// Where a list comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListSource {
    /// A file, or a pipe by its path.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl ListSource {
    /// `-` is standard input; anything else is a path.
    #[must_use]
    pub fn from_argument(argument: &Path) -> Self {
        if argument == Path::new("-") { Self::Stdin } else { Self::File(argument.to_owned()) }
    }

    pub(super) fn open(&self) -> Result<Origin, ListProblem> {
        match self {
            Self::File(path) => open_file(path).map_err(|error| refused(path, &error)),
            Self::Stdin => spooled(io::stdin().lock()).map_err(|error| refused(Path::new("-"), &error)),
        }
    }
}

fn refused(path: &Path, error: &io::Error) -> ListProblem {
    ListProblem::Unreadable { path: path.to_owned(), kind: error.kind() }
}

fn open_file(path: &Path) -> io::Result<Origin> {
    let file = File::open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return spooled(file);
    }
    Ok(Origin { file, modified: about.modified().ok().map(DateTime::from) })
}

fn spooled(mut from: impl io::Read) -> io::Result<Origin> {
    spool(|file| io::copy(&mut from, file).map(|_| ()), None)
}

/// What can be read only once goes to a temporary file that has no name, is nobody else's to read, and is gone with the
/// process.
pub(super) fn spool<E: From<io::Error>>(
    write: impl FnOnce(&mut File) -> Result<(), E>,
    modified: Option<DateTime<Utc>>,
) -> Result<Origin, E> {
    let mut file = tempfile::tempfile()?;
    write(&mut file)?;
    Ok(Origin { file, modified })
}

/// The bytes of a list. The file stays open: a nightly export that replaces it meanwhile does not mix two lists.
#[derive(Debug)]
pub(super) struct Origin {
    file: File,
    modified: Option<DateTime<Utc>>,
}

/// The bytes from the start.
pub(super) type Bytes = BufReader<File>;

impl Origin {
    pub(super) fn modified(&self) -> Option<DateTime<Utc>> {
        self.modified
    }

    /// How many bytes there are.
    pub(super) fn size(&self) -> Result<u64, ListProblem> {
        self.file.metadata().map(|about| about.len()).map_err(|error| super::unreadable(&error))
    }

    /// Whether the first bytes are these.
    pub(super) fn starts_with(&self, start: &[u8]) -> Result<bool, ListProblem> {
        let mut bytes = self.bytes()?;
        bytes.fill_buf().map(|first| first.starts_with(start)).map_err(|error| super::unreadable(&error))
    }

    pub(super) fn bytes(&self) -> Result<Bytes, ListProblem> {
        let rewound = self.file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        rewound.map(|file| BufReader::with_capacity(1 << 16, file)).map_err(|error| super::unreadable(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_dash_is_standard_input_and_anything_else_a_file() {
        assert_eq!(ListSource::from_argument(Path::new("-")), ListSource::Stdin);
        assert_eq!(ListSource::from_argument(Path::new("./-")), ListSource::File("./-".into()));
    }

    #[test]
    fn what_can_be_read_only_once_is_read_as_often_as_needed() {
        let origin = spooled(&b"patient_id\n1\n"[..]).expect("a copy");
        for _ in 0..2 {
            let mut text = String::new();
            origin.bytes().expect("bytes").read_to_string(&mut text).expect("text");
            assert_eq!(text, "patient_id\n1\n");
        }
        assert_eq!(origin.modified(), None);
    }

    #[test]
    fn a_list_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = ListSource::File(folder.path().join("recall.csv")).open().expect_err("no file").to_string();
        assert!(missing.contains("recall.csv` cannot be read: entity not found"), "{missing}");
        let is_folder = ListSource::File(folder.path().to_owned()).open().expect_err("no file").to_string();
        assert!(is_folder.ends_with("cannot be read: is a directory"), "{is_folder}");
    }
}

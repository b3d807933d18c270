//! Where a list comes from, and how it is read more than once.

use std::fs::File;
use std::io::{self, BufReader, Seek};
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
            Self::Stdin => spool(io::stdin().lock()).map_err(|error| refused(Path::new("-"), &error)),
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
        return spool(file);
    }
    Ok(Origin { file, modified: about.modified().ok().map(DateTime::from) })
}

/// What can be read only once goes to a temporary file that has no name, is nobody else's to read, and is gone with the
/// process.
fn spool(mut from: impl io::Read) -> io::Result<Origin> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(Origin { file, modified: None })
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

    pub(super) fn bytes(&self) -> Result<Bytes, ListProblem> {
        let rewound = self.file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
        rewound.map(|file| BufReader::with_capacity(1 << 16, file)).map_err(|error| super::unreadable(&error))
    }
}

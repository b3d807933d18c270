//! Options that the `simulate` command and the embedded simulator share.

use std::path::Path;

use crate::error::CommandError;
use crate::simulator::{Fault, People};
use crate::visible::DisplayPath;

/// Parses faults in the form `KIND=SHARE`.
pub(super) fn faults(texts: &[String]) -> Result<Vec<Fault>, CommandError> {
    texts.iter().map(|text| Fault::parse(text).map_err(|problem| CommandError::Usage(problem.to_string()))).collect()
}

/// Reads a file with scripted behaviour of single numbers.
pub(super) fn people(path: &Path) -> Result<People, CommandError> {
    People::read(path).map_err(|problem| CommandError::Usage(format!("{}: {problem}", path.shown())))
}

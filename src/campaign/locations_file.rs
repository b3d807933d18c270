//! The separate file of `[[line]]` tables that a campaign may name: `lines = "lines.toml"`.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::diagnostics::{Diagnostic, Diagnostics};
use super::file::LocationsFile;
use super::spanned_reader::{FileKind, SpannedReader};
use super::validate;
use crate::visible::DisplayPath;

/// The file of locations that a campaign's text names, if any.
#[must_use]
pub fn named_in(text: &str) -> Option<PathBuf> {
    let (table, _) = DeTable::parse_recoverable(text);
    Some(PathBuf::from(table.get_ref().get("lines")?.get_ref().as_str()?))
}

/// Appends the text of the locations file to the campaign's text. The result is what is checked, and what the ledger
/// keeps. Problems within the locations file alone are reported under its own name.
pub fn append(text: &str, locations: &str, file_name: &Path) -> Result<String, Diagnostics> {
    let (table, errors) = DeTable::parse_recoverable(locations);
    let mut problems: Vec<Diagnostic> = errors.iter().map(Diagnostic::from_syntax_error).collect();
    if problems.is_empty() {
        let mut reader = SpannedReader::new::<LocationsFile>(locations, FileKind::Campaign);
        let file = LocationsFile::from_table(table.get_ref(), &(0..0), &mut reader);
        problems = reader.problems;
        validate::locations::check(file.line.as_ref(), &mut problems);
    }
    if !problems.is_empty() {
        return Err(Diagnostics::new(&file_name.shown(), locations, problems));
    }
    Ok(format!("{}\n\n{locations}", text.trim_end()))
}

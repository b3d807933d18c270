//! From a file's text to a [`Campaign`], or to every problem of the file.

use std::path::PathBuf;

use toml::de::DeTable;

use super::defaults;
use super::definition::{Campaign, CampaignSource};
use super::diagnostics::{Diagnostic, Diagnostics};
use super::file::CampaignFile;
use super::spanned_reader::{FileKind, RawValue, SpannedReader};
use super::validate::{self, SafetyOverrides};

/// Reads and checks a campaign file. `file_name` is the name shown to people; the file's relative paths start from
/// `directory`. Reports every problem at once; a syntax error is reported alone.
#[allow(
    clippy::missing_panics_doc,
    reason = "a file without a problem is complete, as a test with every default shows"
)]
pub fn load(
    text: &str,
    file_name: &str,
    directory: PathBuf,
    overrides: SafetyOverrides,
) -> Result<Campaign, Diagnostics> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problems = errors.iter().map(Diagnostic::from_syntax_error).collect();
        return Err(Diagnostics::new(file_name, text, problems));
    }
    let mut reader = SpannedReader::new::<CampaignFile>(text, FileKind::Campaign);
    let written = CampaignFile::from_table(table.get_ref(), &(0..0), &mut reader);
    let mut problems = reader.problems;
    let purpose = written.purpose.as_ref().map(|purpose| purpose.value);
    let outcomes = written.outcome_rules();
    let file = written.over(defaults::for_purpose(purpose));
    validate::campaign(&file, overrides, &mut problems);
    if !problems.is_empty() {
        return Err(Diagnostics::new(file_name, text, problems));
    }
    let source = CampaignSource { text: text.to_owned(), directory };
    Ok(file.into_campaign(outcomes, source).expect("required keys are present, and defaults.toml has the others"))
}

//! Options that the `simulate` command and the embedded simulator share.

use std::path::Path;

use crate::error::CommandError;
use crate::simulator::bot_style::{BotStyle, BotStyleParseError};
use crate::simulator::{Fault, People};
use crate::visible::DisplayPath;

/// Parses faults in the form `KIND=SHARE`.
pub(super) fn faults(texts: &[String]) -> Result<Vec<Fault>, CommandError> {
    texts.iter().map(|text| Fault::parse(text).map_err(|problem| CommandError::Usage(problem.to_string()))).collect()
}

/// Parses the style of a bot's tags.
pub(super) fn bot_style(word: Option<&str>) -> Result<Option<BotStyle>, CommandError> {
    word.map(|word| word.parse().map_err(|problem: BotStyleParseError| CommandError::Usage(problem.to_string())))
        .transpose()
}

/// Reads a file with scripted behaviour of single numbers.
pub(super) fn people(path: &Path) -> Result<People, CommandError> {
    People::read(path).map_err(|problem| CommandError::Usage(format!("{}: {problem}", path.shown())))
}

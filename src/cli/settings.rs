//! Turns arguments into settings: the ledger's path, the campaign, the clock.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::bounded;
use crate::campaign::{self, Campaign, Diagnostics, SafetyOverrides, locations_file};
use crate::clock::{Clock, ScaledClock, SharedClock, WallClock};
use crate::did_you_mean::nearest;
use crate::error::CommandError;
use crate::visible::DisplayPath;
use crate::wording::{counted, io_error};

use super::args::{GlobalArgs, SimulatedTime};
use super::vendor_config::VendorConfig;

/// The name of the ledger next to its campaign.
const LEDGER: &str = "callrounds.db";

/// The name of the ledger of `run --rehearse`, next to its campaign.
const REHEARSAL: &str = "callrounds.rehearsal.db";

/// The ledger of `run --rehearse`: the one that `--ledger` names, or the rehearsal ledger next to the campaign file.
pub(super) fn rehearsal_ledger_in(global: &GlobalArgs, directory: &Path) -> PathBuf {
    global.ledger.clone().unwrap_or_else(|| directory.join(REHEARSAL))
}

/// The ledger of a campaign: the one that `--ledger` names, or the one next to the campaign file.
pub(super) fn ledger_in(global: &GlobalArgs, directory: &Path) -> PathBuf {
    global.ledger.clone().unwrap_or_else(|| directory.join(LEDGER))
}

/// The ledger of a command that names no campaign: the one that `--ledger` names, or the one in the current folder, or
/// the one in `campaigns/`, if that folder exists. Two ledgers are an error.
pub(super) fn find_ledger(global: &GlobalArgs) -> Result<PathBuf, CommandError> {
    if let Some(named) = &global.ledger {
        return Ok(named.clone());
    }
    let (here, folder) = (PathBuf::from(LEDGER), Path::new("campaigns"));
    let in_campaigns = folder.join(LEDGER);
    match (here.exists(), in_campaigns.exists()) {
        (true, true) => Err(CommandError::Usage(format!(
            "there are two ledgers, {} and {}: select one with --ledger",
            here.shown(),
            in_campaigns.shown()
        ))),
        (false, _) if folder.is_dir() => Ok(in_campaigns),
        _ => Ok(here),
    }
}

/// Reads and checks a campaign file.
pub(super) fn campaign(path: &Path) -> Result<Campaign, CommandError> {
    campaign_for(path, false)
}

/// Reads and checks a campaign file, for a rehearsal if `rehearse` is set.
pub(super) fn campaign_for(path: &Path, rehearse: bool) -> Result<Campaign, CommandError> {
    let text = bounded::read_text(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return no_campaign_file(path);
        }
        CommandError::Usage(format!("cannot read the campaign file {}: {}", path.shown(), io_error(&error)))
    })?;
    refuse_other_file(&text, path)?;
    let text = with_locations(text, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
    parse_campaign(&text, &path.shown(), directory, SafetyOverrides { short_settle: rehearse })
}

/// The error for a campaign file that does not exist, with the one in its folder that was probably meant.
fn no_campaign_file(path: &Path) -> CommandError {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let files = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().filter_map(Result::ok);
    let files: Vec<PathBuf> = files.map(|file| PathBuf::from(file.file_name())).collect();
    let name = |file: &Path| file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let campaigns: Vec<_> = files
        .iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "toml"))
        .filter_map(|file| name(file))
        .collect();
    let meant = name(path).and_then(|wanted| nearest(&wanted, campaigns.iter().map(String::as_str)).map(str::to_owned));
    let hint = match meant {
        Some(meant) => {
            let file = folder.unwrap_or(Path::new("")).join(format!("{meant}.toml"));
            format!("; did you mean {}?", file.shown())
        }
        None => "; `callrounds init` writes one to start from".into(),
    };
    CommandError::Usage(format!("there is no campaign file at {}{hint}", path.shown()))
}

/// Refuses a file that has nothing of a campaign, such as a list or a key file: problems would quote its lines.
fn refuse_other_file(text: &str, path: &Path) -> Result<(), CommandError> {
    let is_table = |line: &str| line.starts_with('[') && line.trim_start_matches('[').starts_with(char::is_alphabetic);
    let is_key = |line: &str| {
        let name = line.split_once('=').map_or("", |(name, _)| name.trim());
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    if text.trim().is_empty() || text.lines().map(str::trim).any(|line| is_table(line) || is_key(line)) {
        return Ok(());
    }
    Err(CommandError::Campaign(format!(
        "{} is not a campaign file: it has neither a table, such as [practice], nor a key; nothing was sent",
        path.shown()
    )))
}

/// The campaign's text with the separate file of `[[line]]` tables that it names, if any.
fn with_locations(text: String, path: &Path) -> Result<String, CommandError> {
    let Some(file) = locations_file::named_in(&text) else { return Ok(text) };
    let file = path.parent().unwrap_or(Path::new("")).join(file);
    let written = bounded::read_text(&file).map_err(|error| {
        CommandError::Usage(format!(
            "cannot read {}, which the campaign names as its file of [[line]] tables: {}",
            file.shown(),
            io_error(&error)
        ))
    })?;
    refuse_other_file(&written, &file)?;
    locations_file::append(&text, &written, &file).map_err(|problems| refused(&file.shown(), &problems))
}

/// Checks a campaign's text.
pub(super) fn parse_campaign(
    text: &str,
    name: &str,
    directory: PathBuf,
    overrides: SafetyOverrides,
) -> Result<Campaign, CommandError> {
    campaign::load(text, name, directory, overrides).map_err(|problems| refused(name, &problems))
}

fn refused(name: &str, problems: &Diagnostics) -> CommandError {
    let count = problems.iter().count();
    let what = counted(count as u64, "problem", "problems");
    CommandError::Campaign(format!(
        "{name} has {what}; nothing was sent\n\n{}",
        problems.drawn(super::output::is_coloured())
    ))
}

/// The clock of a run: the machine's, or a simulated one in a rehearsal. A simulated clock never shows a time before
/// `newest`, the ledger's newest event.
pub(super) fn clock(
    api: &VendorConfig,
    time: &SimulatedTime,
    newest: Option<DateTime<Utc>>,
) -> Result<SharedClock, CommandError> {
    let is_simulated = time.at.is_some() || time.speed.is_some();
    let after_newest = |at: DateTime<Utc>| newest.map_or(at, |newest| at.max(newest + TimeDelta::milliseconds(1)));
    match api {
        VendorConfig::Embedded(settings) => {
            let start = time.at.or(settings.start).unwrap_or_else(|| WallClock.now());
            let speed = time.speed.unwrap_or(settings.speed);
            Ok(Arc::new(ScaledClock::starting_at(after_newest(start), speed).skipping_idle_time()))
        }
        VendorConfig::Remote(remote) if is_simulated && remote.is_rehearsal => {
            let start = time.at.unwrap_or_else(|| WallClock.now());
            Ok(Arc::new(ScaledClock::starting_at(after_newest(start), time.speed.unwrap_or(1.0))))
        }
        VendorConfig::Remote(_) if is_simulated => Err(no_simulated_time()),
        VendorConfig::Remote(_) => Ok(Arc::new(WallClock)),
    }
}

/// The clock of a command that calls nobody: any time may be given, also for a live campaign.
pub(super) fn clock_without_calls(
    api: &VendorConfig,
    time: &SimulatedTime,
    newest: Option<DateTime<Utc>>,
) -> Result<SharedClock, CommandError> {
    match (api, time.at) {
        (VendorConfig::Remote(remote), Some(at)) if !remote.is_rehearsal => {
            let at = newest.map_or(at, |newest| at.max(newest + TimeDelta::milliseconds(1)));
            Ok(Arc::new(ScaledClock::starting_at(at, time.speed.unwrap_or(1.0))))
        }
        (VendorConfig::Remote(_) | VendorConfig::Embedded(_), _) => clock(api, time, newest),
    }
}

/// The error for live calls with simulated time.
pub(super) fn no_simulated_time() -> CommandError {
    let what = "--at and --speed need the embedded simulator or [vendor] rehearsal = true";
    CommandError::Usage(format!(
        "{what}; live calls are placed in real time (try a campaign out with `run --rehearse`)"
    ))
}

//! What was typed, and what the environment says, as it is meant.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::bounded;
use crate::campaign::{self, Allowances, Campaign, Problems, lines};
use crate::clock::{Clock, SharedClock, TravelClock, WallClock};
use crate::error::Stop;
use crate::visible::Shown;

use super::api::Api;
use super::args::{Global, Travel};

/// A ledger's name, beside its campaign.
const LEDGER: &str = "callrounds.db";

/// The ledger of `run --rehearse`, beside its campaign as well.
const REHEARSAL: &str = "callrounds.rehearsal.db";

/// The ledger of a rehearsal of a campaign: the one named, or the one beside the campaign file that is no live run's.
pub(super) fn rehearsal_ledger_beside(global: &Global, directory: &Path) -> PathBuf {
    global.ledger.clone().unwrap_or_else(|| directory.join(REHEARSAL))
}

/// The ledger of a campaign: the one named, or the one beside the campaign file.
pub(super) fn ledger_beside(global: &Global, directory: &Path) -> PathBuf {
    global.ledger.clone().unwrap_or_else(|| directory.join(LEDGER))
}

/// The ledger of a command that names no campaign: the one named, or the one here, or the one in `campaigns/`, if that
/// folder is there. Where both are, nobody can tell which is meant.
pub(super) fn ledger_around(global: &Global) -> Result<PathBuf, Stop> {
    if let Some(named) = &global.ledger {
        return Ok(named.clone());
    }
    let (here, folder) = (PathBuf::from(LEDGER), Path::new("campaigns"));
    let beside_campaigns = folder.join(LEDGER);
    match (here.exists(), beside_campaigns.exists()) {
        (true, true) => Err(Stop::Usage(format!(
            "there are two ledgers, {} and {}: say which with --ledger",
            here.shown(),
            beside_campaigns.shown()
        ))),
        (false, _) if folder.is_dir() => Ok(beside_campaigns),
        _ => Ok(here),
    }
}

/// Reads and checks a campaign file.
pub(super) fn campaign(path: &Path) -> Result<Campaign, Stop> {
    campaign_for(path, false)
}

/// The same for `run --rehearse`, if it is one.
pub(super) fn campaign_for(path: &Path, rehearse: bool) -> Result<Campaign, Stop> {
    let text = bounded::read_text(path).map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return Stop::Usage(format!("there is no campaign file at {}", path.shown()));
        }
        Stop::Usage(format!("cannot read the campaign file {}: {}", path.shown(), error.kind()))
    })?;
    refuse_what_is_no_campaign(&text, path)?;
    let text = with_lines(text, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_path_buf());
    parse_campaign(&text, &path.shown(), directory, Allowances { short_settle: rehearse })
}

/// A list, or a key, that was named in the place of a campaign file is not to be shown line by line.
fn refuse_what_is_no_campaign(text: &str, path: &Path) -> Result<(), Stop> {
    let is_table = |line: &str| line.starts_with('[') && line.trim_start_matches('[').starts_with(char::is_alphabetic);
    let is_key = |line: &str| {
        let name = line.split_once('=').map_or("", |(name, _)| name.trim());
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    if text.trim().is_empty() || text.lines().map(str::trim).any(|line| is_table(line) || is_key(line)) {
        return Ok(());
    }
    Err(Stop::Campaign(format!(
        "{} is no campaign file: it has neither a table, such as [practice], nor a key; nothing was sent",
        path.shown()
    )))
}

/// The campaign's text with the file of lines that it names.
fn with_lines(text: String, path: &Path) -> Result<String, Stop> {
    let Some(file) = lines::lines_file(&text) else { return Ok(text) };
    let file = path.parent().unwrap_or(Path::new("")).join(file);
    let written = bounded::read_text(&file).map_err(|error| {
        Stop::Usage(format!("cannot read {}, which the campaign names for its lines: {}", file.shown(), error.kind()))
    })?;
    refuse_what_is_no_campaign(&written, &file)?;
    lines::with_lines(&text, &written, &file).map_err(|problems| refused(&file.shown(), &problems))
}

/// Checks a campaign's text.
pub(super) fn parse_campaign(
    text: &str,
    name: &str,
    directory: PathBuf,
    allowances: Allowances,
) -> Result<Campaign, Stop> {
    campaign::load(text, name, directory, allowances).map_err(|problems| refused(name, &problems))
}

fn refused(name: &str, problems: &Problems) -> Stop {
    let count = problems.iter().count();
    let what = if count == 1 { "a problem".into() } else { format!("{count} problems") };
    Stop::Campaign(format!("{name} has {what}; nothing was sent\n\n{}", problems.drawn(super::output::colour())))
}

/// The clock of a run: the machine's, unless time travel is wanted, which only a rehearsal can bear. It never
/// shows less than `newest`, the ledger's newest event.
pub(super) fn clock(api: &Api, travel: &Travel, newest: Option<DateTime<Utc>>) -> Result<SharedClock, Stop> {
    let wanted = travel.at.is_some() || travel.speed.is_some();
    let after_newest = |at: DateTime<Utc>| newest.map_or(at, |newest| at.max(newest + TimeDelta::milliseconds(1)));
    match api {
        Api::Embedded(settings) => {
            let start = travel.at.or(settings.start).unwrap_or_else(|| WallClock.now());
            let speed = travel.speed.unwrap_or(settings.speed);
            Ok(Arc::new(TravelClock::starting_at(after_newest(start), speed).leaping()))
        }
        Api::Remote(remote) if wanted && remote.is_rehearsal => {
            let start = travel.at.unwrap_or_else(|| WallClock.now());
            Ok(Arc::new(TravelClock::starting_at(after_newest(start), travel.speed.unwrap_or(1.0))))
        }
        Api::Remote(_) if wanted => Err(no_time_travel()),
        Api::Remote(_) => Ok(Arc::new(WallClock)),
    }
}

/// What is said to who wants live calls in an invented time.
pub(super) fn no_time_travel() -> Stop {
    let what = "--at and --speed are for the embedded simulator, or for [vendor] rehearsal = true";
    Stop::Usage(format!("{what}; live calls are made in real time (`run --rehearse` tries a campaign out)"))
}

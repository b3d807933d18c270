//! Confirmation by the person at the terminal, and what is said before live calls are confirmed.

use std::io::{BufRead, IsTerminal, Write};

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::error::CommandError;
use crate::wording::{self, counted};

use super::args::RunOptions;
use super::settings;
use super::vendor_config::VendorConfig;

/// Refuses live calls with simulated time, or without anyone to confirm them, before anything is opened.
pub(super) fn refuse_early(api: &VendorConfig, options: &RunOptions) -> Result<(), CommandError> {
    if api.is_rehearsal() {
        return Ok(());
    }
    if options.time.at.is_some() || options.time.speed.is_some() {
        return Err(settings::no_simulated_time());
    }
    if options.yes || std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CommandError::Usage(
        "this would place live calls, and standard input is not a terminal on which to confirm them: add --yes".into(),
    ))
}

/// The calls that a run is about to place: how many, from which caller id, in which window, until when.
pub(super) fn question(campaign: &Campaign, calls: u64, until: Option<DateTime<Utc>>) -> String {
    let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
    let window = campaign.calling.window;
    let practice = &campaign.practice;
    let callers = match campaign.locations.iter().count() {
        0 => format!("{},\nfrom {}", practice.name, practice.from_number.expose()),
        locations => {
            let organisations = campaign.locations.organisations().len();
            let locations = counted(locations as u64, "location", "locations");
            let organisations = counted(organisations as u64, "organisation", "organisations");
            format!("{},\nfrom {locations} of {organisations}", practice.name)
        }
    };
    format!(
        "{}: live calls to at most {} of {callers}, between {} and {} ({}){}.",
        campaign.name,
        wording::patients(calls),
        window.start.format("%H:%M"),
        window.end.format("%H:%M"),
        if campaign.locations.are_defined() { "each location's own time" } else { practice.zone.name() },
        until.map_or_else(|| ", not before the window opens".into(), |at| format!(", until {}", local(at))),
    )
}

/// Whether the person at the terminal typed `yes`. An input error counts as no.
pub(super) fn is_confirmed() -> bool {
    is_agreed("Place these calls?")
}

/// Whether the person at the terminal typed `yes` to a question. An input error counts as no.
pub(super) fn is_agreed(question: &str) -> bool {
    ask(question).unwrap_or(false)
}

fn ask(question: &str) -> std::io::Result<bool> {
    let mut terminal = anstream::stderr().lock();
    write!(terminal, "{question} Type yes: ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

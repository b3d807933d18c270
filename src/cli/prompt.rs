//! Confirmation by the person at the terminal, and what is said before live calls are confirmed. Nothing is asked where
//! the question, or what it is about, would not be seen.

use std::io::{BufRead, IsTerminal, Write};

use chrono::{DateTime, Utc};

use crate::campaign::Campaign;
use crate::error::CommandError;
use crate::wording::{self, counted};

use super::args::RunOptions;
use super::output::Output;
use super::settings;
use super::vendor_config::VendorConfig;

/// Refuses live calls with simulated time, or without anyone to confirm them, before anything is opened.
pub(super) fn refuse_early(api: &VendorConfig, options: &RunOptions, output: Output) -> Result<(), CommandError> {
    if api.is_rehearsal() {
        return Ok(());
    }
    if options.time.at.is_some() || options.time.speed.is_some() {
        return Err(settings::no_simulated_time());
    }
    let refused = match (options.yes, std::io::stdin().is_terminal(), output.quiet) {
        (true, _, _) | (false, true, false) => return Ok(()),
        (false, false, _) => {
            "this would place live calls, and standard input is not a terminal on which to confirm them: add --yes"
        }
        (false, true, true) => "this would place live calls, and --quiet hides what is to be confirmed: add --yes",
    };
    Err(CommandError::Usage(refused.into()))
}

/// The calls that a run is about to place: how many, from which caller id, in which window, until when.
pub(super) fn question(campaign: &Campaign, calls: u64, until: Option<DateTime<Utc>>) -> String {
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
        until.map_or_else(
            || ", not before the window opens".into(),
            |at| format!(", until {}", practice.zone.date_and_time(at))
        ),
    )
}

/// Whether the person at the terminal typed `yes`. An input error counts as no.
pub(super) fn is_confirmed() -> bool {
    is_agreed("Place these calls?")
}

/// Asks the person at the terminal whether to do what was just shown. `not_done` says what a refusal leaves undone,
/// such as `nothing was cancelled`.
pub(super) fn confirm(question: &str, not_done: &str, output: Output) -> Result<(), CommandError> {
    match why_not_asked(std::io::stdin().is_terminal(), output) {
        Some(why) => Err(CommandError::Usage(format!("not confirmed; {not_done}: {why}, so add --yes"))),
        None if is_agreed(question) => Ok(()),
        None => Err(CommandError::Usage(format!("not confirmed; {not_done}"))),
    }
}

/// Why nobody is asked: nobody would see the question, or a program would wait for an answer.
fn why_not_asked(is_terminal: bool, output: Output) -> Option<&'static str> {
    match (output.json, output.quiet, is_terminal) {
        (true, _, _) => Some("with --json nothing is asked"),
        (false, true, _) => Some("with --quiet nothing is asked"),
        (false, false, false) => Some("standard input is not a terminal on which to confirm this"),
        (false, false, true) => None,
    }
}

fn is_agreed(question: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_asked_who_would_not_see_the_question() {
        for (json, quiet, is_terminal, is_asked) in [
            (false, false, true, true),
            (false, false, false, false),
            (false, true, true, false),
            (true, false, true, false),
            (true, true, false, false),
        ] {
            let why = why_not_asked(is_terminal, Output::of(json, quiet));
            assert_eq!(why.is_none(), is_asked, "{json}, {quiet}, {is_terminal}: {why:?}");
        }
    }
}

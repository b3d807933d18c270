//! `ledger`: looking after the file itself.

use std::path::Path;

use chrono::TimeDelta;

use crate::clock::{Clock, WallClock};
use crate::error::{Exit, Stop};
use crate::ledger;
use crate::visible::Shown;

use super::args::{Global, LedgerAction, OfLedger};
use super::output::Output;
use super::resolve::operator_name;
use super::setting;

pub(super) fn ledger(args: &OfLedger, global: &Global, output: Output) -> Result<Exit, Stop> {
    let path = setting::ledger_around(global)?;
    match &args.action {
        LedgerAction::Adopt => adopt(&path, output),
        LedgerAction::Verify => verify(&path, output),
        LedgerAction::Purge { older_than } => purge(&path, *older_than, output),
        LedgerAction::Backup { file } => backup(&path, file, output),
    }
}

fn verify(path: &Path, output: Output) -> Result<Exit, Stop> {
    ledger::verify(path)?;
    output.say("the ledger is sound: its pages, indexes and rows fit together");
    Ok(Exit::Done)
}

fn backup(path: &Path, to: &Path, output: Output) -> Result<Exit, Stop> {
    ledger::backup(path, to)?;
    output.say(&format!("the ledger as it is now is in {}; put back one day, it wants `ledger adopt`", to.shown()));
    Ok(Exit::Done)
}

fn purge(path: &Path, older_than: TimeDelta, output: Output) -> Result<Exit, Stop> {
    let now = WallClock.now();
    let entries = ledger::purge(path, now - older_than, &operator_name(), now)?;
    let whose = if entries == 1 { "of 1 entry are".into() } else { format!("of {entries} entries are") };
    output.say(&format!(
        "names, dates of birth and messages {whose} gone from the ledger; backups, reports and rejects files still have them"
    ));
    Ok(Exit::Done)
}

fn adopt(path: &Path, output: Output) -> Result<Exit, Stop> {
    let adoption = ledger::adopt(path, &operator_name(), WallClock.now())?;
    let unanswered = match adoption.unanswered {
        0 => String::new(),
        1 => "; a call without an answer is looked for first".into(),
        count => format!("; {count} calls without an answer are looked for first"),
    };
    let unanswered = match adoption.future_events {
        0 => unanswered,
        events => format!(
            "{unanswered}; {events} events that this machine's clock had dated into the future count as of now, and stay as \
             they were written"
        ),
    };
    output.say(&format!(
        "the ledger is adopted: this file is the one to go on with{unanswered}\n\
         the next run takes over the calls that the vendor's list shows and this ledger lacks"
    ));
    Ok(Exit::Done)
}

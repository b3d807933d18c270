//! `ledger`: maintenance of the ledger file.

use std::path::Path;

use chrono::TimeDelta;

use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ledger;
use crate::visible::DisplayPath;
use crate::wording::{self, counted};

use super::args::{GlobalArgs, LedgerAction, LedgerArgs};
use super::output::Output;
use super::resolve::operator_name;
use super::settings;

pub(super) fn ledger(args: &LedgerArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let path = settings::find_ledger(global)?;
    match &args.action {
        LedgerAction::Adopt => adopt(&path, output),
        LedgerAction::Verify => verify(&path, output),
        LedgerAction::Purge { older_than } => purge(&path, *older_than, output),
        LedgerAction::Backup { file } => backup(&path, file, output),
    }
}

fn verify(path: &Path, output: Output) -> Result<ExitStatus, CommandError> {
    ledger::verify(path)?;
    if output.json {
        output.document(&serde_json::json!({ "sound": true }))?;
    }
    output.say("the ledger is sound: its pages, indexes and rows are consistent");
    Ok(ExitStatus::Done)
}

fn backup(path: &Path, to: &Path, output: Output) -> Result<ExitStatus, CommandError> {
    ledger::backup(path, to)?;
    if output.json {
        output.document(&serde_json::json!({ "file": to.shown() }))?;
    }
    output.say(&format!("the ledger was copied to {}; after restoring it, run `callrounds ledger adopt`", to.shown()));
    Ok(ExitStatus::Done)
}

fn purge(path: &Path, older_than: TimeDelta, output: Output) -> Result<ExitStatus, CommandError> {
    let now = WallClock.now();
    let entries = ledger::purge(path, now - older_than, &operator_name(), now)?;
    if output.json {
        output.document(&serde_json::json!({ "purged": entries }))?;
    }
    let count = wording::patients(entries);
    output.say(&format!(
        "removed names, dates of birth and messages of {count} from the ledger; backups, reports and rejects files still have \
         them"
    ));
    Ok(ExitStatus::Done)
}

fn adopt(path: &Path, output: Output) -> Result<ExitStatus, CommandError> {
    let adoption = ledger::adopt(path, &operator_name(), WallClock.now())?;
    if output.json {
        let ledger::Adoption { unanswered, future_events } = adoption;
        output.document(&serde_json::json!({ "unanswered": unanswered, "future_events": future_events }))?;
    }
    let unanswered = match adoption.unanswered {
        0 => String::new(),
        count => format!("; the next run first reconciles {}", counted(count, "lost answer", "lost answers")),
    };
    let unanswered = match adoption.future_events {
        0 => unanswered,
        events => format!(
            "{unanswered}; {} now, without a change to the ledger",
            counted(
                events,
                "event that this machine's clock dated into the future counts as of",
                "events that this machine's clock dated into the future count as of"
            )
        ),
    };
    output.say(&format!(
        "the ledger is adopted: this file is now the authoritative one{unanswered}\n\
         the next run adds the calls that the vendor's list shows and this ledger lacks"
    ));
    Ok(ExitStatus::Done)
}

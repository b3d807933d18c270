//! `worklist`: what the front desk has to do, and what of it is done.

use std::collections::BTreeSet;
use std::io::Write;

use crate::clock::{Clock, WallClock};
use crate::did_you_mean::nearest;
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, EntryId, Location};
use crate::ledger::{LedgerError, LedgerReader, TickResult, WorkItem};
use crate::report::exporter::ExportError;
use crate::report::worklist::{self, ZonedItem};
use crate::visible;

use super::args::{GlobalArgs, TickArgs, UntickArgs, WorklistAction, WorklistArgs, WorklistFilter, WorklistFormat};
use super::campaigns::Campaigns;
use super::known_campaign::known_or_all;
use super::output::{Output, export_error, write_export};
use super::resolve::{open_operator, operator_name, refused};
use super::settings;
use super::status::campaign_of_run;

pub(super) fn worklist(args: &WorklistArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    match &args.action {
        None => show(&args.filter, global, output),
        Some(WorklistAction::Done(args)) => done(args, global, output),
        Some(WorklistAction::Undo(args)) => undo(args, global, output),
    }
}

fn show(filter: &WorklistFilter, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let campaign = known_or_all(&reader, filter.campaign.as_deref())?;
    refuse_unknown_location(&reader, filter.location.as_deref(), campaign.as_ref())?;
    let mut items = items(&reader, filter, campaign.as_ref())?;
    worklist::sort(&mut items);
    let format = if output.json { WorklistFormat::Json } else { filter.format };
    let is_binary = format == WorklistFormat::Xlsx;
    write_export(filter.out.as_deref(), "worklist.xlsx", is_binary, output, |out| {
        write(&items, format, out).or_else(|error| export_error(error, "the worklist"))
    })?;
    Ok(ExitStatus::Done)
}

/// Refuses a location that no campaign on the ledger has: an empty worklist would say that nothing is to be done there.
fn refuse_unknown_location(
    reader: &LedgerReader,
    name: Option<&str>,
    campaign: Option<&CampaignName>,
) -> Result<(), CommandError> {
    let Some(name) = name else { return Ok(()) };
    let mut known = BTreeSet::new();
    for run in reader.newest_run_of_each_campaign()? {
        if campaign.is_none_or(|campaign| *campaign == run.campaign) {
            let campaign = campaign_of_run(reader, run.run)?;
            known.extend(campaign.locations.iter().map(|(location, _)| location.to_string()));
        }
    }
    reader.each_work_item(campaign, |item| {
        known.extend(item.location.map(|location| location.to_string()));
        Ok::<_, LedgerError>(())
    })?;
    if known.contains(name) {
        return Ok(());
    }
    let hint = nearest(name, known.iter().map(String::as_str))
        .map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    let all: Vec<_> = known.into_iter().collect();
    let all = if all.is_empty() { "its campaigns have none".into() } else { format!("it has {}", all.join(", ")) };
    Err(CommandError::Usage(format!("the ledger has no location {}; {all}{hint}", visible::value(name))))
}

/// The items that the options ask for: without them the open ones.
fn items(
    reader: &LedgerReader,
    filter: &WorklistFilter,
    campaign: Option<&CampaignName>,
) -> Result<Vec<ZonedItem>, CommandError> {
    let is_wanted = |item: &WorkItem| {
        let is_group = filter.groups.is_empty() || filter.groups.contains(&item.group);
        let is_location =
            filter.location.is_none() || item.location.as_ref().map(Location::as_str) == filter.location.as_deref();
        let is_asked_for = !item.group.is_work() && filter.groups.contains(&item.group);
        is_group && is_location && (filter.all || item.is_open() || is_asked_for)
    };
    let mut campaigns = Campaigns::new(reader);
    let mut found = Vec::new();
    reader.each_work_item(campaign, |item| {
        if is_wanted(&item) {
            let zone = campaigns.zone(item.run, item.location.as_ref())?;
            found.push(ZonedItem { item, zone });
        }
        Ok::<_, CommandError>(())
    })?;
    Ok(found)
}

fn write(items: &[ZonedItem], format: WorklistFormat, out: &mut dyn Write) -> Result<(), ExportError> {
    match format {
        WorklistFormat::Text => worklist::write_text(items, out),
        WorklistFormat::Csv => worklist::write_csv(items, out),
        WorklistFormat::Xlsx => worklist::write_xlsx(items, out),
        WorklistFormat::Json => {
            let document = worklist::document(items);
            let text = serde_json::to_string_pretty(&document).map_err(std::io::Error::from)?;
            Ok(writeln!(out, "{}", visible::json(&text))?)
        }
    }
}

/// Refuses all entries if one of them cannot be ticked, before any is.
fn refuse_unless_all_on_worklist(entries: &[i64], global: &GlobalArgs) -> Result<(), CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    entries.iter().try_for_each(|entry| reader.refuse_unless_on_worklist(EntryId(*entry)).map_err(refused))
}

fn done(args: &TickArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    refuse_unless_all_on_worklist(&args.entries, global)?;
    let mut operator = open_operator(global)?;
    let by = args.by.clone().unwrap_or_else(operator_name);
    let mut ticked = Vec::new();
    for entry in args.entries.iter().copied().map(EntryId) {
        let now = operator.not_before_newest(WallClock.now())?;
        let result = operator.tick(entry, &by, args.note.as_deref(), now).map_err(refused)?;
        output.say(&said_of(entry, &result, args.note.is_some()));
        let TickResult { group, first } = result;
        ticked.push(serde_json::json!({ "entry": entry, "group": group, "by": by, "already_done": first }));
    }
    if output.json {
        output.document(&ticked)?;
    }
    Ok(ExitStatus::Done)
}

fn said_of(entry: EntryId, TickResult { group, first }: &TickResult, has_note: bool) -> String {
    let group = group.label();
    match first {
        None => format!("#{entry} ({group}) is done; `callrounds worklist undo {entry}` opens it again"),
        Some(first) => {
            let kept = if has_note { "; your note is kept, too" } else { "" };
            let at = first.at.format("%Y-%m-%d %H:%M UTC");
            format!("#{entry} ({group}) was done already, by {} on {at}{kept}", visible::value(&first.by))
        }
    }
}

fn undo(args: &UntickArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    refuse_unless_all_on_worklist(&args.entries, global)?;
    let mut operator = open_operator(global)?;
    let by = args.by.clone().unwrap_or_else(operator_name);
    let mut opened = Vec::new();
    for entry in args.entries.iter().copied().map(EntryId) {
        let now = operator.not_before_newest(WallClock.now())?;
        let undone = operator.untick(entry, &by, now).map_err(refused)?;
        output.say(&match undone.first() {
            Some(first) => format!("#{entry} is open again; {} had ticked it off", visible::value(&first.by)),
            None => format!("#{entry} was not ticked off"),
        });
        opened.push(serde_json::json!({ "entry": entry, "undone": undone }));
    }
    if output.json {
        output.document(&opened)?;
    }
    Ok(ExitStatus::Done)
}

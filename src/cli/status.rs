//! `status`: the counts of a run.

use crate::campaign::{Campaign, CampaignSource, SafetyOverrides};
use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, EntryId, RunId};
use crate::ledger::{LedgerError, LedgerKind, LedgerReader, RunReport, RunStart};
use crate::plan::next_call;
use crate::report::summary::PausedCampaign;
use crate::report::{RunSummary, text};
use crate::zone::Zone;

use super::args::{GlobalArgs, StatusArgs};
use super::known_campaign::known_campaign;
use super::output::Output;
use super::settings;

pub(super) fn status(args: &StatusArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let report = selected(&reader, args.run, args.campaign.as_deref())?;
    let mut summary = summary_of(&reader, &report)?;
    let pause = reader.pause_of(&report.campaign, reader.not_before_newest(WallClock.now())?)?;
    summary.paused = pause.map(PausedCampaign::from);
    if output.json {
        output.document(&summary)?;
    } else {
        output.data(&text::summary(&summary, &zone_of(&report)?))?;
    }
    Ok(ExitStatus::Done)
}

/// The run with this number, or the newest one, of a campaign or of all.
pub(super) fn selected(
    reader: &LedgerReader,
    run: Option<i64>,
    campaign: Option<&str>,
) -> Result<RunReport, CommandError> {
    let Some(name) = campaign else { return Ok(reader.run(run.map(RunId))?) };
    Ok(reader.newest_run_of(&known_campaign(reader, name)?)?.ok_or(LedgerError::NoRun)?)
}

/// The summary of a run, with the instant of the campaign's next call.
pub(super) fn summary_of(reader: &LedgerReader, report: &RunReport) -> Result<RunSummary, CommandError> {
    let campaign = campaign_of(report)?;
    // A rehearsal has a time of its own.
    let newest =
        if reader.kind()? == Some(LedgerKind::Rehearsal) { reader.newest_event_of(&report.campaign)? } else { None };
    let next = next_call(reader, &campaign, newest.unwrap_or_else(|| WallClock.now()))?;
    Ok(RunSummary::from_report(report, next))
}

/// The practice's time zone, from the campaign's text in the ledger.
pub(super) fn zone_of(report: &RunReport) -> Result<Zone, CommandError> {
    Ok(campaign_of(report)?.practice.zone)
}

/// The campaign, from its text in the ledger.
pub(super) fn campaign_of(report: &RunReport) -> Result<Campaign, CommandError> {
    stored_campaign(&report.campaign, &report.source)
}

/// The campaign of an entry, from its text in the ledger.
pub(super) fn campaign_in_ledger(reader: &LedgerReader, entry: EntryId) -> Result<Campaign, CommandError> {
    let (name, source) = reader.campaign_of(entry)?.ok_or(LedgerError::NoRun)?;
    stored_campaign(&name, &source)
}

/// A campaign that the ledger has, from its text there.
pub(super) fn campaign_named(reader: &LedgerReader, name: &CampaignName) -> Result<Campaign, CommandError> {
    stored_campaign(name, &reader.campaign_source(name)?.ok_or(LedgerError::NoRun)?)
}

/// The campaign of a run, from its text in the ledger; without counting the campaign's entries.
pub(super) fn campaign_of_run(reader: &LedgerReader, run: RunId) -> Result<Campaign, CommandError> {
    let RunStart { campaign, source, .. } = reader.run_start(Some(run))?;
    stored_campaign(&campaign, &source)
}

fn stored_campaign(name: &CampaignName, source: &CampaignSource) -> Result<Campaign, CommandError> {
    let name = format!("the campaign {name} in the ledger");
    // Nothing is called by it, so the campaign may have a rehearsal's settle time.
    let overrides = SafetyOverrides { short_settle: true };
    settings::parse_campaign(&source.text, &name, source.directory.clone(), overrides)
}

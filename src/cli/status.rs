//! `status`: the counts of a run.

use crate::campaign::{Campaign, CampaignSource, SafetyOverrides};
use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, EntryId, RunId};
use crate::ledger::{LedgerError, LedgerReader, RunReport, RunStart};
use crate::report::summary::PausedCampaign;
use crate::report::{RunSummary, text};
use crate::zone::Zone;

use super::args::{GlobalArgs, RunSelector};
use super::output::Output;
use super::settings;

pub(super) fn status(args: &RunSelector, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let report = reader.run(args.run.map(RunId))?;
    let mut summary = RunSummary::from_report(&report);
    let pause = reader.pause_of(&report.campaign, reader.not_before_newest(WallClock.now())?)?;
    summary.paused = pause.map(PausedCampaign::from);
    if output.json {
        output.document(&summary)?;
    } else {
        output.data(&text::summary(&summary, &zone_of(&report)?))?;
    }
    Ok(ExitStatus::Done)
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

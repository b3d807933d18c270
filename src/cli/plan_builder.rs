//! Builds plans, for `check` and `run --plan`.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, OnAbsent};
use crate::clock::SharedClock;
use crate::entry::{AbsenceEffect, ListCounts};
use crate::error::CommandError;
use crate::intake::Intake;
use crate::ledger::{LedgerError, LedgerReader, is_cut_short};
use crate::plan::file::PlanFile;
use crate::plan::{CallDurations, Forecast, LedgerSnapshot, Plan, Planner, schedule_simulation};
use crate::visible::DisplayPath;

use super::args::SimulatedTime;
use super::output::write_private;
use super::settings;
use super::vendor_config::VendorConfig;

/// The instant for which a plan is made, and whether it contains the messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlanRequest {
    pub(super) with_messages: bool,
    pub(super) now: DateTime<Utc>,
}

/// What a run would do.
pub(super) struct RunPreview {
    pub(super) plan: Plan,
    pub(super) forecast: Forecast,
    /// Whether the ledger has the campaign.
    pub(super) is_known: bool,
}

/// The clock of `check`: it never shows a time before the ledger's newest event.
pub(super) fn clock(
    api: &VendorConfig,
    time: &SimulatedTime,
    reader: Option<&LedgerReader>,
    campaign: &Campaign,
) -> Result<SharedClock, CommandError> {
    let newest = match (reader, api) {
        (Some(reader), VendorConfig::Embedded(_)) => reader.newest_event_of(&campaign.name)?,
        (Some(reader), VendorConfig::Remote(_)) => reader.newest_event()?,
        (None, _) => None,
    };
    settings::clock_without_calls(api, time, newest)
}

/// A planner over the ledger, if there is one.
pub(super) fn planner<'a>(
    campaign: &'a Campaign,
    reader: Option<&'a LedgerReader>,
    request: &PlanRequest,
) -> Result<Planner<'a>, CommandError> {
    let snapshot = reader.map(|reader| LedgerSnapshot::load(reader, campaign)).transpose()?;
    Ok(Planner::new(campaign, snapshot, request.now, request.with_messages))
}

/// Completes the plan after the last row of the list.
pub(super) fn finish(
    planner: Planner<'_>,
    intake: &Intake<'_>,
    campaign: &Campaign,
    reader: Option<&LedgerReader>,
    now: DateTime<Utc>,
) -> Result<RunPreview, CommandError> {
    let withdraw = max_withdraw_rate(campaign, intake);
    let mut plan = planner.finish(withdraw.is_some())?;
    if let (Some(rate), Some(reader)) = (withdraw, reader) {
        refuse_truncated_list(&plan, reader, campaign, rate)?;
    }
    let durations = reader.map(CallDurations::load).transpose()?.unwrap_or_default();
    let forecast = schedule_simulation::play(&mut plan.calls, campaign, &durations, now);
    let is_known = match reader {
        Some(reader) => reader.campaign(&campaign.name)?.is_some(),
        None => false,
    };
    Ok(RunPreview { plan, forecast, is_known })
}

/// The fraction of the entries still to be called that this list may withdraw. `None` if entries missing from it are
/// kept.
pub(super) fn max_withdraw_rate(campaign: &Campaign, intake: &Intake<'_>) -> Option<f64> {
    let withdraws = campaign.list.on_absent == OnAbsent::Withdraw && !intake.is_partial();
    withdraws.then_some(campaign.list.max_withdraw_rate)
}

/// `check` refuses a list that a run would refuse because it withdraws too many entries.
fn refuse_truncated_list(
    plan: &Plan,
    reader: &LedgerReader,
    campaign: &Campaign,
    rate: f64,
) -> Result<(), CommandError> {
    let Some(campaign) = reader.campaign(&campaign.name)? else { return Ok(()) };
    let withdrawn =
        plan.gone.iter().filter(|gone| gone.absence == AbsenceEffect::Withdrawn && gone.is_to_call).count() as u64;
    let of = reader.to_call(campaign)?;
    if is_cut_short(withdrawn, of, rate) {
        return Err(LedgerError::TooManyWithdrawn { withdrawn, of }.into());
    }
    Ok(())
}

/// Writes a plan to a file.
pub(super) fn write(
    path: &Path,
    preview: &RunPreview,
    campaign: &Campaign,
    list: ListCounts,
    now: DateTime<Utc>,
) -> Result<(), CommandError> {
    let id = uuid::Uuid::new_v4().to_string();
    let file = PlanFile::new(&preview.plan, campaign, list, preview.forecast.clone(), id, now);
    write_private(path, |out| {
        let failed = |kind| CommandError::Output { what: path.shown(), why: kind };
        serde_json::to_writer_pretty(&mut *out, &file)
            .map_err(|error| failed(error.io_error_kind().unwrap_or(std::io::ErrorKind::Other)))?;
        writeln!(out).map_err(|error| failed(error.kind()))
    })
}

/// The source of the preset's dialing hours, with a disclaimer.
pub(super) fn hours_source(campaign: &Campaign) -> String {
    let preset = campaign.calling.preset;
    format!(
        "\nhours\n  {}: {}\n  not legal advice: who may be called, when and with which consent is the practice's \
         responsibility\n",
        preset.name(),
        preset.source()
    )
}

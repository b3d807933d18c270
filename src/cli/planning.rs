//! Plans, as `check` makes them and `run --plan` takes them.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, OnAbsent};
use crate::clock::SharedClock;
use crate::entry::ListTally;
use crate::error::Stop;
use crate::intake::Intake;
use crate::ledger::{Absence, LedgerError, Reader, is_cut_short};
use crate::plan::file::PlanFile;
use crate::plan::{Book, Forecast, Lengths, Plan, Planner, turns};
use crate::visible::Shown;

use super::api::Api;
use super::args::Travel;
use super::output::write_private;
use super::setting;

/// For which instant a plan is made, and whether with what the calls say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) scripts: bool,
    pub(super) now: DateTime<Utc>,
}

/// What a run would do.
pub(super) struct Outlook {
    pub(super) plan: Plan,
    pub(super) forecast: Forecast,
    /// Whether the ledger knows the campaign.
    pub(super) is_known: bool,
}

/// The clock that a run would have: it never shows less than the ledger's newest event.
pub(super) fn clock(
    api: &Api,
    travel: &Travel,
    reader: Option<&Reader>,
    campaign: &Campaign,
) -> Result<SharedClock, Stop> {
    let newest = match (reader, api) {
        (Some(reader), Api::Embedded(_)) => reader.newest_event_of(&campaign.name)?,
        (Some(reader), Api::Remote(_)) => reader.newest_event()?,
        (None, _) => None,
    };
    setting::clock(api, travel, newest)
}

/// A planner over the ledger, if there is one.
pub(super) fn planner<'a>(
    campaign: &'a Campaign,
    reader: Option<&'a Reader>,
    wanted: &Wanted,
) -> Result<Planner<'a>, Stop> {
    let book = reader.map(|reader| Book::of(reader, campaign)).transpose()?;
    Ok(Planner::new(campaign, book, wanted.now, wanted.scripts))
}

/// The list has ended: what a run would do with it.
pub(super) fn finish(
    planner: Planner<'_>,
    intake: &Intake<'_>,
    campaign: &Campaign,
    reader: Option<&Reader>,
    now: DateTime<Utc>,
) -> Result<Outlook, Stop> {
    let withdraw = withdraws(campaign, intake);
    let mut plan = planner.finish(withdraw.is_some())?;
    if let (Some(rate), Some(reader)) = (withdraw, reader) {
        refuse_a_list_cut_short(&plan, reader, campaign, rate)?;
    }
    let lengths = reader.map(Lengths::of).transpose()?.unwrap_or_default();
    let forecast = turns::play(&mut plan.calls, campaign, &lengths, now);
    let is_known = match reader {
        Some(reader) => reader.campaign(&campaign.name)?.is_some(),
        None => false,
    };
    Ok(Outlook { plan, forecast, is_known })
}

/// Whether who is not on this list is withdrawn, and which share of those still to be called may be.
pub(super) fn withdraws(campaign: &Campaign, intake: &Intake<'_>) -> Option<f64> {
    let withdraws = campaign.list.on_absent == OnAbsent::Withdraw && !intake.is_partial();
    withdraws.then_some(campaign.list.max_withdraw_rate)
}

/// What a run would refuse, `check` refuses.
fn refuse_a_list_cut_short(plan: &Plan, reader: &Reader, campaign: &Campaign, rate: f64) -> Result<(), Stop> {
    let Some(campaign) = reader.campaign(&campaign.name)? else { return Ok(()) };
    let withdrawn =
        plan.gone.iter().filter(|gone| gone.absence == Absence::Withdrawn && gone.is_to_call).count() as u64;
    let of = reader.to_call(campaign)?;
    if is_cut_short(withdrawn, of, rate) {
        return Err(LedgerError::TooManyWithdrawn { withdrawn, of }.into());
    }
    Ok(())
}

/// Writes a plan down.
pub(super) fn write(
    path: &Path,
    outlook: &Outlook,
    campaign: &Campaign,
    list: ListTally,
    now: DateTime<Utc>,
) -> Result<(), Stop> {
    let id = uuid::Uuid::new_v4().to_string();
    let file = PlanFile::of(&outlook.plan, campaign, list, outlook.forecast.clone(), id, now);
    write_private(path, |out| {
        let failed = |kind| Stop::Output { what: path.shown(), why: kind };
        serde_json::to_writer_pretty(&mut *out, &file)
            .map_err(|error| failed(error.io_error_kind().unwrap_or(std::io::ErrorKind::Other)))?;
        writeln!(out).map_err(|error| failed(error.kind()))
    })
}

/// Where the hours come from that a campaign keeps.
pub(super) fn fine_print(campaign: &Campaign) -> String {
    let preset = campaign.calling.preset;
    format!(
        "\nhours\n  {}: {}\n  not legal advice: who may be called, when and with which consent is the practice's \
         responsibility\n",
        preset.name(),
        preset.source()
    )
}

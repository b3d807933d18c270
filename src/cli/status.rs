//! `status`: where everybody stands.

use crate::campaign::{Allowances, Campaign};
use crate::error::{Exit, Stop};
use crate::ids::RunId;
use crate::ledger::{Reader, RunReport};
use crate::report::{Summary, text};
use crate::zone::Zone;

use super::args::{Global, OfRun};
use super::output::Output;
use super::setting;

pub(super) fn status(args: &OfRun, global: &Global, output: Output) -> Result<Exit, Stop> {
    let report = Reader::open(&setting::ledger_around(global)?)?.run(args.run.map(RunId))?;
    let summary = Summary::of(&report);
    if output.json {
        output.document(&summary)?;
    } else {
        output.data(&text::summary(&summary, &zone_of(&report)?))?;
    }
    Ok(Exit::Done)
}

/// The practice's zone, from the campaign's text in the ledger.
pub(super) fn zone_of(report: &RunReport) -> Result<Zone, Stop> {
    Ok(campaign_of(report)?.practice.zone)
}

/// The campaign, from its text in the ledger.
pub(super) fn campaign_of(report: &RunReport) -> Result<Campaign, Stop> {
    let name = format!("the campaign {} in the ledger", report.campaign);
    // Reading about a run is possible wherever its calls went.
    let anywhere = Allowances { short_settle: true };
    setting::parse_campaign(&report.source.text, &name, report.source.directory.clone(), anywhere)
}

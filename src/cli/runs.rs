//! `runs`: every run, with its date, its campaign, how it ended and the outcomes of its calls, and the present state of
//! each campaign.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use comfy_table::ColumnConstraint::UpperBoundary;
use comfy_table::{ContentArrangement, Table, Width, presets};
use serde::Serialize;

use crate::ending::RecordedEnding;
use crate::entry::Outcome;
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, RunId};
use crate::ledger::{AttemptCounts, LedgerReader, Night, RunReport};
use crate::report::{RunSummary, text};
use crate::zone::Zone;

use super::args::{GlobalArgs, RunsArgs};
use super::known_campaign::known_or_all;
use super::output::Output;
use super::settings;
use super::status::{summary_of, zone_of};

/// The most characters of a line.
const WIDTH: u16 = 80;

/// A space at which no line is broken.
const NO_BREAK: &str = "\u{a0}";

/// The most characters of a campaign's name, and of a date with the hours, in a line: the rest follows in the next one.
const NARROW: u16 = 18;

pub(super) fn runs(args: &RunsArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let campaign = known_or_all(&reader, args.campaign.as_deref())?;
    let nights = reader.nights(campaign.as_ref())?;
    let newest = reader.newest_runs()?;
    let newest: Vec<RunReport> =
        newest.into_iter().filter(|run| campaign.as_ref().is_none_or(|name| run.campaign == *name)).collect();
    let summaries = newest.iter().map(|run| summary_of(&reader, run)).collect::<Result<Vec<_>, _>>()?;
    if output.json {
        let runs = nights.iter().map(NightRow::from_night).collect();
        output.document(&Nights { runs, campaigns: summaries })?;
    } else {
        output.data(&render(&nights, &newest, &summaries)?)?;
    }
    Ok(ExitStatus::Done)
}

/// The runs, and where their campaigns stand.
#[derive(Serialize)]
struct Nights<'n> {
    /// Oldest first.
    runs: Vec<NightRow<'n>>,
    /// The newest run of each campaign.
    campaigns: Vec<RunSummary>,
}

/// One run.
#[derive(Serialize)]
struct NightRow<'n> {
    run: RunId,
    campaign: &'n CampaignName,
    started_at: DateTime<Utc>,
    ended_at: Option<DateTime<Utc>>,
    ending: Option<&'n RecordedEnding>,
    /// The rows of its list.
    rows: u64,
    attempts: AttemptCounts,
    /// The outcomes of the calls that it placed.
    outcomes: &'n BTreeMap<Outcome, u64>,
    /// The calls of its campaign up to and with this run.
    calls_in_all: u64,
}

impl<'n> NightRow<'n> {
    fn from_night(night: &'n Night) -> Self {
        let &Night { run, ref campaign, started_at, ended_at, ref ending, rows, attempts, ref outcomes, calls_in_all } =
            night;
        Self { run, campaign, started_at, ended_at, ending: ending.as_ref(), rows, attempts, outcomes, calls_in_all }
    }
}

fn render(nights: &[Night], newest: &[RunReport], summaries: &[RunSummary]) -> Result<String, CommandError> {
    let zones = newest.iter().map(|run| Ok((&run.campaign, zone_of(run)?)));
    let zones: BTreeMap<_, _> = zones.collect::<Result<_, CommandError>>()?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH);
    table.set_header(["run", "campaign", "when", "calls", "in all", "ended: outcomes"]);
    for at in [1, 2] {
        if let Some(column) = table.column_mut(at) {
            column.set_constraint(UpperBoundary(Width::Fixed(NARROW)));
        }
    }
    for night in nights {
        let Some(zone) = zones.get(&night.campaign) else { continue };
        table.add_row(cells(night, zone));
    }
    let mut all: String = table.lines().map(|line| line.trim_end().replace(NO_BREAK, " ") + "\n").collect();
    for (run, summary) in newest.iter().zip(summaries) {
        let _ = write!(all, "\n{}", text::standing(summary, &zone_of(run)?));
    }
    Ok(all)
}

fn cells(night: &Night, zone: &Zone) -> [String; 6] {
    let mut result =
        night.ending.as_ref().map_or("not ended: in progress, or killed", RecordedEnding::label).to_owned();
    let outcomes = night.outcomes.iter().map(|(outcome, count)| format!("{count} × {}", outcome.label()));
    let outcomes: Vec<_> = outcomes.map(|outcome| outcome.replace(' ', NO_BREAK)).collect();
    if !outcomes.is_empty() {
        result += &format!(": {}", outcomes.join(", "));
    }
    [
        night.run.to_string(),
        night.campaign.to_string(),
        text::span(night.started_at, night.ended_at, zone),
        night.attempts.placed.to_string(),
        night.calls_in_all.to_string(),
        result,
    ]
}

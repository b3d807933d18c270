//! `check`: validates the campaign and the list without network access, and shows what a run would do.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::campaign::Campaign;
use crate::entry::{ListCounts, ListEligibility, Reason, State};
use crate::error::{CommandError, ExitStatus};
use crate::ids::EntryId;
use crate::intake::list::RowUnit;
use crate::intake::{ExcludedOnList, Intake, IntakeWarning, RowResult, variable_name};
use crate::ledger::{EnrolmentCounts, LedgerReader};
use crate::plan::{Forecast, NotCalled, Plan, PlannedCall, Planner};
use crate::report::plan::{self, DayPlan, NotCalledGroup, ReasonGroup};
use crate::report::text::rows as list_counts;
use crate::visible;
use crate::visible::DisplayPath;
use crate::wording::counted;

use super::args::{CheckArgs, GlobalArgs};
use super::output::{self, Output};
use super::plan_builder::{self, RunPreview};
use super::row_findings::{MAX_LISTED, RowFindings, on_lines};
use super::vendor_config::VendorConfig;
use super::{exclude_file, list_input, pause, settings};

/// The number of sample calls shown.
const MAX_SAMPLES: usize = 3;

/// The line width of the columns' meanings, in characters.
const WIDTH: usize = 110;

pub(super) fn check(args: &CheckArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let campaign = settings::campaign(&args.campaign)?;
    let api = VendorConfig::destination(&campaign, false)?;
    // A new campaign file has placeholders. The list is looked at all the same: its columns are worth knowing early.
    let placeholders = api.refuse_placeholders(&campaign).err();
    let Some(placeholders) = placeholders else { return check_list(args, global, output, &campaign, &api, true) };
    if args.plan.is_none()
        && let Err(error) = check_list(args, global, output, &campaign, &api, false)
    {
        output::print_error(&error);
    }
    Err(placeholders)
}

fn check_list(
    args: &CheckArgs,
    global: &GlobalArgs,
    output: Output,
    campaign: &Campaign,
    api: &VendorConfig,
    is_complete: bool,
) -> Result<ExitStatus, CommandError> {
    let ledger = settings::ledger_in(global, &campaign.source.directory);
    let reader = if ledger.exists() { Some(LedgerReader::open(&ledger)?) } else { None };
    reader.as_ref().map_or(Ok(()), |reader| reader.refuse_other_kind(api.ledger_kind(), &ledger))?;
    let clock = plan_builder::clock(api, &args.time, reader.as_ref(), campaign)?;
    let now = clock.now();
    if let Some(pause) = reader.as_ref().map_or(Ok(None), |reader| reader.pause_of(&campaign.name, now))? {
        output.say(&pause::description(&campaign.name, &pause, &campaign.practice.zone));
    }
    let rejects = list_input::rejects_path(campaign, &ledger);
    list_input::refuse_foreign_file(&rejects)?;
    list_input::refuse_list_as_rejects(&rejects, args.exclude.as_deref(), campaign)?;
    let source = list_input::source(args.list.as_deref(), campaign)?;
    let context = list_input::context(campaign, api, &*clock);
    let excluded = exclude_file::read(args.exclude.as_deref(), campaign, now)?;
    let history = reader.as_ref().map(|reader| list_input::history(reader, campaign)).transpose()?.flatten();
    let intake = list_input::open(&source, campaign, context)?.with_exclude_list(excluded).with_history(history);
    let request = plan_builder::PlanRequest { with_messages: args.plan.is_some(), now };
    let (preview, findings) = CheckFindings::collect(&intake, campaign, reader.as_ref(), &request, output)?;
    if let Some(path) = &args.plan {
        plan_builder::write(path, &preview, campaign, findings.list, now)?;
    }
    if output.json {
        let Plan { calls, left_out, .. } = &preview.plan;
        output.document(&CheckDocument { findings: &findings, calls, not_called_entries: left_out })?;
    } else {
        output.data(&findings.render(&preview, campaign, is_complete, now))?;
        if output.verbose() {
            output.data(&plan_builder::hours_source(campaign))?;
        }
        if let Some(path) = &args.plan {
            output.say(&format!("wrote the plan {}: `run --plan` places exactly its calls", path.shown()));
        }
    }
    Ok(ExitStatus::Done)
}

/// The result of `check` as JSON. The rows are made as they are written: there may be a million.
#[derive(Serialize)]
struct CheckDocument<'p> {
    #[serde(flatten)]
    findings: &'p CheckFindings,
    /// The planned calls with their times.
    #[serde(serialize_with = "called_rows")]
    calls: &'p [PlannedCall],
    /// The entries that are not called, with the reasons.
    #[serde(serialize_with = "not_called_rows")]
    not_called_entries: &'p [NotCalled],
}

fn called_rows<S: Serializer>(calls: &[PlannedCall], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(calls.iter().map(CalledRow::from_planned))
}

fn not_called_rows<S: Serializer>(entries: &[NotCalled], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(entries.iter().map(NotCalledRow::from_not_called))
}

/// What `check` has found.
#[derive(Debug, Serialize)]
struct CheckFindings {
    campaign: String,
    columns: Vec<ColumnReport>,
    list: ListCounts,
    /// Rejected rows by reason.
    rejected: BTreeMap<String, u64>,
    #[serde(flatten)]
    rows: RowFindings,
    /// Entries that would not be called, by reason.
    not_called: BTreeMap<String, u64>,
    /// `not_called` as text shows it, with the first lines of each reason.
    #[serde(skip)]
    not_called_groups: Vec<NotCalledGroup>,
    /// The lines of totals, page footers and repeated headers.
    left_out: Vec<u64>,
    /// Rows that the spreadsheet hides, which are read like the others.
    hidden_rows: u64,
    /// FHIR resources that are neither patients nor appointments, by type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    other_resources: BTreeMap<String, u64>,
    /// What the numbers of the rows count.
    #[serde(skip)]
    unit: RowUnit,
    warnings: Vec<String>,
    /// How many patients of the exclude list are on the list; absent without an exclude list.
    #[serde(skip_serializing_if = "Option::is_none")]
    exclude_list: Option<ExcludedOnList>,
    /// The changes to the ledger's entries; null if the ledger does not have the campaign.
    changes: Option<EnrolmentCounts>,
    /// Calls by the day on which they are expected, in the practice's time zone.
    days: Vec<DayPlan>,
    /// Calls left for a later run.
    another_run: Vec<ReasonGroup>,
    forecast: Forecast,
    samples: Vec<SampleCall>,
}

/// An entry that is called.
#[derive(Debug, Serialize)]
struct CalledRow {
    key: Vec<String>,
    line: u64,
    entry: Option<EntryId>,
    earliest: DateTime<Utc>,
    expected: Option<DateTime<Utc>>,
    why: &'static str,
}

/// An entry that is not called.
#[derive(Debug, Serialize)]
struct NotCalledRow {
    key: Vec<String>,
    line: u64,
    entry: Option<EntryId>,
    state: State,
    reason: Option<Reason>,
    /// The row whose call uses the number, if that prevents the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by_line: Option<u64>,
}

/// A column of the list and its meaning.
#[derive(Debug, Serialize)]
struct ColumnReport {
    name: String,
    /// The field; `None` if only templates can use the column.
    field: Option<&'static str>,
    /// The column's name in templates.
    variable: String,
}

fn columns(intake: &Intake<'_>) -> Vec<ColumnReport> {
    let mapping = intake.mapping();
    let known = mapping.mapped.into_iter().map(|(name, meaning)| (name, Some(meaning)));
    let others = mapping.unmapped.into_iter().map(|name| (name, None));
    known.chain(others).map(|(name, field)| ColumnReport { variable: variable_name(&name), name, field }).collect()
}

/// A sample call with its messages.
#[derive(Debug, Serialize)]
struct SampleCall {
    line: u64,
    context: Option<String>,
    voicemail: Option<String>,
}

/// Collects the rows of a list.
struct RowCollector<'a> {
    planner: Planner<'a>,
    rows: RowFindings,
    samples: Vec<SampleCall>,
}

impl RowCollector<'_> {
    fn add(&mut self, row: RowResult) -> Result<(), CommandError> {
        self.rows.add(&row);
        match row {
            RowResult::Accepted(entry) => {
                if entry.eligibility == ListEligibility::Ready && self.samples.len() < MAX_SAMPLES {
                    let messages = entry.content.clone();
                    self.samples.push(SampleCall {
                        line: entry.line,
                        context: messages.context,
                        voicemail: messages.voicemail,
                    });
                }
                self.planner.take(*entry)?;
            }
            RowResult::Rejected(..) | RowResult::Duplicate { .. } | RowResult::Replaced { .. } => {}
        }
        Ok(())
    }
}

impl CheckFindings {
    fn collect(
        intake: &Intake<'_>,
        campaign: &Campaign,
        reader: Option<&LedgerReader>,
        request: &plan_builder::PlanRequest,
        output: Output,
    ) -> Result<(RunPreview, Self), CommandError> {
        let mut collector = RowCollector {
            planner: plan_builder::planner(campaign, reader, request)?,
            rows: RowFindings::new(intake.unit()),
            samples: Vec::new(),
        };
        let mut rows = intake.read().map_err(list_input::refused)?;
        for row in rows.by_ref() {
            collector.add(row.map_err(list_input::refused)?)?;
        }
        let finished = rows.finish().map_err(|problem| {
            // A list refused for its rejected rows: show the rows to correct.
            collector.rows.rejected.iter().for_each(|row| output.say(row));
            list_input::refused(problem)
        });
        let summary = finished?;
        let RowCollector { planner, rows, samples } = collector;
        let preview = plan_builder::finish(planner, intake, campaign, reader, request.now)?;
        let (days, another_run) = plan::days(&preview.plan, &campaign.practice.zone);
        let findings = Self {
            campaign: campaign.name.to_string(),
            columns: columns(intake),
            list: summary.counts,
            rejected: summary.rejected_by,
            rows,
            not_called: plan::left_out(&preview.plan),
            not_called_groups: plan::not_called_groups(&preview.plan, MAX_LISTED),
            left_out: intake.non_patient_lines().to_vec(),
            hidden_rows: intake.hidden_rows(),
            other_resources: intake.other_resources().clone(),
            unit: intake.unit(),
            exclude_list: summary.excluded,
            warnings: intake.names_without_column().iter().cloned().chain(warnings(summary.warnings)).collect(),
            changes: preview.is_known.then_some(preview.plan.changes),
            days,
            another_run,
            forecast: preview.forecast.clone(),
            samples,
        };
        Ok((preview, findings))
    }

    fn render(&self, preview: &RunPreview, campaign: &Campaign, is_complete: bool, now: DateTime<Utc>) -> String {
        let file = if is_complete { "is good" } else { "has placeholders, which the end of this output names" };
        let mut text = format!("{}: the campaign file {file}\n\ncolumns\n", self.campaign);
        text.push_str(&wrap(&self.column_phrases(), WIDTH));
        let _ = writeln!(text, "\nlist\n  {}", list_counts(&self.list));
        self.render_rows(&mut text);
        if preview.is_known {
            let _ = writeln!(text, "  in the ledger: {}", plan::changes(&preview.plan));
        }
        text.push_str(&plan::calls(&preview.plan, &self.forecast, &campaign.practice.zone, now));
        for sample in &self.samples {
            let _ = writeln!(text, "\nsample, {} {}", self.unit.word(), sample.line);
            let _ = sample.context.iter().try_for_each(|it| writeln!(text, "  context    {}", visible::value(it)));
            let _ = sample.voicemail.iter().try_for_each(|it| writeln!(text, "  voicemail  {}", visible::value(it)));
        }
        text
    }

    /// The field of each mapped column, then the template names of the unmapped ones: phrases between which a line may
    /// be broken.
    fn column_phrases(&self) -> Vec<String> {
        let mapped = |column: &ColumnReport| match column.field {
            // A column that has its field's name is shown once.
            Some(field) if field == column.name => Some(field.to_owned()),
            Some(field) => Some(format!("{} → {}", visible::value(&column.name), field.replace('_', " "))),
            None => None,
        };
        let mut phrases: Vec<String> = self.columns.iter().filter_map(mapped).collect();
        let known = phrases.len();
        let unmapped = self.columns.iter().filter(|column| column.field.is_none());
        phrases.extend(unmapped.map(|column| {
            format!("{} ({{{{ {} }}}})", visible::value(&column.name), visible::value(&column.variable))
        }));
        let last = phrases.len() - 1;
        for (at, phrase) in phrases.iter_mut().enumerate() {
            if at == known {
                phrase.insert_str(0, "unmapped: ");
            }
            phrase.push_str(if at == last {
                ""
            } else if at + 1 == known {
                ";"
            } else {
                ","
            });
        }
        phrases
    }

    fn render_rows(&self, text: &mut String) {
        text.push_str(&list_input::non_patient_rows(&self.left_out));
        text.push_str(&list_input::hidden_rows(self.hidden_rows));
        text.push_str(&list_input::other_resources(&self.other_resources));
        text.push_str(&self.rows.render(&self.list, &self.rejected));
        for NotCalledGroup { label, count, lines } in &self.not_called_groups {
            let _ = writeln!(text, "  not called: {count} × {label}{}", on_lines(self.unit, lines, *count));
        }
        if let Some(excluded) = &self.exclude_list {
            let _ = writeln!(text, "  {excluded}");
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  warning: {}", visible::value(warning));
        }
    }
}

impl CalledRow {
    fn from_planned(call: &PlannedCall) -> Self {
        let &PlannedCall { ref key, line, entry, earliest, slot, .. } = call;
        let key = key.parts().map(ToOwned::to_owned).collect();
        Self { key, line, entry, earliest, expected: slot.at, why: slot.why.name() }
    }
}

impl NotCalledRow {
    fn from_not_called(entry: &NotCalled) -> Self {
        let &NotCalled { ref key, line, entry, state, reason, used_by, .. } = entry;
        let key = key.parts().map(ToOwned::to_owned).collect();
        Self { key, line, entry, state, reason, used_by_line: used_by }
    }
}

fn warnings(by_warning: BTreeMap<IntakeWarning, u64>) -> impl Iterator<Item = String> {
    let render = |(warning, rows): (IntakeWarning, u64)| format!("{warning} ({})", counted(rows, "row", "rows"));
    by_warning.into_iter().map(render)
}

/// Joins phrases to indented lines of at most `width` characters, unless a single phrase is longer.
fn wrap(phrases: &[String], width: usize) -> String {
    let mut text = String::new();
    let mut filled = 0;
    for phrase in phrases {
        let length = phrase.chars().count();
        if filled == 0 || filled + 1 + length > width {
            text.push_str(if filled == 0 { "  " } else { "\n  " });
            filled = 2;
        } else {
            text.push(' ');
            filled += 1;
        }
        text.push_str(phrase);
        filled += length;
    }
    text.push('\n');
    text
}

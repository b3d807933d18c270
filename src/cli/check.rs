//! `check`: everything validated without a network, and what a run would do.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::Campaign;
use crate::entry::{ListTally, Reason, Standing, State};
use crate::error::{Exit, Stop};
use crate::ids::EntryId;
use crate::intake::{Intake, Setting, Step, Warning, variable_name};
use crate::ledger::{Enrolled, Reader};
use crate::plan::{Forecast, LeftOut, Planned, Planner};
use crate::report::plan::{self, Because, Day};
use crate::report::text::rows as rows_told;
use crate::visible;
use crate::visible::Shown;

use super::api::Api;
use super::args::{Check, Global};
use super::output::Output;
use super::planning::{self, Outlook};
use super::rows::{Rows, SHOWN, on_lines};
use super::{exclude, listing, setting};

/// Rendered samples that are shown.
const SAMPLES: usize = 3;

/// How wide the columns' meanings are written.
const WIDTH: usize = 110;

pub(super) fn check(args: &Check, global: &Global, output: Output) -> Result<Exit, Stop> {
    let campaign = setting::campaign(&args.campaign)?;
    let api = Api::of(&campaign, false)?;
    let ledger = setting::ledger_beside(global, &campaign.source.directory);
    let reader = if ledger.exists() { Some(Reader::open(&ledger)?) } else { None };
    reader.as_ref().map_or(Ok(()), |reader| reader.refuse_other_kind(api.ledger_kind(), &ledger))?;
    let clock = planning::clock(&api, &args.travel, reader.as_ref(), &campaign)?;
    let now = clock.now();
    let rejects = listing::rejects_path(&campaign, &ledger);
    listing::refuse_strangers(&rejects)?;
    listing::refuse_lists(&rejects, args.exclude.as_deref(), &campaign)?;
    let source = listing::source(args.list.as_deref(), &campaign)?;
    let circumstances = Setting { now, fiction_allowed: api.is_rehearsal(), check_age: !clock.is_invented() };
    let excluded = exclude::read(args.exclude.as_deref(), &campaign, now)?;
    let intake = listing::open(&source, &campaign, circumstances)?.without(excluded);
    let wanted = planning::Wanted { scripts: args.plan.is_some(), now };
    let (outlook, findings) = Findings::of(&intake, &campaign, reader.as_ref(), &wanted, output)?;
    if let Some(path) = &args.plan {
        planning::write(path, &outlook, &campaign, findings.list, now)?;
    }
    if output.json {
        output.document(&findings)?;
    } else {
        output.data(&findings.told(&outlook, &campaign, now))?;
        if output.verbose() {
            output.data(&planning::fine_print(&campaign))?;
        }
        if let Some(path) = &args.plan {
            output.say(&format!("the plan is in {}: `run --plan` dials that and nothing else", path.shown()));
        }
    }
    Ok(Exit::Done)
}

/// What looking through a list brought to light.
#[derive(Debug, Serialize)]
struct Findings {
    campaign: String,
    columns: Vec<Column>,
    list: ListTally,
    /// By rule.
    rejected: BTreeMap<String, u64>,
    #[serde(flatten)]
    rows: Rows,
    /// Entries that would not be called, by what keeps them.
    not_called: BTreeMap<String, u64>,
    /// The first of their lines.
    #[serde(skip)]
    lines_not_called: BTreeMap<String, Vec<u64>>,
    /// Lines of totals, page footers and repeated headers.
    left_out: Vec<u64>,
    warnings: Vec<String>,
    /// What the list changes about the entries that the ledger holds; null if it does not know the campaign.
    changes: Option<Enrolled>,
    /// Calls by the day on which their turn is expected, in the practice's zone.
    days: Vec<Day>,
    /// Calls that are left for another run.
    another_run: Vec<Because>,
    forecast: Forecast,
    samples: Vec<Sample>,
    /// Who is called, and when.
    calls: Vec<Called>,
    /// Who is not, and why.
    not_called_entries: Vec<NotCalled>,
}

/// Somebody who is called.
#[derive(Debug, Serialize)]
struct Called {
    key: Vec<String>,
    line: u64,
    entry: Option<EntryId>,
    earliest: DateTime<Utc>,
    expected: Option<DateTime<Utc>>,
    why: &'static str,
}

/// Somebody who is not.
#[derive(Debug, Serialize)]
struct NotCalled {
    key: Vec<String>,
    line: u64,
    entry: Option<EntryId>,
    state: State,
    reason: Option<Reason>,
}

/// A column of the list, and what it was taken for.
#[derive(Debug, Serialize)]
struct Column {
    name: String,
    /// The field; none if only templates can use it.
    field: Option<&'static str>,
    /// Its name in templates.
    variable: String,
}

fn columns(intake: &Intake<'_>) -> Vec<Column> {
    let mapping = intake.mapping();
    let known = mapping.mapped.into_iter().map(|(name, meaning)| (name, Some(meaning)));
    let others = mapping.unmapped.into_iter().map(|name| (name, None));
    known.chain(others).map(|(name, field)| Column { variable: variable_name(&name), name, field }).collect()
}

/// One call as it would be made.
#[derive(Debug, Serialize)]
struct Sample {
    line: u64,
    context: Option<String>,
    voicemail: Option<String>,
}

/// The list, as it is looked through row by row.
struct Look<'a> {
    planner: Planner<'a>,
    rows: Rows,
    samples: Vec<Sample>,
}

impl Look<'_> {
    fn take(&mut self, step: Step) -> Result<(), Stop> {
        self.rows.note(&step);
        match step {
            Step::Accepted(draft) => {
                if draft.standing == Standing::Ready && self.samples.len() < SAMPLES {
                    let said = draft.content.clone();
                    self.samples.push(Sample { line: draft.line, context: said.context, voicemail: said.voicemail });
                }
                self.planner.take(*draft)?;
            }
            Step::Rejected(..) | Step::Duplicate { .. } | Step::Replaced { .. } => {}
        }
        Ok(())
    }
}

impl Findings {
    fn of(
        intake: &Intake<'_>,
        campaign: &Campaign,
        reader: Option<&Reader>,
        wanted: &planning::Wanted,
        output: Output,
    ) -> Result<(Outlook, Self), Stop> {
        let mut look =
            Look { planner: planning::planner(campaign, reader, wanted)?, rows: Rows::default(), samples: Vec::new() };
        let mut reading = intake.read().map_err(listing::refused)?;
        for step in reading.by_ref() {
            look.take(step.map_err(listing::refused)?)?;
        }
        let finished = reading.finish().map_err(|problem| {
            // A list that is refused for its bad rows: they are what is to be mended.
            look.rows.rejected.iter().for_each(|row| output.say(row));
            listing::refused(problem)
        });
        let summary = finished?;
        let Look { planner, rows, samples } = look;
        let outlook = planning::finish(planner, intake, campaign, reader, wanted.now)?;
        let (days, another_run) = plan::days(&outlook.plan, &campaign.practice.zone);
        let findings = Self {
            campaign: campaign.name.to_string(),
            columns: columns(intake),
            list: summary.tally,
            rejected: summary.rejected_by,
            rows,
            not_called: plan::left_out(&outlook.plan),
            lines_not_called: plan::lines_left_out(&outlook.plan, SHOWN),
            left_out: intake.left_out().to_vec(),
            warnings: warnings(summary.warnings),
            changes: outlook.is_known.then_some(outlook.plan.changes),
            days,
            another_run,
            forecast: outlook.forecast.clone(),
            samples,
            calls: outlook.plan.calls.iter().map(Called::of).collect(),
            not_called_entries: outlook.plan.left_out.iter().map(NotCalled::of).collect(),
        };
        Ok((outlook, findings))
    }

    fn told(&self, outlook: &Outlook, campaign: &Campaign, now: DateTime<Utc>) -> String {
        let mut text = format!("{}: the campaign file is good\n\ncolumns\n", self.campaign);
        text.push_str(&wrapped(&self.mapping(), WIDTH));
        let _ = writeln!(text, "\nlist\n  {}", rows_told(&self.list));
        self.tell_rows(&mut text);
        if outlook.is_known {
            let _ = writeln!(text, "  in the ledger: {}", plan::changes(&outlook.plan));
        }
        text.push_str(&plan::calls(&outlook.plan, &self.forecast, &campaign.practice.zone, now));
        for sample in &self.samples {
            let _ = writeln!(text, "\nsample, line {}", sample.line);
            let _ = sample.context.iter().try_for_each(|said| writeln!(text, "  context    {}", visible::value(said)));
            let _ =
                sample.voicemail.iter().try_for_each(|said| writeln!(text, "  voicemail  {}", visible::value(said)));
        }
        text
    }

    /// Which column is which field, and what the others are called in templates: sentences that may be broken between
    /// two columns.
    fn mapping(&self) -> Vec<String> {
        let mapped = |column: &Column| match column.field {
            // A list in the program's own words needs no translation.
            Some(field) if field == column.name => Some(field.to_owned()),
            Some(field) => Some(format!("{} → {}", visible::value(&column.name), field.replace('_', " "))),
            None => None,
        };
        let mut parts: Vec<String> = self.columns.iter().filter_map(mapped).collect();
        let known = parts.len();
        let unmapped = self.columns.iter().filter(|column| column.field.is_none());
        parts.extend(unmapped.map(|column| {
            format!("{} ({{{{ {} }}}})", visible::value(&column.name), visible::value(&column.variable))
        }));
        let last = parts.len() - 1;
        for (at, part) in parts.iter_mut().enumerate() {
            if at == known {
                part.insert_str(0, "unmapped: ");
            }
            part.push_str(if at == last {
                ""
            } else if at + 1 == known {
                ";"
            } else {
                ","
            });
        }
        parts
    }

    fn tell_rows(&self, text: &mut String) {
        text.push_str(&listing::left_out(&self.left_out));
        text.push_str(&self.rows.told(&self.list, &self.rejected));
        for (why, count) in &self.not_called {
            let lines = self.lines_not_called.get(why).map(Vec::as_slice).unwrap_or_default();
            let _ = writeln!(text, "  not called: {count} × {why}{}", on_lines(lines, *count));
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  warning: {}", visible::value(warning));
        }
    }
}

impl Called {
    fn of(call: &Planned) -> Self {
        let &Planned { ref key, line, entry, earliest, turn, .. } = call;
        let key = key.parts().map(ToOwned::to_owned).collect();
        Self { key, line, entry, earliest, expected: turn.at, why: turn.why.name() }
    }
}

impl NotCalled {
    fn of(left_out: &LeftOut) -> Self {
        let &LeftOut { ref key, line, entry, state, reason, .. } = left_out;
        Self { key: key.parts().map(ToOwned::to_owned).collect(), line, entry, state, reason }
    }
}

fn warnings(counted: BTreeMap<Warning, u64>) -> Vec<String> {
    let told =
        |(warning, rows): (Warning, u64)| format!("{warning} ({rows} {})", if rows == 1 { "row" } else { "rows" });
    counted.into_iter().map(told).collect()
}

/// Parts put together to indented lines of at most `width` characters, if a part alone is not longer.
fn wrapped(parts: &[String], width: usize) -> String {
    let mut text = String::new();
    let mut filled = 0;
    for part in parts {
        let length = part.chars().count();
        if filled == 0 || filled + 1 + length > width {
            text.push_str(if filled == 0 { "  " } else { "\n  " });
            filled = 2;
        } else {
            text.push(' ');
            filled += 1;
        }
        text.push_str(part);
        filled += length;
    }
    text.push('\n');
    text
}

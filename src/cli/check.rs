//! `check`: everything validated without a network, and what a run would do.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use crate::campaign::Campaign;
use crate::entry::{Draft, ListTally, Reason, Standing};
use crate::error::{Exit, Stop};
use crate::intake::{Intake, Setting, Step, Summary, variable_name};
use crate::policy::forecast::{self, Forecast};
use crate::policy::{self, Case, Decision, Hours, NumberHistory};
use crate::report::text::lowercase;

use super::api::Api;
use super::args::Check;
use super::output::Output;
use super::{listing, setting};

/// Rendered samples that are shown.
const SAMPLES: usize = 3;

/// Rejected rows that are shown one by one.
const SHOWN: usize = 20;

pub(super) fn check(args: &Check, output: Output) -> Result<Exit, Stop> {
    let campaign = setting::campaign(&args.campaign)?;
    let api = Api::of(&campaign)?;
    let clock = setting::clock(&api, &args.travel, None)?;
    let now = clock.now();
    let source = listing::source(args.list.as_deref(), &campaign)?;
    let circumstances = Setting { now, fiction_allowed: api.is_simulated(), check_age: !clock.is_invented() };
    let intake = listing::open(&source, &campaign, circumstances)?;
    let findings = Findings::of(&intake, &campaign, now, output)?;
    if output.json {
        output.document(&findings)?;
    } else {
        output.data(&findings.told(&campaign))?;
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
    /// Line and reason of the first rejected rows.
    rejected_rows: Vec<String>,
    /// Entries that are not to be called, or wait for a person, by rule.
    kept: BTreeMap<Reason, u64>,
    /// Lines of totals, page footers and repeated headers.
    left_out: Vec<u64>,
    warnings: Vec<String>,
    /// First calls by the day on which they may be placed, in the practice's zone.
    days: BTreeMap<NaiveDate, u64>,
    /// Entries that the rules keep from being called, though the list does not.
    not_callable: BTreeMap<Reason, u64>,
    forecast: Forecast,
    samples: Vec<Sample>,
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

impl Findings {
    fn of(intake: &Intake<'_>, campaign: &Campaign, now: DateTime<Utc>, output: Output) -> Result<Self, Stop> {
        let mut found = Self {
            campaign: campaign.name.to_string(),
            columns: columns(intake),
            list: ListTally::default(),
            rejected: BTreeMap::new(),
            rejected_rows: Vec::new(),
            kept: BTreeMap::new(),
            left_out: intake.left_out().to_vec(),
            warnings: Vec::new(),
            days: BTreeMap::new(),
            not_callable: BTreeMap::new(),
            forecast: forecast::forecast(0, &campaign.rate, &Hours::of_practice(campaign), now),
            samples: Vec::new(),
        };
        let mut reading = intake.read().map_err(listing::refused)?;
        for step in reading.by_ref() {
            found.take(step.map_err(listing::refused)?, campaign, now);
        }
        let finished = reading.finish().map_err(|problem| {
            // A list that is refused for its bad rows: they are what is to be mended.
            found.rejected_rows.iter().for_each(|row| output.say(row));
            listing::refused(problem)
        });
        let Summary { tally, rejected_by, kept_by, warnings } = finished?;
        let calls = found.days.values().sum();
        Ok(Self {
            list: tally,
            rejected: rejected_by,
            kept: kept_by,
            warnings: warnings
                .into_iter()
                .map(|(warning, rows)| format!("{warning} ({rows} {})", if rows == 1 { "row" } else { "rows" }))
                .collect(),
            forecast: forecast::forecast(calls, &campaign.rate, &Hours::of_practice(campaign), now),
            ..found
        })
    }

    fn take(&mut self, step: Step, campaign: &Campaign, now: DateTime<Utc>) {
        match step {
            Step::Rejected(rejection, _) if self.rejected_rows.len() < SHOWN => {
                self.rejected_rows.push(rejection.to_string());
            }
            Step::Accepted(draft) if draft.standing == Standing::Ready => self.plan(&draft, campaign, now),
            Step::Accepted(_) | Step::Rejected(..) | Step::Duplicate { .. } | Step::Replaced { .. } => {}
        }
    }

    /// When would this entry be called, if nobody had called its number lately?
    fn plan(&mut self, draft: &Draft, campaign: &Campaign, now: DateTime<Utc>) {
        if self.samples.len() < SAMPLES {
            let said = draft.content.clone();
            self.samples.push(Sample { line: draft.line, context: said.context, voicemail: said.voicemail });
        }
        let case = Case {
            hours: &Hours::of_entry(campaign, draft.phone, &draft.zones),
            caps: &campaign.calling.caps,
            state_cap: None,
            again: None,
            history: &NumberHistory::default(),
            suppressed: false,
            not_after: draft.not_after,
        };
        let day = |at| campaign.practice.zone.local(at).date();
        match policy::decide(&case, now) {
            Decision::Call { .. } => *self.days.entry(day(now)).or_default() += 1,
            Decision::Wait { until, .. } => *self.days.entry(day(until)).or_default() += 1,
            Decision::Hold(reason) | Decision::Never(reason) => *self.not_callable.entry(reason).or_default() += 1,
            Decision::TooLate => *self.not_callable.entry(Reason::NotAfter).or_default() += 1,
        }
    }

    fn told(&self, campaign: &Campaign) -> String {
        let mut text = format!("{}: the campaign file is good\n\ncolumns\n", self.campaign);
        let width = self.columns.iter().map(|column| column.name.chars().count()).max().unwrap_or(0);
        for Column { name, field, variable } in &self.columns {
            let meaning = match field {
                Some(field) => (*field).to_owned(),
                None => format!("only for templates, as {{{{ {variable} }}}}"),
            };
            let _ = writeln!(text, "  {name:<width$}  {meaning}");
        }
        let ListTally { read, accepted, rejected, duplicate, merged } = self.list;
        let _ = writeln!(
            text,
            "\nlist\n  {read} rows = {accepted} accepted + {rejected} rejected + {duplicate} duplicate + {merged} merged"
        );
        self.tell_rows(&mut text);
        self.tell_calls(&mut text, campaign);
        for sample in &self.samples {
            let _ = writeln!(text, "\nsample, line {}", sample.line);
            let _ = sample.context.iter().try_for_each(|said| writeln!(text, "  context    {said}"));
            let _ = sample.voicemail.iter().try_for_each(|said| writeln!(text, "  voicemail  {said}"));
        }
        text
    }

    fn tell_rows(&self, text: &mut String) {
        text.push_str(&listing::left_out(&self.left_out));
        for row in &self.rejected_rows {
            let _ = writeln!(text, "  rejected: {row}");
        }
        let hidden = self.list.rejected.saturating_sub(self.rejected_rows.len() as u64);
        if hidden > 0 {
            let _ = writeln!(
                text,
                "  and {hidden} more rejected; `callrounds run` writes all of them to a file. By reason:"
            );
            for (what, count) in &self.rejected {
                let _ = writeln!(text, "    {count} × {what}");
            }
        }
        for (reason, count) in self.kept.iter().chain(&self.not_callable) {
            let _ = writeln!(text, "  not called: {count} × {}", lowercase(reason.says()));
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "  warning: {warning}");
        }
    }

    fn tell_calls(&self, text: &mut String, campaign: &Campaign) {
        let local = |at: DateTime<Utc>| campaign.practice.zone.local(at).format("%a %Y-%m-%d %H:%M").to_string();
        let Forecast { calls, requests, minutes, from, closes, fit } = &self.forecast;
        if *calls == 0 {
            text.push_str("\ncalls\n  nobody is to be called\n");
            return;
        }
        let minutes = if *minutes == 1 { "1 minute".into() } else { format!("{minutes} minutes") };
        let _ = writeln!(text, "\ncalls\n  {calls} first calls: about {requests} requests and {minutes}");
        for (day, count) in &self.days {
            let _ = writeln!(text, "  {count} may be called from {} on", day.format("%a %Y-%m-%d"));
        }
        if let (Some(from), Some(closes)) = (from, closes) {
            let _ = writeln!(text, "  the window is open from {} until {}: {fit} fit", local(*from), local(*closes));
            if calls > fit {
                let _ = writeln!(text, "  {} do not fit and wait for the next window", calls - fit);
            }
        }
        text.push_str("  `check` does not look into the ledger: `run` leaves out whoever was called before\n");
    }
}

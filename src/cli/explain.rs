//! `explain`: the history of one patient, with reasons, in every campaign on the ledger.

use serde::Serialize;

use crate::campaign::Campaign;
use crate::error::{CommandError, ExitStatus};
use crate::ledger::{EntryRow, FormerMember, LedgerError, LedgerKind, LedgerReader, RunReport};
use crate::phone::E164;
use crate::phone::parse_cell::all_numbers_in;
use crate::report::timeline::{self, EntryTimeline, RejectedRow};
use crate::visible;
use crate::visible::DisplayPath;

use super::args::{ExplainArgs, GlobalArgs};
use super::output::Output;
use super::status::campaign_of;
use super::{list_input, settings};

/// Everything known about one patient.
#[derive(Serialize)]
struct PatientRecord {
    #[serde(rename = "stories")]
    timelines: Vec<EntryTimeline>,
    /// Rejected rows of the campaigns' last lists.
    rejected: Vec<RejectedRow>,
}

pub(super) fn explain(args: &ExplainArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let ledger = settings::find_ledger(global)?;
    let reader = LedgerReader::open(&ledger)?;
    let runs = reader.newest_runs()?;
    if runs.is_empty() {
        return Err(LedgerError::NoRun.into());
    }
    let wanted = PatientQuery::parse(&args.patient);
    let (mut text, mut record) = (Vec::new(), PatientRecord { timelines: Vec::new(), rejected: Vec::new() });
    for run in &runs {
        let campaign = campaign_of(run)?;
        for timeline in timelines(&reader, run, &wanted)? {
            let practice = campaign.practice_at(timeline.location.as_ref()).unwrap_or(&campaign.practice);
            text.push(timeline::render(&timeline, &practice.zone));
            record.timelines.push(timeline);
        }
        let of_rehearsal = list_input::rehearsal_rejects_path(&campaign, &ledger);
        let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal) && of_rehearsal.exists();
        let path = if is_rehearsed { of_rehearsal } else { list_input::rejects_path(&campaign, &ledger) };
        for row in rejected(&campaign, &path, &args.patient) {
            text.push(timeline::rejected(&row));
            record.rejected.push(row);
        }
    }
    if text.is_empty() {
        return Err(CommandError::Usage(
            "no such patient in any campaign on the ledger; give a patient's id, a number of the report's first column, such as \
             12, or a phone number"
                .into(),
        ));
    }
    if output.json {
        output.document(&record)?;
    } else {
        output.data(&text.join("\n"))?;
    }
    Ok(ExitStatus::Done)
}

fn timelines(
    reader: &LedgerReader,
    run: &RunReport,
    wanted: &PatientQuery<'_>,
) -> Result<Vec<EntryTimeline>, CommandError> {
    let former = reader.former_members(run.handle)?;
    let mut found = Vec::new();
    reader.each_entry(run.handle, |row| {
        let members = former.iter().filter(|member| member.entry == row.entry && !row.covered_by_household);
        let members: Vec<EntryRow> = members.map(|member| member_row(&row, member)).collect();
        found.extend(std::iter::once(row).chain(members).filter(|row| wanted.matches(row)));
        Ok::<_, LedgerError>(())
    })?;
    let timeline = |row: &EntryRow| {
        let suppressions = reader.suppressions_of(row.phone)?;
        Ok::<_, LedgerError>(EntryTimeline::new(
            run,
            row,
            reader.events_of(row.entry)?,
            reader.words_of(row.entry)?,
            suppressions,
        ))
    };
    Ok(found.iter().map(timeline).collect::<Result<_, _>>()?)
}

/// The rows of a rejects file that have `wanted` in a cell; none if the file is missing or unreadable.
fn rejected(campaign: &Campaign, path: &std::path::Path, wanted: &str) -> Vec<RejectedRow> {
    let Ok(reader) = csv::ReaderBuilder::new().flexible(true).from_path(path) else { return Vec::new() };
    let rows = reader.into_records().filter_map(Result::ok);
    let matching = rows.filter(|row| row.iter().skip(2).any(|cell| visible::original_cell(cell).trim() == wanted));
    let rejected = |row: csv::StringRecord| RejectedRow {
        campaign: campaign.name.clone(),
        line: row.get(0).unwrap_or_default().to_owned(),
        reason: row.get(1).unwrap_or_default().to_owned(),
        file: path.shown(),
    };
    matching.map(rejected).collect()
}

/// The entry's row for a household member whose call it covered.
fn member_row(row: &EntryRow, member: &FormerMember) -> EntryRow {
    let FormerMember { key, line, patient, .. } = member.clone();
    EntryRow { key, line, patient, covered_by_household: true, ..row.clone() }
}

/// The patient asked about.
struct PatientQuery<'a> {
    text: &'a str,
    /// The phone numbers in the text, in any notation.
    numbers: Vec<E164>,
}

impl<'a> PatientQuery<'a> {
    fn parse(text: &'a str) -> Self {
        Self { text, numbers: all_numbers_in(text).unwrap_or_default() }
    }

    fn matches(&self, row: &EntryRow) -> bool {
        row.key.parts().any(|part| part == self.text)
            || row.patient.patient_id.as_deref() == Some(self.text)
            || row.entry.to_string() == self.text.strip_prefix('#').unwrap_or(self.text)
            || self.numbers.contains(&row.phone)
    }
}

//! `explain`: the history of one patient, with reasons, in every campaign on the ledger.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::intake::{folded, id_text};
use crate::ledger::{EntryRow, FormerMember, LedgerError, LedgerReader, RunReport};
use crate::phone::E164;
use crate::phone::parse_cell::all_numbers_in;
use crate::report::timeline::{self, EntryTimeline, RejectedRow, SuppressionStatus};
use crate::visible;
use crate::visible::DisplayPath;
use crate::zone::Zone;

use super::args::{ExplainArgs, GlobalArgs};
use super::output::Output;
use super::status::{campaign_of, zone_of};
use super::{rejects_file, settings};

/// Everything known about one patient.
#[derive(Default, Serialize)]
struct PatientRecord {
    #[serde(rename = "stories")]
    timelines: Vec<EntryTimeline>,
    /// Rejected rows of the campaigns' last lists.
    rejected: Vec<RejectedRow>,
    /// What the suppression list has of a number that nobody on the ledger has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<SuppressionStatus>,
}

pub(super) fn explain(args: &ExplainArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let ledger = settings::find_ledger(global)?;
    let reader = LedgerReader::open(&ledger)?;
    let now = reader.not_before_newest(WallClock.now())?;
    let runs = reader.newest_runs()?;
    let wanted = PatientQuery::parse(&args.patient);
    let (mut text, mut record) = (Vec::new(), PatientRecord::default());
    for run in &runs {
        let campaign = campaign_of(run)?;
        for timeline in timelines(&reader, run, &wanted, now)? {
            let practice = campaign.practice_at(timeline.location.as_ref()).unwrap_or(&campaign.practice);
            text.push(timeline::render(&timeline, &practice.zone, now));
            record.timelines.push(timeline);
        }
        let rejects = rejects_file::path_of_last_list(&reader, &campaign, &ledger)?;
        for row in rejected(&campaign, &rejects, &wanted) {
            text.push(timeline::rejected(&row));
            record.rejected.push(row);
        }
    }
    if record.timelines.is_empty() {
        // Nobody on the ledger has the number; it may be suppressed all the same.
        let zone = runs.first().map(zone_of).transpose()?.unwrap_or_else(Zone::utc);
        for phone in &wanted.numbers {
            for row in reader.suppressions_of(*phone)? {
                let status = SuppressionStatus::from(row);
                text.push(format!("{}: {}\n", phone.expose(), timeline::suppression(&status, &zone, now)));
                record.suppressions.push(status);
            }
        }
    }
    if text.is_empty() {
        return Err(nobody_found(&runs));
    }
    if output.json {
        output.document(&record)?;
    } else {
        output.data(&text.join("\n"))?;
    }
    Ok(ExitStatus::Done)
}

fn nobody_found(runs: &[RunReport]) -> CommandError {
    if runs.is_empty() {
        return LedgerError::NoRun.into();
    }
    CommandError::Usage(
        "no such patient in any campaign on the ledger, and no such number on the suppression list; give a patient's id or \
         name, a number of the report's first column, such as 12, or a phone number"
            .into(),
    )
}

fn timelines(
    reader: &LedgerReader,
    run: &RunReport,
    wanted: &PatientQuery<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<EntryTimeline>, CommandError> {
    let former = reader.former_members(run.handle)?;
    let mut found = Vec::new();
    reader.each_entry(run.handle, now, |row| {
        let members = former.iter().filter(|member| member.entry == row.entry && !row.covered_by_household);
        let members: Vec<EntryRow> = members.map(|member| member_row(&row, member)).collect();
        found.extend(std::iter::once(row).chain(members).filter(|row| wanted.matches(row)));
        Ok::<_, LedgerError>(())
    })?;
    let timeline = |row: &EntryRow| {
        let suppressions = reader.suppressions_of(row.phone)?;
        let (events, words) = (reader.events_of(row.entry)?, reader.words_of(row.entry)?);
        let mut timeline = EntryTimeline::new(run, row, events, words, suppressions);
        timeline.name = (!wanted.matches_number(row)).then(|| row.patient.full_name());
        Ok::<_, LedgerError>(timeline)
    };
    Ok(found.iter().map(timeline).collect::<Result<_, _>>()?)
}

/// The rows of a rejects file that have what is wanted.
fn rejected(campaign: &Campaign, path: &Path, wanted: &PatientQuery<'_>) -> Vec<RejectedRow> {
    let matching = rejects_file::read(path).rows.into_iter().filter(|row| wanted.matches_cells(row.iter().skip(2)));
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
    /// The text as a list's cell is read.
    cell: String,
    /// The phone numbers in the text, in any notation.
    numbers: Vec<E164>,
    /// The words of a name; empty if the text has a digit.
    names: Vec<String>,
}

impl<'a> PatientQuery<'a> {
    fn parse(text: &'a str) -> Self {
        let text = text.trim();
        let names = if text.contains(|c: char| c.is_ascii_digit()) { Vec::new() } else { name_words(text) };
        Self { text, cell: id_text(text), numbers: all_numbers_in(text).unwrap_or_default(), names }
    }

    fn matches(&self, row: &EntryRow) -> bool {
        self.matches_number(row) || self.is_named(&name_words(&row.patient.full_name()))
    }

    /// Whether the text is the patient's id, entry or phone number.
    fn matches_number(&self, row: &EntryRow) -> bool {
        let is_wanted = |id: &str| id == self.text || id == self.cell;
        row.key.parts().any(is_wanted)
            || row.patient.patient_id.as_deref().is_some_and(is_wanted)
            || row.entry.to_string() == self.text.strip_prefix('#').unwrap_or(self.text)
            || self.numbers.contains(&row.phone)
    }

    /// Whether a rejected row has the text in a cell, or every word of the name in its cells.
    fn matches_cells<'r>(&self, cells: impl Iterator<Item = &'r str>) -> bool {
        let cells: Vec<_> = cells.map(visible::original_cell).collect();
        let words: Vec<_> = cells.iter().flat_map(|cell| name_words(cell)).collect();
        cells.iter().any(|cell| cell.trim() == self.text) || self.is_named(&words)
    }

    /// Whether every word asked for is among these words of a name.
    fn is_named(&self, words: &[String]) -> bool {
        !self.names.is_empty() && self.names.iter().all(|name| words.contains(name))
    }
}

/// The words of a name without capitals and accents, so that `García, José` is found as `jose garcia`.
fn name_words(name: &str) -> Vec<String> {
    let is_letter = |c: char| c.is_alphabetic() || c == '\'' || c == '’';
    let words = name.split(|c| !is_letter(c)).filter(|word| !word.is_empty());
    words.map(|word| folded(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_found_by_the_words_of_the_name_in_any_order_and_notation() {
        let words = name_words("José Luis García-Pérez");
        for (asked, found) in [
            ("jose garcia", true),
            ("García-Pérez, José", true),
            ("PÉREZ", true),
            ("garc", false),
            ("jose lopez", false),
            ("12 Garcia", false),
            ("-", false),
        ] {
            assert_eq!(PatientQuery::parse(asked).is_named(&words), found, "{asked}");
        }
    }
}

//! `explain`: what happened to one patient, and why, in every campaign on the ledger.

use serde::Serialize;

use crate::campaign::Campaign;
use crate::error::{Exit, Stop};
use crate::ledger::{EntryRow, FormerMember, LedgerError, LedgerKind, Reader, RunReport};
use crate::phone::E164;
use crate::phone::cell::{CellRules, numbers_in};
use crate::report::explain::{self, RejectedRow, Story};
use crate::visible;
use crate::visible::Shown;

use super::args::{Explain, Global};
use super::output::Output;
use super::status::campaign_of;
use super::{listing, setting};

/// Everything that is known of somebody.
#[derive(Serialize)]
struct Known {
    stories: Vec<Story>,
    /// Rows of the campaigns' last lists that could not be used.
    rejected: Vec<RejectedRow>,
}

pub(super) fn explain(args: &Explain, global: &Global, output: Output) -> Result<Exit, Stop> {
    let ledger = setting::ledger_around(global)?;
    let reader = Reader::open(&ledger)?;
    let runs = reader.newest_runs()?;
    if runs.is_empty() {
        return Err(LedgerError::NoRun.into());
    }
    let wanted = Wanted::of(&args.patient);
    let (mut text, mut known) = (Vec::new(), Known { stories: Vec::new(), rejected: Vec::new() });
    for run in &runs {
        let campaign = campaign_of(run)?;
        for story in stories(&reader, run, &wanted)? {
            let practice = campaign.practice_at(story.location.as_ref()).unwrap_or(&campaign.practice);
            text.push(explain::told(&story, &practice.zone));
            known.stories.push(story);
        }
        let of_rehearsal = listing::rejects_of_rehearsal(&campaign, &ledger);
        let is_rehearsed = reader.kind()? == Some(LedgerKind::Rehearsal) && of_rehearsal.exists();
        let path = if is_rehearsed { of_rehearsal } else { listing::rejects_path(&campaign, &ledger) };
        for row in rejected(&campaign, &path, &args.patient) {
            text.push(explain::rejected(&row));
            known.rejected.push(row);
        }
    }
    if text.is_empty() {
        return Err(Stop::Usage(
            "no such patient in any campaign on the ledger; give a patient's id, an entry's number or a phone number"
                .into(),
        ));
    }
    if output.json {
        output.document(&known)?;
    } else {
        output.data(&text.join("\n"))?;
    }
    Ok(Exit::Done)
}

fn stories(reader: &Reader, run: &RunReport, wanted: &Wanted<'_>) -> Result<Vec<Story>, Stop> {
    let former = reader.former_members(run.handle)?;
    let mut found = Vec::new();
    reader.each_entry(run.handle, |row| {
        let members = former.iter().filter(|member| member.entry == row.entry && !row.covered_by_household);
        let members: Vec<EntryRow> = members.map(|member| as_covered(&row, member)).collect();
        found.extend(std::iter::once(row).chain(members).filter(|row| wanted.is(row)));
        Ok::<_, LedgerError>(())
    })?;
    let story = |row: &EntryRow| {
        let suppressions = reader.suppressions_of(row.phone)?;
        Ok::<_, LedgerError>(Story::new(run, row, reader.events_of(row.entry)?, suppressions))
    };
    Ok(found.iter().map(story).collect::<Result<_, _>>()?)
}

/// The rows of a rejects file that have `wanted` in a cell; a file that is not there, or not to be read, has none.
fn rejected(campaign: &Campaign, path: &std::path::Path, wanted: &str) -> Vec<RejectedRow> {
    let Ok(reader) = csv::ReaderBuilder::new().flexible(true).from_path(path) else { return Vec::new() };
    let rows = reader.into_records().filter_map(Result::ok);
    let meant = rows.filter(|row| row.iter().skip(2).any(|cell| visible::cell_as_it_was(cell).trim() == wanted));
    let of = |row: csv::StringRecord| RejectedRow {
        campaign: campaign.name.clone(),
        line: row.get(0).unwrap_or_default().to_owned(),
        reason: row.get(1).unwrap_or_default().to_owned(),
        file: path.shown(),
    };
    meant.map(of).collect()
}

/// The entry's row, as a member's whom its calls covered.
fn as_covered(row: &EntryRow, member: &FormerMember) -> EntryRow {
    let FormerMember { key, line, patient, .. } = member.clone();
    EntryRow { key, line, patient, covered_by_household: true, ..row.clone() }
}

/// Who is asked about.
struct Wanted<'a> {
    text: &'a str,
    /// The numbers that it may be, however they are written.
    numbers: Vec<E164>,
}

impl<'a> Wanted<'a> {
    fn of(text: &'a str) -> Self {
        let numbers = numbers_in(text, CellRules { fiction_allowed: true, own: &[] }).unwrap_or_default();
        Self { text, numbers: numbers.into_iter().map(|usable| usable.number).collect() }
    }

    fn is(&self, row: &EntryRow) -> bool {
        row.key.parts().any(|part| part == self.text)
            || row.patient.patient_id.as_deref() == Some(self.text)
            || row.entry.to_string() == self.text
            || self.numbers.contains(&row.phone)
    }
}

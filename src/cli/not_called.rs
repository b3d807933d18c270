//! `report --not-called`: who was not called by a run, and why, as one file; the rows that its list rejected included.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use csv::StringRecord;

use crate::clock::{Clock, WallClock};
use crate::entry::{Reason, State};
use crate::error::{CommandError, ExitStatus};
use crate::intake::field_of_column;
use crate::ledger::{EntryRow, LedgerError, LedgerReader, RunReport};
use crate::report::csv::{state_label, state_word};
use crate::report::exporter::ExportError;
use crate::report::table::CsvTable;
use crate::visible::{self, DisplayPath};
use crate::wording::counted;

use super::args::GlobalArgs;
use super::output::{Output, export_error, write_export};
use super::rejects_file::{self, RejectedRows};
use super::settings;
use super::status::campaign_of;

/// The columns, in order.
const HEADER: [&str; 8] = ["line", "patient_id", "first_name", "last_name", "phone", "state", "reason", "why"];

/// A row of the file.
type Cells = [String; HEADER.len()];

pub(super) fn report(
    reader: &LedgerReader,
    run: &RunReport,
    global: &GlobalArgs,
    out: Option<&Path>,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let path = rejects_file::path_of_last_list(reader, &campaign_of(run)?, &settings::find_ledger(global)?)?;
    // The file is that of the newest list, or older: a list without rejected rows leaves none.
    let rejected =
        if run.next.is_none() && run.list.rejected > 0 { rejects_file::read(&path) } else { RejectedRows::default() };
    let missing = missing(run, &path, rejected.rows.len() as u64);
    let rows = rows(reader, run, rejected)?;
    write_export(out, "not-called.csv", false, output, |out| {
        let written = if output.json { write_json(&rows, out) } else { write(&rows, out) };
        written.or_else(|error| export_error(error, "the report"))
    })?;
    if let Some(missing) = missing {
        output.say(&missing);
    }
    Ok(ExitStatus::Done)
}

/// What is said if the rejects file does not have exactly the rows that the run's list rejected.
fn missing(run: &RunReport, path: &Path, found: u64) -> Option<String> {
    let rejected = run.list.rejected;
    if found == rejected {
        return None;
    }
    let rows = counted(rejected, "rejected row", "rejected rows");
    let (number, file) = (run.handle.run, path.shown());
    Some(match (run.next, found) {
        (Some(next), _) => {
            format!(
                "warning: without the {rows} of run {number}'s list: run {next} has followed, and {file} is of the newest list"
            )
        }
        (None, 0) => format!("warning: without the {rows} of the list: {file} is missing, or cannot be read"),
        (None, _) => format!(
            "warning: the list of run {number} had {rows}, and {file} has {found}: it was changed since, or is of another list"
        ),
    })
}

/// The rows, in the list's order; those of earlier lists come last.
fn rows(reader: &LedgerReader, run: &RunReport, rejected: RejectedRows) -> Result<Vec<Cells>, CommandError> {
    let mut listed: Vec<(u64, Cells)> = Vec::new();
    let mut earlier = Vec::new();
    let now = reader.not_before_newest(WallClock.now())?;
    reader.each_patient(run.handle, now, |row| {
        if row.calls_in_run == 0 {
            let cells = cells(&row);
            if row.listed { listed.push((row.line, cells)) } else { earlier.push(cells) }
        }
        Ok::<_, LedgerError>(())
    })?;
    listed.extend(rejected_cells(rejected));
    listed.sort_by_key(|(line, _)| *line);
    Ok(listed.into_iter().map(|(_, cells)| cells).chain(earlier).collect())
}

fn cells(row: &EntryRow) -> Cells {
    let patient = &row.patient;
    let why = match (row.state, row.outcome, row.reason) {
        _ if row.covered_by_household => "the call to another patient of the household covers this patient".into(),
        (State::Finished, Some(outcome), _) => format!("called already: {}", outcome.label()),
        (_, _, Some(reason)) => reason.label(),
        (_, _, None) => state_label(row).into(),
    };
    [
        row.line.to_string(),
        patient.id_or_key(&row.key),
        patient.first_name.clone(),
        patient.last_name.clone().unwrap_or_default(),
        row.phone.expose(),
        state_word(row).into(),
        row.reason.map(Reason::name).unwrap_or_default().into(),
        why,
    ]
}

/// The rejected rows by their lines, with the cells whose columns are known.
fn rejected_cells(RejectedRows { header, rows }: RejectedRows) -> impl Iterator<Item = (u64, Cells)> {
    let column = |field: &str| header.iter().skip(2).position(|name| field_of_column(name) == Some(field));
    let columns = ["patient_id", "first_name", "last_name", "phone"].map(column);
    rows.into_iter().map(move |row: StringRecord| {
        let cell = |at: usize| visible::original_cell(row.get(at).unwrap_or_default()).trim().to_owned();
        let [id, first, last, phone] = columns.map(|at| at.map(|at| cell(at + 2)).unwrap_or_default());
        let line = cell(0).parse().unwrap_or_default();
        (line, [cell(0), id, first, last, phone, "rejected".into(), "rejected".into(), cell(1)])
    })
}

fn write(rows: &[Cells], out: &mut dyn Write) -> Result<(), ExportError> {
    let mut table = CsvTable::begin(out, &HEADER)?;
    rows.iter().try_for_each(|row| table.row(row))?;
    table.finish()
}

/// The same rows for `--json`: an array of objects with the columns' names.
fn write_json(rows: &[Cells], out: &mut dyn Write) -> Result<(), ExportError> {
    let objects: Vec<BTreeMap<_, _>> = rows.iter().map(|row| HEADER.into_iter().zip(row).collect()).collect();
    let text = serde_json::to_string_pretty(&objects).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{}", visible::json(&text))?)
}

//! `report --not-called`: who was not called by a run, and why, as one file; the rows that its list rejected included.

use std::io::Write;
use std::path::Path;

use crate::clock::{Clock, WallClock};
use crate::entry::{Reason, State};
use crate::error::{CommandError, ExitStatus};
use crate::intake::field_of_column;
use crate::ledger::{EntryRow, LedgerError, LedgerReader, RunReport};
use crate::report::csv::{state_label, state_word};
use crate::visible::{self, DisplayPath, cell_without_formula};

use super::args::GlobalArgs;
use super::list_input;
use super::output::{Output, write_private};
use super::settings;
use super::status::campaign_of;

/// The columns, in order.
const HEADER: [&str; 8] = ["line", "patient_id", "first_name", "last_name", "phone", "state", "reason", "why"];

pub(super) fn report(
    reader: &LedgerReader,
    run: &RunReport,
    global: &GlobalArgs,
    out: Option<&Path>,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let rows = rows(reader, run, global)?;
    match out {
        Some(path) => {
            write_private(path, |out| write(&rows, out, &path.shown()))?;
            output.say(&format!("wrote {}", path.shown()));
        }
        None => write(&rows, &mut std::io::stdout().lock(), "the report")?,
    }
    Ok(ExitStatus::Done)
}

/// The rows, in the list's order; those of earlier lists come last.
fn rows(reader: &LedgerReader, run: &RunReport, global: &GlobalArgs) -> Result<Vec<[String; 8]>, CommandError> {
    let mut listed: Vec<(u64, [String; 8])> = Vec::new();
    let mut earlier = Vec::new();
    let now = reader.not_before_newest(WallClock.now())?;
    reader.each_patient(run.handle, now, |row| {
        if row.calls_in_run == 0 {
            let cells = cells(&row);
            if row.listed { listed.push((row.line, cells)) } else { earlier.push(cells) }
        }
        Ok::<_, LedgerError>(())
    })?;
    // The rejects file is that of the newest list.
    if run.next.is_none() {
        let campaign = campaign_of(run)?;
        let ledger = settings::find_ledger(global)?;
        listed.extend(rejected(&list_input::rejects_path(&campaign, &ledger)));
    }
    listed.sort_by_key(|(line, _)| *line);
    Ok(listed.into_iter().map(|(_, cells)| cells).chain(earlier).collect())
}

fn cells(row: &EntryRow) -> [String; 8] {
    let patient = &row.patient;
    let key = || row.key.parts().collect::<Vec<_>>().join(" ");
    let why = match (row.state, row.outcome, row.reason) {
        _ if row.covered_by_household => "the call to another patient of the household covers this patient".into(),
        (State::Finished, Some(outcome), _) => format!("called already: {}", outcome.label()),
        (_, _, Some(reason)) => reason.label(),
        (_, _, None) => state_label(row).into(),
    };
    [
        row.line.to_string(),
        patient.patient_id.clone().unwrap_or_else(key),
        patient.first_name.clone(),
        patient.last_name.clone().unwrap_or_default(),
        row.phone.expose(),
        state_word(row).into(),
        row.reason.map(Reason::name).unwrap_or_default().into(),
        why,
    ]
}

/// The rows of a rejects file, with the cells whose columns are known; none if the file is missing or unreadable.
fn rejected(path: &Path) -> Vec<(u64, [String; 8])> {
    let Ok(mut file) = csv::ReaderBuilder::new().flexible(true).from_path(path) else { return Vec::new() };
    let Ok(header) = file.headers().cloned() else { return Vec::new() };
    let column = |field: &str| header.iter().skip(2).position(|name| field_of_column(name) == Some(field));
    let columns = ["patient_id", "first_name", "last_name", "phone"].map(column);
    let rejected = |row: csv::StringRecord| {
        let cell = |at: usize| visible::original_cell(row.get(at).unwrap_or_default()).trim().to_owned();
        let [id, first, last, phone] = columns.map(|at| at.map(|at| cell(at + 2)).unwrap_or_default());
        let line = cell(0).parse().unwrap_or_default();
        (line, [cell(0), id, first, last, phone, "rejected".into(), "rejected".into(), cell(1)])
    };
    file.into_records().filter_map(Result::ok).map(rejected).collect()
}

fn write(rows: &[[String; 8]], out: &mut dyn Write, what: &str) -> Result<(), CommandError> {
    let failed = |error: csv::Error| {
        let csv::ErrorKind::Io(error) = error.into_kind() else {
            return Err(CommandError::Internal("the rows have no CSV".into()));
        };
        // The reader has stopped reading.
        let is_broken_pipe = error.kind() == std::io::ErrorKind::BrokenPipe;
        if is_broken_pipe { Ok(()) } else { Err(CommandError::Output { what: what.to_owned(), why: error.kind() }) }
    };
    let mut out = csv::Writer::from_writer(out);
    let mut write = || -> Result<(), csv::Error> {
        out.write_record(HEADER)?;
        for row in rows {
            out.write_record(row.iter().map(|cell| cell_without_formula(cell).into_owned()))?;
        }
        Ok(out.flush()?)
    };
    write().or_else(failed)
}

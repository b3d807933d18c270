//! `report`: what happened to each patient.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::error::{Exit, Stop};
use crate::ids::RunId;
use crate::ledger::{LedgerError, Reader, RunReport};
use crate::report::json::Patient;
use crate::report::xlsx::{self, XlsxProblem};
use crate::report::{Summary, csv, html, json, text};
use crate::visible::Shown;
use crate::visible::{self, Showing};
use crate::zone::Zone;

use super::args::{Format, Global, Report};
use super::output::{Output, write_private};
use super::setting;
use super::status::zone_of;

pub(super) fn report(args: &Report, global: &Global, output: Output) -> Result<Exit, Stop> {
    let reader = Reader::open(&setting::ledger_around(global)?)?;
    let run = reader.run(args.run.map(RunId))?;
    let format = if output.json { Format::Json } else { args.format };
    if format == Format::Xlsx && args.out.is_none() && std::io::stdout().is_terminal() {
        return Err(Stop::Usage("a workbook is no text for a terminal: add --out report.xlsx".into()));
    }
    match &args.out {
        Some(path) => {
            write_private(path, |out| write(&reader, &run, format, out))?;
            output.say(&format!("wrote {}", path.shown()));
        }
        // Data is given exactly, but to a terminal.
        None if std::io::stdout().is_terminal() => {
            write(&reader, &run, format, &mut Showing::new(std::io::stdout().lock(), visible::text))?;
        }
        None => write(&reader, &run, format, &mut std::io::stdout().lock())?,
    }
    Ok(Exit::Done)
}

/// What goes wrong between the ledger and the output.
enum Broken {
    Ledger(LedgerError),
    Output(std::io::Error),
    Workbook(XlsxProblem),
}

impl From<XlsxProblem> for Broken {
    fn from(problem: XlsxProblem) -> Self {
        Self::Workbook(problem)
    }
}

impl From<LedgerError> for Broken {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn write(reader: &Reader, run: &RunReport, format: Format, out: &mut dyn Write) -> Result<(), Stop> {
    let zone = zone_of(run)?;
    let written = match format {
        Format::Text => {
            let mut rows = text::Rows::new(zone.clone());
            let all = reader.each_entry(run.handle, |row| {
                rows.add(&row);
                Ok::<_, Broken>(())
            });
            let head = text::summary(&Summary::of(run), &zone);
            all.and_then(|()| Ok(write!(out, "{head}\n{}", rows.into_text())?))
        }
        Format::Csv => csv(reader, run, out),
        Format::Json => document(reader, run, &mut Showing::new(out, visible::json)),
        Format::Xlsx => workbook(reader, run, &text::summary(&Summary::of(run), &zone), out),
        Format::Html => page(reader, run, zone, out),
    };
    written.or_else(|broken| match broken {
        // Whoever read it has seen enough.
        Broken::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Broken::Ledger(error) => Err(error.into()),
        Broken::Output(error) => Err(Stop::Output { what: "the report".into(), why: error.kind() }),
        Broken::Workbook(problem) => Err(Stop::Usage(problem.to_string())),
    })
}

fn csv(reader: &Reader, run: &RunReport, out: &mut dyn Write) -> Result<(), Broken> {
    let mut rows = csv::Rows::new(out)?;
    reader.each_entry(run.handle, |row| Ok::<_, Broken>(rows.add(&row)?))?;
    Ok(rows.finish()?)
}

fn workbook(reader: &Reader, run: &RunReport, summary: &str, out: &mut dyn Write) -> Result<(), Broken> {
    let mut rows = xlsx::Rows::new()?;
    reader.each_entry(run.handle, |row| Ok::<_, Broken>(rows.add(&row)?))?;
    Ok(out.write_all(&rows.finish(summary)?)?)
}

fn page(reader: &Reader, run: &RunReport, zone: Zone, out: &mut dyn Write) -> Result<(), Broken> {
    let summary = Summary::of(run);
    let title = format!("{}, run {}", summary.campaign, summary.run);
    let mut rows = html::Rows::new(out, &title, &text::summary(&summary, &zone), zone)?;
    reader.each_entry(run.handle, |row| Ok::<_, Broken>(rows.add(&row)?))?;
    Ok(rows.finish()?)
}

fn document(reader: &Reader, run: &RunReport, out: &mut dyn Write) -> Result<(), Broken> {
    let mut patients = Vec::new();
    reader.each_entry(run.handle, |row| {
        patients.push(Patient::from(row));
        Ok::<_, Broken>(())
    })?;
    let report = json::Report { summary: Summary::of(run), patients };
    serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

//! `report`: the outcome of each patient, in several formats.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::error::{CommandError, ExitStatus};
use crate::ids::RunId;
use crate::ledger::{LedgerError, LedgerReader, RunReport};
use crate::report::json::PatientResult;
use crate::report::xlsx::{self, XlsxError};
use crate::report::{RunSummary, csv, html, json, text};
use crate::visible::DisplayPath;
use crate::visible::{self, EscapingWriter};
use crate::zone::Zone;

use super::args::{GlobalArgs, ReportArgs, ReportFormat};
use super::output::{Output, write_private};
use super::settings;
use super::status::zone_of;

pub(super) fn report(args: &ReportArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let run = reader.run(args.run.map(RunId))?;
    let format = if output.json { ReportFormat::Json } else { args.format };
    if format == ReportFormat::Xlsx && args.out.is_none() && std::io::stdout().is_terminal() {
        return Err(CommandError::Usage("a workbook cannot be written to a terminal: add --out report.xlsx".into()));
    }
    match &args.out {
        Some(path) => {
            write_private(path, |out| write(&reader, &run, format, out))?;
            output.say(&format!("wrote {}", path.shown()));
        }
        // Hidden characters are escaped on a terminal only; other output is exact.
        None if std::io::stdout().is_terminal() => {
            write(&reader, &run, format, &mut EscapingWriter::new(std::io::stdout().lock(), visible::text))?;
        }
        None => write(&reader, &run, format, &mut std::io::stdout().lock())?,
    }
    Ok(ExitStatus::Done)
}

/// An error while a report is written.
enum ExportError {
    Ledger(LedgerError),
    Output(std::io::Error),
    Workbook(XlsxError),
}

impl From<XlsxError> for ExportError {
    fn from(error: XlsxError) -> Self {
        Self::Workbook(error)
    }
}

impl From<LedgerError> for ExportError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<std::io::Error> for ExportError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}

fn write(
    reader: &LedgerReader,
    run: &RunReport,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let zone = zone_of(run)?;
    let written = match format {
        ReportFormat::Text => {
            let mut rows = text::TextExporter::new(zone.clone());
            let all = reader.each_entry(run.handle, |row| {
                rows.add(&row);
                Ok::<_, ExportError>(())
            });
            let head = text::summary(&RunSummary::from_report(run), &zone);
            all.and_then(|()| Ok(write!(out, "{head}\n{}", rows.into_text())?))
        }
        ReportFormat::Csv => csv(reader, run, out),
        ReportFormat::Json => document(reader, run, &mut EscapingWriter::new(out, visible::json)),
        ReportFormat::Xlsx => workbook(reader, run, &text::summary(&RunSummary::from_report(run), &zone), out),
        ReportFormat::Html => page(reader, run, zone, out),
    };
    written.or_else(|error| match error {
        // A broken pipe is no error: the reader has stopped reading.
        ExportError::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ExportError::Ledger(error) => Err(error.into()),
        ExportError::Output(error) => Err(CommandError::Output { what: "the report".into(), why: error.kind() }),
        ExportError::Workbook(error) => Err(CommandError::Usage(error.to_string())),
    })
}

fn csv(reader: &LedgerReader, run: &RunReport, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut rows = csv::CsvExporter::new(out)?;
    reader.each_entry(run.handle, |row| Ok::<_, ExportError>(rows.add(&row)?))?;
    Ok(rows.finish()?)
}

fn workbook(reader: &LedgerReader, run: &RunReport, summary: &str, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut rows = xlsx::XlsxExporter::new()?;
    reader.each_entry(run.handle, |row| Ok::<_, ExportError>(rows.add(&row)?))?;
    Ok(out.write_all(&rows.finish(summary)?)?)
}

fn page(reader: &LedgerReader, run: &RunReport, zone: Zone, out: &mut dyn Write) -> Result<(), ExportError> {
    let summary = RunSummary::from_report(run);
    let title = format!("{}, run {}", summary.campaign, summary.run);
    let mut rows = html::HtmlExporter::new(out, &title, &text::summary(&summary, &zone), zone)?;
    reader.each_entry(run.handle, |row| Ok::<_, ExportError>(rows.add(&row)?))?;
    Ok(rows.finish()?)
}

fn document(reader: &LedgerReader, run: &RunReport, out: &mut dyn Write) -> Result<(), ExportError> {
    let mut patients = Vec::new();
    reader.each_entry(run.handle, |row| {
        patients.push(PatientResult::from(row));
        Ok::<_, ExportError>(())
    })?;
    let report = json::Report { summary: RunSummary::from_report(run), patients };
    serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

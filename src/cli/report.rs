//! `report`: the outcome of each patient, in several formats.

use std::io::{ErrorKind, IsTerminal, Write};

use crate::error::{CommandError, ExitStatus};
use crate::ids::RunId;
use crate::ledger::{LedgerReader, RunReport};
use crate::report::csv::CsvExporter;
use crate::report::exporter::{ExportError, export};
use crate::report::html::HtmlExporter;
use crate::report::json::JsonExporter;
use crate::report::text::TextExporter;
use crate::report::xlsx::XlsxExporter;
use crate::visible::DisplayPath;
use crate::visible::{self, EscapingWriter};

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

fn write(
    reader: &LedgerReader,
    run: &RunReport,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let zone = zone_of(run)?;
    let written = match format {
        ReportFormat::Text => export::<TextExporter<'_>>(reader, run, &zone, out),
        ReportFormat::Csv => export::<CsvExporter<'_>>(reader, run, &zone, out),
        ReportFormat::Json => export::<JsonExporter<'_>>(reader, run, &zone, out),
        ReportFormat::Xlsx => export::<XlsxExporter<'_>>(reader, run, &zone, out),
        ReportFormat::Html => export::<HtmlExporter<'_>>(reader, run, &zone, out),
    };
    written.or_else(|error| match error {
        // A broken pipe is no error: the reader has stopped reading.
        ExportError::Output(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ExportError::Output(error) => Err(CommandError::Output { what: "the report".into(), why: error.kind() }),
        ExportError::Ledger(error) => Err(error.into()),
        ExportError::Format(text) => Err(CommandError::Usage(text)),
    })
}

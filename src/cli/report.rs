//! `report`: the outcome of each patient, in several formats.

use std::io::Write;

use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ledger::{LedgerReader, RunReport};
use crate::report::csv::CsvExporter;
use crate::report::exporter::export;
use crate::report::html::HtmlExporter;
use crate::report::json::JsonExporter;
use crate::report::text::TextExporter;
use crate::report::xlsx::XlsxExporter;

use super::args::{GlobalArgs, ReportArgs, ReportFormat};
use super::not_called;
use super::output::{Output, export_error, write_export};
use super::settings;
use super::status::{selected, summary_of, zone_of};

pub(super) fn report(args: &ReportArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let run = selected(&reader, args.run, args.campaign.as_deref())?;
    if args.not_called {
        return not_called::report(&reader, &run, global, args.out.as_deref(), output);
    }
    let format = if output.json { ReportFormat::Json } else { args.format };
    let is_binary = format == ReportFormat::Xlsx;
    write_export(args.out.as_deref(), "report.xlsx", is_binary, output, |out| write(&reader, &run, format, out))?;
    Ok(ExitStatus::Done)
}

fn write(
    reader: &LedgerReader,
    run: &RunReport,
    format: ReportFormat,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let (summary, zone) = (summary_of(reader, run)?, zone_of(run)?);
    let now = reader.not_before_newest(WallClock.now())?;
    let written = match format {
        ReportFormat::Text => export::<TextExporter<'_>>(reader, run, &summary, &zone, now, out),
        ReportFormat::Csv => export::<CsvExporter<'_>>(reader, run, &summary, &zone, now, out),
        ReportFormat::Json => export::<JsonExporter<'_>>(reader, run, &summary, &zone, now, out),
        ReportFormat::Xlsx => export::<XlsxExporter<'_>>(reader, run, &summary, &zone, now, out),
        ReportFormat::Html => export::<HtmlExporter<'_>>(reader, run, &summary, &zone, now, out),
    };
    written.or_else(|error| export_error(error, "the report"))
}

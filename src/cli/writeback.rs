//! `writeback`: files of calls for the practice's own software, in numbered batches. Nothing is sent anywhere.

use std::path::Path;

use serde::Serialize;

use crate::campaign::Campaign;
use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ids::{CampaignName, EntryId};
use crate::ledger::{BatchContent, KeptContent, LedgerError, LedgerReader, RunStart, WaitingCalls, WritebackBatch};
use crate::report::exporter::ExportError;
use crate::report::writeback::{self, RenderedBatch, Unwritten, UnwrittenReason, WritebackFormat};
use crate::visible::DisplayPath;
use crate::wording::counted;

use super::args::{GlobalArgs, WritebackArgs};
use super::known_campaign::known_or_all;
use super::output::{Output, export_error, refuse_to_replace, write_export};
use super::resolve::{open_operator, operator_name, refused};
use super::settings;
use super::status::campaign_of_run;

/// The entries without a file that are named in a message.
const MAX_NAMED: usize = 20;

pub(super) fn writeback(args: &WritebackArgs, global: &GlobalArgs, output: Output) -> Result<ExitStatus, CommandError> {
    let reader = LedgerReader::open(&settings::find_ledger(global)?)?;
    let campaign = known_or_all(&reader, args.campaign.as_deref())?;
    if let Some(number) = args.again {
        return again(&reader, number, args.out.as_deref(), output);
    }
    match args.format() {
        None => show(&reader, campaign.as_ref(), output),
        Some(format) => {
            let campaign = the_campaign(&reader, campaign.as_ref())?;
            make(&reader, &campaign, format, args.out.as_deref(), global, output)
        }
    }
}

/// The state of a campaign's write-back.
#[derive(Serialize)]
struct CampaignStatus {
    campaign: CampaignName,
    waiting: WaitingCalls,
    /// Calls that cannot be written any more: a patient's data was removed.
    removed: u64,
    batches: Vec<WritebackBatch>,
}

/// What waits, and the batches so far; nothing is changed.
fn show(reader: &LedgerReader, wanted: Option<&CampaignName>, output: Output) -> Result<ExitStatus, CommandError> {
    let mut shown = Vec::new();
    for RunStart { campaign, .. } in reader.newest_run_of_each_campaign()? {
        if wanted.is_none_or(|wanted| *wanted == campaign) {
            let removed = reader.removed_before_writeback(&campaign)?;
            let WaitingCalls { ready, in_doubt } = reader.waiting_for_writeback(&campaign)?;
            // Between the two reads a batch may be made.
            let waiting = WaitingCalls { ready: ready.saturating_sub(removed), in_doubt };
            let batches = reader.writeback_batches(Some(&campaign))?;
            shown.push(CampaignStatus { campaign, waiting, removed, batches });
        }
    }
    if output.json {
        output.document(&serde_json::json!({ "campaigns": shown }))?;
    } else {
        output.data(&shown.iter().map(render_status).collect::<String>())?;
    }
    Ok(ExitStatus::Done)
}

fn render_status(CampaignStatus { campaign, waiting, removed, batches }: &CampaignStatus) -> String {
    let WaitingCalls { ready, in_doubt } = waiting;
    let in_doubt = match in_doubt {
        0 => String::new(),
        count => format!(", and {count} that a person has to read first (`callrounds review`)"),
    };
    let calls = counted(*ready, "call", "calls");
    let mut text = format!("{campaign}: {calls} for the next batch{in_doubt}\n");
    if *removed > 0 {
        let calls = counted(*removed, "call", "calls");
        text += &format!("  {calls} can no longer be written: `ledger purge` has removed a patient's data\n");
    }
    for WritebackBatch { number, at, by, format, calls, has_content, .. } in batches {
        let gone = if *has_content { "" } else { ", content removed" };
        let by = crate::visible::value(by);
        let calls = counted(*calls, "call", "calls");
        text += &format!("  batch {number}: {calls}, {format}, {} UTC by {by}{gone}\n", at.format("%Y-%m-%d %H:%M"));
    }
    text
}

/// The campaign to write back: the one that is named, or the only one on the ledger.
fn the_campaign(reader: &LedgerReader, wanted: Option<&CampaignName>) -> Result<Campaign, CommandError> {
    let newest = reader.newest_run_of_each_campaign()?;
    let names = || newest.iter().map(|start| start.campaign.to_string()).collect::<Vec<_>>().join(", ");
    let start = match (wanted, newest.as_slice()) {
        (_, []) => return Err(LedgerError::NoRun.into()),
        (Some(wanted), all) => all.iter().find(|start| start.campaign == *wanted),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let start =
        start.ok_or_else(|| CommandError::Usage(format!("which campaign? add --campaign NAME: {}", names())))?;
    campaign_of_run(reader, start.run)
}

fn make(
    reader: &LedgerReader,
    campaign: &Campaign,
    format: WritebackFormat,
    out: Option<&Path>,
    global: &GlobalArgs,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    if output.json && out.is_none() {
        return Err(CommandError::Usage("with --json the file needs a name: add --out FILE".into()));
    }
    // A batch is for good: what can be refused is refused before it is made.
    out.map_or(Ok(()), refuse_to_replace)?;
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    let (mut unwritten, mut failed) = (Vec::new(), None);
    let batch = operator.write_back(&campaign.name, format.name(), &operator_name(), now, |contacts| {
        let RenderedBatch { content, calls, unwritten: left } = writeback::render(format, &contacts, campaign)
            .unwrap_or_else(|error| {
                failed = Some(error);
                RenderedBatch::default()
            });
        unwritten = left;
        BatchContent { content, calls }
    });
    let batch = batch.map_err(refused)?;
    if let Some(error) = failed {
        export_error(error, "the write-back file")?;
    }
    if let Some(batch) = &batch {
        write_content(reader, batch.number, out, output).map_err(|error| still_kept(batch, &error))?;
    }
    tell(batch.as_ref(), &unwritten, out, output)?;
    let must_be_corrected = unwritten.iter().any(|left| left.why.waits());
    Ok(if must_be_corrected { ExitStatus::NeedsAPerson } else { ExitStatus::Done })
}

/// The batch exists although its file could not be written.
fn still_kept(batch: &WritebackBatch, error: &CommandError) -> CommandError {
    let number = batch.number;
    CommandError::Usage(format!(
        "{error}; batch {number} is in the ledger: `callrounds writeback --again {number} --out FILE` writes it"
    ))
}

fn again(reader: &LedgerReader, number: i64, out: Option<&Path>, output: Output) -> Result<ExitStatus, CommandError> {
    write_content(reader, number, out, output)?;
    Ok(ExitStatus::Done)
}

/// Writes the bytes of a batch as the ledger keeps them.
fn write_content(reader: &LedgerReader, number: i64, out: Option<&Path>, output: Output) -> Result<(), CommandError> {
    let content = match reader.writeback_content(number)? {
        KeptContent::Bytes(content) => content,
        KeptContent::NoSuchBatch => {
            let error = format!("the ledger has no batch {number}; `callrounds writeback` lists the batches");
            return Err(CommandError::Usage(error));
        }
        KeptContent::Removed => {
            let error = format!("the content of batch {number} was removed, because it holds patients' data");
            return Err(CommandError::Usage(error));
        }
    };
    write_export(out, "batch.jsonl", false, output, |out| {
        let written = out.write_all(&content).map_err(ExportError::from);
        written.or_else(|error| export_error(error, "the write-back file"))
    })
}

/// What became of the batch, and what is not in it.
#[derive(Serialize)]
struct BatchDocument<'b> {
    batch: Option<&'b WritebackBatch>,
    file: Option<String>,
    not_written: Vec<NotWritten>,
}

#[derive(Serialize)]
struct NotWritten {
    entry: EntryId,
    why: UnwrittenReason,
    /// Whether the whole call waits for a later batch.
    waits: bool,
}

fn tell(
    batch: Option<&WritebackBatch>,
    unwritten: &[Unwritten],
    out: Option<&Path>,
    output: Output,
) -> Result<(), CommandError> {
    if output.json {
        let not_written = unwritten.iter().map(|&Unwritten { entry, why }| {
            let waits = why.waits();
            NotWritten { entry, why, waits }
        });
        let document =
            BatchDocument { batch, file: batch.and(out).map(DisplayPath::shown), not_written: not_written.collect() };
        return output.document(&document);
    }
    output.say(&match batch {
        Some(WritebackBatch { number, calls, .. }) => format!(
            "batch {number} has {}, in no other batch; `callrounds writeback --again {number}` writes the same bytes",
            counted(*calls, "call", "calls")
        ),
        None => "there is no call to write back".to_owned(),
    });
    for line in unwritten_lines(unwritten) {
        output.say(&line);
    }
    Ok(())
}

/// A line for each reason, with the entries' numbers.
fn unwritten_lines(unwritten: &[Unwritten]) -> Vec<String> {
    let mut reasons: Vec<UnwrittenReason> = Vec::new();
    for left in unwritten {
        if !reasons.contains(&left.why) {
            reasons.push(left.why);
        }
    }
    let line = |reason: UnwrittenReason| {
        let entries: Vec<_> = unwritten.iter().filter(|left| left.why == reason).map(|left| left.entry).collect();
        let named: Vec<_> = entries.iter().take(MAX_NAMED).map(|entry| format!("#{entry}")).collect();
        let more = entries.len().saturating_sub(MAX_NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!("not written, {}{more}: {reason}", named.join(", "))
    };
    reasons.into_iter().map(line).collect()
}

//! `transcript`: what was said in a patient's conversation, read from the vendor with one request, shown and not kept.

use crate::clock::{Clock, WallClock};
use crate::error::{CommandError, ExitStatus};
use crate::ids::EntryId;
use crate::ledger::{LedgerReader, OperatorError, RecordedConversation};
use crate::report::transcript;
use crate::vendor::Transcripts;

use super::args::{GlobalArgs, TranscriptArgs};
use super::output::Output;
use super::resolve::{open_operator, operator_name};
use super::{settings, vendor_read};

pub(super) async fn transcript(
    args: &TranscriptArgs,
    global: &GlobalArgs,
    output: Output,
) -> Result<ExitStatus, CommandError> {
    let ledger = settings::find_ledger(global)?;
    let reader = LedgerReader::open(&ledger)?;
    let entry = EntryId(args.entry);
    let last = reader.last_call_of(entry)?.ok_or_else(|| usage(&OperatorError::NoSuchEntry(entry)))?;
    let wanted = choose(entry, reader.conversations_of(entry)?, args.call)?;
    let read = vendor_read::open(&reader, &ledger, last.run, &wanted.organisation, wanted.from)?;
    let response = read.vendor.messages(&wanted.conversation).await;
    let campaign = read.campaign.clone();
    read.close().await;
    let failed = |error| vendor_read::failed(error, campaign.locations.are_defined());
    let messages = response.value.map_err(failed)?;
    // Nothing is shown of which there is no record.
    let mut operator = open_operator(global)?;
    let now = operator.not_before_newest(WallClock.now())?;
    operator.note_transcript(entry, &wanted, &operator_name(), now)?;
    if output.json {
        output.document(&transcript::document(entry, &wanted, &messages))?;
    } else {
        let practice = campaign.practice_at(last.location.as_ref()).unwrap_or(&campaign.practice);
        output.data(&transcript::render(entry, &wanted, &messages, &practice.zone))?;
    }
    output.say("read from the vendor and not kept; the ledger records who read it, and when");
    Ok(ExitStatus::Done)
}

fn choose(
    entry: EntryId,
    conversations: Vec<RecordedConversation>,
    call: Option<u32>,
) -> Result<RecordedConversation, CommandError> {
    let is_wanted = |conversation: &RecordedConversation| call.is_none_or(|call| conversation.number == call);
    conversations.into_iter().rfind(is_wanted).ok_or_else(|| {
        let call = call.map_or_else(|| "no call".to_owned(), |call| format!("no call {call}"));
        CommandError::Usage(format!("patient #{entry} has {call} that became a conversation"))
    })
}

fn usage(problem: &OperatorError) -> CommandError {
    CommandError::Usage(problem.to_string())
}

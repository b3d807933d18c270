//! Enrols a list: this thread reads and renders rows while the ledger's thread writes the earlier ones, all in one
//! commit. If the process is killed meanwhile, the ledger is unchanged.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Consent};
use crate::entry::{ListCounts, NewEntry};
use crate::error::CommandError;
use crate::intake::{Intake, IntakeSummary};
use crate::ledger::{ApprovedCall, Batch, EnrolledList, Ledger, ListChunk, ListEnd};

use super::list_input::{self, ListPass};
use super::plan_builder;

/// An approved plan: its id and its calls.
pub type PlanScope = (String, Vec<ApprovedCall>);

/// The number of entries in a chunk.
const CHUNK_SIZE: usize = 512;

/// The number of chunks that may wait for the ledger's thread.
const QUEUED_CHUNKS: usize = 2;

/// The result of enrolling a list.
#[derive(Debug)]
pub struct Enrolment {
    /// The number of rejected rows; they are in the rejects file.
    pub rejected: u64,
    /// The enrolled list and the summary of its rows, or why nothing was enrolled.
    pub enrolled: Result<(EnrolledList, IntakeSummary), CommandError>,
}

/// Reads a list and durably enrols it for a new run, restricted to `plan` if there is one. Rejected rows go to the file
/// `rejects`.
pub async fn enrol(
    intake: &Intake<'_>,
    ledger: &Ledger,
    campaign: &Arc<Campaign>,
    plan: Option<PlanScope>,
    rejects: &Path,
    now: DateTime<Utc>,
) -> Result<Enrolment, CommandError> {
    let attested = intake.consent() == Consent::OnFile;
    let max_withdraw_rate = plan_builder::max_withdraw_rate(campaign, intake);
    let (chunks, list) = sync_channel(QUEUED_CHUNKS);
    let listed = ledger.enrol_list(Arc::clone(campaign), attested, list.into_iter(), intake.rows(), now);

    let read =
        send_list(intake, rejects, &chunks, |counts| ListChunk::End(ListEnd { counts, max_withdraw_rate, plan }));
    drop(chunks);
    // Also after a reading error, wait until the ledger has finished with the list.
    let listed = listed.await;
    let ListPass { rejected, summary } = read?;
    Ok(Enrolment { rejected, enrolled: summary.and_then(|summary| Ok((listed?, summary))) })
}

/// Reads the list and sends it in chunks. The end is sent only if the list is not refused.
fn send_list(
    intake: &Intake<'_>,
    rejects: &Path,
    chunks: &SyncSender<ListChunk>,
    end: impl FnOnce(ListCounts) -> ListChunk,
) -> Result<ListPass, CommandError> {
    // A failed ledger receives no more chunks; its own result has the error.
    let send = |chunk| drop(chunks.send(chunk));
    let mut entries = Batch::with_capacity(CHUNK_SIZE);
    let pass = list_input::read_list(intake, rejects, |entry: NewEntry| {
        entries.push(&entry);
        if entries.len() == CHUNK_SIZE {
            send(ListChunk::Entries(std::mem::replace(&mut entries, Batch::with_capacity(CHUNK_SIZE))));
        }
    })?;
    if let Ok(summary) = &pass.summary {
        send(ListChunk::Entries(entries));
        send(end(summary.counts));
    }
    Ok(pass)
}

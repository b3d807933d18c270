//! From a list to entries in the ledger: rows are read and rendered here while the ledger's thread writes those before
//! them, all in one commit. A kill in the midst of it leaves the ledger as it was before.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use chrono::{DateTime, Utc};

use crate::campaign::{Campaign, Consent};
use crate::entry::{Draft, ListTally};
use crate::error::Stop;
use crate::intake::{Intake, Summary};
use crate::ledger::{Approved, Batch, End, Ledger, Listed, Piece};

use super::listing::{self, LookedThrough};
use super::planning;

/// An approved plan: its id, and the calls that it allows.
pub type Plan = (String, Vec<Approved>);

/// Entries handed over at a time.
const PIECE: usize = 512;

/// Pieces that may wait for the ledger's thread while the next rows are read.
const AHEAD: usize = 2;

/// A list read to its end, and where it went.
#[derive(Debug)]
pub struct Enrolment {
    /// Rows that cannot be used; they are in the rejects file.
    pub rejected: u64,
    /// What became of the list, or why nothing of it was enrolled.
    pub enrolled: Result<(Listed, Summary), Stop>,
}

/// Reads a list to its end and enrols it for a new run, durably; the run is confined to `plan` if there is one. Rejected rows go to the file `rejects`.
pub async fn enrol(
    intake: &Intake<'_>,
    ledger: &Ledger,
    campaign: &Arc<Campaign>,
    plan: Option<Plan>,
    rejects: &Path,
    now: DateTime<Utc>,
) -> Result<Enrolment, Stop> {
    let attested = intake.consent() == Consent::OnFile;
    let withdraw = planning::withdraws(campaign, intake);
    let (pieces, list) = sync_channel(AHEAD);
    let listed = ledger.enrol_list(Arc::clone(campaign), attested, list.into_iter(), intake.rows(), now);

    let read = hand_over(intake, rejects, &pieces, |tally| Piece::End(End { tally, withdraw, plan }));
    drop(pieces);
    // Whatever came of the reading: the ledger has finished with it when it answers.
    let listed = listed.await;
    let LookedThrough { rejected, found } = read?;
    Ok(Enrolment { rejected, enrolled: found.and_then(|summary| Ok((listed?, summary))) })
}

/// Reads the list and sends it off piece by piece. Its end is sent only if the list is not refused.
fn hand_over(
    intake: &Intake<'_>,
    rejects: &Path,
    pieces: &SyncSender<Piece>,
    end: impl FnOnce(ListTally) -> Piece,
) -> Result<LookedThrough, Stop> {
    // A ledger that has failed takes no more; it says why itself.
    let send = |piece| drop(pieces.send(piece));
    let mut entries = Batch::with_capacity(PIECE);
    let looked = listing::look_through(intake, rejects, |draft: Draft| {
        entries.push(&draft);
        if entries.len() == PIECE {
            send(Piece::Entries(std::mem::replace(&mut entries, Batch::with_capacity(PIECE))));
        }
    })?;
    if let Ok(summary) = &looked.found {
        send(Piece::Entries(entries));
        send(end(summary.tally));
    }
    Ok(looked)
}

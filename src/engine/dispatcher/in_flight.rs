//! Counts what is in flight: the work that a dispatcher has started and that has not come back.

use crate::engine::run_result::RequestCounts;

use super::work::{Completion, Work};

#[derive(Debug, Default)]
pub(super) struct InFlight {
    /// Calls whose request has started and whose reply has not arrived.
    pub(super) sending: u32,
    /// Attempts asked for by the claim in flight.
    pub(super) claiming: u32,
    /// Ledger writes.
    pub(super) recording: u32,
    /// Questions to the ledger about conversations.
    pub(super) ledger_checks: u32,
    /// Whether the ledger is being asked when the next entry is due.
    pub(super) is_asking_next_due: bool,
    /// Whether a read is in flight.
    pub(super) is_reading: bool,
    /// The requests made so far.
    pub(super) requests: RequestCounts,
}

impl InFlight {
    pub(super) fn on_started(&mut self, work: &Work) {
        match work {
            Work::Claim { limit, .. } => self.claiming = *limit,
            Work::Place(_) => {
                self.sending += 1;
                self.requests.calls += 1;
            }
            Work::ReadPage { .. } => {
                self.is_reading = true;
                self.requests.pages += 1;
            }
            Work::ReadConversation(_) => {
                self.is_reading = true;
                self.requests.conversations += 1;
            }
            Work::CheckCallerId(_) | Work::Probe(_) => {
                self.is_reading = true;
                self.requests.other += 1;
            }
            Work::AskNextDue { .. } => self.is_asking_next_due = true,
            Work::Exclude { .. }
            | Work::Record { .. }
            | Work::Note(_)
            | Work::LearnMedium { .. }
            | Work::TakeOver { .. } => self.recording += 1,
            Work::CheckCandidate { .. }
            | Work::FindRecorded(_)
            | Work::FindUnexplained(_)
            | Work::FindUnrecorded(_) => self.ledger_checks += 1,
        }
    }

    pub(super) fn on_returned(&mut self, completion: &Completion) {
        match completion {
            Completion::Claimed { .. } => self.claiming = 0,
            Completion::Replied(..) => self.sending -= 1,
            Completion::Forbidden(..) => {
                // Nothing was sent.
                self.sending -= 1;
                self.requests.calls -= 1;
            }
            Completion::Page(_)
            | Completion::Conversation(..)
            | Completion::CallerIdChecked(_)
            | Completion::Probed(_) => self.is_reading = false,
            Completion::NextDue { .. } => self.is_asking_next_due = false,
            Completion::Excluded(_) | Completion::Recorded { .. } | Completion::Noted | Completion::TakenOver(_) => {
                self.recording -= 1;
            }
            Completion::Candidate { .. }
            | Completion::RecordedCalls(_)
            | Completion::UnexplainedRows(_)
            | Completion::UnrecordedCalls(_) => self.ledger_checks -= 1,
        }
    }

    /// Whether a call, a claim, a write or a question about conversations is in flight.
    pub(super) fn has_unfinished_work(&self) -> bool {
        self.sending > 0 || self.claiming > 0 || self.recording > 0 || self.ledger_checks > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.has_unfinished_work() && !self.is_reading && !self.is_asking_next_due
    }
}

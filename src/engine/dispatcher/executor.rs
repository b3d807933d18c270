//! Turns [`Work`] into background tasks, and their results into [`Completion`]s.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::campaign::Campaign;
use crate::clock::{Clock, SharedClock};
use crate::engine::run_inputs::Engine;
use crate::engine::run_result::EngineError;
use crate::entry::Reason;
use crate::ids::OrganisationId;
use crate::ledger::{ClaimRequest, ClaimedAttempt, CommitFuture, Ledger, LedgerError, RunHandle};
use crate::vendor::{CallRequest, LostAnswer, Reply, Vendor};

use super::work::{Completion, Work};

/// What one organisation's work is done with, and the tasks that do it.
pub(super) struct Executor<V> {
    ledger: Ledger,
    vendor: Arc<V>,
    clock: SharedClock,
    campaign: Arc<Campaign>,
    run: RunHandle,
    tasks: JoinSet<Result<Completion, LedgerError>>,
}

impl<V: Vendor> Executor<V> {
    pub(super) fn new(engine: &Engine<V>, organisation: &OrganisationId) -> Result<Self, EngineError> {
        let vendor = engine.vendors.get(organisation).ok_or_else(|| EngineError::NoVendor(organisation.clone()))?;
        Ok(Self {
            ledger: engine.ledger.clone(),
            vendor: Arc::clone(vendor),
            clock: Arc::clone(&engine.clock),
            campaign: Arc::clone(&engine.campaign),
            run: engine.run,
            tasks: JoinSet::new(),
        })
    }

    /// Starts the work. What it asks of the ledger is queued there before this returns.
    pub(super) fn start(&mut self, work: Work) {
        let (ledger, run) = (self.ledger.clone(), self.run);
        match work {
            Work::Claim { now, scope, limit, blocked } => {
                let campaign = Arc::clone(&self.campaign);
                let claims = ledger.claim(ClaimRequest { run, campaign, scope, now, limit });
                self.commit(claims, move |claims| Completion::Claimed { asked: limit, blocked, claims });
            }
            Work::Exclude { now, is_excluded } => {
                self.commit(ledger.exclude(run, is_excluded, now), Completion::Excluded);
            }
            Work::AskNextDue { scope, blocked } => {
                self.commit(ledger.next_due(run, scope), move |next_due| Completion::NextDue { blocked, next_due });
            }
            Work::Record { update, event } => {
                let recorded = ledger.record(run, vec![update]);
                self.commit(recorded, move |mut states| Completion::Recorded { event, state: states.pop() });
            }
            Work::Note(note) => self.commit(ledger.note(run, note), |()| Completion::Noted),
            Work::LearnMedium { organisation, word, ended } => {
                self.commit(ledger.learn_medium(organisation, word, ended), |()| Completion::Noted);
            }
            Work::CheckCandidate { lost, quality, conversation } => {
                let unrecorded = ledger.unrecorded_among(vec![conversation.id.clone()]);
                self.commit(unrecorded, move |unrecorded| {
                    let unclaimed = !unrecorded.is_empty();
                    Completion::Candidate { lost, quality, conversation, unclaimed }
                });
            }
            Work::FindRecorded(ids) => self.commit(ledger.recorded_among(ids), Completion::RecordedCalls),
            Work::FindUnexplained(rows) => self.commit(ledger.unmatched_rows(rows), Completion::UnexplainedRows),
            Work::FindUnrecorded(calls) => self.commit(ledger.unrecorded_calls(calls), Completion::UnrecordedCalls),
            Work::TakeOver { now, caller_id, calls } => {
                self.commit(ledger.take_over_calls(run, caller_id, calls, now), Completion::TakenOver);
            }
            Work::Place(claimed) => {
                let forbidden = ledger.forbids(claimed.to, self.campaign.purpose, self.clock.now());
                let (vendor, clock) = (Arc::clone(&self.vendor), Arc::clone(&self.clock));
                self.tasks.spawn(async move { place(claimed, forbidden, &*vendor, &*clock, &ledger).await });
            }
            Work::ReadPage { offset, limit } => {
                self.read(|vendor| async move { Completion::Page(vendor.page(offset, limit).await) });
            }
            Work::ReadConversation(id) => self.read(|vendor| async move {
                let answer = vendor.conversation(&id).await;
                Completion::Conversation(id, answer)
            }),
            Work::CheckCallerId(from) => {
                self.read(move |vendor| async move { Completion::CallerIdChecked(vendor.may_call_from(from).await) });
            }
            Work::Probe(from) => {
                self.read(move |vendor| async move { Completion::Probed(vendor.may_call_from(from).await) });
            }
        }
    }

    fn commit<T: Send + 'static>(
        &mut self,
        commit: CommitFuture<T>,
        completion: impl FnOnce(T) -> Completion + Send + 'static,
    ) {
        self.tasks.spawn(async move { commit.await.map(completion) });
    }

    fn read<F: Future<Output = Completion> + Send + 'static>(&mut self, request: impl FnOnce(Arc<V>) -> F) {
        let answer = request(Arc::clone(&self.vendor));
        self.tasks.spawn(async move { Ok(answer.await) });
    }

    /// The next completion; `None` if nothing is in flight.
    pub(super) async fn next(&mut self) -> Option<Result<Completion, EngineError>> {
        let done = self.tasks.join_next().await?;
        Some(done.map_err(|_| EngineError::Panicked).and_then(|completion| Ok(completion?)))
    }

    /// Ends what is in flight.
    pub(super) fn abort_all(&mut self) {
        self.tasks.abort_all();
    }
}

/// Sends the request of an attempt, once; its intent is on stable storage.
async fn place<V: Vendor>(
    claimed: ClaimedAttempt,
    forbidden: CommitFuture<bool>,
    vendor: &V,
    clock: &dyn Clock,
    ledger: &Ledger,
) -> Result<Completion, LedgerError> {
    if forbidden.await? {
        return Ok(Completion::Forbidden(claimed, Reason::Suppressed));
    }
    // Checks the dialing hours again at the instant of dialing.
    if clock.now() >= claimed.allowed_until {
        return Ok(Completion::Forbidden(claimed, Reason::Window));
    }
    let request = CallRequest { from: claimed.from, to: claimed.to, content: claimed.content.clone() };
    let mut answer = vendor.place(request).await;
    if let Reply::Accepted(id) = &answer.value
        && ledger.unrecorded_among(vec![id.clone()]).await?.is_empty()
    {
        answer.value = Reply::Lost(LostAnswer::WrongConversation);
    }
    Ok(Completion::Replied(claimed, answer))
}

//! The dispatcher: the sole owner of one organisation's state in a run.
//!
//! Each turn it starts what is due (a claim, a read), then waits for the next completion, hint, wake-up time or stop
//! signal. Requests and commits run as background tasks that never touch its [`state`]. Its methods are grouped by
//! concern: [`preflight`], [`submit`], [`poll`], [`reconcile`], [`blocked_caller_ids`], [`trouble`], [`clock_watch`],
//! [`drain`].
//!
//! A campaign with several organisations has a dispatcher for each, running concurrently: each with its own request
//! budget, staleness check and vendor health. What they have in [`shared`] is reported, or counted, once.

mod blocked_caller_ids;
mod carried_over;
mod clock_watch;
mod deps;
mod drain;
mod poll;
mod preflight;
mod reconcile;
mod shared;
mod state;
mod submit;
mod trouble;
mod turn_timer;

use std::pin::pin;
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::clock::MAX_SLEEP;
use crate::ids::OrganisationId;
use crate::vendor::Vendor;
use crate::vendor::hints::{self, HintReceiver, HintSender};

use self::deps::Deps;
use self::shared::Shared;
use self::state::{Completion, Dispatcher};

use super::events::EventSink;
use super::exclusions::ExclusionSource;
use super::reconciler::MatchQuality;
use super::run_inputs::Engine;
use super::run_result::{EngineError, RequestCounts, RunResult};
use super::stop_reason::StopReason;
use super::stop_rules::PlacedCalls;

/// Runs until nothing more may be done, or until `stop` completes and the answers in flight have arrived.
pub async fn run<V: Vendor>(
    mut engine: Engine<V>,
    exclusions: &mut dyn ExclusionSource,
    events: &mut dyn EventSink,
    stop: impl Future<Output = ()> + Send,
) -> Result<RunResult, EngineError> {
    let (ledger, run, clock) = (engine.ledger.clone(), engine.run, Arc::clone(&engine.clock));
    let hints = engine.hints.take();
    let mut carried = carried_over::load(&engine).await?;
    let organisations = engine.campaign.locations.organisations();
    let placed = PlacedCalls::new(carried.values().map(|carried| carried.placed).sum());
    let shared = Shared::new(organisations.len(), placed, exclusions, events);
    shared.emit(&[carried_over::started_event(&engine, &carried)]);
    let mut dispatchers = Vec::new();
    for (index, organisation) in organisations.iter().enumerate() {
        let deps = Deps::new(&engine, organisation)?;
        let carried = carried.remove(&index).unwrap_or_default();
        dispatchers.push(Dispatcher::start(index, organisation, deps, &shared, carried).await?);
    }
    let (senders, receivers): (Vec<_>, Vec<_>) = dispatchers.iter().map(|_| hints::channel()).unzip();
    let stop = stop.shared();
    let mut working: FuturesUnordered<_> = dispatchers
        .into_iter()
        .zip(receivers)
        .map(|(dispatcher, hints)| dispatcher.work(stop.clone(), hints))
        .collect();
    let mut forwarding = pin!(forward_hints(hints, senders));
    let mut stopped = Vec::new();
    let mut requests = RequestCounts::default();
    loop {
        let finished = tokio::select! {
            biased;
            finished = working.next() => finished,
            () = &mut forwarding => continue,
        };
        let Some(finished) = finished else { break };
        let (index, organisation, stop_reason, made) = finished?;
        stopped.push((index, organisation, stop_reason));
        requests += made;
    }
    let result = shared::run_result(stopped, requests);
    ledger.end_run(run, result.stop_reason.ending(), result.explanation(), clock.now()).await?;
    Ok(result)
}

/// Forwards hints to every organisation, since a hint does not say which one its conversation belongs to. Never
/// completes.
async fn forward_hints(hints: Option<HintReceiver>, organisations: Vec<HintSender>) {
    let Some(mut hints) = hints else { return std::future::pending().await };
    loop {
        for conversation in hints.next().await {
            for organisation in &organisations {
                organisation.hint(conversation.clone());
            }
        }
    }
}

/// How one organisation's part of a run ended: its index in the campaign, its name, why, and the requests it made.
type DispatcherResult = (usize, OrganisationId, StopReason, RequestCounts);

impl<V: Vendor> Dispatcher<'_, '_, V> {
    /// Works until nothing more may be done for this organisation.
    async fn work(
        mut self,
        mut stop: impl Future<Output = ()> + Send + Unpin,
        mut hints: HintReceiver,
    ) -> Result<DispatcherResult, EngineError> {
        let mut stopped = false;
        let stop_reason = loop {
            self.start_due_work();
            let now = self.deps.clock.now();
            if let Some(reason) = self.finished_reason(now) {
                break self.stop_reason_with_refusals(reason);
            }
            let is_idle = self.is_idle();
            let wake_at = self.wake_at(now, is_idle);
            let (index, clock, barrier) = (self.index, self.clock(), &self.shared.idle_barrier);
            let pause = async move {
                match wake_at {
                    Some(until) if is_idle => barrier.wait(index, until, &*clock).await,
                    Some(until) => clock.sleep((until - now).clamp(TimeDelta::milliseconds(1), MAX_SLEEP)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.stop_placing(StopReason::Interrupted);
                }
                Some(done) = self.tasks.join_next() => {
                    self.on_completion(done.map_err(|_| EngineError::Panicked)??);
                }
                conversations = hints.next() => self.on_hints(conversations),
                () = self.shared.placed.changed(), if self.stop_rules.waits_for_run_limit() => {}
                () = pause => {}
            }
        };
        self.tasks.abort_all();
        self.shared.idle_barrier.leave();
        Ok((self.index, self.organisation, stop_reason, self.requests))
    }

    fn start_due_work(&mut self) {
        let now = self.deps.clock.now();
        self.enforce_clock((self.latest_instant - now).max(TimeDelta::zero()));
        self.latest_instant = self.latest_instant.max(now);
        self.watch_clock_jumps(now);
        self.give_up_overdue(now);
        self.enforce_stop_rules();
        if self.may_read(now) {
            self.start_read(now);
        }
        if self.may_claim(now) {
            self.start_claim(now);
        }
    }

    fn on_completion(&mut self, completion: Completion) {
        match completion {
            Completion::Claimed { asked, blocked, claims } => self.on_claims(asked, blocked, claims),
            Completion::NextDue { blocked, next_due } => self.on_next_due(blocked, next_due),
            Completion::Replied(claimed, answer) => self.on_reply(&claimed, answer),
            Completion::Forbidden(claimed, reason) => self.on_forbidden(&claimed, reason),
            Completion::Recorded(events) => {
                self.recording -= 1;
                self.emit(&events);
            }
            Completion::Page(answer) => self.on_page(answer),
            Completion::Conversation(id, answer) => self.on_conversation(&id, answer),
            Completion::Candidate { lost, quality, conversation, unclaimed } => {
                self.ledger_checks -= 1;
                match quality {
                    MatchQuality::Fits if unclaimed => self.adopt(&lost, &conversation),
                    MatchQuality::MayFit if unclaimed => self.reconciler.mark_unclear(&conversation),
                    MatchQuality::Fits => self.reconciler.note_taken(lost.attempt, &conversation.id),
                    MatchQuality::MayFit => {}
                }
                self.conclude_scan();
            }
            Completion::Excluded(entries) => self.on_excluded(&entries),
            Completion::CallerIdChecked(answer) => self.on_caller_id_checked(&answer),
            Completion::Probed(answer) => self.on_probe(&answer),
            Completion::RecordedCalls(recorded) => self.on_recorded_calls(&recorded),
            Completion::UnexplainedRows(rows) => self.on_unexplained_rows(&rows),
            Completion::UnrecordedCalls(calls) => self.on_unrecorded_calls(calls),
            Completion::TakenOver(attempts) => self.on_taken_over(&attempts),
        }
    }
}

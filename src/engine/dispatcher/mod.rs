//! The dispatcher: the sole owner of one organisation's state in a run.
//!
//! [`state`] is plain data. Its methods get what came (a completion, a hint, the instant, a stop), change the state,
//! and return the events to emit and the [`work`] to start: requests and commits. They are grouped by concern:
//! [`preflight`], [`submit`], [`poll`], [`reconcile`], [`blocked_caller_ids`], [`trouble`], [`clock_watch`], [`drain`];
//! [`turn`] calls them and [`in_flight`] counts what has not come back. [`organisation_run`] is the loop around them,
//! and its [`executor`] turns work into background tasks, whose results come back as completions.
//!
//! A campaign with several organisations has a dispatcher for each, running concurrently: each with its own request
//! budget, staleness check and vendor health. What they have in [`shared`] is reported, or counted, once.

mod blocked_caller_ids;
mod call_places;
mod carried_over;
mod clock_watch;
mod drain;
mod executor;
mod in_flight;
mod organisation_run;
mod poll;
mod preflight;
mod reconcile;
mod shared;
mod state;
mod submit;
#[cfg(test)]
mod tests;
mod trouble;
mod turn;
mod turn_timer;
mod work;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};

use chrono::{DateTime, Utc};

use crate::clock::Clock;
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, RunHandle};
use crate::vendor::Vendor;
use crate::vendor::hints::{self, HintReceiver, HintSender};

use self::carried_over::CarriedOver;
use self::executor::Executor;
use self::organisation_run::OrganisationRun;
use self::shared::Shared;
use self::state::{Dispatcher, DispatcherInputs};

use super::events::EventSink;
use super::exclusions::ExclusionSource;
use super::run_inputs::Engine;
use super::run_result::{EngineError, IdleWait, RequestCounts, RunResult, RunSegment, run_result};
use super::stop_reason::StopReason;
use super::stop_rules::PlacedCalls;

/// What the dispatchers of a segment have left.
struct Dispatched {
    /// Each organisation's stop reason, in the order of the campaign; `None`: it is idle.
    stop_reasons: Vec<(OrganisationId, Option<StopReason>)>,
    idle_until: Option<DateTime<Utc>>,
    requests: RequestCounts,
    hints: Option<HintReceiver>,
    exclusions: Option<Box<dyn ExclusionSource>>,
}

impl<V: Vendor> Engine<V> {
    /// Runs until nothing more may be done, or until `stop` completes and the answers in flight have arrived. Keeps the
    /// ledger all the time.
    pub async fn run(
        self,
        events: &mut dyn EventSink,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<RunResult, EngineError> {
        let (ledger, run, clock) = (self.ledger.clone(), self.run, Arc::clone(&self.clock));
        let Dispatched { stop_reasons, requests, .. } = self.dispatch(events, stop, false).await?;
        end_run(&ledger, run, &*clock, stop_reasons, requests).await
    }

    /// The same, but returns as soon as the run only waits for a later hour; then the ledger is free.
    pub async fn run_until_idle(
        self,
        events: &mut dyn EventSink,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<RunSegment, EngineError> {
        let (ledger, run, clock) = (self.ledger.clone(), self.run, Arc::clone(&self.clock));
        let dispatched = self.dispatch(events, stop, true).await?;
        let Dispatched { stop_reasons, idle_until, requests, hints, exclusions } = dispatched;
        if let Some(until) = idle_until {
            return Ok(RunSegment::Idle(Box::new(IdleWait { until, requests, hints, exclusions, stop_reasons })));
        }
        Ok(RunSegment::Ended(end_run(&ledger, run, &*clock, stop_reasons, requests).await?))
    }

    async fn dispatch(
        mut self,
        events: &mut dyn EventSink,
        stop: impl Future<Output = ()> + Send,
        ends_when_idle: bool,
    ) -> Result<Dispatched, EngineError> {
        let (mut hints, exclusions) = (self.hints.take(), self.exclusions.take());
        let carried = carried_over::load(&self).await?;
        let organisations = self.campaign.locations.organisations();
        let placed = PlacedCalls::new(carried.values().map(|carried| carried.placed).sum());
        let shared = Shared::new(organisations.len(), placed, exclusions, events, ends_when_idle);
        shared.emit(&[carried_over::started_event(self.run, &carried, self.clock.now())]);
        let runs = self.organisation_runs(&shared, carried).await?;
        let (stopped, requests) = work(runs, &mut hints, stop).await?;
        let stop_reasons = stopped.into_iter().map(|(_, organisation, reason)| (organisation, reason)).collect();
        let idle_until = shared.idle_barrier.segment_idle_until();
        Ok(Dispatched { stop_reasons, idle_until, requests, hints, exclusions: shared.into_exclusions() })
    }

    /// Each organisation's part of the run, in the order of the campaign.
    async fn organisation_runs<'a, 'l>(
        &self,
        shared: &'a Shared<'l>,
        mut carried: BTreeMap<usize, CarriedOver>,
    ) -> Result<Vec<OrganisationRun<'a, 'l, V>>, EngineError> {
        let mut runs = Vec::new();
        for (index, organisation) in self.campaign.locations.organisations().iter().enumerate() {
            let executor = Executor::new(self, &organisation.id)?;
            let mut carried = carried.remove(&index).unwrap_or_default();
            let pause = carried.pause.take();
            let inputs = DispatcherInputs {
                campaign: Arc::clone(&self.campaign),
                index,
                until_done: self.until_done,
                seed: self.seed,
                clock: &self.clock,
                run_calls: shared.placed.clone(),
                carried,
            };
            let (dispatcher, found_lost) = Dispatcher::new(inputs, self.clock.now());
            self.ledger.record(self.run, found_lost).await?;
            runs.push(OrganisationRun { dispatcher, executor, clock: Arc::clone(&self.clock), shared, pause });
        }
        Ok(runs)
    }
}

/// The organisations that have stopped, with their indices in the campaign.
type Stopped = Vec<(usize, OrganisationId, Option<StopReason>)>;

/// Lets every organisation work until it has nothing more to do in this segment.
async fn work<V: Vendor>(
    runs: Vec<OrganisationRun<'_, '_, V>>,
    hints: &mut Option<HintReceiver>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(Stopped, RequestCounts), EngineError> {
    let (senders, receivers): (Vec<_>, Vec<_>) = runs.iter().map(|_| hints::channel()).unzip();
    let stop = stop.shared();
    let mut working: FuturesUnordered<_> =
        runs.into_iter().zip(receivers).map(|(run, hints)| run.work(stop.clone(), hints)).collect();
    let mut forwarding = pin!(forward_hints(hints.as_mut(), senders));
    let (mut stopped, mut requests) = (Stopped::new(), RequestCounts::default());
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
    stopped.sort_by_key(|(index, ..)| *index);
    Ok((stopped, requests))
}

/// Records the end of a run. Every organisation of a run that is not idle has a stop reason.
async fn end_run(
    ledger: &Ledger,
    run: RunHandle,
    clock: &dyn Clock,
    stop_reasons: Vec<(OrganisationId, Option<StopReason>)>,
    requests: RequestCounts,
) -> Result<RunResult, EngineError> {
    let reasons = stop_reasons.into_iter();
    let reasons = reasons.filter_map(|(organisation, reason)| Some((organisation, reason?))).collect();
    let result = run_result(reasons, requests);
    let (ending, why) = (result.stop_reason.ending(), result.explanation());
    ledger.end_run(run, ending, why, clock.now()).await?;
    Ok(result)
}

/// Forwards hints to every organisation, since a hint does not say which one its conversation belongs to. Never
/// completes.
async fn forward_hints(hints: Option<&mut HintReceiver>, organisations: Vec<HintSender>) {
    let Some(hints) = hints else { return std::future::pending().await };
    loop {
        for conversation in hints.next().await {
            for organisation in &organisations {
                organisation.hint(conversation.clone());
            }
        }
    }
}

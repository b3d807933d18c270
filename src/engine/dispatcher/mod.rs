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

use crate::vendor::Vendor;
use crate::vendor::hints::{self, HintReceiver, HintSender};

use self::carried_over::CarriedOver;
use self::executor::Executor;
use self::organisation_run::OrganisationRun;
use self::shared::Shared;
use self::state::{Dispatcher, DispatcherInputs};

use super::events::EventSink;
use super::run_inputs::Engine;
use super::run_result::{EngineError, RequestCounts, RunResult};
use super::stop_rules::PlacedCalls;

impl<V: Vendor> Engine<V> {
    /// Runs until nothing more may be done, or until `stop` completes and the answers in flight have arrived.
    pub async fn run(
        mut self,
        events: &mut dyn EventSink,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<RunResult, EngineError> {
        let (hints, exclusions) = (self.hints.take(), self.exclusions.take());
        let carried = carried_over::load(&self).await?;
        let organisations = self.campaign.locations.organisations();
        let placed = PlacedCalls::new(carried.values().map(|carried| carried.placed).sum());
        let shared = Shared::new(organisations.len(), placed, exclusions, events);
        shared.emit(&[carried_over::started_event(self.run, &carried, self.clock.now())]);
        let runs = self.organisation_runs(&shared, carried).await?;
        let (senders, receivers): (Vec<_>, Vec<_>) = runs.iter().map(|_| hints::channel()).unzip();
        let stop = stop.shared();
        let mut working: FuturesUnordered<_> =
            runs.into_iter().zip(receivers).map(|(run, hints)| run.work(stop.clone(), hints)).collect();
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
        let (ending, why) = (result.stop_reason.ending(), result.explanation());
        self.ledger.end_run(self.run, ending, why, self.clock.now()).await?;
        Ok(result)
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
            let inputs = DispatcherInputs {
                campaign: Arc::clone(&self.campaign),
                index,
                until_done: self.until_done,
                seed: self.seed,
                clock: &self.clock,
                run_calls: shared.placed.clone(),
                carried: carried.remove(&index).unwrap_or_default(),
            };
            let (dispatcher, found_lost) = Dispatcher::new(inputs, self.clock.now());
            self.ledger.record(self.run, found_lost).await?;
            runs.push(OrganisationRun { dispatcher, executor, clock: Arc::clone(&self.clock), shared });
        }
        Ok(runs)
    }
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

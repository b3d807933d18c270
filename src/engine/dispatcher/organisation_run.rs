//! One organisation's part of a run: the loop around its dispatcher. Here, and only here, the events of the handlers
//! are emitted, their work is started, and something is waited for.

use std::ops::ControlFlow;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::clock::{Clock, MAX_SLEEP, SharedClock};
use crate::engine::run_result::{EngineError, RequestCounts};
use crate::engine::stop_reason::StopReason;
use crate::ids::OrganisationId;
use crate::ledger::Pause;
use crate::vendor::Vendor;
use crate::vendor::hints::HintReceiver;

use super::executor::Executor;
use super::shared::Shared;
use super::state::Dispatcher;
use super::turn::Wait;
use super::turn_timer::TurnTimer;
use super::work::Effects;

/// How one organisation's part of a run ended: its index in the campaign, its name, why, and the requests it made.
/// `None`: the run is idle.
pub(super) type DispatcherResult = (usize, OrganisationId, Option<StopReason>, RequestCounts);

pub(super) struct OrganisationRun<'a, 'l, V> {
    pub(super) dispatcher: Dispatcher,
    pub(super) executor: Executor<V>,
    pub(super) clock: SharedClock,
    pub(super) shared: &'a Shared<'l>,
    /// The campaign's pause at the start of the run.
    pub(super) pause: Option<Pause>,
}

impl<V: Vendor> OrganisationRun<'_, '_, V> {
    /// Works until nothing more may be done for this organisation.
    pub(super) async fn work(
        mut self,
        mut stop: impl Future<Output = ()> + Send + Unpin,
        mut hints: HintReceiver,
    ) -> Result<DispatcherResult, EngineError> {
        let (shared, clock) = (self.shared, Arc::clone(&self.clock));
        let mut turn_timer = TurnTimer::start(clock.now());
        let mut stopped = false;
        self.apply(Dispatcher::ask_next_due);
        if let Some(pause) = self.pause.take() {
            self.apply(|dispatcher, effects| dispatcher.on_pause(pause, effects));
        }
        let stop_reason = loop {
            if shared.idle_barrier.segment_idle_until().is_some() {
                break None;
            }
            self.apply(|dispatcher, effects| {
                dispatcher.start_due_work(turn_timer.restart(effects.now), effects);
                if let Some(limit) = dispatcher.claim_limit(effects) {
                    dispatcher.claim(limit, shared.changed_exclusions(), effects);
                }
            });
            let wait = match self.apply(Dispatcher::wait) {
                ControlFlow::Break(reason) => break Some(reason),
                ControlFlow::Continue(wait) => wait,
            };
            tokio::select! {
                biased;
                () = &mut stop, if !stopped => {
                    stopped = true;
                    self.apply(|dispatcher, effects| dispatcher.stop_placing(StopReason::Interrupted, effects));
                }
                Some(completion) = self.executor.next() => {
                    let completion = completion?;
                    self.apply(|dispatcher, effects| dispatcher.on_completion(completion, effects));
                }
                conversations = hints.next() => self.dispatcher.on_hints(conversations, clock.now()),
                () = shared.placed.changed(), if self.dispatcher.stop_rules.waits_for_run_limit() => {}
                () = pause(wait, self.dispatcher.index, shared, &*clock) => {}
            }
        };
        self.executor.abort_all();
        shared.idle_barrier.leave();
        let Dispatcher { index, organisation, in_flight, .. } = self.dispatcher;
        Ok((index, organisation, stop_reason, in_flight.requests))
    }

    /// Lets the dispatcher handle something; then emits its events and starts its work.
    fn apply<T>(&mut self, handle: impl FnOnce(&mut Dispatcher, &mut Effects) -> T) -> T {
        let mut effects = Effects::at(self.clock.now());
        let result = handle(&mut self.dispatcher, &mut effects);
        self.shared.emit(&effects.events);
        effects.work.into_iter().for_each(|work| self.executor.start(work));
        result
    }
}

async fn pause(wait: Wait, dispatcher: usize, shared: &Shared<'_>, clock: &dyn Clock) {
    match wait.until {
        Some(until) if wait.is_idle => {
            shared.idle_barrier.wait(dispatcher, until, wait.for_hours, clock).await;
        }
        Some(until) => clock.sleep((until - clock.now()).clamp(TimeDelta::milliseconds(1), MAX_SLEEP)).await,
        None => std::future::pending().await,
    }
}

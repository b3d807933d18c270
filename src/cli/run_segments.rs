//! The segments of a run. While a run only waits for a later hour it gives the ledger back, so that other runs on it
//! can go. Then it takes the ledger again and continues as a resumed run does: it reads anew what the ledger has, and
//! looks at the vendor's list before its next call.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::engine::{
    Engine, EngineError, EventSink, ExclusionSource, IdleWait, RequestCounts, RunResult, RunSegment, StopReason,
};
use crate::error::CommandError;
use crate::ids::OrganisationId;
use crate::ledger::{Ledger, Operator, RunHandle};
use crate::vendor::Vendor;
use crate::vendor::hints::HintReceiver;

use super::output::Output;
use super::run_setup::RunSetup;
use super::{ledger_lock, preflight};

/// What all segments of a run share.
pub(super) struct RunSegments<'s, V> {
    pub(super) setup: &'s RunSetup,
    pub(super) run: RunHandle,
    pub(super) vendors: BTreeMap<OrganisationId, Arc<V>>,
    /// Completes when a person stops the run.
    pub(super) stop: Shared<BoxFuture<'static, ()>>,
    pub(super) output: Output,
}

/// What one segment hands to the next.
pub(super) struct Carried {
    pub(super) hints: Option<HintReceiver>,
    pub(super) exclusions: Option<Box<dyn ExclusionSource>>,
}

/// How an idle wait ended.
enum AfterIdle {
    /// The ledger is locked again.
    Continue(Ledger),
    /// The run is over, for this reason.
    Over(StopReason),
}

impl<V: Vendor> RunSegments<'_, V> {
    /// Runs to the end, with as many idle waits as there are.
    pub(super) async fn run(
        &self,
        mut ledger: Ledger,
        mut carried: Carried,
        sink: &mut dyn EventSink,
    ) -> Result<RunResult, CommandError> {
        let mut requests = RequestCounts::default();
        loop {
            ledger.remove_old_words(self.setup.clock.now()).await?;
            let engine = self.engine(ledger.clone(), carried);
            let segment = if self.setup.gives_ledger_back() {
                engine.run_until_idle(sink, self.stop.clone()).await
            } else {
                engine.run(sink, self.stop.clone()).await.map(RunSegment::Ended)
            };
            let idle = match segment.map_err(failed)? {
                RunSegment::Ended(mut result) => {
                    // A run may last for days.
                    ledger.remove_old_words(self.setup.clock.now()).await?;
                    result.requests += requests;
                    return Ok(result);
                }
                RunSegment::Idle(mut idle) => {
                    idle.requests += requests;
                    *idle
                }
            };
            requests = idle.requests;
            drop(ledger);
            ledger = match self.wait_until(idle.until).await? {
                AfterIdle::Continue(ledger) => ledger,
                AfterIdle::Over(reason) => return Ok(idle.ended(&reason)),
            };
            let IdleWait { hints, exclusions, .. } = idle;
            carried = Carried { hints, exclusions };
        }
    }

    fn engine(&self, ledger: Ledger, carried: Carried) -> Engine<V> {
        let RunSetup { clock, campaign, until_done, .. } = self.setup;
        Engine {
            ledger,
            vendors: self.vendors.clone(),
            clock: Arc::clone(clock),
            campaign: Arc::clone(campaign),
            run: self.run,
            until_done: *until_done,
            seed: self.run.run.0.unsigned_abs(),
            hints: carried.hints,
            exclusions: carried.exclusions,
        }
    }

    /// Waits for the hour without the ledger, then takes it again.
    async fn wait_until(&self, until: DateTime<Utc>) -> Result<AfterIdle, CommandError> {
        self.output.say("until then other runs may use the ledger");
        let ledger = tokio::select! {
            biased;
            () = self.stop.clone() => return self.interrupted().map(AfterIdle::Over),
            ledger = self.take_again(until) => ledger?,
        };
        if ledger.has_ended(self.run.run).await? {
            return Ok(AfterIdle::Over(StopReason::Superseded));
        }
        ledger.keep_kind(self.setup.api.ledger_kind(), &self.setup.ledger_path).await?;
        preflight::refuse_future_events(&ledger, &*self.setup.clock).await?;
        Ok(AfterIdle::Continue(ledger))
    }

    async fn take_again(&self, until: DateTime<Utc>) -> Result<Ledger, CommandError> {
        self.setup.clock.idle_until(until).await;
        ledger_lock::open(&self.setup.ledger_path, true, self.output).await
    }

    /// Records that the run was stopped while it was idle; another run may have the ledger's lock.
    fn interrupted(&self) -> Result<StopReason, CommandError> {
        let now = self.setup.clock.now();
        let mut operator = Operator::open(&self.setup.ledger_path, now)?;
        let at = operator.not_before_newest(now)?;
        operator.end_interrupted_run(self.run, &StopReason::Interrupted.to_string(), at)?;
        Ok(StopReason::Interrupted)
    }
}

fn failed(error: EngineError) -> CommandError {
    match error {
        EngineError::Ledger(error) => error.into(),
        EngineError::Panicked | EngineError::NoVendor(_) => CommandError::Internal(error.to_string()),
    }
}

/// A stop signal that every segment can watch.
pub(super) fn shared_stop(stop: impl Future<Output = ()> + Send + 'static) -> Shared<BoxFuture<'static, ()>> {
    stop.boxed().shared()
}

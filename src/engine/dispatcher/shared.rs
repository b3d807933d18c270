//! What the dispatchers of a run share: the event sink, the exclusions, the run's call count and the idle barrier. No
//! dispatcher's calls or reads wait for another's.

use std::sync::{Mutex, PoisonError};

use crate::engine::events::{Event, EventSink};
use crate::engine::exclusions::{ExclusionCheck, ExclusionError, ExclusionSource};
use crate::engine::idle_barrier::IdleBarrier;
use crate::engine::stop_rules::PlacedCalls;

/// What the dispatchers of a run share.
pub(super) struct Shared<'l> {
    events: Mutex<&'l mut dyn EventSink>,
    exclusions: Mutex<Option<Box<dyn ExclusionSource>>>,
    pub(super) placed: PlacedCalls,
    pub(super) idle_barrier: IdleBarrier,
}

impl<'l> Shared<'l> {
    pub(super) fn new(
        organisations: usize,
        placed: PlacedCalls,
        exclusions: Option<Box<dyn ExclusionSource>>,
        events: &'l mut dyn EventSink,
        ends_when_idle: bool,
    ) -> Self {
        Self {
            events: Mutex::new(events),
            exclusions: Mutex::new(exclusions),
            placed,
            idle_barrier: IdleBarrier::new(organisations, ends_when_idle),
        }
    }

    /// The exclusions, for the next segment of the run.
    pub(super) fn into_exclusions(self) -> Option<Box<dyn ExclusionSource>> {
        self.exclusions.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn emit(&self, events: &[Event]) {
        let mut sink = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            tracing::info!(?event);
            sink.on_event(event);
        }
    }

    /// The exclusions, if they have changed since the last call.
    pub(super) fn changed_exclusions(&self) -> Result<Option<ExclusionCheck>, ExclusionError> {
        let mut exclusions = self.exclusions.lock().unwrap_or_else(PoisonError::into_inner);
        exclusions.as_mut().map_or(Ok(None), |exclusions| exclusions.changed())
    }
}

//! What the dispatchers of a run share: the event sink, the exclusions, the run's call count and the idle barrier. No
//! dispatcher's calls or reads wait for another's.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::engine::events::{Event, EventSink};
use crate::engine::exclusions::{ExclusionCheck, ExclusionError, ExclusionSource};
use crate::engine::idle_barrier::IdleBarrier;
use crate::engine::run_result::{RequestCounts, RunResult};
use crate::engine::stop_reason::StopReason;
use crate::engine::stop_rules::PlacedCalls;
use crate::ids::OrganisationId;

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
    ) -> Self {
        Self {
            events: Mutex::new(events),
            exclusions: Mutex::new(exclusions),
            placed,
            idle_barrier: IdleBarrier::new(organisations),
        }
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

/// Combines the organisations' stop reasons, each with its index in the campaign, into the run's result.
pub(super) fn run_result(mut stopped: Vec<(usize, OrganisationId, StopReason)>, requests: RequestCounts) -> RunResult {
    stopped.sort_by_key(|(index, ..)| *index);
    let stop_reasons: Vec<_> = stopped.into_iter().map(|(_, organisation, reason)| (organisation, reason)).collect();
    let most_severe = stop_reasons.iter().map(|(_, reason)| reason).max_by_key(|reason| reason.severity());
    let stop_reason = match most_severe {
        Some(StopReason::WindowClosed { .. }) => StopReason::WindowClosed { opens: earliest_opening(&stop_reasons) },
        Some(reason) => reason.clone(),
        None => StopReason::Done,
    };
    RunResult { stop_reason, stop_reasons, requests }
}

fn earliest_opening(stop_reasons: &[(OrganisationId, StopReason)]) -> Option<DateTime<Utc>> {
    let opens = |reason: &StopReason| if let StopReason::WindowClosed { opens } = reason { *opens } else { None };
    stop_reasons.iter().filter_map(|(_, reason)| opens(reason)).min()
}

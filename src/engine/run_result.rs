//! How a run, or a segment of it, ended: its stop reasons, the requests it made, and the errors that abort it.

use chrono::{DateTime, Utc};

use crate::ids::OrganisationId;
use crate::ledger::LedgerError;
use crate::vendor::hints::HintReceiver;

use super::exclusions::ExclusionSource;
use super::stop_reason::StopReason;

/// Organisations named in one sentence at most.
const MAX_NAMED_ORGANISATIONS: usize = 5;

/// How a run ended, and the requests it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunResult {
    /// Why the run placed no further calls: the most severe of its organisations' reasons.
    pub stop_reason: StopReason,
    /// The stop reason of each organisation, in the order of the campaign.
    pub stop_reasons: Vec<(OrganisationId, StopReason)>,
    /// The requests of all organisations together.
    pub requests: RequestCounts,
}

impl RunResult {
    /// Whether some organisation has another stop reason than the run.
    #[must_use]
    pub fn organisations_differ(&self) -> bool {
        self.stop_reasons.iter().any(|(_, reason)| *reason != self.stop_reason)
    }

    /// Why the run placed no further calls, as one sentence. Where organisations differ, it names each that did not
    /// simply finish.
    #[must_use]
    pub fn explanation(&self) -> String {
        if !self.organisations_differ() {
            return self.stop_reason.to_string();
        }
        let stopped = self.stop_reasons.iter().filter(|(_, reason)| *reason != StopReason::Done);
        let clauses: Vec<_> = stopped.map(|(organisation, reason)| format!("{organisation}: {reason}")).collect();
        match clauses.split_at_checked(MAX_NAMED_ORGANISATIONS) {
            Some((named, more)) if !more.is_empty() => format!("{}; and {} more", named.join("; "), more.len()),
            Some(_) | None => clauses.join("; "),
        }
    }
}

/// Combines the organisations' stop reasons, in the order of the campaign, into the run's result.
pub(super) fn run_result(stop_reasons: Vec<(OrganisationId, StopReason)>, requests: RequestCounts) -> RunResult {
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

/// How a segment of a run ended: a run gives the ledger back between two of them.
pub enum RunSegment {
    /// The run is over.
    Ended(RunResult),
    /// The run only waits for a later hour.
    Idle(Box<IdleWait>),
}

/// A run that only waits for a later hour, and needs no ledger until then. It continues like a resumed run.
pub struct IdleWait {
    /// When its next call may be placed.
    pub until: DateTime<Utc>,
    /// The requests of the segment.
    pub requests: RequestCounts,
    /// The hints, for the next segment.
    pub hints: Option<HintReceiver>,
    /// The exclusions, for the next segment.
    pub exclusions: Option<Box<dyn ExclusionSource>>,
    /// Why each organisation stopped, in the order of the campaign; `None`: it is idle.
    pub(super) stop_reasons: Vec<(OrganisationId, Option<StopReason>)>,
}

impl IdleWait {
    /// The run's result if it ends here, for this reason.
    #[must_use]
    pub fn ended(self, reason: &StopReason) -> RunResult {
        let reasons = self.stop_reasons.into_iter();
        let reasons =
            reasons.map(|(organisation, own)| (organisation, own.unwrap_or_else(|| reason.clone()))).collect();
        run_result(reasons, self.requests)
    }
}

/// Requests made, all of which count against the organisation's request budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, schemars::JsonSchema)]
pub struct RequestCounts {
    /// `POST /calls`.
    pub calls: u64,
    /// Pages of the conversation list.
    pub pages: u64,
    /// Single conversations.
    pub conversations: u64,
    /// Everything else.
    pub other: u64,
}

impl std::ops::AddAssign for RequestCounts {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.pages += more.pages;
        self.conversations += more.conversations;
        self.other += more.other;
    }
}

/// What aborts a run at once: without the ledger nothing may be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The engine was given no vendor client for an organisation of the campaign.
    #[error("there is no vendor for the organisation {0}")]
    NoVendor(OrganisationId),
    /// A background task of the dispatcher panicked.
    #[error("a request ended without an answer; run again to settle it")]
    Panicked,
}

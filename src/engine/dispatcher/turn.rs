//! What a dispatcher does in each turn: it hands a completion to its handler, starts what is due, and says until when
//! there is nothing to do.

use std::ops::ControlFlow;

use chrono::{DateTime, TimeDelta, Utc};

use crate::engine::events::Event;
use crate::engine::stop_reason::StopReason;
use crate::entry::{Reason, State};
use crate::ids::EntryId;

use super::state::Dispatcher;
use super::work::{Completion, Effects};

/// Idle times shorter than this are not reported.
const MIN_REPORTED_IDLE: TimeDelta = TimeDelta::minutes(2);

/// How long a dispatcher waits for something to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wait {
    /// When it has something to do again; `None`: only once something comes.
    pub(super) until: Option<DateTime<Utc>>,
    /// Whether nothing is in flight, so that a simulated clock may jump ahead.
    pub(super) is_idle: bool,
    /// Whether it waits for nothing but the hour of its next call.
    pub(super) for_hours: bool,
}

impl Dispatcher {
    /// Starts what is due, except for a claim: see [`Self::claim_limit`]. `drift`: by how much our clock advanced more,
    /// or less, than real time did since the last turn.
    pub(super) fn start_due_work(&mut self, drift: TimeDelta, effects: &mut Effects) {
        let now = effects.now;
        self.enforce_clock((self.latest_instant - now).max(TimeDelta::zero()), effects);
        self.latest_instant = self.latest_instant.max(now);
        self.on_clock_drift(drift);
        self.give_up_overdue(effects);
        self.enforce_stop_rules(effects);
        if self.may_read(now) {
            self.start_read(effects);
        }
    }

    pub(super) fn on_completion(&mut self, completion: Completion, effects: &mut Effects) {
        self.in_flight.on_returned(&completion);
        match completion {
            Completion::Claimed { asked, blocked, claims } => self.on_claims(asked, blocked, claims, effects),
            Completion::Excluded(entries) => on_excluded(&entries, effects),
            Completion::NextDue { blocked, next_due } => self.on_next_due(blocked, next_due),
            Completion::Replied(claimed, answer) => self.on_reply(&claimed, answer, effects),
            Completion::Forbidden(claimed, reason) => self.on_forbidden(&claimed, reason, effects),
            Completion::Recorded { event, state } => on_recorded(event, state, effects),
            Completion::Noted => {}
            Completion::Page(answer) => self.on_page(answer, effects),
            Completion::Conversation(id, answer) => self.on_conversation(&id, answer, effects),
            Completion::CallerIdChecked(answer) => self.on_caller_id_checked(&answer, effects),
            Completion::Probed(answer) => self.on_probe(&answer, effects),
            Completion::Candidate { lost, quality, conversation, unclaimed } => {
                self.on_candidate(&lost, quality, &conversation, unclaimed, effects);
            }
            Completion::RecordedCalls(recorded) => self.on_recorded_calls(&recorded, effects),
            Completion::UnexplainedRows(rows) => self.on_unexplained_rows(&rows, effects),
            Completion::UnrecordedCalls(calls) => self.on_unrecorded_calls(calls, effects),
            Completion::TakenOver(attempts) => self.on_taken_over(&attempts, effects),
        }
    }

    /// How long to wait for the next completion, or why nothing more may be done.
    pub(super) fn wait(&mut self, effects: &mut Effects) -> ControlFlow<StopReason, Wait> {
        let now = effects.now;
        if let Some(reason) = self.finished_reason(now) {
            return ControlFlow::Break(self.stop_reason_with_refusals(reason));
        }
        let (until, is_idle) = (self.wake_at(now), self.is_idle());
        if let Some(until) =
            until.filter(|at| is_idle && *at - now >= MIN_REPORTED_IDLE && self.reported_idle_until != Some(*at))
        {
            self.reported_idle_until = Some(until);
            effects.emit(Event::Resting { at: now, until, organisation: self.name_in_events.clone() });
        }
        let for_hours = is_idle && self.waits_for_hours(now, until);
        ControlFlow::Continue(Wait { until, is_idle, for_hours })
    }
}

/// The run's exclusions removed these entries.
fn on_excluded(entries: &[EntryId], effects: &mut Effects) {
    let at = effects.now;
    for &entry in entries {
        let (state, reason) = (State::Suppressed, Reason::Excluded);
        effects.emit(Event::SetAside { at, entry, state, reason, until: None });
    }
}

/// Only the ledger knows whether the patient has another number, or was cancelled during the call. If no call
/// follows, the event has no redial time.
fn on_recorded(mut event: Event, state: Option<State>, effects: &mut Effects) {
    if let Event::Ended { redial_at, .. } = &mut event
        && state.is_some_and(|state| !state.is_callable())
    {
        *redial_at = None;
    }
    effects.emit(event);
}

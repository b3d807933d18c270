//! The end of a run: what is still in flight, when the next call is possible, and whether the run is finished.

use chrono::{DateTime, Utc};

use crate::engine::events::Event;
use crate::engine::scan::ScanFlaw;
use crate::engine::stop_reason::StopReason;

use super::state::{Dispatcher, KnownNextDue};
use super::work::Effects;

/// When the next call could be placed, by due entries and dialing hours.
pub(super) enum NextCall {
    /// The ledger is being asked.
    Unknown,
    /// No entry is due, or no dialing hours are left for it.
    Never,
    At(DateTime<Utc>),
}

impl Dispatcher {
    /// Stops placing calls. Keeps the most severe stop reason.
    pub(super) fn stop_placing(&mut self, reason: StopReason, effects: &mut Effects) {
        let is_more_severe = self.stop_reason.as_ref().is_none_or(|known| known.severity() < reason.severity());
        let stops_reading = reason.stops_polling() && !self.has_stopped_reading;
        if is_more_severe || stops_reading {
            let organisation = self.name_in_events.clone();
            let event = Event::Stopping { at: effects.now, why: reason.to_string(), organisation };
            effects.emit(event);
        }
        self.has_stopped_reading |= stops_reading;
        if is_more_severe {
            self.stop_reason = Some(reason);
        }
    }

    pub(super) fn has_open_work(&self) -> bool {
        let list_is_usable = !matches!(self.stop_reason, Some(StopReason::ListProvesNothing { .. }));
        let is_settling = list_is_usable && !self.reconciler.is_empty();
        self.tracker.open_count() > 0 || self.tracker.lost_track_count() > 0 || is_settling
    }

    pub(super) fn finished_reason(&self, now: DateTime<Utc>) -> Option<StopReason> {
        if self.in_flight.has_unfinished_work()
            || (!self.has_stopped_reading && (self.in_flight.is_reading || self.has_open_work()))
        {
            return None;
        }
        if self.stop_reason.is_some() {
            return self.stop_reason.clone();
        }
        match (self.next_call_at(now), self.hours.open_until(now)) {
            (NextCall::Unknown, _) => None,
            (NextCall::Never, _) => Some(StopReason::Done),
            (NextCall::At(_), _) if self.until_done => None,
            (NextCall::At(_), None) if self.staleness_check_takes_too_long() => {
                Some(StopReason::ListProvesNothing { flaw: ScanFlaw::TooLong })
            }
            (NextCall::At(opens), None) => Some(StopReason::WindowClosed { opens: Some(opens) }),
            (NextCall::At(at), Some(closes)) => (at >= closes).then_some(StopReason::Done),
        }
    }

    fn staleness_check_takes_too_long(&self) -> bool {
        self.staleness_check.as_ref().is_some_and(|check| check.takes_too_long(self.tracker.readable_time()))
    }

    pub(super) fn next_call_at(&self, now: DateTime<Utc>) -> NextCall {
        match self.next_due {
            KnownNextDue::Asked(_) => NextCall::Unknown,
            KnownNextDue::Unknown => self.hours.next_open(now).map_or(NextCall::Never, NextCall::At),
            KnownNextDue::At(None) => NextCall::Never,
            KnownNextDue::At(Some(at)) => self.hours.next_open(at.max(now)).map_or(NextCall::Never, NextCall::At),
        }
    }

    /// Whether nothing is in flight, so that a simulated clock may jump ahead.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && !self.has_open_work()
    }

    /// Whether `until` is the instant of the next call by due entries and dialing hours: no check, pause or quota
    /// defers it further.
    pub(super) fn waits_for_hours(&self, now: DateTime<Utc>, until: Option<DateTime<Utc>>) -> bool {
        let next = if let NextCall::At(at) = self.next_call_at(now) { Some(at) } else { None };
        next.is_some() && next == until && !self.needs_staleness_check()
    }

    pub(super) fn wake_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let quota_ready_at = self.quotas.ready_at(&self.organisation, now);
        let read_at = self.read_due_at(now).map(|due| quota_ready_at.map_or(due, |ready| due.max(ready)));
        [read_at, self.claim_at(now, quota_ready_at)].into_iter().flatten().min()
    }

    /// When the next claim may be made, unless it waits for a completion.
    pub(super) fn claim_at(&self, now: DateTime<Utc>, quota_ready_at: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        // After a refusal for want of a place, time frees one, too.
        let retry_at = self.call_places.retry_at(now).filter(|_| self.free_call_slots(now) == 0);
        let is_full = retry_at.is_none() && self.free_call_slots(now) == 0;
        let is_forbidden = self.stop_rules.allowance(self.open_calls()) == 0;
        let in_preflight = self.needs_staleness_check()
            || self.is_clock_in_doubt()
            || (!self.unchecked_caller_ids.is_empty() && self.in_flight.is_reading);
        if self.in_flight.claiming > 0 || self.stop_reason.is_some() || is_full || is_forbidden || in_preflight {
            return None;
        }
        let NextCall::At(at) = self.next_call_at(now) else { return None };
        [quota_ready_at, self.vendor_health.paused_until(now), retry_at].into_iter().flatten().chain([at]).max()
    }
}

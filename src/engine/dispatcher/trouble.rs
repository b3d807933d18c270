//! Trouble with the vendor: refusals that name no patient, rejected credentials, outages, lost answers. None of it
//! counts against an entry until it is known to be the entry's own.

use chrono::{DateTime, Utc};

use crate::engine::events::Event;
use crate::engine::outage::Outage;
use crate::engine::refusals::{RETRY_AFTER_REFUSAL, RefusalEffect};
use crate::engine::reply_mapping::{self, NotPlacedEffect};
use crate::engine::stop_reason::StopReason;
use crate::engine::vendor_health::{OutageNotice, RequestKind, Retry};
use crate::entry::Reason;
use crate::ledger::ClaimedAttempt;
use crate::vendor::{NotPlaced, Refused};

use super::state::Dispatcher;
use super::work::Effects;

/// The most call requests without an answer at a time, so that at most as many answers are lost before the loss is
/// noticed. Budgets above the vendor's usual one get proportionally more, or the budget could not be used up.
const MAX_UNANSWERED: u32 = 3;

impl Dispatcher {
    /// How many more calls may be in flight: one at a time while it is open whether the vendor refuses everyone; and
    /// while answers are lost, no more than may be lost before the pause.
    pub(super) fn free_call_slots(&self, now: DateTime<Utc>) -> u32 {
        let is_undecided = self.refusals.is_undecided();
        let usual_budget = self.campaign.vendor.kind.limits().requests_per_minute;
        let max_unanswered = (MAX_UNANSWERED * self.rate.requests_per_minute / usual_budget).max(MAX_UNANSWERED);
        let at_once = match self.vendor_health.lost_in_a_row() {
            _ if is_undecided => 1,
            0 => max_unanswered,
            lost => MAX_UNANSWERED.saturating_sub(lost).max(1),
        };
        let unanswered = self.in_flight.sending + self.in_flight.claiming;
        self.free_places(now).min(at_once.saturating_sub(unanswered))
    }

    pub(super) fn on_not_placed(&mut self, claimed: &ClaimedAttempt, not_placed: &NotPlaced, effects: &mut Effects) {
        let now = effects.now;
        let detail = reply_mapping::evidence(not_placed);
        let (retry_at, reason) = match reply_mapping::not_placed_effect(not_placed) {
            NotPlacedEffect::RefuseEntry(reason) => return self.record_refused(claimed, reason, detail, effects),
            NotPlacedEffect::CountRefusal(reason, refused) => {
                return self.on_ambiguous_refusal(claimed, reason, refused, detail, effects);
            }
            NotPlacedEffect::RetryEntry(reason, wait) => (now + wait, reason),
            NotPlacedEffect::RateLimited => {
                let until = self.quotas.ready_at(&self.organisation, now).unwrap_or(now);
                (until, Reason::RateLimited)
            }
            NotPlacedEffect::TooManyCalls => (self.on_too_many_calls(now), Reason::TooManyCalls),
            NotPlacedEffect::OutsideHours => (self.vendor_health.on_outside_hours(now), Reason::VendorHours),
            NotPlacedEffect::Unreachable => {
                (self.on_unreachable(RequestKind::Calls, Outage::Network, effects), Reason::NotConnected)
            }
            NotPlacedEffect::Unauthorised => (self.on_unauthorised(claimed.intent_at, effects), Reason::Unauthorised),
            NotPlacedEffect::StaleToken => (now, Reason::Unauthorised),
        };
        self.record_not_placed(claimed, retry_at, reason, detail, effects);
    }

    /// The vendor refused a call because too many were in progress. If a conversation was closing, the vendor counts those;
    /// else its limit is lower than the campaign's. Returns when to try again, if no place becomes free.
    fn on_too_many_calls(&mut self, now: DateTime<Utc>) -> DateTime<Utc> {
        if self.tracker.on_too_many_calls() {
            return now;
        }
        self.call_places.on_refused(self.places_taken(), now)
    }

    /// Counts a refusal that names no patient.
    fn on_ambiguous_refusal(
        &mut self,
        claimed: &ClaimedAttempt,
        reason: Reason,
        refused: &Refused,
        detail: Option<String>,
        effects: &mut Effects,
    ) {
        let now = effects.now;
        let from = claimed.from;
        let retry_at = match self.refusals.on_refusal(claimed.attempt, claimed.entry, from, refused) {
            RefusalEffect::PatientRefused => {
                return self.record_refused(claimed, Reason::VendorRefused, detail, effects);
            }
            // It was in flight when the caller id was blocked or the run stopped.
            RefusalEffect::Undecided if self.is_stopped_for(from) => now,
            RefusalEffect::Undecided => now + RETRY_AFTER_REFUSAL,
            RefusalEffect::BlocksCallerId(cause) => {
                self.block_caller_id(from, Some(cause), effects);
                now
            }
            RefusalEffect::StopsOrganisation(cause) => {
                let (refusal, vendor_text) = (cause.refusal, cause.vendor_text);
                self.stop_placing(StopReason::RefusedInARow { refusal, vendor_text, locations: Vec::new() }, effects);
                now
            }
        };
        self.record_not_placed(claimed, retry_at, reason, detail, effects);
    }

    /// The vendor rejected our newest credentials with a request sent at `asked_at`. Returns when to try again.
    pub(super) fn on_unauthorised(&mut self, asked_at: DateTime<Utc>, effects: &mut Effects) -> DateTime<Utc> {
        let now = effects.now;
        match self.vendor_health.on_unauthorised(asked_at, now) {
            Ok(until) => {
                self.emit_pause(until, Reason::Unauthorised, effects);
                until
            }
            Err(reason) => {
                self.stop_placing(reason, effects);
                now
            }
        }
    }

    /// The vendor could not be reached, or its answer could not be used. Returns when to try again.
    pub(super) fn on_unreachable(
        &mut self,
        requests: RequestKind,
        outage: Outage,
        effects: &mut Effects,
    ) -> DateTime<Utc> {
        let at = effects.now;
        match self.vendor_health.on_unreachable(at, requests, outage) {
            Ok(Retry { at: until, began }) => {
                if let Some(outage) = began {
                    let organisation = self.name_in_events.clone();
                    effects.emit(Event::OutageBegan { at, outage, organisation });
                }
                until
            }
            Err(reason) => {
                self.stop_placing(reason, effects);
                at
            }
        }
    }

    /// A request succeeded: ends the outage of its kind.
    pub(super) fn on_request_succeeded(&mut self, requests: RequestKind, effects: &mut Effects) {
        self.vendor_clock.on_answer();
        if let Some(OutageNotice { outage, since }) = self.vendor_health.on_success(requests) {
            let organisation = self.name_in_events.clone();
            effects.emit(Event::OutageEnded { at: effects.now, outage, since, organisation });
        }
    }

    /// The answer to a call was lost. Pauses calls if too many were lost in a row.
    pub(super) fn enforce_lost_answer_pause(&mut self, effects: &mut Effects) {
        match self.vendor_health.on_lost_answer(effects.now) {
            Ok(Some(until)) => self.emit_pause(until, Reason::AnswersLost, effects),
            Ok(None) => {}
            Err(reason) => self.stop_placing(reason, effects),
        }
    }

    fn emit_pause(&mut self, until: DateTime<Utc>, reason: Reason, effects: &mut Effects) {
        let organisation = self.name_in_events.clone();
        effects.emit(Event::Paused { at: effects.now, until, reason, organisation });
    }
}

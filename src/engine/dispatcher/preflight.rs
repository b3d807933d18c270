//! Checks before an organisation's first call: our caller ids exist and may call, and the ledger holds every call that
//! they have placed.

use crate::engine::events::Event;
use crate::engine::scan::ScanFlaw;
use crate::engine::staleness_check::{StalenessCheck, StalenessResult};
use crate::engine::stop_reason::StopReason;
use crate::engine::tracker::CompleteScan;
use crate::engine::vendor_health::RequestKind;
use crate::entry::AttemptState;
use crate::ids::ConversationId;
use crate::ledger::{CallerId, InFlightAttempt, ObservedCall, ObservedWithoutId};
use crate::phone::E164;
use crate::vendor::{Conversation, Page, ReadError, Response};

use super::state::{Dispatcher, tracked};
use super::work::{Effects, Work};

impl Dispatcher {
    /// Whether calls may be placed. If not, starts the checks that they wait for.
    pub(super) fn passes_preflight(&mut self, effects: &mut Effects) -> bool {
        if let Some(from) = self.unchecked_caller_ids.last().copied() {
            self.check_caller_id(from, effects);
            return false;
        }
        match &mut self.staleness_check {
            Some(check) => {
                check.request(self.tracker.readable_time());
                false
            }
            None => true,
        }
    }

    fn check_caller_id(&mut self, from: E164, effects: &mut Effects) {
        if self.in_flight.is_reading || self.quotas.take(&self.organisation, effects.now).is_err() {
            return;
        }
        self.start(Work::CheckCallerId(from), effects);
    }

    pub(super) fn on_caller_id_checked(
        &mut self,
        answer: &Response<Result<Option<bool>, ReadError>>,
        effects: &mut Effects,
    ) {
        self.observe_headers(answer, effects);
        match answer.value {
            Ok(Some(false)) => {
                if let Some(from) = self.unchecked_caller_ids.pop() {
                    self.block_caller_id(from, None, effects);
                }
            }
            // An unusable answer is no evidence against the caller id: the first call will show.
            Ok(Some(true) | None)
            | Err(ReadError::NotFound | ReadError::Status(_) | ReadError::Unreadable | ReadError::TooLong) => {
                self.unchecked_caller_ids.pop();
            }
            Err(error) => {
                let retry_at = self.on_read_failed(error, effects);
                self.tracker.delay_reads_until(retry_at);
            }
        }
    }

    /// Reads something other than the list. If that works, only the list is broken.
    pub(super) fn start_probe(&mut self, effects: &mut Effects) {
        let Some(from) = self.caller_ids().first().copied() else { return };
        self.start(Work::Probe(from), effects);
    }

    pub(super) fn on_probe(&mut self, answer: &Response<Result<Option<bool>, ReadError>>, effects: &mut Effects) {
        self.observe_headers(answer, effects);
        match answer.value {
            Ok(_) => {
                self.needs_probe = false;
                self.on_request_succeeded(RequestKind::Reads, effects);
                self.on_scan_proved_nothing(ScanFlaw::Unreadable, effects);
            }
            Err(ReadError::RateLimited) => {}
            // The vendor is down, not only its list.
            Err(error) => {
                self.needs_probe = false;
                let retry_at = self.on_read_failed(error, effects);
                self.tracker.delay_reads_until(retry_at);
            }
        }
    }

    /// Whether a call waits for the staleness check.
    pub(super) fn needs_staleness_check(&self) -> bool {
        self.staleness_check.as_ref().is_some_and(StalenessCheck::is_requested)
    }

    /// Asks the ledger which of the rows that may be our calls it has recorded.
    pub(super) fn check_unrecorded(&mut self, rows: &[Conversation], effects: &mut Effects) {
        let ahead = self.ahead();
        let Some(check) = &mut self.staleness_check else { return };
        let ids = check.on_rows(rows, ahead);
        if !ids.is_empty() {
            self.start(Work::FindRecorded(ids), effects);
        }
    }

    pub(super) fn check_rows_without_id(&mut self, page: &Page, effects: &mut Effects) {
        let (ahead, now) = (self.ahead(), effects.now);
        let Some(check) = &mut self.staleness_check else { return };
        let rows = check.on_rows_without_id(page, &self.call_media, ahead, now);
        if !rows.is_empty() {
            self.start(Work::FindUnexplained(rows), effects);
        }
    }

    pub(super) fn on_unexplained_rows(&mut self, rows: &[ObservedWithoutId], effects: &mut Effects) {
        if let Some(check) = &mut self.staleness_check {
            check.on_unexplained_rows(rows, effects.now);
        }
        self.conclude_scan(effects);
    }

    pub(super) fn on_recorded_calls(&mut self, recorded: &[(ConversationId, bool)], effects: &mut Effects) {
        for (id, is_answered) in recorded {
            if let Some(ours) = self.staleness_check.as_mut().and_then(|check| check.remove_recorded(id))
                && *is_answered
            {
                self.learn_medium(&ours, effects);
            }
        }
        self.conclude_scan(effects);
    }

    /// If a complete scan reached back far enough, asks the ledger which of the unrecorded calls are to its entries'
    /// numbers. The answer concludes the check.
    pub(super) fn conclude_staleness_check(&mut self, scan: CompleteScan, effects: &mut Effects) {
        let ahead = self.ahead();
        let Some(check) = &mut self.staleness_check else { return };
        if !check.is_settled_by(scan.started, scan.back_to, ahead) {
            check.clear_scan_rows();
            return;
        }
        match check.unrecorded_calls(&self.call_media, ahead) {
            Err(flaw) => self.on_staleness_check_failed(flaw, effects),
            Ok(unrecorded) => {
                check.await_ledger();
                self.start(Work::FindUnrecorded(unrecorded), effects);
            }
        }
    }

    pub(super) fn on_unrecorded_calls(&mut self, calls: Vec<ObservedCall>, effects: &mut Effects) {
        if let Some(check) = self.staleness_check.take() {
            self.on_staleness_result(check.result(calls), effects);
        }
        self.conclude_scan(effects);
    }

    fn on_staleness_result(&mut self, result: StalenessResult, effects: &mut Effects) {
        let caller_ids = match result {
            StalenessResult::UpToDate(caller_ids) => caller_ids,
            StalenessResult::Behind { calls, since } => {
                return self.stop_placing(StopReason::Behind { calls, since }, effects);
            }
        };
        for (from, calls) in caller_ids {
            let caller_id = CallerId { organisation: self.organisation.clone(), from };
            self.start(Work::TakeOver { now: effects.now, caller_id, calls }, effects);
        }
    }

    /// A scan was broken off: its rows count for nothing.
    pub(super) fn on_scan_proved_nothing(&mut self, flaw: ScanFlaw, effects: &mut Effects) {
        self.clear_scan_rows();
        if self.needs_staleness_check() {
            self.on_staleness_check_failed(flaw, effects);
        }
    }

    /// Rows count only within the scan that showed them.
    pub(super) fn clear_scan_rows(&mut self) {
        self.reconciler.clear_scan_rows();
        if let Some(check) = &mut self.staleness_check {
            check.clear_scan_rows();
        }
    }

    /// The staleness check was inconclusive. After several such scans the run stops without placing calls.
    fn on_staleness_check_failed(&mut self, flaw: ScanFlaw, effects: &mut Effects) {
        let now = effects.now;
        if self.staleness_check.as_mut().is_some_and(|check| check.on_scan_failed(flaw, now)) {
            self.stop_placing(StopReason::ListProvesNothing { flaw }, effects);
        }
    }

    pub(super) fn on_taken_over(&mut self, attempts: &[InFlightAttempt], effects: &mut Effects) {
        let now = effects.now;
        for attempt in attempts {
            let Some(conversation) = attempt.conversation.clone() else { continue };
            if attempt.state == AttemptState::LostTrack {
                self.retry_lost_track(attempt);
                continue;
            }
            self.tracker.track(conversation.clone(), tracked(attempt, attempt.intent_at));
            let &InFlightAttempt { entry, attempt, .. } = attempt;
            effects.emit(Event::TakenOver { at: now, entry, attempt, conversation });
        }
    }
}

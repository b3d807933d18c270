//! Reads: pages of the conversation list, single conversations, and the outcomes that they show.

use chrono::{DateTime, Utc};

use crate::engine::events::Event;
use crate::engine::outage::Outage;
use crate::engine::reply_mapping;
use crate::engine::staleness_check::StalenessCheck;
use crate::engine::tracker::{BudgetShare, PollRequest, PollUrgency, ScanResult, TrackedConversation};
use crate::engine::vendor_health::RequestKind;
use crate::entry::{ConversationWords, Fact};
use crate::ids::ConversationId;
use crate::ledger::AttemptUpdate;
use crate::vendor::{Conversation, Page, ReadError, Response};

use super::state::{Dispatcher, KnownNextDue, attempt_update};
use super::work::{Effects, Work};

/// The smallest page asked for, in rows: pages overlap, so fewer would make no progress.
const MIN_PAGE_LIMIT: u32 = 2;

impl Dispatcher {
    pub(super) fn poll_urgency(&self, now: DateTime<Utc>) -> PollUrgency {
        let is_blocked = self.free_places(now) == 0 || self.stop_rules.allowance(self.open_calls()) == 0;
        let may_be_due = self.stop_reason.is_none()
            && match self.next_due {
                KnownNextDue::Unknown | KnownNextDue::Asked(_) => true,
                KnownNextDue::At(due) => due.is_some_and(|due| due <= now),
            };
        let (in_progress, average_call) = self.tracker.calls_in_progress();
        let (requests_per_minute, foreign_per_minute) = self.quotas.per_minute(&self.organisation, now);
        let budget = BudgetShare { requests_per_minute, foreign_per_minute, in_progress, average_call };
        PollUrgency::new(is_blocked, may_be_due, budget)
    }

    pub(super) fn read_due_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let staleness_check = self.staleness_check.as_ref().and_then(StalenessCheck::next_scan_at);
        let clock_check = self.is_clock_in_doubt().then_some(DateTime::UNIX_EPOCH);
        let proof = self.reconciler.next_proof_at();
        let urgent = staleness_check.into_iter().chain(clock_check).min();
        let awaits_ledger = self.scan_to_conclude.is_some() && !self.tracker.has_queued_reads();
        let is_busy = self.in_flight.is_reading || awaits_ledger || self.has_stopped_reading;
        let due = if self.needs_probe {
            Some(DateTime::UNIX_EPOCH)
        } else {
            self.tracker.due_at(self.poll_urgency(now), proof, urgent)
        };
        due.filter(|_| !is_busy)
    }

    /// Whether a read is due and the request budget covers it. The claim in flight has the first right to the budget.
    pub(super) fn may_read(&self, now: DateTime<Utc>) -> bool {
        let has_spare = self.quotas.available(&self.organisation, now) > self.in_flight.claiming;
        has_spare && self.read_due_at(now).is_some_and(|due| due <= now)
    }

    pub(super) fn start_read(&mut self, effects: &mut Effects) {
        let now = effects.now;
        if self.quotas.take(&self.organisation, now).is_err() {
            return;
        }
        if self.needs_probe {
            return self.start_probe(effects);
        }
        let ahead = self.ahead();
        let check_back_to = self.staleness_check.as_ref().map(|check| check.back_to(ahead));
        let back_to = self.reconciler.back_to(ahead).into_iter().chain(check_back_to).min();
        let is_scanning = self.tracker.is_scanning();
        match self.tracker.next_read(self.poll_urgency(now), now, back_to, ahead) {
            PollRequest::Page { offset } => {
                if !is_scanning {
                    self.clear_scan_rows();
                }
                self.start(Work::ReadPage { offset, limit: self.page_limit }, effects);
            }
            PollRequest::Conversation(id) => self.start(Work::ReadConversation(id), effects),
        }
    }

    pub(super) fn on_hints(&mut self, conversations: Vec<ConversationId>, now: DateTime<Utc>) {
        for id in conversations {
            self.tracker.on_hint(id, now);
        }
    }

    pub(super) fn on_page(&mut self, answer: Response<Result<Page, ReadError>>, effects: &mut Effects) {
        self.observe_headers(&answer, effects);
        match answer.value {
            Err(error) => self.on_page_failed(error, effects),
            Ok(_) if self.may_be_stale(answer.date) => self.retry_page(effects.now, effects),
            Ok(page) => {
                self.on_request_succeeded(RequestKind::Reads, effects);
                self.learn_media(&page, effects);
                let (closed, result) = self.tracker.on_page(&page, effects.now);
                for (tracked, conversation) in closed {
                    self.on_ended(&tracked, &conversation, effects);
                }
                self.match_lost_answers(&page.conversations, effects);
                self.match_rows_without_id(&page);
                self.check_unrecorded(&page.conversations, effects);
                self.check_rows_without_id(&page, effects);
                match result {
                    ScanResult::Nothing => {}
                    ScanResult::Complete(scan) => {
                        self.scan_to_conclude = Some(scan);
                        self.conclude_scan(effects);
                    }
                    ScanResult::Broken(flaw) => self.on_scan_proved_nothing(flaw, effects),
                }
            }
        }
    }

    /// Learns the medium of phone calls from our own conversations.
    fn learn_media(&mut self, page: &Page, effects: &mut Effects) {
        self.call_media.observe_page(page);
        for conversation in &page.conversations {
            if self.tracker.is_call_of_ours(&conversation.id) {
                self.learn_medium(conversation, effects);
            }
        }
    }

    pub(super) fn learn_medium(&mut self, ours: &Conversation, effects: &mut Effects) {
        if self.call_media.learn(ours) {
            let (word, ended) = (ours.medium.word().map(str::to_owned), ours.has_ended());
            self.start(Work::LearnMedium { organisation: self.organisation.clone(), word, ended }, effects);
        }
    }

    pub(super) fn on_conversation(
        &mut self,
        id: &ConversationId,
        answer: Response<Result<Conversation, ReadError>>,
        effects: &mut Effects,
    ) {
        self.observe_headers(&answer, effects);
        let now = effects.now;
        let (given_up, shown) = match answer.value {
            Ok(_) | Err(ReadError::NotFound) if self.may_be_stale(answer.date) => {
                (self.tracker.on_conversation_failed(id, now), None)
            }
            Ok(conversation) => {
                self.on_request_succeeded(RequestKind::Reads, effects);
                let ended = self.tracker.on_conversation(&conversation, now);
                let given_up = if ended.is_none() { self.tracker.on_not_closed(id, now) } else { None };
                if let Some((tracked, conversation)) = ended {
                    self.on_ended(&tracked, &conversation, effects);
                }
                (given_up, Some(conversation))
            }
            // The vendor does not (yet) know this id. The list may still show it; its deadline ends the wait.
            Err(ReadError::NotFound) => (self.tracker.on_not_closed(id, now), None),
            Err(error) => {
                let retry_at = self.on_read_failed(error, effects);
                (self.tracker.on_conversation_failed(id, retry_at), None)
            }
        };
        if let Some(tracked) = given_up {
            self.on_track_lost(id.clone(), &tracked, effects);
        }
        self.on_unclear_read(id, shown.as_ref(), effects);
    }

    /// Whether an answer may come from a proxy's cache: its date disagrees with our clock, so it may miss rows that
    /// have existed for long. If our own clock is wrong instead, several answers in a row show that.
    fn may_be_stale(&self, date: Option<DateTime<Utc>>) -> bool {
        date.is_some() && self.is_clock_in_doubt()
    }

    /// Retries a page that could not be read.
    fn on_page_failed(&mut self, error: ReadError, effects: &mut Effects) {
        let now = effects.now;
        if error == ReadError::TooLong && self.page_limit > MIN_PAGE_LIMIT {
            // Fewer rows fit. The scan continues from the rows received, not from the rows asked for.
            self.page_limit = (self.page_limit / 2).max(MIN_PAGE_LIMIT);
            return self.tracker.delay_reads_until(now);
        }
        let retry_at = self.on_read_failed(error, effects);
        self.retry_page(retry_at, effects);
    }

    fn retry_page(&mut self, at: DateTime<Utc>, effects: &Effects) {
        if self.tracker.on_page_failed(at, effects.now) {
            self.clear_scan_rows();
            self.needs_probe = self.needs_staleness_check();
        }
    }

    /// Handles a failed read. Returns when to try again.
    pub(super) fn on_read_failed(&mut self, error: ReadError, effects: &mut Effects) -> DateTime<Utc> {
        let now = effects.now;
        match error {
            ReadError::RateLimited => self.quotas.ready_at(&self.organisation, now).unwrap_or(now),
            // There is only one read at a time, so it was sent after the last refusal.
            ReadError::Unauthorised(_) => self.on_unauthorised(now, effects),
            ReadError::Unreachable
            | ReadError::NoAnswer
            | ReadError::NotFound
            | ReadError::WebPage(_)
            | ReadError::Status(_)
            | ReadError::TooLong
            | ReadError::Unreadable => self.on_unreachable(
                RequestKind::Reads,
                Outage::from_read_error(error).unwrap_or(Outage::Vendor),
                effects,
            ),
        }
    }

    pub(super) fn on_ended(
        &mut self,
        tracked: &TrackedConversation,
        conversation: &Conversation,
        effects: &mut Effects,
    ) {
        let at = effects.now;
        let &TrackedConversation { attempt, entry, number, .. } = tracked;
        let (taken_for, fact) = reply_mapping::on_closed(&self.campaign, conversation, number, at);
        let (outcome, doubt) = (taken_for.outcome, taken_for.to_review());
        self.stop_rules.on_ended(outcome, doubt);
        let redial_at = if let Fact::Ended { redial, .. } = fact { redial } else { None };
        if let Some(at) = redial_at {
            self.on_due(at);
        }
        let record = AttemptUpdate {
            started: conversation.started.map(|started| started - self.ahead()),
            ended: conversation.ended.map(|ended| ended - self.ahead()),
            words: Some(ConversationWords::bounded(&conversation.signals)),
            patient_died: taken_for.is_death,
            ..attempt_update(attempt, entry, at, fact, Some(reply_mapping::decided_by(&taken_for)))
        };
        let conversation = conversation.id.clone();
        self.record(record, Event::Ended { at, entry, attempt, conversation, outcome, doubt, redial_at }, effects);
    }

    pub(super) fn give_up_overdue(&mut self, effects: &mut Effects) {
        self.tracker.queue_overdue_reads();
        // Nothing was proved, so the entry is not called again, whatever `on_lost_answer` says.
        for lost in self.reconciler.take_expired(effects.now, self.tracker.readable_time()) {
            let detail = format!("the vendor's list could not settle it in time; {}", lost.evidence);
            self.on_absent(&lost, false, &detail, effects);
        }
    }

    /// A conversation did not end before its deadline, and a final read did not show its end either.
    fn on_track_lost(
        &mut self,
        conversation: ConversationId,
        &TrackedConversation { attempt, entry, .. }: &TrackedConversation,
        effects: &mut Effects,
    ) {
        let now = effects.now;
        let record = attempt_update(attempt, entry, now, Fact::TrackLost, None);
        self.record(record, Event::TrackLost { at: now, entry, attempt, conversation }, effects);
    }
}

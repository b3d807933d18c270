//! Follows conversations to their end: by pages of the conversation list (100 conversations a request), and by single
//! reads for what the list does not show.
//!
//! No conversation is given up unread. Deadlines count only time in which the vendor could be read, so after a suspend
//! or an outage the tracker reads first; and before it gives a conversation up, it reads it once more by id.
//! Conversations that earlier runs lost track of are read again with at most a tenth of the request budget: they may
//! contain an opt-out.
//!
//! The tracker decides what to read next and when; it sends nothing itself. Where the run listens to webhooks,
//! [`super::webhook_hints`] says which conversations may have ended.

mod active_scan;
mod call_lengths;
mod lost_track;
mod open_conversations;
mod places;
mod poll_urgency;
mod scan_schedule;
mod tracked_conversation;

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::ConversationId;
use crate::vendor::{Conversation, Page};

use self::active_scan::{ActiveScan, ScanPurpose};
use self::lost_track::LostTrackQueue;
use self::open_conversations::OpenConversations;
use self::places::Places;
use self::scan_schedule::ScanSchedule;
use self::tracked_conversation::MAX_FINAL_READS;
use super::scan::{KnownList, Scan, ScanProgress};
use super::webhook_hints::WebhookHints;

pub use self::active_scan::{CompleteScan, PollRequest, ScanResult};
pub use self::poll_urgency::{BudgetShare, PollUrgency};
pub(crate) use self::tracked_conversation::SHORTEST_CALL;
pub use self::tracked_conversation::TrackedConversation;

/// How long a new conversation may be missing from the list before it is read by id.
const LIST_DELAY: TimeDelta = TimeDelta::seconds(60);

/// How much earlier than our own record of a call its conversation may have started, by the vendor's clock.
const START_SLACK: TimeDelta = TimeDelta::seconds(180);

/// After this many failures of a page in a row the scan is broken off.
const MAX_PAGE_FAILURES: u32 = 5;

/// The open conversations of a run, and the scan in progress.
#[derive(Debug)]
pub struct Tracker {
    /// How much readable time a conversation has to end.
    track_for: TimeDelta,
    open: OpenConversations,
    places: Places,
    /// By how much the vendor's clock was ahead of ours at the last read.
    vendor_ahead: TimeDelta,
    active_scan: Option<ActiveScan>,
    queued_reads: VecDeque<ConversationId>,
    webhook_hints: WebhookHints,
    lost_track: LostTrackQueue,
    known_list: KnownList,
    /// How long, in all, the vendor could be read, and when it was read last.
    readable_time: TimeDelta,
    last_read_at: Option<DateTime<Utc>>,
    schedule: ScanSchedule,
    not_before: Option<DateTime<Utc>>,
    /// Failures of the current page in a row.
    page_failures: u32,
}

impl Tracker {
    /// A tracker without conversations. It follows each for at most `track_for`; `requests_per_minute` is the whole
    /// request budget, and `page_rows` the vendor's maximum page length.
    #[must_use]
    pub fn new(track_for: TimeDelta, requests_per_minute: u32, page_rows: u32) -> Self {
        Self {
            track_for,
            open: OpenConversations::default(),
            places: Places::default(),
            vendor_ahead: TimeDelta::zero(),
            active_scan: None,
            queued_reads: VecDeque::new(),
            webhook_hints: WebhookHints::default(),
            lost_track: LostTrackQueue::new(requests_per_minute),
            known_list: KnownList::new(page_rows),
            readable_time: TimeDelta::zero(),
            last_read_at: None,
            schedule: ScanSchedule::new(track_for / 4),
            not_before: None,
            page_failures: 0,
        }
    }

    /// Starts to follow a conversation.
    pub fn track(&mut self, id: ConversationId, tracked: TrackedConversation) {
        if self.open.len() == 0 {
            // There was nothing to read until now: that time does not count as readable.
            self.last_read_at = None;
        }
        self.lost_track.remove(&id);
        self.open.insert(id, tracked, self.readable_time);
    }

    /// Queues one read of a conversation that an earlier run lost track of.
    pub fn retry_lost_track(&mut self, id: ConversationId, tracked: TrackedConversation) {
        if self.open.get(&id).is_none() {
            self.lost_track.insert(id, tracked);
        }
    }

    /// Queues a read by id, ahead of all scans.
    pub fn queue_read(&mut self, id: ConversationId) {
        if !self.queued_reads.contains(&id) {
            self.queued_reads.push_back(id);
        }
    }

    /// Whether a scan is in progress.
    #[must_use]
    pub fn is_scanning(&self) -> bool {
        self.active_scan.is_some()
    }

    /// Whether reads by id are queued.
    #[must_use]
    pub fn has_queued_reads(&self) -> bool {
        !self.queued_reads.is_empty()
    }

    /// How many conversations that earlier runs lost track of are still to be read.
    #[must_use]
    pub fn lost_track_count(&self) -> usize {
        self.lost_track.len()
    }

    /// How long, in all, the vendor could be read. Deadlines are measured by this.
    #[must_use]
    pub fn readable_time(&self) -> TimeDelta {
        self.readable_time
    }

    /// Counts the time since the last read as readable, up to the longest pause between two reads.
    fn count_readable_time(&mut self, now: DateTime<Utc>) {
        let max_gap = self.track_for / 8;
        let gap = self.last_read_at.map_or(TimeDelta::zero(), |at| (now - at).clamp(TimeDelta::zero(), max_gap));
        self.readable_time += gap;
        self.last_read_at = Some(now);
    }

    /// Whether this conversation is being followed.
    #[must_use]
    pub fn is_tracking(&self, id: &ConversationId) -> bool {
        self.open.get(id).is_some()
    }

    /// How many conversations are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How many of the vendor's places our calls take: the calls in progress. A conversation whose call has ended takes
    /// none, unless the vendor has shown that it counts those too.
    #[must_use]
    pub fn places_taken(&self) -> usize {
        self.places.taken(&self.open)
    }

    /// The calls in progress and their average length, as far as they are known.
    #[must_use]
    pub fn calls_in_progress(&self) -> (usize, TimeDelta) {
        (self.open.in_progress(), self.places.average_call())
    }

    /// The vendor refused a call because too many were in progress. Returns whether a closing conversation explains it:
    /// from now on, a place is free when its conversation is closed.
    pub fn on_too_many_calls(&mut self) -> bool {
        self.places.on_too_many_calls(&self.open)
    }

    /// Whether the conversation is followed and certainly our call: the vendor's answer named it.
    #[must_use]
    pub fn is_call_of_ours(&self, id: &ConversationId) -> bool {
        self.open.get(id).is_some_and(|tracked| tracked.answered)
    }

    /// Takes a hint from a webhook. Ignores conversations that are not open or too young to have ended.
    pub fn on_hint(&mut self, id: ConversationId, now: DateTime<Utc>) {
        if self.open.get(&id).is_some_and(|tracked| tracked.since + SHORTEST_CALL <= now) {
            self.webhook_hints.on_hint(id, now);
        }
    }

    /// When the next read is due; `None`: there is nothing to read. `proof`: when a lost answer needs its next scan, at
    /// the usual intervals. `urgent`: when a scan is needed before any call can be placed.
    #[must_use]
    pub fn due_at(
        &self,
        urgency: PollUrgency,
        proof: Option<DateTime<Utc>>,
        urgent: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let has_work = self.active_scan.is_some() || !self.queued_reads.is_empty();
        let next = || {
            let dues = [
                self.next_call_scan_at(urgency),
                self.schedule.next_for_closing(&self.open, urgency),
                proof.map(|due| self.schedule.next_for_proof(urgency, due)),
                urgent,
                self.webhook_hints.due_at(urgency),
                self.lost_track.due_at(),
            ];
            dues.into_iter().flatten().min()
        };
        let due = if has_work { Some(DateTime::UNIX_EPOCH) } else { next() };
        due.map(|due| self.not_before.map_or(due, |earliest| due.max(earliest)))
    }

    fn next_call_scan_at(&self, urgency: PollUrgency) -> Option<DateTime<Utc>> {
        self.schedule.next_for_calls(&self.open, urgency, &self.webhook_hints)
    }

    /// The next read, which is due now. A new scan reaches back to the oldest open conversation and to `proof_back_to`
    /// (by the vendor's clock, which is `ahead` of ours). If nothing else is due, it reads one page for the date of the
    /// answer.
    pub fn next_read(
        &mut self,
        urgency: PollUrgency,
        now: DateTime<Utc>,
        proof_back_to: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> PollRequest {
        self.vendor_ahead = ahead;
        if let Some(id) = self.queued_reads.pop_front() {
            return PollRequest::Conversation(id);
        }
        let due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        let purpose = match proof_back_to {
            Some(_) => ScanPurpose::Proof,
            None if due(self.schedule.next_for_closing(&self.open, urgency)) => {
                ScanPurpose::EndedCalls { with_closing: true }
            }
            None if due(self.next_call_scan_at(urgency)) => {
                let is_seldom = !matches!(urgency, PollUrgency::Blocked { .. });
                ScanPurpose::EndedCalls { with_closing: is_seldom }
            }
            None if due(self.webhook_hints.due_at(urgency)) => ScanPurpose::Hints,
            None if due(self.lost_track.due_at()) => ScanPurpose::LostTrack,
            None => ScanPurpose::ClockCheck,
        };
        if self.active_scan.is_none()
            && let Some(id) = self.next_single_read(purpose, urgency, now)
        {
            return PollRequest::Conversation(id);
        }
        let oldest = match purpose {
            ScanPurpose::EndedCalls { with_closing: false } => self.open.oldest_in_progress(),
            ScanPurpose::EndedCalls { with_closing: true }
            | ScanPurpose::Hints
            | ScanPurpose::LostTrack
            | ScanPurpose::Proof
            | ScanPurpose::ClockCheck => self.open.oldest(),
        };
        let oldest = oldest.into_iter().map(|since| since + ahead - START_SLACK);
        let lost_track = self.lost_track.oldest().into_iter().map(|since| since + ahead - START_SLACK);
        let back_to = match purpose {
            ScanPurpose::LostTrack => oldest.chain(lost_track).min(),
            ScanPurpose::EndedCalls { .. } | ScanPurpose::Hints | ScanPurpose::Proof | ScanPurpose::ClockCheck => {
                oldest.chain(proof_back_to).min()
            }
        };
        let known_list = self.known_list;
        let active = self.active_scan.get_or_insert_with(|| {
            let scan = Scan::new(now, back_to.unwrap_or(now), known_list);
            ActiveScan { scan, purpose, urgency }
        });
        PollRequest::Page { offset: active.scan.offset() }
    }

    /// The conversation to read by id instead of scanning the list.
    fn next_single_read(
        &mut self,
        purpose: ScanPurpose,
        urgency: PollUrgency,
        now: DateTime<Utc>,
    ) -> Option<ConversationId> {
        match purpose {
            ScanPurpose::Hints => {
                let id = self.webhook_hints.take_single(urgency, self.schedule.pages_for_ended_calls())?;
                self.webhook_hints.charge(now, urgency, 1);
                Some(id)
            }
            ScanPurpose::LostTrack => self.lost_track.take_single(now),
            ScanPurpose::EndedCalls { with_closing: false } => self.queue_calls_in_progress(now),
            ScanPurpose::EndedCalls { with_closing: true } | ScanPurpose::Proof | ScanPurpose::ClockCheck => None,
        }
    }

    /// Reads each call that may have ended by id, if these are fewer than the pages of a scan. Returns the first.
    fn queue_calls_in_progress(&mut self, now: DateTime<Utc>) -> Option<ConversationId> {
        let may_have_ended = self.open.iter_in_progress().take_while(|(since, _)| *since + SHORTEST_CALL <= now);
        let pages = self.schedule.pages_for_ended_calls() as usize;
        let mut ids: VecDeque<_> = may_have_ended.map(|(_, id)| id.clone()).take(pages).collect();
        if ids.len() >= pages {
            return None;
        }
        let first = ids.pop_front()?;
        self.schedule.on_read_by_id(now, 1 + u32::try_from(ids.len()).unwrap_or(u32::MAX));
        self.queued_reads.extend(ids);
        Some(first)
    }

    /// Takes a page in. Returns the followed conversations that have ended, and the state of the scan.
    pub fn on_page(
        &mut self,
        page: &Page,
        now: DateTime<Utc>,
    ) -> (Vec<(TrackedConversation, Conversation)>, ScanResult) {
        self.not_before = None;
        self.page_failures = 0;
        self.count_readable_time(now);
        let closed =
            page.conversations.iter().filter_map(|conversation| self.on_conversation(conversation, now)).collect();
        (closed, self.advance(page, now))
    }

    fn advance(&mut self, page: &Page, now: DateTime<Utc>) -> ScanResult {
        let Some(mut active) = self.active_scan.take() else { return ScanResult::Nothing };
        match active.scan.on_page(page) {
            ScanProgress::Read(_) if self.has_served_its_purpose(&active) => {
                self.on_scan_finished(&active);
                ScanResult::Nothing
            }
            ScanProgress::Read(_) => {
                self.active_scan = Some(active);
                ScanResult::Nothing
            }
            ScanProgress::Broken(flaw) => {
                self.charge(&active);
                self.known_list = KnownList {
                    longest_page: self.known_list.longest_page,
                    ..KnownList::new(self.known_list.page_rows)
                };
                self.queue_unseen_reads(&active.scan, now);
                ScanResult::Broken(flaw)
            }
            ScanProgress::Complete(completeness) => {
                self.on_scan_finished(&active);
                self.queue_unseen_reads(&active.scan, now);
                let scan = active.scan;
                let conversations = scan.conversations();
                let Scan { started, back_to, pages, oldest, .. } = scan;
                ScanResult::Complete(CompleteScan { started, back_to, pages, conversations, oldest, completeness })
            }
        }
    }

    /// Whether the rest of the list has nothing that the scan was started for.
    fn has_served_its_purpose(&self, ActiveScan { scan, purpose, .. }: &ActiveScan) -> bool {
        let may_have_ended = |tracked: &TrackedConversation| tracked.since + SHORTEST_CALL <= scan.started;
        match purpose {
            ScanPurpose::EndedCalls { with_closing } => self
                .open
                .iter()
                .filter(|(id, _)| *with_closing || self.open.is_in_progress(id))
                .all(|(id, tracked)| scan.saw(id) || !may_have_ended(tracked)),
            ScanPurpose::Hints => self.webhook_hints.are_covered_by(scan),
            ScanPurpose::LostTrack => self.lost_track.are_covered_by(scan),
            ScanPurpose::Proof => false,
            ScanPurpose::ClockCheck => true,
        }
    }

    fn on_scan_finished(&mut self, active: &ActiveScan) {
        self.charge(active);
        self.webhook_hints.on_scan(&active.scan);
        self.known_list = active.scan.learnt();
    }

    /// Records the cost of a scan.
    fn charge(&mut self, ActiveScan { scan, purpose, urgency }: &ActiveScan) {
        self.webhook_hints.charge(scan.started, *urgency, scan.pages);
        self.schedule.on_scanned(*purpose, scan.started, scan.pages);
        if *purpose == ScanPurpose::LostTrack {
            self.lost_track.charge(scan);
        }
    }

    /// Queues reads by id for open conversations that a scan did not show, each at most once per [`LIST_DELAY`].
    fn queue_unseen_reads(&mut self, scan: &Scan, now: DateTime<Utc>) {
        for (id, since, asked_at) in self.open.iter_asked_at() {
            let is_old = since + LIST_DELAY <= scan.started;
            let was_asked_lately = asked_at.is_some_and(|at| now < at + LIST_DELAY);
            let is_due = self.webhook_hints.take_unseen(id, scan) || is_old;
            if is_due && !was_asked_lately && !scan.saw(id) {
                *asked_at = Some(now);
                self.queued_reads.push_back(id.clone());
            }
        }
    }

    /// Takes a conversation in. Returns it if it has ended and was followed, or lost track of by an earlier run.
    pub fn on_conversation(
        &mut self,
        conversation: &Conversation,
        now: DateTime<Utc>,
    ) -> Option<(TrackedConversation, Conversation)> {
        let lost_track = self.lost_track.remove(&conversation.id);
        if self.places.on_conversation(&mut self.open, conversation, now, self.vendor_ahead) {
            self.webhook_hints.on_call_ended(&conversation.id);
        }
        if !conversation.is_over(now) {
            return None;
        }
        self.webhook_hints.forget(&conversation.id);
        self.open.remove(&conversation.id).or(lost_track).map(|tracked| (tracked, conversation.clone()))
    }

    /// A read by id showed the conversation not closed, or not known. Returns it if it is overdue; it is
    /// then given up.
    pub fn on_not_closed(&mut self, id: &ConversationId, now: DateTime<Utc>) -> Option<TrackedConversation> {
        self.count_readable_time(now);
        self.lost_track.remove(id);
        let is_overdue = self.open.final_reads(id) > 0;
        if is_overdue { self.stop_tracking(id) } else { None }
    }

    /// A read by id failed; nothing is read before `retry_at`. Returns the conversation if this was its last final
    /// read; it is then given up.
    pub fn on_conversation_failed(
        &mut self,
        id: &ConversationId,
        retry_at: DateTime<Utc>,
    ) -> Option<TrackedConversation> {
        self.not_before = Some(retry_at);
        self.lost_track.on_read_failed(id);
        match self.open.final_reads(id) {
            0 => None,
            MAX_FINAL_READS.. => self.stop_tracking(id),
            _ => {
                self.queue_final_read(id.clone());
                None
            }
        }
    }

    fn stop_tracking(&mut self, id: &ConversationId) -> Option<TrackedConversation> {
        self.webhook_hints.forget(id);
        self.open.remove(id)
    }

    /// Reads nothing before `at`.
    pub fn delay_reads_until(&mut self, at: DateTime<Utc>) {
        self.not_before = Some(at);
    }

    /// A page could not be read; nothing is read before `retry_at`. The scan continues at the same page, because a long
    /// list would never be read to its end if each failure restarted it. Returns whether the scan was broken off after
    /// too many failures.
    pub fn on_page_failed(&mut self, retry_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.not_before = Some(retry_at);
        self.page_failures += 1;
        if self.page_failures < MAX_PAGE_FAILURES {
            return false;
        }
        self.page_failures = 0;
        if let Some(active) = self.active_scan.take() {
            self.charge(&active);
            self.queue_unseen_reads(&active.scan, now);
        }
        true
    }

    /// Queues a final read of each conversation that has been open for longer than the limit.
    pub fn queue_overdue_reads(&mut self) {
        for id in self.open.readable_since(self.readable_time - self.track_for) {
            if self.open.final_reads(&id) == 0 {
                self.queue_final_read(id);
            }
        }
    }

    fn queue_final_read(&mut self, id: ConversationId) {
        self.open.count_final_read(&id);
        self.queue_read(id);
    }
}

#[cfg(test)]
mod tests;

//! Conversations that earlier runs lost track of. They are read again, because they may contain an opt-out: first by
//! pages of the list, then by id, with at most a tenth of the request budget.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::tracked_conversation::{MAX_FINAL_READS, TrackedConversation};
use crate::engine::scan::Scan;
use crate::ids::ConversationId;

/// Pages read for them at most; the remaining ones are read by id.
const MAX_PAGES: u32 = 6;

/// They get one request in this many.
const BUDGET_DIVISOR: i64 = 10;

/// Conversations that earlier runs lost track of and this run has not read yet.
#[derive(Debug)]
pub(super) struct LostTrackQueue {
    waiting: BTreeMap<ConversationId, LostTrackEntry>,
    /// Whether the list has been scanned for them.
    is_list_scanned: bool,
    /// When the next request for them may be sent.
    due_at: DateTime<Utc>,
    /// The shortest time between two requests for them.
    interval: TimeDelta,
}

#[derive(Debug)]
struct LostTrackEntry {
    tracked: TrackedConversation,
    /// How often a read of it failed.
    failures: u8,
}

impl LostTrackQueue {
    /// An empty queue; `requests_per_minute` is the whole request budget.
    pub(super) fn new(requests_per_minute: u32) -> Self {
        let interval = TimeDelta::seconds(60 * BUDGET_DIVISOR / i64::from(requests_per_minute.max(1)));
        Self { waiting: BTreeMap::new(), is_list_scanned: false, due_at: DateTime::UNIX_EPOCH, interval }
    }

    pub(super) fn insert(&mut self, id: ConversationId, tracked: TrackedConversation) {
        self.waiting.insert(id, LostTrackEntry { tracked, failures: 0 });
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<TrackedConversation> {
        self.waiting.remove(id).map(|waiting| waiting.tracked)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the next request is due, if any conversation waits.
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        (!self.is_empty()).then_some(self.due_at)
    }

    /// The `since` of the oldest one.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.waiting.values().map(|waiting| waiting.tracked.since).min()
    }

    /// The next conversation to read by id, once the list has been scanned.
    pub(super) fn take_single(&mut self, now: DateTime<Utc>) -> Option<ConversationId> {
        if !self.is_list_scanned {
            return None;
        }
        self.due_at = now + self.interval;
        self.waiting.keys().next().cloned()
    }

    /// Whether a scan for them may stop.
    pub(super) fn are_covered_by(&self, scan: &Scan) -> bool {
        let max_pages = MAX_PAGES.min(u32::try_from(self.len()).unwrap_or(u32::MAX));
        scan.pages >= max_pages || self.is_empty()
    }

    /// Records the cost of a finished scan.
    pub(super) fn charge(&mut self, scan: &Scan) {
        self.is_list_scanned = true;
        self.due_at = scan.started + self.interval * i32::try_from(scan.pages).unwrap_or(i32::MAX);
    }

    /// A read failed. After [`MAX_FINAL_READS`] failures the conversation is left to the next run.
    pub(super) fn on_read_failed(&mut self, id: &ConversationId) {
        let Some(waiting) = self.waiting.get_mut(id) else { return };
        waiting.failures += 1;
        if waiting.failures >= MAX_FINAL_READS {
            self.waiting.remove(id);
        }
    }
}

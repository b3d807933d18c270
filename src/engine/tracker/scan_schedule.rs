//! When the list is scanned next, after the scans so far.

use chrono::{DateTime, TimeDelta, Utc};

use super::active_scan::ScanPurpose;
use super::open_conversations::OpenConversations;
use super::poll_urgency::PollUrgency;
use super::tracked_conversation::SHORTEST_CALL;
use crate::engine::webhook_hints::WebhookHints;

/// The scans so far, by when they began and how many pages they took.
#[derive(Debug)]
pub(super) struct ScanSchedule {
    /// The longest time between two scans: even a very long list is read several times before a deadline passes.
    longest_interval: TimeDelta,
    /// The last scan for ended calls or for a proof.
    last: Option<(DateTime<Utc>, u32)>,
    /// The last one that also looked for conversations that were closing.
    last_with_closing: Option<(DateTime<Utc>, u32)>,
    /// The pages of the last scan for ended calls. A proof may read much further back, so its pages do not count here.
    pages_for_ended_calls: u32,
}

impl ScanSchedule {
    pub(super) fn new(longest_interval: TimeDelta) -> Self {
        Self { longest_interval, last: None, last_with_closing: None, pages_for_ended_calls: 1 }
    }

    /// The pages that a scan for ended calls takes.
    pub(super) fn pages_for_ended_calls(&self) -> u32 {
        self.pages_for_ended_calls
    }

    /// When the calls in progress are looked at next.
    pub(super) fn next_for_calls(
        &self,
        open: &OpenConversations,
        urgency: PollUrgency,
        hints: &WebhookHints,
    ) -> Option<DateTime<Utc>> {
        let due = open.oldest_in_progress()? + SHORTEST_CALL;
        let scheduled = self.last.map(|(started, _)| {
            let scheduled = hints.next_scan_at(started, urgency, self.pages_for_ended_calls);
            scheduled.min(started + self.longest_interval)
        });
        Some(scheduled.map_or(due, |scheduled| due.max(scheduled)))
    }

    /// When the conversations whose call has ended are looked at next.
    pub(super) fn next_for_closing(&self, open: &OpenConversations, urgency: PollUrgency) -> Option<DateTime<Utc>> {
        let in_progress = open.in_progress();
        if in_progress == open.len() {
            return None;
        }
        let due = open.oldest()? + SHORTEST_CALL;
        let scheduled = self
            .last_with_closing
            .map(|(started, pages)| started + urgency.closing_interval(pages, in_progress).min(self.longest_interval));
        Some(scheduled.map_or(due, |scheduled| due.max(scheduled)))
    }

    /// When a proof that is needed from `due` on may be scanned for.
    pub(super) fn next_for_proof(&self, urgency: PollUrgency, due: DateTime<Utc>) -> DateTime<Utc> {
        let scheduled = self.last.map(|(started, pages)| started + urgency.interval(pages).min(self.longest_interval));
        scheduled.map_or(due, |scheduled| due.max(scheduled))
    }

    /// Records a scan. One for hints does not delay the next one, which finds the ended calls that no hint named.
    pub(super) fn on_scanned(&mut self, purpose: ScanPurpose, started: DateTime<Utc>, pages: u32) {
        match purpose {
            ScanPurpose::EndedCalls { with_closing } => {
                self.last = Some((started, pages));
                self.pages_for_ended_calls = pages;
                if with_closing {
                    self.last_with_closing = self.last;
                }
            }
            ScanPurpose::Proof => {
                self.last = Some((started, pages));
                self.last_with_closing = self.last;
            }
            ScanPurpose::LostTrack | ScanPurpose::Hints | ScanPurpose::ClockCheck => {}
        }
    }

    /// Records reads of all calls in progress by their ids, in place of a scan.
    pub(super) fn on_read_by_id(&mut self, started: DateTime<Utc>, requests: u32) {
        self.last = Some((started, requests));
    }
}

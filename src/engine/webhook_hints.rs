//! Hints from webhooks: open conversations that may have ended.
//!
//! A hint causes a read and never an outcome. Reads for hints are charged like scans of the list: one per polling
//! interval, with a few saved up while hints are rare. So hints bring outcomes sooner, and webhooks (true or false,
//! however many) cost no more requests than polling alone.
//!
//! While hints prove right, the list is read less often. When they stop or prove wrong, that trust expires and polling
//! returns to its usual intervals.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::scan::Scan;
use super::tracker::PollUrgency;
use crate::ids::ConversationId;

/// While the request budget goes to calls, this many hints justify a scan.
const HINTS_PER_SCAN: usize = 50;

/// The longest time that fewer hints wait for a scan.
const MAX_GATHERING: TimeDelta = TimeDelta::seconds(60);

/// Reads for hints that may be saved up, besides the one that is due.
const MAX_SAVED_READS: i32 = 2;

/// How long a hint that proved right makes hints trusted.
const TRUST_PERIOD: TimeDelta = TimeDelta::minutes(3);

/// How much longer the polling interval is while hints are trusted.
const TRUSTED_INTERVAL_FACTOR: i32 = 3;

/// The open conversations that webhooks have hinted at.
#[derive(Debug, Default)]
pub struct WebhookHints {
    hinted: BTreeMap<ConversationId, HintedConversation>,
    /// When the last hint came that proved right.
    last_confirmed_at: Option<DateTime<Utc>>,
    /// Until when the reads made so far are charged, at the polling interval.
    charged_until: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy)]
struct HintedConversation {
    last_hint_at: DateTime<Utc>,
    /// Since when it waits to be read; `None`: it was read after the hint.
    waiting_since: Option<DateTime<Utc>>,
}

impl WebhookHints {
    /// A webhook names an open conversation.
    pub fn on_hint(&mut self, id: ConversationId, now: DateTime<Utc>) {
        let hinted =
            self.hinted.entry(id).or_insert(HintedConversation { last_hint_at: now, waiting_since: Some(now) });
        *hinted = HintedConversation { last_hint_at: now, waiting_since: hinted.waiting_since.or(Some(now)) };
    }

    /// A call has ended: a hint about it was right. A hint about a conversation whose end was known already confirms
    /// nothing, so a vendor that tells of closed conversations only does not make the polls for ended calls rarer.
    pub fn on_call_ended(&mut self, id: &ConversationId) {
        if let Some(HintedConversation { last_hint_at, .. }) = self.hinted.remove(id) {
            self.last_confirmed_at = self.last_confirmed_at.max(Some(last_hint_at));
        }
    }

    /// A conversation is no longer followed.
    pub fn forget(&mut self, id: &ConversationId) {
        self.hinted.remove(id);
    }

    /// The conversations that wait to be read, and since when.
    fn waiting(&self) -> impl Iterator<Item = (&ConversationId, DateTime<Utc>)> {
        self.hinted.iter().filter_map(|(id, hinted)| Some((id, hinted.waiting_since?)))
    }

    /// When the next read for hints is due, if any conversation waits.
    #[must_use]
    pub fn due_at(&self, urgency: PollUrgency) -> Option<DateTime<Utc>> {
        let oldest = self.waiting().map(|(_, since)| since).min()?;
        let (ready, credit) = match urgency {
            PollUrgency::Blocked { .. } | PollUrgency::Draining => (oldest, urgency.interval(1) * MAX_SAVED_READS),
            PollUrgency::Dialing if self.waiting().count() >= HINTS_PER_SCAN => (oldest, TimeDelta::zero()),
            PollUrgency::Dialing => (oldest + MAX_GATHERING, TimeDelta::zero()),
        };
        Some(self.charged_until.map_or(ready, |charged| ready.max(charged - credit)))
    }

    /// Charges for pages or single conversations read.
    pub fn charge(&mut self, at: DateTime<Utc>, urgency: PollUrgency, requests: u32) {
        self.charged_until =
            Some(self.charged_until.map_or(at, |charged| charged.max(at)) + urgency.interval(requests));
    }

    /// The conversation to read by id, if that is cheaper than a scan: no more conversations wait than a scan takes
    /// pages. While the request budget goes to calls, waiting is cheaper than both.
    pub fn take_single(&mut self, urgency: PollUrgency, pages: u32) -> Option<ConversationId> {
        let is_few = self.waiting().count() <= pages.max(1) as usize;
        if !is_few || urgency == PollUrgency::Dialing {
            return None;
        }
        let (id, _) = self.waiting().min_by_key(|(_, since)| *since)?;
        let id = id.clone();
        self.mark_read(&id);
        Some(id)
    }

    /// Whether a scan has shown every conversation hinted at before it began.
    #[must_use]
    pub fn are_covered_by(&self, scan: &Scan) -> bool {
        self.waiting().all(|(id, since)| since > scan.started || scan.saw(id))
    }

    /// Marks the conversations that a scan has shown as read, unless a hint arrived during the scan: it may be newer
    /// than the row.
    pub fn on_scan(&mut self, scan: &Scan) {
        for (id, hinted) in &mut self.hinted {
            if scan.saw(id) {
                hinted.waiting_since =
                    hinted.waiting_since.filter(|_| hinted.last_hint_at > scan.started).map(|_| hinted.last_hint_at);
            }
        }
    }

    /// Whether a conversation was hinted at before the scan and the scan did not show it. Marks it as read, because the
    /// caller reads it by id.
    pub fn take_unseen(&mut self, id: &ConversationId, scan: &Scan) -> bool {
        let waiting_since = self.hinted.get(id).and_then(|hinted| hinted.waiting_since);
        let is_unseen = waiting_since.is_some_and(|since| since <= scan.started) && !scan.saw(id);
        if is_unseen {
            self.mark_read(id);
        }
        is_unseen
    }

    fn mark_read(&mut self, id: &ConversationId) {
        if let Some(hinted) = self.hinted.get_mut(id) {
            hinted.waiting_since = None;
        }
    }

    /// When the list is to be read next for ended calls without a hint, after a scan of `pages` pages that began at
    /// `last`.
    #[must_use]
    pub fn next_scan_at(&self, last: DateTime<Utc>, urgency: PollUrgency, pages: u32) -> DateTime<Utc> {
        let interval = urgency.interval(pages);
        let trusted_until = self.last_confirmed_at.map_or(last, |at| at + TRUST_PERIOD);
        (last + interval).max(trusted_until.min(last + interval * TRUSTED_INTERVAL_FACTOR))
    }
}

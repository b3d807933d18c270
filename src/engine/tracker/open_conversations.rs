//! The conversations being followed, indexed by id and by age, so that finding the oldest of thousands needs no full
//! pass. A conversation is *in progress* until its call has ended, and then *closing* until the vendor has closed it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::tracked_conversation::TrackedConversation;
use crate::ids::ConversationId;

/// The conversations being followed.
#[derive(Debug, Default)]
pub(super) struct OpenConversations {
    conversations: BTreeMap<ConversationId, OpenEntry>,
    /// By `since`, the oldest first.
    by_age: BTreeSet<(DateTime<Utc>, ConversationId)>,
    /// The same for those whose call is in progress.
    in_progress_by_age: BTreeSet<(DateTime<Utc>, ConversationId)>,
    /// By how long the vendor had been readable when this run began to follow them.
    by_readable_time: BTreeSet<(TimeDelta, ConversationId)>,
}

#[derive(Debug)]
struct OpenEntry {
    tracked: TrackedConversation,
    readable_at_start: TimeDelta,
    /// Reads since its deadline passed.
    final_reads: u8,
    /// The end of its call, as the vendor first showed it.
    call_ended: Option<DateTime<Utc>>,
}

impl OpenConversations {
    pub(super) fn len(&self) -> usize {
        self.conversations.len()
    }

    /// How many calls are in progress.
    pub(super) fn in_progress(&self) -> usize {
        self.in_progress_by_age.len()
    }

    /// Whether the conversation is followed and its call is in progress, as far as is known.
    pub(super) fn is_in_progress(&self, id: &ConversationId) -> bool {
        self.conversations.get(id).is_some_and(|entry| entry.call_ended.is_none())
    }

    pub(super) fn get(&self, id: &ConversationId) -> Option<&TrackedConversation> {
        self.conversations.get(id).map(|entry| &entry.tracked)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ConversationId, &TrackedConversation)> {
        self.conversations.iter().map(|(id, entry)| (id, &entry.tracked))
    }

    /// Each conversation with its `since`, and a slot to record when it was last read by id.
    pub(super) fn iter_asked_at(
        &mut self,
    ) -> impl Iterator<Item = (&ConversationId, DateTime<Utc>, &mut Option<DateTime<Utc>>)> {
        self.conversations.iter_mut().map(|(id, entry)| (id, entry.tracked.since, &mut entry.tracked.asked_at))
    }

    /// Follows a conversation. `readable_at_start`: how long the vendor has been readable so far.
    pub(super) fn insert(&mut self, id: ConversationId, tracked: TrackedConversation, readable_at_start: TimeDelta) {
        self.remove(&id);
        self.by_age.insert((tracked.since, id.clone()));
        self.in_progress_by_age.insert((tracked.since, id.clone()));
        self.by_readable_time.insert((readable_at_start, id.clone()));
        self.conversations.insert(id, OpenEntry { tracked, readable_at_start, final_reads: 0, call_ended: None });
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<TrackedConversation> {
        let OpenEntry { tracked, readable_at_start, .. } = self.conversations.remove(id)?;
        self.by_age.remove(&(tracked.since, id.clone()));
        self.in_progress_by_age.remove(&(tracked.since, id.clone()));
        self.by_readable_time.remove(&(readable_at_start, id.clone()));
        Some(tracked)
    }

    /// The `since` of the oldest one.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.by_age.first().map(|(since, _)| *since)
    }

    /// The `since` of the oldest one whose call is in progress.
    pub(super) fn oldest_in_progress(&self) -> Option<DateTime<Utc>> {
        self.in_progress_by_age.first().map(|(since, _)| *since)
    }

    /// Those whose call is in progress, the oldest first.
    pub(super) fn iter_in_progress(&self) -> impl Iterator<Item = (DateTime<Utc>, &ConversationId)> {
        self.in_progress_by_age.iter().map(|(since, id)| (*since, id))
    }

    /// The end of a call, as the vendor first showed it; `None`: it is in progress, or not followed.
    pub(super) fn call_end(&self, id: &ConversationId) -> Option<DateTime<Utc>> {
        self.conversations.get(id).and_then(|entry| entry.call_ended)
    }

    /// The vendor shows that the call has ended. Returns how long it had been followed, if this is news.
    pub(super) fn on_call_ended(&mut self, id: &ConversationId, at: DateTime<Utc>) -> Option<TimeDelta> {
        let entry = self.conversations.get_mut(id).filter(|entry| entry.call_ended.is_none())?;
        entry.call_ended = Some(at);
        self.in_progress_by_age.remove(&(entry.tracked.since, id.clone()));
        Some(at - entry.tracked.since)
    }

    /// Those that were first followed when the vendor had been readable for `until` or less.
    pub(super) fn readable_since(&self, until: TimeDelta) -> Vec<ConversationId> {
        self.by_readable_time.iter().take_while(|(from, _)| *from <= until).map(|(_, id)| id.clone()).collect()
    }

    /// How often the conversation was read since its deadline passed.
    pub(super) fn final_reads(&self, id: &ConversationId) -> u8 {
        self.conversations.get(id).map_or(0, |entry| entry.final_reads)
    }

    pub(super) fn count_final_read(&mut self, id: &ConversationId) {
        if let Some(entry) = self.conversations.get_mut(id) {
            entry.final_reads += 1;
        }
    }
}

//! The conversations that are followed, at hand by their ids and by their age: with thousands of them, nobody looks
//! through all to find the oldest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::Followed;
use crate::ids::ConversationId;

/// The conversations that are followed.
#[derive(Debug, Default)]
pub(super) struct Open {
    followed: BTreeMap<ConversationId, Entry>,
    /// By when they began.
    by_age: BTreeSet<(DateTime<Utc>, ConversationId)>,
    /// By how long the vendor could be read when this run began to follow them.
    by_watch: BTreeSet<(TimeDelta, ConversationId)>,
}

#[derive(Debug)]
struct Entry {
    followed: Followed,
    watched_from: TimeDelta,
    /// How often it has been asked for since it was open for too long.
    last_reads: u8,
}

impl Open {
    pub(super) fn len(&self) -> usize {
        self.followed.len()
    }

    pub(super) fn get(&self, id: &ConversationId) -> Option<&Followed> {
        self.followed.get(id).map(|entry| &entry.followed)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ConversationId, &Followed)> {
        self.followed.iter().map(|(id, entry)| (id, &entry.followed))
    }

    /// Each, to note when it was asked for.
    pub(super) fn asked_at(
        &mut self,
    ) -> impl Iterator<Item = (&ConversationId, DateTime<Utc>, &mut Option<DateTime<Utc>>)> {
        self.followed.iter_mut().map(|(id, entry)| (id, entry.followed.since, &mut entry.followed.asked_at))
    }

    /// Follows a conversation from when the vendor could be read for `watched_from` in all.
    pub(super) fn insert(&mut self, id: ConversationId, followed: Followed, watched_from: TimeDelta) {
        self.remove(&id);
        self.by_age.insert((followed.since, id.clone()));
        self.by_watch.insert((watched_from, id.clone()));
        self.followed.insert(id, Entry { followed, watched_from, last_reads: 0 });
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<Followed> {
        let Entry { followed, watched_from, .. } = self.followed.remove(id)?;
        self.by_age.remove(&(followed.since, id.clone()));
        self.by_watch.remove(&(watched_from, id.clone()));
        Some(followed)
    }

    /// When the oldest one began.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.by_age.first().map(|(since, _)| *since)
    }

    /// Those that have been followed since the vendor could be read for `until` or less.
    pub(super) fn followed_for(&self, until: TimeDelta) -> Vec<ConversationId> {
        self.by_watch.iter().take_while(|(from, _)| *from <= until).map(|(_, id)| id.clone()).collect()
    }

    /// How often it has been asked for since it was open for too long.
    pub(super) fn last_reads(&self, id: &ConversationId) -> u8 {
        self.followed.get(id).map_or(0, |entry| entry.last_reads)
    }

    /// It is asked for once more before it is given up.
    pub(super) fn count_last_read(&mut self, id: &ConversationId) {
        if let Some(entry) = self.followed.get_mut(id) {
            entry.last_reads += 1;
        }
    }
}

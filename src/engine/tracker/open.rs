//! The conversations that are followed, at hand by their ids and by their age: with thousands of them, nobody looks
//! through all to find the oldest.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::Followed;
use crate::ids::ConversationId;

/// The conversations that are followed.
#[derive(Debug, Default)]
pub(super) struct Open {
    followed: BTreeMap<ConversationId, Followed>,
    /// By when they began.
    by_age: BTreeSet<(DateTime<Utc>, ConversationId)>,
    /// By when this run began to follow them.
    by_watch: BTreeSet<(DateTime<Utc>, ConversationId)>,
}

impl Open {
    pub(super) fn len(&self) -> usize {
        self.followed.len()
    }

    pub(super) fn get(&self, id: &ConversationId) -> Option<&Followed> {
        self.followed.get(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ConversationId, &Followed)> {
        self.followed.iter()
    }

    /// Each, to note when it was asked for.
    pub(super) fn asked_at(
        &mut self,
    ) -> impl Iterator<Item = (&ConversationId, DateTime<Utc>, &mut Option<DateTime<Utc>>)> {
        self.followed.iter_mut().map(|(id, Followed { since, asked_at, .. })| (id, *since, asked_at))
    }

    pub(super) fn insert(&mut self, id: ConversationId, followed: Followed) {
        self.remove(&id);
        self.by_age.insert((followed.since, id.clone()));
        self.by_watch.insert((followed.followed_since, id.clone()));
        self.followed.insert(id, followed);
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<Followed> {
        let followed = self.followed.remove(id)?;
        self.by_age.remove(&(followed.since, id.clone()));
        self.by_watch.remove(&(followed.followed_since, id.clone()));
        Some(followed)
    }

    /// When the oldest one began.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.by_age.first().map(|(since, _)| *since)
    }

    /// Since when the one is followed that has been longest.
    pub(super) fn longest_followed(&self) -> Option<DateTime<Utc>> {
        self.by_watch.first().map(|(since, _)| *since)
    }

    /// Takes out the ones that have been followed since `until` or before.
    pub(super) fn take_followed_since(&mut self, until: DateTime<Utc>) -> Vec<(ConversationId, Followed)> {
        let mut taken = Vec::new();
        while let Some((_, id)) = self.by_watch.first().filter(|(since, _)| *since <= until).cloned() {
            taken.extend(self.remove(&id).map(|followed| (id, followed)));
        }
        taken
    }
}

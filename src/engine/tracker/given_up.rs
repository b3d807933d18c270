//! What former runs gave up: it is asked for again, since an opt-out may be in it, by pages of the list first, then by id,
//! at a tenth of the budget at most.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Followed, LAST_READS};
use crate::engine::scan::Scan;
use crate::ids::ConversationId;

/// Pages that are read at once for it; the rest is asked for by id.
const PAGES: u32 = 6;

/// One request in so many may go to it.
const A_TENTH: i64 = 10;

/// What former runs gave up and this one has not read yet.
#[derive(Debug)]
pub(super) struct GivenUp {
    waiting: BTreeMap<ConversationId, Waiting>,
    /// Whether the list has been looked at for them.
    looked: bool,
    /// When the next request may be theirs.
    due: DateTime<Utc>,
    /// How long after a request for them the next may follow.
    interval: TimeDelta,
}

#[derive(Debug)]
struct Waiting {
    followed: Followed,
    /// How often it could not be read.
    failed: u8,
}

impl GivenUp {
    /// Nothing yet, at so many requests a minute in all.
    pub(super) fn new(requests_per_minute: u32) -> Self {
        let interval = TimeDelta::seconds(60 * A_TENTH / i64::from(requests_per_minute.max(1)));
        Self { waiting: BTreeMap::new(), looked: false, due: DateTime::UNIX_EPOCH, interval }
    }

    pub(super) fn insert(&mut self, id: ConversationId, followed: Followed) {
        self.waiting.insert(id, Waiting { followed, failed: 0 });
    }

    pub(super) fn remove(&mut self, id: &ConversationId) -> Option<Followed> {
        self.waiting.remove(id).map(|waiting| waiting.followed)
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the next request for them is due, if there are any.
    pub(super) fn due_at(&self) -> Option<DateTime<Utc>> {
        (!self.is_empty()).then_some(self.due)
    }

    /// When the oldest one began.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.waiting.values().map(|waiting| waiting.followed.since).min()
    }

    /// The next one to ask for by its id, once the list has been looked at.
    pub(super) fn take_single(&mut self, now: DateTime<Utc>) -> Option<ConversationId> {
        if !self.looked {
            return None;
        }
        self.due = now + self.interval;
        self.waiting.keys().next().cloned()
    }

    /// Whether a scan for them has shown enough.
    pub(super) fn are_shown_by(&self, scan: &Scan) -> bool {
        let most = PAGES.min(u32::try_from(self.len()).unwrap_or(u32::MAX));
        scan.pages >= most || self.is_empty()
    }

    /// A scan for them is over.
    pub(super) fn pay_for(&mut self, scan: &Scan) {
        self.looked = true;
        self.due = scan.started + self.interval * i32::try_from(scan.pages).unwrap_or(i32::MAX);
    }

    /// One of them, if it is one, could not be read. What fails too often is left to the next run.
    pub(super) fn could_not_read(&mut self, id: &ConversationId) {
        let Some(waiting) = self.waiting.get_mut(id) else { return };
        waiting.failed += 1;
        if waiting.failed >= LAST_READS {
            self.waiting.remove(id);
        }
    }
}

//! What the vendor's deliveries name: open conversations that may have ended.
//!
//! A hint is a reason to read, never an outcome, and reads for hints are paid for like scans of the list: one in each
//! interval of the pace, with a few that may be saved up for when endings are rare. So hints bring an ending sooner, and
//! whatever is delivered, true or not, however often, costs no more requests than the list would have.
//!
//! While deliveries foretell endings the list itself is read less often. When they stop, or say nothing true any more, that
//! trust runs out, and all is as if there were none.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::scan::Scan;
use super::tracker::Pace;
use crate::ids::ConversationId;

/// So many hints are worth a scan while the budget goes to calls.
const WORTH_A_SCAN: usize = 50;

/// The longest that fewer of them are gathered.
const GATHERED_FOR: TimeDelta = TimeDelta::seconds(60);

/// Reads for hints that may be saved up while none is needed, beside the one that is due.
const SAVED_UP: i32 = 2;

/// How long an ending that was foretold vouches for the deliveries.
const TRUST: TimeDelta = TimeDelta::minutes(3);

/// How much less often the list is read while deliveries are trusted.
const STRETCH: i32 = 3;

/// The open conversations that deliveries have named, and what has come of it.
#[derive(Debug, Default)]
pub struct Hinted {
    named: BTreeMap<ConversationId, Named>,
    /// When the last hint came that an ending has proved right.
    true_at: Option<DateTime<Utc>>,
    /// Until when reads are paid for, at the pace of the list.
    paid_until: Option<DateTime<Utc>>,
}

/// An open conversation that was named.
#[derive(Debug, Clone, Copy)]
struct Named {
    /// When last.
    at: DateTime<Utc>,
    /// Since when it waits to be read, if it does.
    waits_since: Option<DateTime<Utc>>,
}

impl Hinted {
    /// A delivery names an open conversation.
    pub fn name(&mut self, id: ConversationId, now: DateTime<Utc>) {
        let named = self.named.entry(id).or_insert(Named { at: now, waits_since: Some(now) });
        *named = Named { at: now, waits_since: named.waits_since.or(Some(now)) };
    }

    /// A conversation has ended.
    pub fn ended(&mut self, id: &ConversationId) {
        if let Some(Named { at, .. }) = self.named.remove(id) {
            self.true_at = self.true_at.max(Some(at));
        }
    }

    /// A conversation is not followed any more.
    pub fn forget(&mut self, id: &ConversationId) {
        self.named.remove(id);
    }

    /// Which wait to be read, and since when.
    fn waiting(&self) -> impl Iterator<Item = (&ConversationId, DateTime<Utc>)> {
        self.named.iter().filter_map(|(id, named)| Some((id, named.waits_since?)))
    }

    /// When the next read for hints is due, if any waits.
    #[must_use]
    pub fn due_at(&self, pace: Pace) -> Option<DateTime<Utc>> {
        let oldest = self.waiting().map(|(_, since)| since).min()?;
        let (ready, saved) = match pace {
            Pace::Blocked | Pace::Draining => (oldest, pace.interval(1) * SAVED_UP),
            Pace::Dialling if self.waiting().count() >= WORTH_A_SCAN => (oldest, TimeDelta::zero()),
            Pace::Dialling => (oldest + GATHERED_FOR, TimeDelta::zero()),
        };
        Some(self.paid_until.map_or(ready, |paid| ready.max(paid - saved)))
    }

    /// Something is read: so many pages, or one conversation.
    pub fn pay(&mut self, at: DateTime<Utc>, pace: Pace, requests: u32) {
        self.paid_until = Some(self.paid_until.map_or(at, |paid| paid.max(at)) + pace.interval(requests));
    }

    /// The conversation to be asked for by its id: if there are no more of them than a scan takes pages, that is cheaper,
    /// and while the budget goes to calls nothing is as cheap as waiting.
    pub fn take_single(&mut self, pace: Pace, pages: u32) -> Option<ConversationId> {
        let few = self.waiting().count() <= pages.max(1) as usize;
        if !few || pace == Pace::Dialling {
            return None;
        }
        let (id, _) = self.waiting().min_by_key(|(_, since)| *since)?;
        let id = id.clone();
        self.was_read(&id);
        Some(id)
    }

    /// Whether a scan has shown all that were named before it began.
    #[must_use]
    pub fn are_shown_by(&self, scan: &Scan) -> bool {
        self.waiting().all(|(id, since)| since > scan.started || scan.saw(id))
    }

    /// What a scan has shown was read; a hint that came during the scan may be newer than what it showed.
    pub fn were_shown_by(&mut self, scan: &Scan) {
        for (id, named) in &mut self.named {
            if scan.saw(id) {
                named.waits_since = named.waits_since.filter(|_| named.at > scan.started).map(|_| named.at);
            }
        }
    }

    /// Whether it was named before the scan and not read since: a scan that does not show it is no reason to forget it.
    pub fn take_unseen(&mut self, id: &ConversationId, scan: &Scan) -> bool {
        let waits = self.named.get(id).and_then(|named| named.waits_since);
        let unseen = waits.is_some_and(|since| since <= scan.started) && !scan.saw(id);
        if unseen {
            self.was_read(id);
        }
        unseen
    }

    fn was_read(&mut self, id: &ConversationId) {
        if let Some(named) = self.named.get_mut(id) {
            named.waits_since = None;
        }
    }

    /// When the list is to be read again for endings that nobody has named, after a scan of so many pages that began at
    /// `last`.
    #[must_use]
    pub fn next_scan_at(&self, last: DateTime<Utc>, pace: Pace, pages: u32) -> DateTime<Utc> {
        let interval = pace.interval(pages);
        let trusted_until = self.true_at.map_or(last, |at| at + TRUST);
        (last + interval).max(trusted_until.min(last + interval * STRETCH))
    }
}

//! Following conversations to their end: by pages of the vendor's list, a hundred conversations a request, and by a
//! request of its own only for what the list does not show.
//!
//! The tracker says what to read next and when; it sends nothing itself.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Conversation, Page, Status};
use crate::ids::{AttemptId, ConversationId, EntryId};

use super::scan::{Order, Progress, Scan};

/// A new conversation may take this long to appear on the list before it is asked for by its id.
const LIST_GRACE: TimeDelta = TimeDelta::seconds(60);

/// No conversation ends sooner than this: nothing is read for younger ones.
pub(crate) const SHORTEST_CALL: TimeDelta = TimeDelta::seconds(10);

/// How far before our own record of a call its conversation may have started, by the vendor's clock.
pub(crate) const START_SLACK: TimeDelta = TimeDelta::seconds(180);

/// A page that fails so often in a row is not asked for again: the scan starts anew.
const TRIES_OF_A_PAGE: u32 = 5;

/// How urgently endings are wanted: the less there is to do with the budget, the more often the list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Calls wait for endings: as many conversations are open as may be, or a canary is out.
    Blocked,
    /// Nothing more is to be dialled now: the last conversations are waited for.
    Draining,
    /// The budget goes to calls.
    Dialling,
}

impl Pace {
    /// Between the beginnings of two scans of so many pages.
    #[must_use]
    pub fn interval(self, pages: u32) -> TimeDelta {
        let seconds = match self {
            Self::Blocked => 10,
            Self::Draining => 15,
            Self::Dialling => 30,
        };
        TimeDelta::seconds(seconds) * i32::try_from(pages.max(1)).unwrap_or(i32::MAX)
    }
}

/// A conversation that is being followed.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Its attempt.
    pub attempt: AttemptId,
    /// Its entry.
    pub entry: EntryId,
    /// Which call to the entry it is.
    pub number: u32,
    /// Since when we know of it.
    pub since: DateTime<Utc>,
    /// Since when this run follows it: what nobody looked for in the meantime is not lost track of.
    pub followed_since: DateTime<Utc>,
    /// When it was last asked for by its id.
    pub asked_at: Option<DateTime<Utc>>,
}

/// One request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A page of the list.
    Page {
        /// Where it starts.
        offset: u64,
    },
    /// One conversation.
    Conversation(ConversationId),
}

/// A scan that saw every conversation back to an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteScan {
    /// When it began, by our clock.
    pub started: DateTime<Utc>,
    /// How far it reached back, by the vendor's clock.
    pub back_to: DateTime<Utc>,
    /// Pages that it took.
    pub pages: u32,
    /// Conversations that it saw.
    pub conversations: usize,
    /// Whether what it did not show is not on the list.
    pub proves_absence: bool,
}

/// The open conversations of a run, and the scan that is under way.
#[derive(Debug, Default)]
pub struct Tracker {
    open: BTreeMap<ConversationId, Followed>,
    scan: Option<(Scan, u64)>,
    asked_for: VecDeque<ConversationId>,
    known: Option<(Order, u64)>,
    last: Option<(DateTime<Utc>, u32)>,
    not_before: Option<DateTime<Utc>>,
    /// Failed reads in a row.
    failures: u32,
}

impl Tracker {
    /// Follows a conversation from now on.
    pub fn follow(&mut self, id: ConversationId, followed: Followed) {
        self.open.insert(id, followed);
    }

    /// How many conversations are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// When the next read is due, `unsettled` telling when a lost answer next wants a scan; `None` if there is nothing to
    /// read.
    #[must_use]
    pub fn due_at(&self, pace: Pace, unsettled: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let under_way = self.scan.is_some() || !self.asked_for.is_empty();
        let due = if under_way { Some(DateTime::UNIX_EPOCH) } else { self.next_scan_at(pace, unsettled) };
        due.map(|due| self.not_before.map_or(due, |earliest| due.max(earliest)))
    }

    fn next_scan_at(&self, pace: Pace, unsettled: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let oldest = self.open.values().map(|followed| followed.since).min();
        let wanted = oldest.map(|since| since + SHORTEST_CALL).into_iter().chain(unsettled).min()?;
        let paced = self.last.map(|(started, pages)| started + pace.interval(pages));
        Some(paced.map_or(wanted, |paced| wanted.max(paced)))
    }

    /// The next read, which is now due. A scan that begins reaches back to the oldest open conversation, and to
    /// `unsettled_back_to` (by the vendor's clock, which is `ahead` of ours).
    pub fn next_read(
        &mut self,
        now: DateTime<Utc>,
        unsettled_back_to: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> Read {
        if let Some(id) = self.asked_for.pop_front() {
            return Read::Conversation(id);
        }
        let oldest = self.open.values().map(|followed| followed.since + ahead - START_SLACK).min();
        let known = self.known;
        let (_, offset) = self.scan.get_or_insert_with(|| {
            let back_to = oldest.into_iter().chain(unsettled_back_to).min().unwrap_or(now);
            let scan = Scan::new(now, back_to, known);
            let offset = scan.first_offset();
            (scan, offset)
        });
        Read::Page { offset: *offset }
    }

    /// Takes a page in: the followed conversations that are now closed, and the scan if this page completed it.
    pub fn take_page(
        &mut self,
        page: &Page,
        now: DateTime<Utc>,
    ) -> (Vec<(Followed, Conversation)>, Option<CompleteScan>) {
        self.not_before = None;
        self.failures = 0;
        let closed = page.conversations.iter().filter_map(|conversation| self.take(conversation)).collect();
        (closed, self.advance(page, now))
    }

    fn advance(&mut self, page: &Page, now: DateTime<Utc>) -> Option<CompleteScan> {
        let (mut scan, _) = self.scan.take()?;
        match scan.take(page) {
            Progress::Read(offset) => {
                self.scan = Some((scan, offset));
                None
            }
            Progress::Broken => {
                self.last = Some((scan.started, scan.pages));
                self.known = None;
                None
            }
            Progress::Complete => {
                self.last = Some((scan.started, scan.pages));
                let length = page.total.unwrap_or(page.offset + (page.conversations.len() + page.unreadable) as u64);
                self.known = scan.order().map(|order| (order, length));
                self.ask_for_the_unseen(&scan, now);
                let Scan { started, back_to, pages, .. } = scan;
                let (conversations, proves_absence) = (scan.conversations(), scan.proves_absence());
                Some(CompleteScan { started, back_to, pages, conversations, proves_absence })
            }
        }
    }

    /// What a complete scan did not show is asked for by its id, but not again and again.
    fn ask_for_the_unseen(&mut self, scan: &Scan, now: DateTime<Utc>) {
        for (id, followed) in &mut self.open {
            let long_open = followed.since + LIST_GRACE <= scan.started;
            let asked_lately = followed.asked_at.is_some_and(|at| now < at + LIST_GRACE);
            if long_open && !asked_lately && !scan.saw(id) {
                followed.asked_at = Some(now);
                self.asked_for.push_back(id.clone());
            }
        }
    }

    /// Takes one conversation in: what was followed, if it is now closed.
    pub fn take(&mut self, conversation: &Conversation) -> Option<(Followed, Conversation)> {
        if conversation.status != Status::Closed {
            return None;
        }
        self.open.remove(&conversation.id).map(|followed| (followed, conversation.clone()))
    }

    /// A read brought nothing: nothing is read before `retry_at`. The scan goes on where it was, since a long list would
    /// never be read to its end if every failure took it back to the beginning.
    pub fn read_failed(&mut self, retry_at: DateTime<Utc>) {
        self.failures += 1;
        if self.failures >= TRIES_OF_A_PAGE {
            self.failures = 0;
            self.scan = None;
        }
        self.not_before = Some(retry_at);
    }

    /// Stops following what has been open for longer than `limit`.
    pub fn give_up(&mut self, now: DateTime<Utc>, limit: TimeDelta) -> Vec<(ConversationId, Followed)> {
        self.open.extract_if(.., |_, followed| followed.followed_since + limit <= now).collect()
    }

    /// When the next conversation will have been open for `limit`.
    #[must_use]
    pub fn gives_up_at(&self, limit: TimeDelta) -> Option<DateTime<Utc>> {
        self.open.values().map(|followed| followed.followed_since + limit).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Testimony;

    fn start() -> DateTime<Utc> {
        "2026-11-24T15:00:00Z".parse().expect("an instant")
    }

    fn after(seconds: i64) -> DateTime<Utc> {
        start() + TimeDelta::seconds(seconds)
    }

    fn id(number: u32) -> ConversationId {
        ConversationId::new(format!("c-{number}"))
    }

    fn following(count: u32) -> Tracker {
        let mut tracker = Tracker::default();
        for number in 0..count {
            let (attempt, entry) = (AttemptId(number.into()), EntryId(number.into()));
            tracker.follow(
                id(number),
                Followed { attempt, entry, number: 1, since: start(), followed_since: start(), asked_at: None },
            );
        }
        tracker
    }

    fn page(conversations: &[(u32, Status)]) -> Page {
        let conversations = conversations
            .iter()
            .map(|&(number, status)| Conversation {
                id: id(number),
                from: None,
                to: None,
                started: Some(after(number.into())),
                ended: None,
                status,
                testimony: Testimony::default(),
            })
            .collect::<Vec<_>>();
        Page { offset: 0, total: Some(conversations.len() as u64), unreadable: 0, conversations }
    }

    #[test]
    fn nothing_open_means_nothing_to_read() {
        assert_eq!(Tracker::default().due_at(Pace::Blocked, None), None);
    }

    #[test]
    fn a_closed_conversation_is_handed_over_once() {
        let mut tracker = following(2);
        assert_eq!(tracker.next_read(after(20), None, TimeDelta::zero()), Read::Page { offset: 0 });
        let list = page(&[(0, Status::Closed), (1, Status::Open)]);
        let (closed, complete) = tracker.take_page(&list, after(20));
        assert_eq!(closed.len(), 1);
        assert!(complete.is_some());
        assert_eq!(tracker.open(), 1);
        assert!(tracker.take_page(&list, after(40)).0.is_empty());
    }

    #[test]
    fn what_the_list_does_not_show_is_asked_for_by_its_id_but_not_at_once_and_not_twice() {
        let mut tracker = following(1);
        let empty = page(&[]);
        for (now, asks) in [(20, false), (70, true), (90, false), (140, true)] {
            assert_eq!(tracker.next_read(after(now), None, TimeDelta::zero()), Read::Page { offset: 0 });
            tracker.take_page(&empty, after(now));
            let asked = tracker.due_at(Pace::Blocked, None) == Some(DateTime::UNIX_EPOCH);
            assert_eq!(asked, asks, "after {now} s");
            if asks {
                assert_eq!(tracker.next_read(after(now), None, TimeDelta::zero()), Read::Conversation(id(0)));
            }
        }
    }

    #[test]
    fn the_list_is_read_more_often_the_less_there_is_to_dial() {
        let mut tracker = following(1);
        tracker.next_read(after(20), None, TimeDelta::zero());
        tracker.take_page(&page(&[(0, Status::Open)]), after(20));
        assert_eq!(tracker.due_at(Pace::Blocked, None), Some(after(30)));
        assert_eq!(tracker.due_at(Pace::Draining, None), Some(after(35)));
        assert_eq!(tracker.due_at(Pace::Dialling, None), Some(after(50)));
    }

    #[test]
    fn a_failed_read_is_repeated_but_not_at_once() {
        let mut tracker = following(1);
        tracker.next_read(after(20), None, TimeDelta::zero());
        tracker.read_failed(after(25));
        assert_eq!(tracker.due_at(Pace::Blocked, None), Some(after(25)));
    }

    #[test]
    fn a_page_that_failed_is_asked_for_again_until_its_scan_starts_anew() {
        let mut tracker = following(1);
        let part = Page { total: Some(500), ..page(&[(9, Status::Open), (8, Status::Open)]) };
        let started_at = |tracker: &Tracker| tracker.scan.as_ref().map(|(scan, offset)| (scan.started, *offset));
        tracker.next_read(after(20), None, TimeDelta::zero());
        tracker.take_page(&part, after(20));
        let second = started_at(&tracker);
        assert!(second.is_some());
        for _ in 1..TRIES_OF_A_PAGE {
            tracker.read_failed(after(25));
            tracker.next_read(after(25), None, TimeDelta::zero());
            assert_eq!(started_at(&tracker), second);
        }
        tracker.read_failed(after(30));
        assert_eq!(started_at(&tracker), None);
    }

    #[test]
    fn what_nobody_followed_overnight_is_looked_for_in_the_morning() {
        let mut tracker = following(1);
        let morning = after(50_000);
        tracker.open.values_mut().for_each(|followed| followed.followed_since = morning);
        assert!(tracker.give_up(morning, TimeDelta::hours(2)).is_empty());
        assert_eq!(tracker.gives_up_at(TimeDelta::hours(2)), Some(morning + TimeDelta::hours(2)));
    }

    #[test]
    fn what_stays_open_for_too_long_is_given_up() {
        let mut tracker = following(1);
        assert_eq!(tracker.gives_up_at(TimeDelta::hours(2)), Some(after(7_200)));
        assert!(tracker.give_up(after(7_199), TimeDelta::hours(2)).is_empty());
        assert_eq!(tracker.give_up(after(7_200), TimeDelta::hours(2)).len(), 1);
        assert_eq!(tracker.open(), 0);
    }
}

//! Following conversations to their end: by pages of the vendor's list, a hundred conversations a request, and by a
//! request of its own only for what the list does not show.
//!
//! The tracker says what to read next and when; it sends nothing itself. Where the vendor's webhooks are taken, [`super::hinted`]
//! tells it what may have ended.

mod open;

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Conversation, Page};
use crate::ids::{AttemptId, ConversationId, EntryId};

use self::open::Open;
use super::hinted::Hinted;
use super::scan::{Order, Progress, Scan};

/// A new conversation may take this long to appear on the list before it is asked for by its id.
const LIST_GRACE: TimeDelta = TimeDelta::seconds(60);

/// No conversation ends sooner than this: nothing is read for younger ones.
pub(crate) const SHORTEST_CALL: TimeDelta = TimeDelta::seconds(10);

/// How far before our own record of a call its conversation may have started, by the vendor's clock.
const START_SLACK: TimeDelta = TimeDelta::seconds(180);

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
            Self::Draining => 25,
            Self::Dialling => 36,
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

/// What a scan is begun for: where it may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To see which conversations have ended: once it has seen every open one, the rest of the list is nobody's business.
    Endings,
    /// To see those that deliveries have named.
    Hints,
    /// To prove something about what it does not show: it reads back to its instant.
    Proof,
}

/// A scan under way.
#[derive(Debug)]
struct Reading {
    scan: Scan,
    purpose: Purpose,
    /// At which it began.
    pace: Pace,
    /// Where the next page starts.
    offset: u64,
}

/// The open conversations of a run, and the scan that is under way.
#[derive(Debug)]
pub struct Tracker {
    /// How long a conversation is followed that does not end.
    limit: TimeDelta,
    open: Open,
    scan: Option<Reading>,
    asked_for: VecDeque<ConversationId>,
    hinted: Hinted,
    known: Option<(Order, u64)>,
    /// When the last scan began, and the pages that it took.
    last: Option<(DateTime<Utc>, u32)>,
    /// The pages that the last scan for endings took. What a proof takes, which may read back to where the ledger ends, says
    /// nothing of that.
    pages_for_endings: u32,
    not_before: Option<DateTime<Utc>>,
    /// Failed reads in a row.
    failures: u32,
}

impl Tracker {
    /// Follows nothing yet, and whatever it will follow for at most `limit`.
    #[must_use]
    pub fn new(limit: TimeDelta) -> Self {
        Self {
            limit,
            open: Open::default(),
            scan: None,
            asked_for: VecDeque::new(),
            hinted: Hinted::default(),
            known: None,
            last: None,
            pages_for_endings: 1,
            not_before: None,
            failures: 0,
        }
    }

    /// Follows a conversation from now on.
    pub fn follow(&mut self, id: ConversationId, followed: Followed) {
        self.open.insert(id, followed);
    }

    /// Whether this conversation is followed.
    #[must_use]
    pub fn follows(&self, id: &ConversationId) -> bool {
        self.open.get(id).is_some()
    }

    /// How many conversations are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// A delivery names a conversation. One that is not open here, or cannot have ended yet, is nothing to us.
    pub fn hint(&mut self, id: ConversationId, now: DateTime<Utc>) {
        if self.open.get(&id).is_some_and(|followed| followed.since + SHORTEST_CALL <= now) {
            self.hinted.name(id, now);
        }
    }

    /// When the next read is due, `unsettled` telling when a lost answer next wants a scan; `None` if there is nothing to
    /// read.
    #[must_use]
    pub fn due_at(&self, pace: Pace, unsettled: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let under_way = self.scan.is_some() || !self.asked_for.is_empty();
        let next = || {
            let dues = [self.next_scan_at(pace), self.next_proof_at(pace, unsettled), self.hinted.due_at(pace)];
            dues.into_iter().flatten().min()
        };
        let due = if under_way { Some(DateTime::UNIX_EPOCH) } else { next() };
        due.map(|due| self.not_before.map_or(due, |earliest| due.max(earliest)))
    }

    fn next_scan_at(&self, pace: Pace) -> Option<DateTime<Utc>> {
        let wanted = self.open.oldest()? + SHORTEST_CALL;
        let paced = self.last.map(|(started, _)| {
            let paced = self.hinted.next_scan_at(started, pace, self.pages_for_endings);
            paced.min(started + self.longest_interval())
        });
        Some(paced.map_or(wanted, |paced| wanted.max(paced)))
    }

    /// However long the list is, it is read several times before anything is lost track of, or given up.
    fn longest_interval(&self) -> TimeDelta {
        self.limit / 4
    }

    fn next_proof_at(&self, pace: Pace, unsettled: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let paced = self.last.map(|(started, pages)| started + pace.interval(pages).min(self.longest_interval()));
        unsettled.map(|wanted| paced.map_or(wanted, |paced| wanted.max(paced)))
    }

    /// The next read, which is now due. A scan that begins reaches back to the oldest open conversation, and to
    /// `unsettled_back_to` (by the vendor's clock, which is `ahead` of ours).
    pub fn next_read(
        &mut self,
        pace: Pace,
        now: DateTime<Utc>,
        unsettled_back_to: Option<DateTime<Utc>>,
        ahead: TimeDelta,
    ) -> Read {
        if let Some(id) = self.asked_for.pop_front() {
            return Read::Conversation(id);
        }
        let purpose = match unsettled_back_to {
            Some(_) => Purpose::Proof,
            None if self.next_scan_at(pace).is_some_and(|due| due <= now) => Purpose::Endings,
            None => Purpose::Hints,
        };
        if self.scan.is_none()
            && purpose == Purpose::Hints
            && let Some(id) = self.hinted.take_single(pace, self.pages_for_endings)
        {
            self.hinted.pay(now, pace, 1);
            return Read::Conversation(id);
        }
        let oldest = self.open.oldest().map(|since| since + ahead - START_SLACK);
        let known = self.known;
        let reading = self.scan.get_or_insert_with(|| {
            let back_to = oldest.into_iter().chain(unsettled_back_to).min().unwrap_or(now);
            let scan = Scan::new(now, back_to, known);
            Reading { offset: scan.first_offset(), scan, purpose, pace }
        });
        Read::Page { offset: reading.offset }
    }

    /// Takes a page in: the followed conversations that are now closed, and the scan if this page completed it.
    pub fn take_page(
        &mut self,
        page: &Page,
        now: DateTime<Utc>,
    ) -> (Vec<(Followed, Conversation)>, Option<CompleteScan>) {
        self.not_before = None;
        self.failures = 0;
        let closed = page.conversations.iter().filter_map(|conversation| self.take(conversation, now)).collect();
        (closed, self.advance(page, now))
    }

    fn advance(&mut self, page: &Page, now: DateTime<Utc>) -> Option<CompleteScan> {
        let mut reading = self.scan.take()?;
        match reading.scan.take(page) {
            Progress::Read(_) if self.has_shown_enough(&reading) => {
                self.learn_from(&reading, page);
                None
            }
            Progress::Read(offset) => {
                self.scan = Some(Reading { offset, ..reading });
                None
            }
            Progress::Broken => {
                self.pay_for(&reading);
                self.known = None;
                None
            }
            Progress::Complete => {
                self.learn_from(&reading, page);
                self.ask_for_the_unseen(&reading.scan, now);
                let scan = reading.scan;
                let (conversations, proves_absence) = (scan.conversations(), scan.proves_absence());
                let Scan { started, back_to, pages, .. } = scan;
                Some(CompleteScan { started, back_to, pages, conversations, proves_absence })
            }
        }
    }

    /// Whether the rest of the list has nothing that the scan was begun for.
    fn has_shown_enough(&self, Reading { scan, purpose, .. }: &Reading) -> bool {
        let may_have_ended = |followed: &Followed| followed.since + SHORTEST_CALL <= scan.started;
        match purpose {
            Purpose::Endings => self.open.iter().all(|(id, followed)| scan.saw(id) || !may_have_ended(followed)),
            Purpose::Hints => self.hinted.are_shown_by(scan),
            Purpose::Proof => false,
        }
    }

    fn learn_from(&mut self, reading: &Reading, last: &Page) {
        let scan = &reading.scan;
        self.pay_for(reading);
        self.hinted.were_shown_by(scan);
        let length = last.total.unwrap_or(scan.end());
        self.known = scan.order().map(|order| (order, length));
    }

    /// A scan for hints does not see to what nobody has named: the next one for that is as due as before.
    fn pay_for(&mut self, Reading { scan, purpose, pace, .. }: &Reading) {
        self.hinted.pay(scan.started, *pace, scan.pages);
        match purpose {
            Purpose::Endings => {
                self.last = Some((scan.started, scan.pages));
                self.pages_for_endings = scan.pages;
            }
            Purpose::Proof => self.last = Some((scan.started, scan.pages)),
            Purpose::Hints => {}
        }
    }

    /// What a complete scan did not show is asked for by its id, but not again and again.
    fn ask_for_the_unseen(&mut self, scan: &Scan, now: DateTime<Utc>) {
        for (id, since, asked_at) in self.open.asked_at() {
            let long_open = since + LIST_GRACE <= scan.started;
            let asked_lately = asked_at.is_some_and(|at| now < at + LIST_GRACE);
            let wanted = self.hinted.take_unseen(id, scan) || long_open;
            if wanted && !asked_lately && !scan.saw(id) {
                *asked_at = Some(now);
                self.asked_for.push_back(id.clone());
            }
        }
    }

    /// Takes one conversation in: what was followed, if it is now closed.
    pub fn take(&mut self, conversation: &Conversation, now: DateTime<Utc>) -> Option<(Followed, Conversation)> {
        if !conversation.is_over(now) {
            return None;
        }
        self.hinted.ended(&conversation.id);
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

    /// Stops following what has been open for longer than the limit.
    pub fn give_up(&mut self, now: DateTime<Utc>) -> Vec<(ConversationId, Followed)> {
        let given_up = self.open.take_followed_since(now - self.limit);
        for (id, _) in &given_up {
            self.hinted.forget(id);
        }
        given_up
    }

    /// When the next conversation will have been open for as long as the limit.
    #[must_use]
    pub fn gives_up_at(&self) -> Option<DateTime<Utc>> {
        self.open.longest_followed().map(|since| since + self.limit)
    }
}

#[cfg(test)]
mod tests;

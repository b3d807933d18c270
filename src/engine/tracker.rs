//! Following conversations to their end: by pages of the vendor's list, a hundred conversations a request, and by a
//! request of its own only for what the list does not show.
//!
//! Nothing is given up unread. A deadline counts only time in which the vendor could be read (a machine that was suspended,
//! or a vendor that was out, reads first), and before anything is given up it is asked for once more, by its id. What a
//! former run gave up is asked for again, at a tenth of the budget at most: an opt-out may be in it.
//!
//! The tracker says what to read next and when; it sends nothing itself. Where the vendor's webhooks are taken, [`super::hinted`]
//! tells it what may have ended.

mod given_up;
mod open;

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::annie::{Conversation, Page};
use crate::ids::{AttemptId, ConversationId, EntryId};

use self::given_up::GivenUp;
use self::open::Open;
use super::hinted::Hinted;
use super::scan::{Flaw, KnownList, Progress, Reach, Scan};

/// A new conversation may take this long to appear on the list before it is asked for by its id.
const LIST_GRACE: TimeDelta = TimeDelta::seconds(60);

/// No conversation ends sooner than this: nothing is read for younger ones.
pub(crate) const SHORTEST_CALL: TimeDelta = TimeDelta::seconds(10);

/// How far before our own record of a call its conversation may have started, by the vendor's clock.
const START_SLACK: TimeDelta = TimeDelta::seconds(180);

/// A page that fails so often in a row is not asked for again: the scan starts anew.
const TRIES_OF_A_PAGE: u32 = 5;

/// A conversation whose last read fails so often is given up.
const LAST_READS: u8 = 5;

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
    /// Whether the answer to its request named it: then it is a call for certain.
    pub answered: bool,
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
    /// When the oldest of them started.
    pub oldest: Option<DateTime<Utc>>,
    /// Why it is complete.
    pub reach: Reach,
}

/// How a scan came out with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanResult {
    /// It goes on, or has seen what it was begun for.
    Nothing,
    /// It saw everything back to its instant.
    Complete(CompleteScan),
    /// The list proves nothing.
    Broken(Flaw),
}

/// What a scan is begun for: where it may stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To see which conversations have ended: once it has seen every open one, the rest of the list is nobody's business.
    Endings,
    /// To see those that deliveries have named.
    Hints,
    /// To see those that former runs gave up.
    GivenUp,
    /// To prove something about what it does not show: it reads back to its instant.
    Proof,
    /// To hear what time it is by the vendor's clock: any page says so.
    Time,
}

/// A scan under way.
#[derive(Debug)]
struct Reading {
    scan: Scan,
    purpose: Purpose,
    /// At which it began.
    pace: Pace,
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
    given_up: GivenUp,
    known: KnownList,
    /// For how long, in all, the vendor could be read, and when it was read last.
    readable: TimeDelta,
    read_at: Option<DateTime<Utc>>,
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
    /// Follows nothing yet, and whatever it will follow for at most `limit`, at so many requests a minute in all.
    #[must_use]
    pub fn new(limit: TimeDelta, requests_per_minute: u32) -> Self {
        Self {
            limit,
            open: Open::default(),
            scan: None,
            asked_for: VecDeque::new(),
            hinted: Hinted::default(),
            given_up: GivenUp::new(requests_per_minute),
            known: KnownList::default(),
            readable: TimeDelta::zero(),
            read_at: None,
            last: None,
            pages_for_endings: 1,
            not_before: None,
            failures: 0,
        }
    }

    /// Follows a conversation from now on.
    pub fn follow(&mut self, id: ConversationId, followed: Followed) {
        if self.open.len() == 0 {
            // Nobody has read meanwhile, since there was nothing to read.
            self.read_at = None;
        }
        self.given_up.remove(&id);
        self.open.insert(id, followed, self.readable);
    }

    /// Asks once for a conversation that a former run gave up.
    pub fn ask_again(&mut self, id: ConversationId, followed: Followed) {
        if self.open.get(&id).is_none() {
            self.given_up.insert(id, followed);
        }
    }

    /// Asks for a conversation by its id, next.
    pub fn ask(&mut self, id: ConversationId) {
        if !self.asked_for.contains(&id) {
            self.asked_for.push_back(id);
        }
    }

    /// Whether a scan is under way.
    #[must_use]
    pub fn scans(&self) -> bool {
        self.scan.is_some()
    }

    /// Whether single conversations are to be asked for next.
    #[must_use]
    pub fn asks(&self) -> bool {
        !self.asked_for.is_empty()
    }

    /// How many that former runs gave up are still to be asked for.
    #[must_use]
    pub fn still_given_up(&self) -> usize {
        self.given_up.len()
    }

    /// For how long, in all, the vendor could be read: what deadlines count.
    #[must_use]
    pub fn readable(&self) -> TimeDelta {
        self.readable
    }

    /// The vendor was read: what lies between two reads counts, but for what is longer than any pause between them.
    fn was_read(&mut self, now: DateTime<Utc>) {
        let longest = self.limit / 8;
        let since = self.read_at.map_or(TimeDelta::zero(), |at| (now - at).clamp(TimeDelta::zero(), longest));
        self.readable += since;
        self.read_at = Some(now);
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

    /// Whether it is followed, and a call of ours for certain.
    #[must_use]
    pub fn is_call_of_ours(&self, id: &ConversationId) -> bool {
        self.open.get(id).is_some_and(|followed| followed.answered)
    }

    /// A delivery names a conversation. One that is not open here, or cannot have ended yet, is nothing to us.
    pub fn hint(&mut self, id: ConversationId, now: DateTime<Utc>) {
        if self.open.get(&id).is_some_and(|followed| followed.since + SHORTEST_CALL <= now) {
            self.hinted.name(id, now);
        }
    }

    /// When the next read is due, `unsettled` telling when a lost answer next wants a scan, at the pace of scans, and `urgent`
    /// when somebody waits for one before any call is placed; `None` if there is nothing to read.
    #[must_use]
    pub fn due_at(
        &self,
        pace: Pace,
        unsettled: Option<DateTime<Utc>>,
        urgent: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let under_way = self.scan.is_some() || !self.asked_for.is_empty();
        let next = || {
            let (endings, proof) = (self.next_scan_at(pace), self.next_proof_at(pace, unsettled));
            let dues = [endings, proof, urgent, self.hinted.due_at(pace), self.given_up.due_at()];
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
    /// `unsettled_back_to` (by the vendor's clock, which is `ahead` of ours). Where nothing of this is due, a page is read
    /// for the time that its answer tells.
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
        let due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        let purpose = match unsettled_back_to {
            Some(_) => Purpose::Proof,
            None if due(self.next_scan_at(pace)) => Purpose::Endings,
            None if due(self.hinted.due_at(pace)) => Purpose::Hints,
            None if due(self.given_up.due_at()) => Purpose::GivenUp,
            None => Purpose::Time,
        };
        if self.scan.is_none()
            && let Some(id) = self.single_for(purpose, pace, now)
        {
            return Read::Conversation(id);
        }
        let oldest = self.open.oldest().into_iter().map(|since| since + ahead - START_SLACK);
        let given_up = self.given_up.oldest().into_iter().map(|since| since + ahead - START_SLACK);
        let back_to = match purpose {
            Purpose::GivenUp => oldest.chain(given_up).min(),
            Purpose::Endings | Purpose::Hints | Purpose::Proof | Purpose::Time => oldest.chain(unsettled_back_to).min(),
        };
        let known = self.known;
        let reading = self.scan.get_or_insert_with(|| {
            let scan = Scan::new(now, back_to.unwrap_or(now), known);
            Reading { scan, purpose, pace }
        });
        Read::Page { offset: reading.scan.offset() }
    }

    /// The conversation that is asked for by its id rather than looked for on the list.
    fn single_for(&mut self, purpose: Purpose, pace: Pace, now: DateTime<Utc>) -> Option<ConversationId> {
        match purpose {
            Purpose::Hints => {
                let id = self.hinted.take_single(pace, self.pages_for_endings)?;
                self.hinted.pay(now, pace, 1);
                Some(id)
            }
            Purpose::GivenUp => self.given_up.take_single(now),
            Purpose::Endings | Purpose::Proof | Purpose::Time => None,
        }
    }

    /// Takes a page in: the followed conversations that are now closed, and how the scan came out.
    pub fn take_page(&mut self, page: &Page, now: DateTime<Utc>) -> (Vec<(Followed, Conversation)>, ScanResult) {
        self.not_before = None;
        self.failures = 0;
        self.was_read(now);
        let closed = page.conversations.iter().filter_map(|conversation| self.take(conversation, now)).collect();
        (closed, self.advance(page, now))
    }

    fn advance(&mut self, page: &Page, now: DateTime<Utc>) -> ScanResult {
        let Some(mut reading) = self.scan.take() else { return ScanResult::Nothing };
        match reading.scan.take(page) {
            Progress::Read(_) if self.has_shown_enough(&reading) => {
                self.learn_from(&reading);
                ScanResult::Nothing
            }
            Progress::Read(_) => {
                self.scan = Some(reading);
                ScanResult::Nothing
            }
            Progress::Broken(flaw) => {
                self.pay_for(&reading);
                self.known = KnownList { longest_page: self.known.longest_page, ..KnownList::default() };
                self.ask_for_the_unseen(&reading.scan, now);
                ScanResult::Broken(flaw)
            }
            Progress::Complete(reach) => {
                self.learn_from(&reading);
                self.ask_for_the_unseen(&reading.scan, now);
                let scan = reading.scan;
                let conversations = scan.conversations();
                let Scan { started, back_to, pages, oldest, .. } = scan;
                ScanResult::Complete(CompleteScan { started, back_to, pages, conversations, oldest, reach })
            }
        }
    }

    /// Whether the rest of the list has nothing that the scan was begun for.
    fn has_shown_enough(&self, Reading { scan, purpose, .. }: &Reading) -> bool {
        let may_have_ended = |followed: &Followed| followed.since + SHORTEST_CALL <= scan.started;
        match purpose {
            Purpose::Endings => self.open.iter().all(|(id, followed)| scan.saw(id) || !may_have_ended(followed)),
            Purpose::Hints => self.hinted.are_shown_by(scan),
            Purpose::GivenUp => self.given_up.are_shown_by(scan),
            Purpose::Proof => false,
            Purpose::Time => true,
        }
    }

    fn learn_from(&mut self, reading: &Reading) {
        self.pay_for(reading);
        self.hinted.were_shown_by(&reading.scan);
        self.known = reading.scan.learnt();
    }

    /// A scan for hints does not see to what nobody has named: the next one for that is as due as before.
    fn pay_for(&mut self, Reading { scan, purpose, pace }: &Reading) {
        self.hinted.pay(scan.started, *pace, scan.pages);
        match purpose {
            Purpose::Endings => {
                self.last = Some((scan.started, scan.pages));
                self.pages_for_endings = scan.pages;
            }
            Purpose::Proof => self.last = Some((scan.started, scan.pages)),
            Purpose::GivenUp => self.given_up.pay_for(scan),
            Purpose::Hints | Purpose::Time => {}
        }
    }

    /// What a scan did not show is asked for by its id, but not again and again.
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

    /// Takes one conversation in: what was followed, or given up by a former run, if it is now over.
    pub fn take(&mut self, conversation: &Conversation, now: DateTime<Utc>) -> Option<(Followed, Conversation)> {
        let given_up = self.given_up.remove(&conversation.id);
        if !conversation.is_over(now) {
            return None;
        }
        self.hinted.ended(&conversation.id);
        self.open.remove(&conversation.id).or(given_up).map(|followed| (followed, conversation.clone()))
    }

    /// A conversation was asked for by its id and is not closed, or not known: what has been open for too long is given up.
    pub fn is_not_closed(&mut self, id: &ConversationId, now: DateTime<Utc>) -> Option<Followed> {
        self.was_read(now);
        self.given_up.remove(id);
        let is_overdue = self.open.last_reads(id) > 0;
        if is_overdue { self.forget(id) } else { None }
    }

    /// A conversation could not be read: nothing is read before `retry_at`. If its last read has failed too often, it is
    /// given up.
    pub fn conversation_failed(&mut self, id: &ConversationId, retry_at: DateTime<Utc>) -> Option<Followed> {
        self.not_before = Some(retry_at);
        self.given_up.could_not_read(id);
        match self.open.last_reads(id) {
            0 => None,
            LAST_READS.. => self.forget(id),
            _ => {
                self.ask_last(id.clone());
                None
            }
        }
    }

    fn forget(&mut self, id: &ConversationId) -> Option<Followed> {
        self.hinted.forget(id);
        self.open.remove(id)
    }

    /// Nothing is read before that.
    pub fn reads_not_before(&mut self, at: DateTime<Utc>) {
        self.not_before = Some(at);
    }

    /// A page could not be read: nothing is read before `retry_at`. The scan goes on where it was, since a long list would
    /// never be read to its end if every failure took it back to the beginning. Whether it has been broken off: the page
    /// has failed too often.
    pub fn page_failed(&mut self, retry_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        self.not_before = Some(retry_at);
        self.failures += 1;
        if self.failures < TRIES_OF_A_PAGE {
            return false;
        }
        self.failures = 0;
        if let Some(reading) = self.scan.take() {
            self.pay_for(&reading);
            self.ask_for_the_unseen(&reading.scan, now);
        }
        true
    }

    /// Asks once more, by its id, for each that has been open for longer than the limit.
    pub fn ask_for_the_overdue(&mut self) {
        for id in self.open.followed_for(self.readable - self.limit) {
            if self.open.last_reads(&id) == 0 {
                self.ask_last(id);
            }
        }
    }

    fn ask_last(&mut self, id: ConversationId) {
        self.open.count_last_read(&id);
        self.ask(id);
    }
}

#[cfg(test)]
mod tests;

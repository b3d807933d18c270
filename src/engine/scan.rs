//! A scan: one pass over the vendor's conversation list, page by page, back to a given instant, and what it proves.
//!
//! The list cannot be filtered, its order is not documented, and its figures may be wrong (`annie-api.md`,
//! GET /conversations). So a scan believes the rows alone. It is complete when
//!
//! * the list came to its end: a page brought no row that was new, and was not simply the page before it again (a short
//!   page alone ends nothing: the vendor's pages may be shorter than asked for); or
//! * the rows at its far edge, in an order that has held so far, are all older than the instant.
//!
//! `totalCount` only says where to look for the end of a list that begins with the oldest conversation; where a page
//! starts is what was asked for, whatever the vendor echoes. New conversations shift the pages while they are read: pages
//! overlap, and what is seen twice counts once. A scan in which neighbouring pages share nothing has a hole, and proves
//! nothing.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::list_order::{Order, Trend};
use crate::annie::{Conversation, Page};
use crate::ids::ConversationId;

/// Conversations asked for at once: the most that the vendor gives.
pub const PAGE: u32 = 100;

/// Conversations by which pages overlap.
const OVERLAP: u64 = 10;

/// The rows at the far edge must be older than the instant by more than this: rows may be out of order by some seconds.
const EDGE_SLACK: TimeDelta = TimeDelta::seconds(60);

/// At the end of a list a page that overlaps the one before shows fewer rows than this that were there before.
const LONG: u64 = 18;

/// A scan that takes more pages than these, and three times what its rows would need, goes round in circles.
const PAGES_AT_LEAST: u32 = 40;

/// A list is taken to have grown by no more than this since the last scan, so that the first page still shows its old end.
const GROWTH_AT_MOST: u64 = 60;

/// How long the pages of an API tend to be at most. A page of about so many rows may be cut off.
const USUAL_PAGES: [u64; 4] = [20, 25, 50, PAGE as u64];

/// No list of ours is longer: a total beyond it is no hint.
const LONGEST_LIST: u64 = 10_000_000;

/// Pages that show the newest so many conversations, one after the other.
#[must_use]
pub fn pages_of(conversations: u64) -> u32 {
    let beyond_the_first = conversations.saturating_sub(PAGE.into());
    1 + u32::try_from(beyond_the_first.div_ceil(u64::from(PAGE) - OVERLAP)).unwrap_or(u32::MAX - 1)
}

/// What scans have learnt of a list that begins with the oldest conversation, so that the next one begins near its end.
/// A wrong figure here costs a request and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KnownList {
    /// Its newest conversation is at its end.
    pub oldest_first: bool,
    /// Where its end was.
    pub end: u64,
    /// By how much it grew from one scan to the next.
    pub growth: u64,
    /// The longest page that it gave.
    pub longest_page: u64,
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The page at this offset comes next.
    Read(u64),
    /// Every conversation back to the instant has been seen.
    Complete(Reach),
    /// The list proves nothing.
    Broken(Flaw),
}

/// Why a complete scan is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It saw the whole list.
    WholeList,
    /// The list, in an order that held, went on with conversations older than the instant.
    PastTheInstant(Order),
}

/// Why a list proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Two neighbouring pages shared no row.
    Hole,
    /// Another offset brought the same page: what lies behind it cannot be read.
    OffsetIgnored,
    /// One page cannot be read, while others can.
    Unreadable,
    /// It shows rows that may be calls of ours and lack what would tell.
    Unclear,
    /// The same of calls that are under way, so that they may tell once they are over.
    UnclearWhileOpen,
    /// It was not read far enough while the window was open.
    TooLong,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hole => "its pages do not connect",
            Self::OffsetIgnored => "it gives the same page whatever offset is asked for",
            Self::Unreadable => "one of its pages cannot be read",
            Self::TooLong => "reading it back to the last known call took longer than the calling window was open",
            Self::UnclearWhileOpen => "rows of calls that are under way lack their id, a number or their start",
            Self::Unclear => "rows that may be calls of ours lack their id, a number or their start",
        })
    }
}

/// One pass over the list.
#[derive(Debug)]
pub struct Scan {
    /// When the first page was asked for.
    pub started: DateTime<Utc>,
    /// How far back it must reach.
    pub back_to: DateTime<Utc>,
    /// Pages read.
    pub pages: u32,
    /// The oldest start that it saw.
    pub oldest: Option<DateTime<Utc>>,
    seen: HashSet<ConversationId>,
    known: KnownList,
    order: Option<Order>,
    trend: Trend,
    step: Step,
    /// What is being asked for.
    offset: u64,
    /// The stretch of the list that has been read without a gap: `low..high`, and what is in it.
    low: u64,
    high: u64,
    stretch: HashSet<ConversationId>,
    /// Whether the last page that went into it was as long as any: more may stand right behind it.
    is_cut_off: bool,
}

/// What the page that is being read is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// To find the end of a list whose newest conversation is there. Nothing was shown from `empty_from` on.
    FindEnd { stride: u64, empty_from: Option<u64> },
    /// To go on towards higher offsets.
    Up,
    /// To go on towards lower offsets, from the list's end.
    Down,
}

impl Scan {
    /// A scan that starts now. `known` is what the last scans learnt.
    #[must_use]
    pub fn new(started: DateTime<Utc>, back_to: DateTime<Utc>, known: KnownList) -> Self {
        let mut scan = Self {
            started,
            back_to,
            pages: 0,
            oldest: None,
            seen: HashSet::new(),
            known,
            order: None,
            trend: Trend::default(),
            step: Step::Up,
            offset: 0,
            low: 0,
            high: 0,
            stretch: HashSet::new(),
            is_cut_off: false,
        };
        if known.oldest_first {
            scan.order = Some(Order::OldestFirst);
            scan.step = Step::FindEnd { stride: 0, empty_from: None };
            scan.offset = (known.end + known.growth).saturating_sub(u64::from(PAGE) - OVERLAP);
        }
        scan
    }

    /// The offset of the page that comes next.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What it has learnt for the next one.
    #[must_use]
    pub fn learnt(&self) -> KnownList {
        let growth = if self.known.end == 0 { 0 } else { self.high.saturating_sub(self.known.end).min(GROWTH_AT_MOST) };
        KnownList { oldest_first: self.order == Some(Order::OldestFirst), end: self.high, growth, ..self.known }
    }

    /// How many different conversations it saw.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.seen.len()
    }

    /// Whether it saw this conversation.
    #[must_use]
    pub fn saw(&self, id: &ConversationId) -> bool {
        self.seen.contains(id)
    }

    /// Takes the page that was asked for in, and says what comes next.
    pub fn take(&mut self, page: &Page) -> Progress {
        self.pages += 1;
        let progress = self.advance(page);
        if let Progress::Read(offset) = progress {
            self.offset = offset;
        }
        progress
    }

    fn advance(&mut self, page: &Page) -> Progress {
        let (rows, named, places) = (page.rows() as u64, page.conversations.len() as u64, places(page));
        self.known.longest_page = self.known.longest_page.max(places);
        let starts = page.conversations.iter().filter_map(|conversation| conversation.started);
        self.oldest = self.oldest.into_iter().chain(starts).min();
        let brought_new = page.conversations.iter().any(|row| !self.seen.contains(&row.id));
        let is_mostly = |known: &HashSet<ConversationId>| {
            let known = page.conversations.iter().filter(|row| known.contains(&row.id)).count() as u64;
            rows >= LONG && named > 0 && 5 * known >= 4 * named
        };
        // New rows without an id show nothing new, and are no end.
        let hides_rows = named < rows && places > self.common(places);
        let (was_seen, is_repeated) = (is_mostly(&self.seen), is_mostly(&self.stretch));
        if self.pages > PAGES_AT_LEAST + 3 * self.seen.len() as u32 / self.known.longest_page.max(1) as u32 {
            return Progress::Broken(Flaw::OffsetIgnored);
        }
        self.seen.extend(page.conversations.iter().map(|row| row.id.clone()));
        if self.order.is_none() {
            self.order = Order::of(&page.conversations);
            if self.order == Some(Order::OldestFirst) && self.offset == 0 {
                // What matters is at the other end.
                self.see(page);
                return self.look_for_the_end(page);
            }
        }
        if let Step::FindEnd { stride, empty_from } = self.step {
            if was_seen && Self::may_be_cut_off(rows) {
                return Progress::Broken(Flaw::OffsetIgnored);
            }
            return self.find_end(page, stride, empty_from, (brought_new && !was_seen) || hides_rows);
        }
        let extends = page.conversations.iter().any(|row| !self.stretch.contains(&row.id));
        if extends && !self.stretch.is_empty() && !self.connects(page) {
            return Progress::Broken(Flaw::Hole);
        }
        let order = self.order;
        if !self.follow_order(page) {
            return self.read_everything();
        }
        self.see(page);
        match (order, self.step) {
            (Some(Order::OldestFirst), Step::Down) => self.down(extends),
            _ if is_repeated => self.after_a_repeated_page(rows),
            _ => self.up(extends || hides_rows, places),
        }
    }

    fn see(&mut self, page: &Page) {
        let places = places(page);
        self.stretch.extend(page.conversations.iter().map(|row| row.id.clone()));
        if places > 0 {
            self.is_cut_off = places >= self.known.longest_page;
            self.low = self.low.min(self.offset);
            self.high = self.high.max(self.offset + places);
        }
    }

    /// Takes the page's new rows into the trend, towards the older end. `false`: they are not in the order that was seen.
    fn follow_order(&mut self, page: &Page) -> bool {
        let fresh = || page.conversations.iter().filter(|row| !self.stretch.contains(&row.id));
        let mut trend = self.trend.clone();
        let holds = match (self.order, self.step) {
            (Some(Order::NewestFirst), _) => trend.follow(fresh().filter_map(started)),
            (Some(Order::OldestFirst), Step::Down) => trend.follow(fresh().rev().filter_map(started)),
            // From the end's first page upwards, only the order itself can be looked at: the edge is at its lower side.
            (Some(Order::OldestFirst), _) if self.stretch.is_empty() => trend.follow(fresh().rev().filter_map(started)),
            (Some(Order::OldestFirst), _) => return Trend::default().follow(fresh().rev().filter_map(started)),
            (Some(Order::None) | None, _) => return true,
        };
        self.trend = trend;
        holds
    }

    /// A list without an order that could be relied on is read from its beginning to its end.
    fn read_everything(&mut self) -> Progress {
        self.order = Some(Order::None);
        self.step = Step::Up;
        self.forget_stretch();
        (self.low, self.high) = (0, 0);
        Progress::Read(0)
    }

    fn forget_stretch(&mut self) {
        self.stretch.clear();
        self.trend = Trend::default();
        (self.low, self.high) = (self.offset, self.offset);
    }

    /// Whether a page shares at least half as many rows with the stretch as by its place it should: a row that the vendor
    /// shows on every page connects nothing.
    fn connects(&self, page: &Page) -> bool {
        let (places, named) = (places(page), named(page));
        let shared = named.iter().filter(|id| self.stretch.contains(**id)).count() as u64;
        let common = self.common(places);
        // Rows without an id are shared unseen.
        common > 0 && shared >= (common * named.len() as u64 / places.max(1)).div_ceil(2).max(1)
    }

    /// How many places a page of so many has in common with the stretch, by its place.
    fn common(&self, places: u64) -> u64 {
        self.high.min(self.offset + places).saturating_sub(self.low.max(self.offset))
    }

    /// The next page in either direction shares this many rows with the one before.
    fn overlap(rows: u64) -> u64 {
        OVERLAP.min(rows / 2)
    }

    /// Another offset brought what was there before, and no more than has begun since: what lies behind it nobody can see,
    /// unless the page is too short to be cut off.
    fn after_a_repeated_page(&mut self, rows: u64) -> Progress {
        if self.order == Some(Order::NewestFirst) && self.is_past_the_instant() {
            return Progress::Complete(Reach::PastTheInstant(Order::NewestFirst));
        }
        if Self::may_be_cut_off(rows) { Progress::Broken(Flaw::OffsetIgnored) } else { self.at_the_end() }
    }

    fn up(&mut self, extends: bool, places: u64) -> Progress {
        if self.order == Some(Order::NewestFirst) && self.is_past_the_instant() {
            return Progress::Complete(Reach::PastTheInstant(Order::NewestFirst));
        }
        if extends {
            return Progress::Read(self.offset + places - Self::overlap(places));
        }
        self.at_the_end()
    }

    /// Whether a page is about as long as pages tend to be at most.
    fn may_be_cut_off(rows: u64) -> bool {
        USUAL_PAGES.iter().any(|usual| (usual - usual * 3 / 20..=usual + usual * 3 / 20).contains(&rows))
    }

    /// The list has been read to its end, upwards.
    fn at_the_end(&mut self) -> Progress {
        if self.order != Some(Order::OldestFirst) || self.low == 0 {
            return Progress::Complete(Reach::WholeList);
        }
        self.step = Step::Down;
        if self.is_past_the_instant() {
            return Progress::Complete(Reach::PastTheInstant(Order::OldestFirst));
        }
        Progress::Read(self.below())
    }

    fn down(&mut self, extends: bool) -> Progress {
        if self.is_past_the_instant() {
            return Progress::Complete(Reach::PastTheInstant(Order::OldestFirst));
        }
        if !extends {
            return Progress::Broken(Flaw::OffsetIgnored);
        }
        if self.low == 0 {
            return Progress::Complete(Reach::WholeList);
        }
        Progress::Read(self.below())
    }

    /// Where the page below the stretch starts.
    fn below(&self) -> u64 {
        let rows = self.known.longest_page.max(1);
        self.low.saturating_sub(rows - Self::overlap(rows))
    }

    fn is_past_the_instant(&self) -> bool {
        self.trend.edge_is_before(self.back_to - EDGE_SLACK)
    }

    /// The first page shows that the list begins with the oldest conversation.
    fn look_for_the_end(&mut self, page: &Page) -> Progress {
        let places = places(page);
        let next = places - Self::overlap(places);
        let told = page.total.filter(|total| *total <= LONGEST_LIST).unwrap_or_default();
        self.step = Step::FindEnd { stride: 0, empty_from: None };
        Progress::Read(next.max(told.saturating_sub(u64::from(PAGE) - OVERLAP)))
    }

    /// One look for the end of a list whose newest conversation is there.
    fn find_end(&mut self, page: &Page, stride: u64, empty_from: Option<u64>, brought_new: bool) -> Progress {
        let places = places(page);
        if places == 0 {
            return self.nothing_there();
        }
        if !self.connects(page) {
            self.forget_stretch();
        }
        if !self.follow_order(page) || Order::of(&page.conversations).is_some_and(|order| order != Order::OldestFirst) {
            return self.read_everything();
        }
        self.see(page);
        let is_last = empty_from.is_some_and(|empty| empty <= self.high) && !self.is_cut_off;
        if is_last || !brought_new {
            return self.at_the_end();
        }
        let above = self.high - Self::overlap(places);
        if let Some(empty) = empty_from {
            self.step = Step::FindEnd { stride, empty_from };
            // Where the places end may be wrong by some: a page with room for more tells.
            let halfway = self.offset.midpoint(empty).min(empty.saturating_sub(1));
            return Progress::Read(if empty <= self.high { above } else { halfway.max(above) });
        }
        // The page above is the last as a rule; if it is not, the strides grow.
        self.step = Step::FindEnd { stride: (2 * stride).max(places - Self::overlap(places)), empty_from };
        Progress::Read(if stride == 0 { above } else { self.offset + 2 * stride })
    }

    /// There is nothing at this offset: the list ends before it. Where exactly, a page tells that had room for more rows,
    /// or brings nothing new.
    fn nothing_there(&mut self) -> Progress {
        if self.offset < self.high || (self.offset == self.high && !self.is_cut_off) {
            return self.at_the_end();
        }
        self.step = Step::FindEnd { stride: 0, empty_from: Some(self.offset) };
        let longest = self.known.longest_page;
        let is_near = self.offset <= self.high + longest;
        let above = self.high.saturating_sub(Self::overlap(longest));
        Progress::Read(if is_near { above } else { self.high.midpoint(self.offset) })
    }
}

/// The conversations that a page names, each once, though it may show one several times.
fn named(page: &Page) -> HashSet<&ConversationId> {
    page.conversations.iter().map(|row| &row.id).collect()
}

/// How many places of the list a page shows at most. What it shows twice takes one.
fn places(page: &Page) -> u64 {
    (named(page).len() + page.nameless.len()) as u64
}

fn started(conversation: &Conversation) -> Option<DateTime<Utc>> {
    conversation.started
}

#[cfg(test)]
mod tests;

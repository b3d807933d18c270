//! A scan: one pass over the vendor's conversation list, page by page, back to a given instant, and what it proves.
//!
//! The list cannot be filtered, its order is not documented, and its figures may be wrong (`annie-api.md`, GET
//! /conversations). So a scan believes the rows alone. It is complete when
//!
//! * the list came to its end: a page brought no new row and was not just the page before it again (a short page alone
//!   is no end: the vendor's pages may be shorter than asked for); or
//! * the rows at its far edge, in an order that has held so far, are all older than the instant.
//!
//! `totalCount` only suggests where to look for the end of a list that begins with the oldest conversation; a page
//! starts where it was asked to start, whatever the vendor echoes. New conversations shift the pages while they are
//! read: pages overlap, and a row seen twice counts once. A scan in which neighbouring pages share no row has a hole,
//! and proves nothing.

use std::collections::HashSet;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::list_order::{ListOrder, Trend};
use crate::ids::ConversationId;
use crate::vendor::{Conversation, Page};

/// The rows by which pages overlap.
const OVERLAP: u64 = 10;

/// The rows at the far edge must be older than the instant by more than this, as rows may be some seconds out of order.
const EDGE_SLACK: TimeDelta = TimeDelta::seconds(60);

/// At the end of a list, a page that overlaps the one before shows fewer known rows than this.
const LONG_PAGE: u64 = 18;

/// A scan that reads more pages than this, plus three times what its rows need, is going round in circles.
const MIN_PAGE_ALLOWANCE: u32 = 40;

/// The most that a list is assumed to grow between two scans, so that the first page still shows its old end.
const MAX_GROWTH: u64 = 60;

/// Common maximum page lengths of APIs. A page of about this many rows may be cut off.
const USUAL_PAGE_LENGTHS: [u64; 4] = [20, 25, 50, 100];

/// A `totalCount` above this is ignored.
const MAX_LIST_LENGTH: u64 = 10_000_000;

/// How many pages of at most `page_rows` show this many of the newest conversations.
#[must_use]
pub fn pages_of(conversations: u64, page_rows: u32) -> u32 {
    let beyond_the_first = conversations.saturating_sub(page_rows.into());
    1 + u32::try_from(beyond_the_first.div_ceil(new_rows(page_rows))).unwrap_or(u32::MAX - 1)
}

/// The rows of a full page that the page before it did not have.
fn new_rows(page_rows: u32) -> u64 {
    u64::from(page_rows).saturating_sub(OVERLAP).max(1)
}

/// What scans have learnt about a list that begins with the oldest conversation, so that the next one starts near its
/// end. A wrong figure here costs a request and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownList {
    /// The most rows that the vendor puts on a page.
    pub page_rows: u32,
    /// Whether the newest conversation is at the end.
    pub oldest_first: bool,
    /// The offset of the end.
    pub end: u64,
    /// By how many rows it grew from one scan to the next.
    pub growth: u64,
    /// The longest page received, in rows.
    pub longest_page: u64,
}

impl KnownList {
    /// A list of which only the vendor's maximum page length is known.
    #[must_use]
    pub fn new(page_rows: u32) -> Self {
        Self { page_rows, oldest_first: false, end: 0, growth: 0, longest_page: 0 }
    }
}

/// The state of a scan after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanProgress {
    /// The page at this offset comes next.
    Read(u64),
    /// Every conversation back to the instant has been seen.
    Complete(CompletenessReason),
    /// The list proves nothing.
    Broken(ScanFlaw),
}

/// Why a complete scan can have missed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletenessReason {
    /// It saw the whole list.
    WholeList,
    /// The list, in an order that held, continued with conversations older than the instant.
    PastTheInstant(ListOrder),
}

/// Why a list proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanFlaw {
    /// Two neighbouring pages shared no row.
    Hole,
    /// Another offset brought the same page: what lies beyond it cannot be read.
    OffsetIgnored,
    /// One page cannot be read, while others can.
    Unreadable,
    /// It shows rows that may be calls of ours and lack a field that would decide it.
    Unclear,
    /// The same for calls in progress, whose rows may become clear once they have ended.
    UnclearWhileOpen,
    /// It was not read far enough back within the dialing hours.
    TooLong,
}

impl fmt::Display for ScanFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hole => "its pages do not overlap",
            Self::OffsetIgnored => "it returns the same page for every offset",
            Self::Unreadable => "one of its pages cannot be read",
            Self::TooLong => "reading it back to the last known call took longer than the calling window was open",
            Self::UnclearWhileOpen => "rows of calls in progress lack their id, a number or their start",
            Self::Unclear => "rows that may be calls of ours lack their id, a number or their start",
        })
    }
}

/// One pass over the list.
#[derive(Debug)]
pub struct Scan {
    /// When the first page was asked for, by our clock.
    pub started: DateTime<Utc>,
    /// How far back it must reach, by the vendor's clock.
    pub back_to: DateTime<Utc>,
    /// Pages read.
    pub pages: u32,
    /// The oldest start that it saw.
    pub oldest: Option<DateTime<Utc>>,
    seen: HashSet<ConversationId>,
    known: KnownList,
    order: Option<ListOrder>,
    trend: Trend,
    step: ScanStep,
    /// The offset of the page being read.
    offset: u64,
    /// The stretch of the list that has been read without a gap: offsets `low..high`, and the ids in it.
    low: u64,
    high: u64,
    stretch: HashSet<ConversationId>,
    /// Whether the last page of the stretch was as long as any: more rows may follow directly.
    is_cut_off: bool,
}

/// The purpose of the page being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScanStep {
    /// Finding the end of a list that begins with the oldest conversation. The list was empty from `empty_from` on.
    FindEnd { stride: u64, empty_from: Option<u64> },
    /// Going on towards higher offsets.
    Up,
    /// Going on towards lower offsets, from the list's end.
    Down,
}

impl Scan {
    /// A scan that starts now. `known`: what earlier scans learnt.
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
            step: ScanStep::Up,
            offset: 0,
            low: 0,
            high: 0,
            stretch: HashSet::new(),
            is_cut_off: false,
        };
        if known.oldest_first {
            scan.order = Some(ListOrder::OldestFirst);
            scan.step = ScanStep::FindEnd { stride: 0, empty_from: None };
            scan.offset = (known.end + known.growth).saturating_sub(new_rows(known.page_rows));
        }
        scan
    }

    /// The offset of the page that comes next.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What it has learnt for the next scan.
    #[must_use]
    pub fn learnt(&self) -> KnownList {
        let growth = if self.known.end == 0 { 0 } else { self.high.saturating_sub(self.known.end).min(MAX_GROWTH) };
        KnownList { oldest_first: self.order == Some(ListOrder::OldestFirst), end: self.high, growth, ..self.known }
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

    /// Takes in the page that was asked for. Returns what comes next.
    pub fn on_page(&mut self, page: &Page) -> ScanProgress {
        self.pages += 1;
        let progress = self.advance(page);
        if let ScanProgress::Read(offset) = progress {
            self.offset = offset;
        }
        progress
    }

    fn advance(&mut self, page: &Page) -> ScanProgress {
        let (rows, named, positions) = (page.rows() as u64, page.conversations.len() as u64, positions(page));
        self.known.longest_page = self.known.longest_page.max(positions);
        let starts = page.conversations.iter().filter_map(|conversation| conversation.started);
        self.oldest = self.oldest.into_iter().chain(starts).min();
        let brought_new = page.conversations.iter().any(|row| !self.seen.contains(&row.id));
        let is_mostly = |known: &HashSet<ConversationId>| {
            let known = page.conversations.iter().filter(|row| known.contains(&row.id)).count() as u64;
            rows >= LONG_PAGE && named > 0 && 5 * known >= 4 * named
        };
        // New rows without an id cannot be told from known ones, so they do not show the end.
        let hides_rows = named < rows && positions > self.expected_overlap(positions);
        let (was_seen, is_repeated) = (is_mostly(&self.seen), is_mostly(&self.stretch));
        if self.pages > MIN_PAGE_ALLOWANCE + 3 * self.seen.len() as u32 / self.known.longest_page.max(1) as u32 {
            return ScanProgress::Broken(ScanFlaw::OffsetIgnored);
        }
        self.seen.extend(page.conversations.iter().map(|row| row.id.clone()));
        if self.order.is_none() {
            self.order = ListOrder::detect(&page.conversations);
            if self.order == Some(ListOrder::OldestFirst) && self.offset == 0 {
                // The newest conversations are at the other end.
                self.add_to_stretch(page);
                return self.start_end_search(page);
            }
        }
        if let ScanStep::FindEnd { stride, empty_from } = self.step {
            if was_seen && self.may_be_cut_off(rows) {
                return ScanProgress::Broken(ScanFlaw::OffsetIgnored);
            }
            return self.find_end(page, stride, empty_from, (brought_new && !was_seen) || hides_rows);
        }
        let extends = page.conversations.iter().any(|row| !self.stretch.contains(&row.id));
        if extends && !self.stretch.is_empty() && !self.connects(page) {
            return ScanProgress::Broken(ScanFlaw::Hole);
        }
        let order = self.order;
        if !self.follow_order(page) {
            return self.read_everything();
        }
        self.add_to_stretch(page);
        match (order, self.step) {
            (Some(ListOrder::OldestFirst), ScanStep::Down) => self.down(extends),
            _ if is_repeated => self.after_a_repeated_page(rows),
            _ => self.up(extends || hides_rows, positions),
        }
    }

    fn add_to_stretch(&mut self, page: &Page) {
        let positions = positions(page);
        self.stretch.extend(page.conversations.iter().map(|row| row.id.clone()));
        if positions > 0 {
            self.is_cut_off = positions >= self.known.longest_page;
            self.low = self.low.min(self.offset);
            self.high = self.high.max(self.offset + positions);
        }
    }

    /// Adds the page's new rows to the trend, towards the older end. `false`: they are not in the order seen so far.
    fn follow_order(&mut self, page: &Page) -> bool {
        let fresh = || page.conversations.iter().filter(|row| !self.stretch.contains(&row.id));
        let mut trend = self.trend.clone();
        let holds = match (self.order, self.step) {
            (Some(ListOrder::NewestFirst), _) => trend.extend(fresh().filter_map(started)),
            (Some(ListOrder::OldestFirst), ScanStep::Down) => trend.extend(fresh().rev().filter_map(started)),
            // Going up from the first page at the end, only the order can be checked: the edge is at the lower side.
            (Some(ListOrder::OldestFirst), _) if self.stretch.is_empty() => {
                trend.extend(fresh().rev().filter_map(started))
            }
            (Some(ListOrder::OldestFirst), _) => return Trend::default().extend(fresh().rev().filter_map(started)),
            (Some(ListOrder::None) | None, _) => return true,
        };
        self.trend = trend;
        holds
    }

    /// Restarts at offset 0 and reads a list without a reliable order to its end.
    fn read_everything(&mut self) -> ScanProgress {
        self.order = Some(ListOrder::None);
        self.step = ScanStep::Up;
        self.forget_stretch();
        (self.low, self.high) = (0, 0);
        ScanProgress::Read(0)
    }

    fn forget_stretch(&mut self) {
        self.stretch.clear();
        self.trend = Trend::default();
        (self.low, self.high) = (self.offset, self.offset);
    }

    /// Whether a page shares at least half of the rows that it should share with the stretch at its offset. A row that
    /// the vendor shows on every page connects nothing.
    fn connects(&self, page: &Page) -> bool {
        let (positions, named) = (positions(page), named(page));
        let shared = named.iter().filter(|id| self.stretch.contains(**id)).count() as u64;
        let common = self.expected_overlap(positions);
        // Rows without an id may be shared unseen.
        common > 0 && shared >= (common * named.len() as u64 / positions.max(1)).div_ceil(2).max(1)
    }

    /// How many of a page's `positions` overlap the stretch, by its offset.
    fn expected_overlap(&self, positions: u64) -> u64 {
        self.high.min(self.offset + positions).saturating_sub(self.low.max(self.offset))
    }

    /// The rows that the next page in either direction shares with this one.
    fn overlap(rows: u64) -> u64 {
        OVERLAP.min(rows / 2)
    }

    /// Another offset brought the rows of the page before, and no more new ones than have started since. What lies
    /// beyond cannot be read, unless the page is too short to be cut off.
    fn after_a_repeated_page(&mut self, rows: u64) -> ScanProgress {
        if self.order == Some(ListOrder::NewestFirst) && self.is_past_the_instant() {
            return ScanProgress::Complete(CompletenessReason::PastTheInstant(ListOrder::NewestFirst));
        }
        if self.may_be_cut_off(rows) { ScanProgress::Broken(ScanFlaw::OffsetIgnored) } else { self.at_the_end() }
    }

    fn up(&mut self, extends: bool, positions: u64) -> ScanProgress {
        if self.order == Some(ListOrder::NewestFirst) && self.is_past_the_instant() {
            return ScanProgress::Complete(CompletenessReason::PastTheInstant(ListOrder::NewestFirst));
        }
        if extends {
            return ScanProgress::Read(self.offset + positions - Self::overlap(positions));
        }
        self.at_the_end()
    }

    /// Whether a page is about as long as a common maximum.
    fn may_be_cut_off(&self, rows: u64) -> bool {
        let mut lengths = USUAL_PAGE_LENGTHS.into_iter().chain([self.known.page_rows.into()]);
        lengths.any(|usual| (usual - usual * 3 / 20..=usual + usual * 3 / 20).contains(&rows))
    }

    /// The list has been read upwards to its end.
    fn at_the_end(&mut self) -> ScanProgress {
        if self.order != Some(ListOrder::OldestFirst) || self.low == 0 {
            return ScanProgress::Complete(CompletenessReason::WholeList);
        }
        self.step = ScanStep::Down;
        if self.is_past_the_instant() {
            return ScanProgress::Complete(CompletenessReason::PastTheInstant(ListOrder::OldestFirst));
        }
        ScanProgress::Read(self.offset_below())
    }

    fn down(&mut self, extends: bool) -> ScanProgress {
        if self.is_past_the_instant() {
            return ScanProgress::Complete(CompletenessReason::PastTheInstant(ListOrder::OldestFirst));
        }
        if !extends {
            return ScanProgress::Broken(ScanFlaw::OffsetIgnored);
        }
        if self.low == 0 {
            return ScanProgress::Complete(CompletenessReason::WholeList);
        }
        ScanProgress::Read(self.offset_below())
    }

    /// The offset of the page below the stretch.
    fn offset_below(&self) -> u64 {
        let rows = self.known.longest_page.max(1);
        self.low.saturating_sub(rows - Self::overlap(rows))
    }

    fn is_past_the_instant(&self) -> bool {
        self.trend.edge_is_before(self.back_to - EDGE_SLACK)
    }

    /// The first page shows that the list begins with the oldest conversation: starts to look for its end.
    fn start_end_search(&mut self, page: &Page) -> ScanProgress {
        let positions = positions(page);
        let next = positions - Self::overlap(positions);
        let stated_total = page.total.filter(|total| *total <= MAX_LIST_LENGTH).unwrap_or_default();
        self.step = ScanStep::FindEnd { stride: 0, empty_from: None };
        ScanProgress::Read(next.max(stated_total.saturating_sub(new_rows(self.known.page_rows))))
    }

    /// One step in the search for the end of a list that begins with the oldest conversation.
    fn find_end(&mut self, page: &Page, stride: u64, empty_from: Option<u64>, brought_new: bool) -> ScanProgress {
        let positions = positions(page);
        if positions == 0 {
            return self.on_empty_page();
        }
        if !self.connects(page) {
            self.forget_stretch();
        }
        if !self.follow_order(page)
            || ListOrder::detect(&page.conversations).is_some_and(|order| order != ListOrder::OldestFirst)
        {
            return self.read_everything();
        }
        self.add_to_stretch(page);
        let is_last = empty_from.is_some_and(|empty| empty <= self.high) && !self.is_cut_off;
        if is_last || !brought_new {
            return self.at_the_end();
        }
        let above = self.high - Self::overlap(positions);
        if let Some(empty) = empty_from {
            self.step = ScanStep::FindEnd { stride, empty_from };
            // The end of the positions may be off by some: a page with room for more rows shows it.
            let halfway = self.offset.midpoint(empty).min(empty.saturating_sub(1));
            return ScanProgress::Read(if empty <= self.high { above } else { halfway.max(above) });
        }
        // Usually the page above is the last; if it is not, the strides grow.
        self.step = ScanStep::FindEnd { stride: (2 * stride).max(positions - Self::overlap(positions)), empty_from };
        ScanProgress::Read(if stride == 0 { above } else { self.offset + 2 * stride })
    }

    /// An empty page: the list ends before this offset. A page with room for more rows, or without new ones, shows
    /// where exactly.
    fn on_empty_page(&mut self) -> ScanProgress {
        if self.offset < self.high || (self.offset == self.high && !self.is_cut_off) {
            return self.at_the_end();
        }
        self.step = ScanStep::FindEnd { stride: 0, empty_from: Some(self.offset) };
        let longest = self.known.longest_page;
        let is_near = self.offset <= self.high + longest;
        let above = self.high.saturating_sub(Self::overlap(longest));
        ScanProgress::Read(if is_near { above } else { self.high.midpoint(self.offset) })
    }
}

/// The ids on a page, without repetitions.
fn named(page: &Page) -> HashSet<&ConversationId> {
    page.conversations.iter().map(|row| &row.id).collect()
}

/// How many positions of the list a page shows at most. A row shown twice takes one.
fn positions(page: &Page) -> u64 {
    (named(page).len() + page.rows_without_id.len()) as u64
}

fn started(conversation: &Conversation) -> Option<DateTime<Utc>> {
    conversation.started
}

#[cfg(test)]
mod tests;

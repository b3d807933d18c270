//! A scan: one pass over the vendor's conversation list, page by page, back to a given instant.
//!
//! The list cannot be filtered and its order is not documented (`annie-api.md`, GET /conversations), so a scan finds the
//! order out from the first page. New conversations shift the pages while they are read: pages overlap, and what is seen
//! twice counts once. A scan in which neighbouring pages share nothing has a hole, and proves nothing.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::annie::{Conversation, Page};
use crate::ids::ConversationId;

/// Conversations asked for at once: the most that the vendor gives.
pub const PAGE: u32 = 100;

/// Conversations by which pages overlap.
const OVERLAP: u64 = 10;

/// Pages that show the newest so many conversations, one after the other.
#[must_use]
pub fn pages_of(conversations: u64) -> u32 {
    let beyond_the_first = conversations.saturating_sub(PAGE.into());
    1 + u32::try_from(beyond_the_first.div_ceil(u64::from(PAGE) - OVERLAP)).unwrap_or(u32::MAX - 1)
}

/// How the vendor orders its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The newest conversation is at offset 0.
    NewestFirst,
    /// The newest conversation is at the end.
    OldestFirst,
    /// Neither: nothing less than the whole list will do.
    None,
}

/// How far a scan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The page at this offset comes next.
    Read(u64),
    /// Every conversation back to the instant has been seen.
    Complete,
    /// The list could not be read without a hole.
    Broken,
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
    seen: HashSet<ConversationId>,
    order: Option<Order>,
    /// The stretch of the list that has been read: `low..high`.
    low: u64,
    high: u64,
    /// Whether the stretch reaches back to the instant.
    reached: bool,
    /// Whether a page held a conversation that could not be read.
    blurred: bool,
    /// Which way the page being read extends the stretch.
    going: Going,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    Up,
    Down,
}

impl Scan {
    /// A scan that starts now. `known` is what the last scan learnt: the list's order and length.
    #[must_use]
    pub fn new(started: DateTime<Utc>, back_to: DateTime<Utc>, known: Option<(Order, u64)>) -> Self {
        let mut scan = Self {
            started,
            back_to,
            pages: 0,
            seen: HashSet::new(),
            order: known.map(|(order, _)| order),
            low: 0,
            high: 0,
            reached: false,
            blurred: false,
            going: Going::Up,
        };
        if let Some((Order::OldestFirst, length)) = known {
            scan.start_at_tail(length);
        }
        scan
    }

    /// The offset of the first page.
    #[must_use]
    pub fn first_offset(&self) -> u64 {
        self.high
    }

    /// What this scan found out about the list's order.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        self.order
    }

    /// Where the stretch that it has read ends: no conversation beyond it is known.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.high
    }

    /// How many different conversations it saw.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.seen.len()
    }

    /// Whether a conversation that it does not show is not on the list: every row that it read was legible.
    #[must_use]
    pub fn proves_absence(&self) -> bool {
        !self.blurred
    }

    /// Whether it saw this conversation.
    #[must_use]
    pub fn saw(&self, id: &ConversationId) -> bool {
        self.seen.contains(id)
    }

    fn start_at_tail(&mut self, length: u64) {
        self.low = length.saturating_sub(u64::from(PAGE) - OVERLAP);
        self.high = self.low;
        self.seen.clear();
        self.reached = false;
    }

    /// Takes the page that was asked for in, and says what comes next.
    pub fn take(&mut self, page: &Page) -> Progress {
        self.pages += 1;
        self.blurred |= page.unreadable > 0;
        let first = self.pages == 1;
        if first && self.order.is_none_or(|order| order != Order::OldestFirst) {
            self.order = order_of(page).or(self.order);
            let longer = page.total.is_some_and(|total| total > end_of(page));
            if self.order == Some(Order::OldestFirst) && longer {
                // What matters is at the other end.
                self.start_at_tail(page.total.unwrap_or_default());
                self.pages = 0;
                return Progress::Read(self.high);
            }
        }
        if self.contradicted_by(page) {
            return self.start_over();
        }
        let connected = self.seen.is_empty() || page.conversations.iter().any(|seen| self.seen.contains(&seen.id));
        if !connected && !page.conversations.is_empty() {
            return Progress::Broken;
        }
        self.seen.extend(page.conversations.iter().map(|conversation| conversation.id.clone()));
        let grown = self.extend(page);
        self.next(page, grown)
    }

    /// A page that is ordered otherwise than the list was thought to be: it has no order that can be relied on.
    fn contradicted_by(&self, page: &Page) -> bool {
        let ordered = matches!(self.order, Some(Order::NewestFirst | Order::OldestFirst));
        ordered && order_of(page).is_some_and(|order| Some(order) != self.order)
    }

    /// Reads the whole list, from its beginning.
    fn start_over(&mut self) -> Progress {
        self.order = Some(Order::None);
        self.seen.clear();
        (self.low, self.high, self.going) = (0, 0, Going::Up);
        Progress::Read(0)
    }

    /// Adds the page to the stretch; whether the stretch grew.
    fn extend(&mut self, page: &Page) -> bool {
        let before = (self.low, self.high);
        self.low = self.low.min(page.offset);
        self.high = self.high.max(end_of(page));
        before != (self.low, self.high)
    }

    fn next(&mut self, page: &Page, grown: bool) -> Progress {
        // Pages overlap, so a list that does not say its length ends where a page shows nothing new.
        let at_end = page.total.map_or(!grown, |total| self.high >= total);
        let order = self.order.unwrap_or(Order::None);
        let goes_back = match order {
            Order::NewestFirst => Going::Up,
            Order::OldestFirst => Going::Down,
            Order::None => return self.upwards(at_end, grown),
        };
        self.reached |= self.going == goes_back && self.passes_the_instant(page);
        // Oldest first, the page at the tail goes up to the end and already reaches some way back.
        self.reached |= order == Order::OldestFirst && page.offset == self.low && self.passes_the_instant(page);
        match order {
            Order::OldestFirst if !at_end && self.going == Going::Up => self.upwards(false, grown),
            Order::OldestFirst => self.downwards(grown),
            Order::NewestFirst | Order::None => self.upwards(at_end || self.reached, grown),
        }
    }

    fn upwards(&mut self, done: bool, grown: bool) -> Progress {
        match (done, grown) {
            (true, _) => Progress::Complete,
            (false, true) => Progress::Read(self.high.saturating_sub(OVERLAP)),
            (false, false) => Progress::Broken,
        }
    }

    fn downwards(&mut self, grown: bool) -> Progress {
        if self.reached || self.low == 0 {
            return Progress::Complete;
        }
        if !grown && self.going == Going::Down {
            return Progress::Broken;
        }
        self.going = Going::Down;
        Progress::Read(self.low.saturating_sub(u64::from(PAGE) - OVERLAP))
    }

    fn passes_the_instant(&self, page: &Page) -> bool {
        page.conversations.iter().filter_map(|conversation| conversation.started).any(|at| at < self.back_to)
    }
}

fn end_of(page: &Page) -> u64 {
    page.offset + (page.conversations.len() + page.unreadable) as u64
}

/// The order of a page's conversations; `None` if too few of them say when they started.
fn order_of(page: &Page) -> Option<Order> {
    let starts: Vec<_> =
        page.conversations.iter().filter_map(|conversation: &Conversation| conversation.started).collect();
    let (first, last) = (starts.first()?, starts.last()?);
    if first == last {
        return None;
    }
    let falls = starts.is_sorted_by(|a, b| a >= b);
    let rises = starts.is_sorted();
    Some(match (falls, rises) {
        (true, _) => Order::NewestFirst,
        (_, true) => Order::OldestFirst,
        (false, false) => Order::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annie::Status;
    use crate::entry::Testimony;
    use chrono::TimeDelta;

    /// A list of conversations a minute apart, number 0 the oldest.
    struct List {
        length: u64,
        order: Order,
        says_its_length: bool,
    }

    fn start() -> DateTime<Utc> {
        "2026-11-24T15:00:00Z".parse().expect("an instant")
    }

    fn at(number: u64) -> DateTime<Utc> {
        start() + TimeDelta::minutes(number as i64)
    }

    fn conversation(number: u64) -> Conversation {
        Conversation {
            is_call: true,
            id: ConversationId::new(number.to_string()),
            from: None,
            to: None,
            started: Some(at(number)),
            ended: None,
            status: Status::Open,
            testimony: Testimony::default(),
        }
    }

    impl List {
        fn page(&self, offset: u64) -> Page {
            let number = |index: u64| match self.order {
                Order::NewestFirst => self.length - 1 - index,
                Order::OldestFirst => index,
                Order::None => (index * 389) % self.length,
            };
            let end = (offset + u64::from(PAGE)).min(self.length);
            let conversations = (offset..end).map(|index| conversation(number(index))).collect();
            Page { conversations, unreadable: 0, offset, total: self.says_its_length.then_some(self.length) }
        }
    }

    /// Scans the whole list, `between` changing it after each page; what was missed of the newest `wanted`.
    fn missed(
        mut list: List,
        wanted: u64,
        known: Option<(Order, u64)>,
        mut between: impl FnMut(&mut List),
    ) -> Vec<u64> {
        let newest = list.length;
        let mut scan = Scan::new(start(), at(newest - wanted), known);
        let mut offset = scan.first_offset();
        for _ in 0..100 {
            match scan.take(&list.page(offset)) {
                Progress::Read(next) => offset = next,
                Progress::Complete => {
                    let saw = |number: &u64| scan.saw(&ConversationId::new(number.to_string()));
                    return (newest - wanted..newest).filter(|number| !saw(number)).collect();
                }
                Progress::Broken => panic!("the list has no hole"),
            }
            between(&mut list);
        }
        panic!("the scan does not end");
    }

    #[test]
    fn every_conversation_back_to_the_instant_is_seen_in_either_order() {
        for order in [Order::NewestFirst, Order::OldestFirst, Order::None] {
            for length in [1, 2, 99, 100, 101, 190, 1013] {
                for wanted in [1, length / 2 + 1, length] {
                    for known in [None, Some((order, length)), Some((order, length / 2))] {
                        for says_its_length in [true, false] {
                            let missed = missed(List { length, order, says_its_length }, wanted, known, |_| ());
                            assert_eq!(missed, [0_u64; 0], "{order:?} {length} {wanted} {known:?} {says_its_length}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn conversations_that_start_meanwhile_shift_the_pages_and_hide_nothing() {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            let missed = missed(List { length: 700, order, says_its_length: true }, 500, None, |list| list.length += 7);
            assert_eq!(missed, [0_u64; 0], "{order:?}");
        }
    }

    #[test]
    fn a_hole_between_two_pages_breaks_the_scan() {
        let list = List { length: 400, order: Order::NewestFirst, says_its_length: true };
        let mut scan = Scan::new(start(), at(0), None);
        assert_eq!(scan.take(&list.page(0)), Progress::Read(90));
        // Sixty conversations have been archived meanwhile: the page begins where nothing has been seen.
        let shifted = Page { offset: 90, ..list.page(150) };
        assert_eq!(scan.take(&shifted), Progress::Broken);
    }

    #[test]
    fn so_many_pages_show_so_many_conversations() {
        for (conversations, pages) in [(0, 1), (1, 1), (100, 1), (101, 2), (190, 2), (191, 3), (1_000, 11)] {
            assert_eq!(pages_of(conversations), pages, "{conversations}");
        }
    }

    #[test]
    fn one_page_is_enough_for_what_is_recent() {
        let list = List { length: 5_000, order: Order::NewestFirst, says_its_length: true };
        let mut scan = Scan::new(start(), at(4_950), None);
        assert_eq!(scan.take(&list.page(0)), Progress::Complete);
    }

    #[test]
    fn an_empty_list_is_read_completely() {
        let mut scan = Scan::new(start(), start(), None);
        assert_eq!(
            scan.take(&Page { conversations: vec![], unreadable: 0, offset: 0, total: Some(0) }),
            Progress::Complete
        );
    }
}

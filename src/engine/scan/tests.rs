use super::*;
use crate::entry::OutcomeSignals;
use crate::ids::ConversationId;
use crate::vendor::{Medium, RowWithoutId, Status};

/// The vendor's maximum page length.
const PAGE_ROWS: u32 = 100;

/// A list of conversations, and how the vendor shows it.
#[derive(Debug, Clone)]
struct List {
    /// Number and start of each conversation, in the list's order.
    rows: Vec<(u64, DateTime<Utc>)>,
    total: Total,
    /// The longest page that it gives.
    cap: u64,
    offset_ignored: bool,
    /// Rows appended to every page.
    on_every_page: u64,
    /// Rows that each page shows twice, instead of as many others.
    doubled: u64,
}

/// What `totalCount` says.
#[derive(Debug, Clone, Copy)]
enum Total {
    True,
    Missing,
    OfThePage,
    Capped(u64),
    Times(u64),
}

fn start() -> DateTime<Utc> {
    "2026-11-24T15:00:00Z".parse().expect("an instant")
}

/// The start of conversation `number`; number 0 is the oldest.
fn at(number: u64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(10 * number as i64)
}

impl List {
    fn of(length: u64, order: ListOrder) -> Self {
        let number = |index: u64| match order {
            ListOrder::NewestFirst => length - 1 - index,
            ListOrder::OldestFirst => index,
            ListOrder::None => (index * 389) % length,
        };
        let rows = (0..length).map(|index| (number(index), at(number(index)))).collect();
        Self { rows, total: Total::True, cap: PAGE_ROWS.into(), offset_ignored: false, on_every_page: 0, doubled: 0 }
    }

    /// Puts every other row some seconds out of order.
    fn inverted(mut self) -> Self {
        self.rows.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        self
    }

    fn page(&self, offset: u64) -> Page {
        let length = self.rows.len() as u64;
        let from = if self.offset_ignored { 0 } else { offset.min(length) };
        let shown = &self.rows[from as usize..(from + self.cap - self.doubled).min(length) as usize];
        let total = match self.total {
            Total::True => Some(length),
            Total::Missing => None,
            Total::OfThePage => Some(shown.len() as u64),
            Total::Capped(most) => Some(length.min(most)),
            Total::Times(factor) => Some(length * factor),
        };
        // Older than all, and on no page of their own.
        let strays = (0..if shown.is_empty() { 0 } else { self.on_every_page }).map(|n| (1_000_000 + n, at(0)));
        let again = shown.iter().copied().take(self.doubled as usize);
        let conversations = again.chain(shown.iter().copied()).chain(strays).map(conversation).collect();
        Page { conversations, rows_without_id: Vec::new(), total }
    }
}

fn conversation((number, started): (u64, DateTime<Utc>)) -> Conversation {
    Conversation {
        medium: Medium::default(),
        id: ConversationId::new(number.to_string()),
        from: None,
        to: None,
        started: Some(started),
        ended: None,
        status: Status::Open,
        signals: OutcomeSignals::default(),
    }
}

/// Scans the list back to the newest `wanted` conversations; `between` changes the list after each page.
fn scanned(list: &mut List, wanted: u64, known: KnownList, mut between: impl FnMut(&mut List)) -> (Scan, ScanProgress) {
    let newest = list.rows.iter().map(|(_, at)| *at).max().expect("a row");
    let back_to = newest - TimeDelta::seconds(10 * (wanted as i64 - 1));
    let mut scan = Scan::new(start(), back_to, known);
    for _ in 0..200 {
        match scan.on_page(&list.page(scan.offset())) {
            ScanProgress::Read(_) => between(list),
            over @ (ScanProgress::Complete(_) | ScanProgress::Broken(_)) => return (scan, over),
        }
    }
    panic!("the scan does not end: {list:?}");
}

/// How many conversations a complete scan has missed.
fn missed(list: &List, scan: &Scan) -> usize {
    let wanted = list.rows.iter().filter(|(_, at)| *at >= scan.back_to);
    wanted.filter(|(number, _)| !scan.saw(&ConversationId::new(number.to_string()))).count()
}

#[test]
fn a_complete_scan_has_missed_nothing_however_the_list_lies_about_itself() {
    let totals = [Total::True, Total::Missing, Total::OfThePage, Total::Capped(100), Total::Times(3)];
    let mut complete = 0;
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst, ListOrder::None] {
        for length in [1, 2, 11, 29, 50, 99, 100, 101, 190, 1013] {
            for wanted in [1, length / 2 + 1, length] {
                for total in totals {
                    for (cap, offset_ignored) in [(100, false), (50, false), (20, false), (100, true), (20, true)] {
                        for (inverted, on_every_page, doubled) in
                            [(false, 0, 0), (true, 0, 0), (false, 1, 0), (true, 3, 0), (false, 0, 3), (true, 1, 3)]
                        {
                            let list =
                                List { total, cap, offset_ignored, on_every_page, doubled, ..List::of(length, order) };
                            let mut list = if inverted { list.inverted() } else { list };
                            let (scan, over) = scanned(&mut list, wanted, KnownList::new(PAGE_ROWS), |_| ());
                            let case = format!(
                                "{order:?} {length} {wanted} {total:?} {cap} {offset_ignored} {inverted} {on_every_page} {doubled}"
                            );
                            if let ScanProgress::Complete(_) = over {
                                assert_eq!(missed(&list, &scan), 0, "{case}");
                                complete += 1;
                            } else {
                                assert_eq!(over, ScanProgress::Broken(ScanFlaw::OffsetIgnored), "{case}");
                                assert!(offset_ignored && length > 10, "{case}");
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(complete > 1_000, "{complete}");
}

/// A page whose rows partly lack their ids, and the numbers of all its rows.
fn without_ids(list: &List, offset: u64, look: u64, is_nameless: impl Fn(u64, u64) -> bool) -> (Page, Vec<u64>) {
    let page = list.page(offset);
    let number = |row: &Conversation| row.id.as_str().parse::<u64>().expect("a number");
    let shown = page.conversations.iter().map(number).collect();
    let (rows_without_id, conversations): (Vec<_>, Vec<_>) =
        page.conversations.into_iter().partition(|row| is_nameless(number(row), look));
    let rows_without_id = rows_without_id
        .into_iter()
        .map(|row| RowWithoutId { started: row.started, ..RowWithoutId::default() })
        .collect();
    (Page { conversations, rows_without_id, total: page.total }, shown)
}

#[test]
fn rows_without_ids_hide_neither_an_ignored_offset_nor_what_comes_after_them() {
    let mixed = |number: u64| (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 23;
    let blurred = |number: u64, look: u64| mixed(mixed(number) + look) % 4 == 0;
    let stretch = |number: u64, _: u64| (600..820).contains(&number);
    let (mut complete, mut broken) = (0, 0);
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst, ListOrder::None] {
        for length in [50, 100, 190, 1013] {
            for (cap, offset_ignored) in [(100, false), (50, false), (20, false), (100, true), (50, true), (20, true)] {
                for is_nameless in [&blurred as &dyn Fn(u64, u64) -> bool, &stretch] {
                    let list = List { cap, offset_ignored, ..List::of(length, order) };
                    let back_to = at(length / 4);
                    let mut scan = Scan::new(start(), back_to, KnownList::new(PAGE_ROWS));
                    let mut shown = HashSet::new();
                    let over = loop {
                        let (page, numbers) = without_ids(&list, scan.offset(), u64::from(scan.pages), is_nameless);
                        shown.extend(numbers);
                        match scan.on_page(&page) {
                            ScanProgress::Read(_) => {}
                            over @ (ScanProgress::Complete(_) | ScanProgress::Broken(_)) => break over,
                        }
                    };
                    let hidden = (length / 4..length).filter(|number| !shown.contains(number)).count();
                    let is_complete = matches!(over, ScanProgress::Complete(_));
                    assert!(!is_complete || hidden == 0, "{order:?} {length} {cap} {offset_ignored}: {hidden} hidden");
                    *(if is_complete { &mut complete } else { &mut broken }) += 1;
                }
            }
        }
    }
    assert!(complete > 40 && broken > 40, "{complete} complete, {broken} broken");
}

#[test]
fn a_list_that_fits_one_page_is_read_to_its_end_though_the_offset_is_ignored() {
    let mut list = List { offset_ignored: true, ..List::of(37, ListOrder::NewestFirst) };
    let (scan, over) = scanned(&mut list, 37, KnownList::new(PAGE_ROWS), |_| ());
    assert_eq!((over, scan.pages), (ScanProgress::Complete(CompletenessReason::WholeList), 2));
}

#[test]
fn one_old_row_last_on_every_page_ends_no_scan() {
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
        let mut list = List::of(700, order);
        for (index, row) in list.rows.iter_mut().enumerate() {
            if index % 90 == 89 {
                row.1 = start() - TimeDelta::days(400);
            }
        }
        let (scan, over) = scanned(&mut list, 500, KnownList::new(PAGE_ROWS), |_| ());
        assert!(matches!(over, ScanProgress::Complete(_)), "{order:?}: {over:?}");
        assert_eq!(missed(&list, &scan), 0, "{order:?}");
    }
}

#[test]
fn a_night_without_calls_is_no_reason_to_read_on() {
    let mut list = List::of(5_000, ListOrder::NewestFirst);
    list.rows.iter_mut().skip(30).for_each(|row| row.1 -= TimeDelta::days(1));
    let (scan, over) = scanned(&mut list, 30, KnownList::new(PAGE_ROWS), |_| ());
    assert_eq!(
        (over, scan.pages),
        (ScanProgress::Complete(CompletenessReason::PastTheInstant(ListOrder::NewestFirst)), 1)
    );
}

#[test]
fn conversations_that_start_during_the_scan_shift_the_pages_and_hide_nothing() {
    for order in [ListOrder::NewestFirst, ListOrder::OldestFirst] {
        let mut list = List::of(700, order);
        let mut next = 700;
        let grow = |list: &mut List| {
            for _ in 0..7 {
                let row = (next, at(next));
                next += 1;
                match order {
                    ListOrder::NewestFirst => list.rows.insert(0, row),
                    ListOrder::OldestFirst | ListOrder::None => list.rows.push(row),
                }
            }
        };
        let (scan, over) = scanned(&mut list, 500, KnownList::new(PAGE_ROWS), grow);
        assert!(matches!(over, ScanProgress::Complete(_)), "{order:?}: {over:?}");
        let begun_before =
            List { rows: list.rows.iter().copied().filter(|(number, _)| *number < 700).collect(), ..list };
        assert_eq!(missed(&begun_before, &scan), 0, "{order:?}");
    }
}

#[test]
fn a_hole_between_two_pages_breaks_the_scan() {
    let list = List::of(400, ListOrder::NewestFirst);
    let mut scan = Scan::new(start(), at(0), KnownList::new(PAGE_ROWS));
    assert_eq!(scan.on_page(&list.page(0)), ScanProgress::Read(90));
    // Sixty conversations were archived in the meantime, so the page begins beyond the rows seen.
    assert_eq!(scan.on_page(&list.page(150)), ScanProgress::Broken(ScanFlaw::Hole));
}

#[test]
fn so_many_pages_show_so_many_conversations() {
    for (conversations, pages) in [(0, 1), (1, 1), (100, 1), (101, 2), (190, 2), (191, 3), (1_000, 11)] {
        assert_eq!(pages_of(conversations, PAGE_ROWS), pages, "{conversations}");
    }
}

#[test]
fn an_empty_list_is_read_completely_with_one_page() {
    let mut scan = Scan::new(start(), start(), KnownList::new(PAGE_ROWS));
    assert_eq!(scan.on_page(&Page::default()), ScanProgress::Complete(CompletenessReason::WholeList));
}

/// How many pages each of six scans for recent conversations takes, while the list grows between them.
fn pages_for_what_is_recent(mut list: List, grow: impl Fn(&mut List, u64)) -> Vec<u32> {
    let mut known = KnownList::new(PAGE_ROWS);
    (0..6)
        .map(|round| {
            let (scan, over) = scanned(&mut list, 30, known, |_| ());
            assert!(matches!(over, ScanProgress::Complete(_)), "{over:?}");
            assert_eq!(missed(&list, &scan), 0);
            known = scan.learnt();
            (0..22).for_each(|n| grow(&mut list, 5_000 + 22 * round + n));
            scan.pages
        })
        .collect()
}

#[test]
fn a_list_that_begins_with_the_oldest_costs_as_much_as_one_that_begins_with_the_newest() {
    let newest = pages_for_what_is_recent(List::of(5_000, ListOrder::NewestFirst), |list, number| {
        list.rows.insert(0, (number, at(number)));
    });
    assert_eq!(newest, [1; 6]);
    for total in [Total::True, Total::Missing, Total::OfThePage, Total::Capped(1_000), Total::Times(2)] {
        for inverted in [false, true] {
            let list = List { total, ..List::of(5_000, ListOrder::OldestFirst) };
            let list = if inverted { list.inverted() } else { list };
            let pages = pages_for_what_is_recent(list, |list, number| {
                list.rows.push((number, at(number)));
                let rows = list.rows.len();
                if inverted && number % 2 == 1 {
                    list.rows.swap(rows - 2, rows - 1);
                }
            });
            assert!(pages[0] < 20, "{total:?} {inverted}: {pages:?}");
            // One page shows the recent conversations, and one more that nothing follows.
            assert!(pages[2..].iter().all(|pages| *pages <= 2), "{total:?} {inverted}: {pages:?}");
        }
    }
}

#[test]
fn a_list_that_has_become_shorter_is_found_to_its_end() {
    let mut list = List::of(300, ListOrder::OldestFirst);
    let known = KnownList { page_rows: PAGE_ROWS, oldest_first: true, end: 4_000, growth: 10, longest_page: 100 };
    let (scan, over) = scanned(&mut list, 50, known, |_| ());
    assert!(matches!(over, ScanProgress::Complete(_)), "{over:?}");
    assert_eq!(missed(&list, &scan), 0);
}

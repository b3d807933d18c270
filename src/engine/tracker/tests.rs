use super::*;
use crate::annie::{Medium, Status};
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
    let mut tracker = Tracker::new(TimeDelta::hours(2), 60);
    for number in 0..count {
        let (attempt, entry) = (AttemptId(number.into()), EntryId(number.into()));
        tracker
            .follow(id(number), Followed { attempt, entry, number: 1, since: start(), answered: true, asked_at: None });
    }
    tracker
}

fn page(conversations: &[(u32, Status)]) -> Page {
    let conversations = conversations
        .iter()
        .map(|&(number, status)| Conversation {
            medium: Medium::default(),
            id: id(number),
            from: None,
            to: None,
            started: Some(after(number.into())),
            ended: None,
            status,
            testimony: Testimony::default(),
        })
        .collect::<Vec<_>>();
    Page { total: Some(conversations.len() as u64), nameless: Vec::new(), conversations }
}

#[test]
fn nothing_open_means_nothing_to_read() {
    assert_eq!(Tracker::new(TimeDelta::hours(2), 60).due_at(Pace::Blocked, None, None), None);
}

#[test]
fn a_closed_conversation_is_handed_over_once() {
    let mut tracker = following(2);
    assert_eq!(tracker.next_read(Pace::Blocked, after(20), None, TimeDelta::zero()), Read::Page { offset: 0 });
    let list = page(&[(0, Status::Closed), (1, Status::Open)]);
    let (closed, complete) = tracker.take_page(&list, after(20));
    assert_eq!(closed.len(), 1);
    assert_eq!(complete, ScanResult::Nothing, "it has seen what is open");
    assert_eq!(tracker.open(), 1);
    assert!(tracker.take_page(&list, after(40)).0.is_empty());
}

#[test]
fn what_the_list_does_not_show_is_asked_for_by_its_id_but_not_at_once_and_not_twice() {
    let mut tracker = following(1);
    let empty = page(&[]);
    for (now, asks) in [(20, false), (70, true), (90, false), (140, true)] {
        assert_eq!(tracker.next_read(Pace::Blocked, after(now), None, TimeDelta::zero()), Read::Page { offset: 0 });
        tracker.take_page(&empty, after(now));
        let asked = tracker.due_at(Pace::Blocked, None, None) == Some(DateTime::UNIX_EPOCH);
        assert_eq!(asked, asks, "after {now} s");
        if asks {
            assert_eq!(
                tracker.next_read(Pace::Blocked, after(now), None, TimeDelta::zero()),
                Read::Conversation(id(0))
            );
        }
    }
}

#[test]
fn the_list_is_read_more_often_the_less_there_is_to_dial() {
    let mut tracker = following(1);
    tracker.next_read(Pace::Blocked, after(20), None, TimeDelta::zero());
    tracker.take_page(&page(&[(0, Status::Open)]), after(20));
    assert_eq!(tracker.due_at(Pace::Blocked, None, None), Some(after(30)));
    assert_eq!(tracker.due_at(Pace::Draining, None, None), Some(after(45)));
    assert_eq!(tracker.due_at(Pace::Dialling, None, None), Some(after(56)));
}

#[test]
fn a_failed_read_is_repeated_but_not_at_once() {
    let mut tracker = following(1);
    tracker.next_read(Pace::Blocked, after(20), None, TimeDelta::zero());
    assert!(!tracker.page_failed(after(25), after(20)));
    assert_eq!(tracker.due_at(Pace::Blocked, None, None), Some(after(25)));
}

#[test]
fn a_page_that_failed_is_asked_for_again_until_its_scan_starts_anew_and_what_is_open_is_asked_for_by_its_id() {
    let mut tracker = following(1);
    let part = Page { total: Some(500), ..page(&[(9, Status::Open), (8, Status::Open)]) };
    let started_at =
        |tracker: &Tracker| tracker.scan.as_ref().map(|reading| (reading.scan.started, reading.scan.offset()));
    tracker.next_read(Pace::Blocked, after(80), None, TimeDelta::zero());
    tracker.take_page(&part, after(80));
    let second = started_at(&tracker);
    assert!(second.is_some());
    for _ in 1..TRIES_OF_A_PAGE {
        assert!(!tracker.page_failed(after(85), after(80)));
        tracker.next_read(Pace::Blocked, after(85), None, TimeDelta::zero());
        assert_eq!(started_at(&tracker), second);
    }
    assert!(tracker.page_failed(after(90), after(85)));
    assert_eq!(started_at(&tracker), None);
    let next = tracker.next_read(Pace::Blocked, after(90), None, TimeDelta::zero());
    assert_eq!(next, Read::Conversation(id(0)));
}

/// Reads a page of one open conversation every so many seconds; at which second it was asked for by its id.
fn read_until_asked(tracker: &mut Tracker, from: i64, every: i64) -> i64 {
    for second in (from..).step_by(every as usize) {
        tracker.ask_for_the_overdue();
        let now = after(second);
        if tracker.asks() {
            return second;
        }
        tracker.next_read(Pace::Blocked, now, None, TimeDelta::zero());
        tracker.take_page(&page(&[(0, Status::Open)]), now);
    }
    unreachable!("it is asked for in the end")
}

#[test]
fn what_stays_open_for_too_long_is_asked_for_once_more_before_it_is_given_up() {
    let mut tracker = following(1);
    assert_eq!(read_until_asked(&mut tracker, 20, 60), 7_280);
    assert_eq!(tracker.next_read(Pace::Blocked, after(7_280), None, TimeDelta::zero()), Read::Conversation(id(0)));
    assert_eq!(tracker.open(), 1, "until it has answered");
    assert!(tracker.is_not_closed(&id(0), after(7_281)).is_some());
    assert_eq!(tracker.open(), 0);
}

#[test]
fn what_has_ended_meanwhile_is_not_given_up() {
    let mut tracker = following(1);
    let asked = read_until_asked(&mut tracker, 20, 60);
    let [closed] = page(&[(0, Status::Closed)]).conversations.try_into().expect("one");
    tracker.next_read(Pace::Blocked, after(asked), None, TimeDelta::zero());
    assert!(tracker.take(&closed, after(asked)).is_some());
    assert!(tracker.is_not_closed(&id(0), after(asked)).is_none());
}

#[test]
fn a_last_read_that_fails_is_repeated_a_few_times() {
    let mut tracker = following(1);
    let asked = read_until_asked(&mut tracker, 20, 60);
    let mut reads = 0;
    loop {
        let read = tracker.next_read(Pace::Blocked, after(asked), None, TimeDelta::zero());
        assert_eq!(read, Read::Conversation(id(0)));
        reads += 1;
        if tracker.conversation_failed(&id(0), after(asked)).is_some() {
            break;
        }
    }
    assert_eq!(reads, LAST_READS);
}

#[test]
fn a_machine_that_was_suspended_for_a_day_has_given_nothing_up() {
    let mut tracker = following(1);
    read_until_asked(&mut tracker, 20, 60);
    let mut tracker = following(1);
    for second in [20, 40, 86_400, 86_460] {
        tracker.next_read(Pace::Blocked, after(second), None, TimeDelta::zero());
        tracker.take_page(&page(&[(0, Status::Open)]), after(second));
        tracker.ask_for_the_overdue();
        assert!(!tracker.asks(), "after {second} s");
    }
    assert!(tracker.readable() < TimeDelta::minutes(20), "{}", tracker.readable());
}

#[test]
fn a_clock_that_goes_back_takes_no_time_away() {
    let mut tracker = following(1);
    for second in [100, 160, 20, 80] {
        tracker.next_read(Pace::Blocked, after(second), None, TimeDelta::zero());
        tracker.take_page(&page(&[(0, Status::Open)]), after(second));
    }
    assert_eq!(tracker.readable(), TimeDelta::seconds(120));
}

/// A tracker that is to ask again for these, and nothing else.
fn asking_again(numbers: std::ops::Range<u32>) -> Tracker {
    let mut tracker = following(0);
    for number in numbers {
        let (attempt, entry) = (AttemptId(number.into()), EntryId(number.into()));
        tracker.ask_again(
            id(number),
            Followed { attempt, entry, number: 1, since: start(), answered: true, asked_at: None },
        );
    }
    tracker
}

#[test]
fn what_a_former_run_gave_up_is_looked_for_on_a_few_pages_and_then_by_its_id_at_a_tenth_of_the_budget() {
    let mut tracker = asking_again(0..8);
    let list = page(&[(0, Status::Closed), (1, Status::Open)]);
    let mut ended = 0;
    let mut reads = Vec::new();
    for second in 0..200 {
        let now = after(second);
        while tracker.due_at(Pace::Draining, None, None).is_some_and(|due| due <= now) {
            match tracker.next_read(Pace::Draining, now, None, TimeDelta::zero()) {
                Read::Page { .. } => {
                    reads.push((second, "page"));
                    ended += tracker.take_page(&list, now).0.len();
                }
                Read::Conversation(id) => {
                    reads.push((second, "one"));
                    assert!(tracker.is_not_closed(&id, now).is_none(), "it has been given up already");
                }
            }
        }
    }
    assert_eq!(ended, 1, "the list shows one that has ended");
    let ones: Vec<_> = reads.iter().filter(|(_, what)| *what == "one").map(|(second, _)| *second).collect();
    assert_eq!(ones.len(), 6, "and one that has not: the others are asked for by their ids, each once: {reads:?}");
    assert!(ones.windows(2).all(|pair| pair[1] - pair[0] >= 10), "{reads:?}");
    assert_eq!(tracker.still_given_up(), 0);
    assert_eq!(tracker.due_at(Pace::Draining, None, None), None);
}

/// Newest first, numbers falling: one page of a list of so many.
fn part(numbers: std::ops::Range<u32>, total: u64) -> Page {
    let open: Vec<_> = numbers.rev().map(|number| (number, Status::Open)).collect();
    Page { total: Some(total), ..page(&open) }
}

/// Follows a call of that second.
fn follow(tracker: &mut Tracker, second: u32) {
    let (attempt, entry, since) = (AttemptId(second.into()), EntryId(second.into()), after(second.into()));
    tracker.follow(id(second), Followed { attempt, entry, number: 1, since, answered: true, asked_at: None });
}

#[test]
fn a_scan_for_endings_stops_where_it_has_seen_every_open_conversation() {
    let mut tracker = following(0);
    (880..1_000).for_each(|number| follow(&mut tracker, number));
    let now = after(1_100);
    let read = |tracker: &mut Tracker| tracker.next_read(Pace::Dialling, now, None, TimeDelta::zero());
    assert_eq!(read(&mut tracker), Read::Page { offset: 0 });
    assert_eq!(tracker.take_page(&part(900..1_000, 1_000), now).1, ScanResult::Nothing);
    assert_eq!(read(&mut tracker), Read::Page { offset: 90 });
    // It reaches back to 810, which is not 180 s before the oldest: enough for endings, and a proof of nothing.
    assert_eq!(tracker.take_page(&part(810..910, 1_000), now).1, ScanResult::Nothing);
    assert_eq!(tracker.due_at(Pace::Dialling, None, None), Some(now + Pace::Dialling.interval(2)));
}

#[test]
fn a_scan_that_is_to_prove_something_reads_back_to_its_instant_whatever_it_has_seen() {
    let mut tracker = following(0);
    follow(&mut tracker, 950);
    let now = after(1_100);
    assert_eq!(tracker.next_read(Pace::Blocked, now, Some(after(850)), TimeDelta::zero()), Read::Page { offset: 0 });
    tracker.take_page(&part(900..1_000, 1_000), now);
    let next = tracker.next_read(Pace::Blocked, now, Some(after(850)), TimeDelta::zero());
    assert_eq!(next, Read::Page { offset: 90 });
}

/// What is read at an instant, and what it shows: nothing has ended, and everything is on one page.
fn reads_until(tracker: &mut Tracker, pace: Pace, from: i64, to: i64, hints: impl Fn(i64) -> Vec<u32>) -> Vec<Read> {
    let shown: Vec<_> = tracker.open.iter().map(|(id, _)| id.clone()).collect();
    let mut numbers: Vec<u32> = shown.iter().map(|id| id.as_str()[2..].parse().expect("a number")).collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let list: Vec<_> = numbers.into_iter().map(|number| (number, Status::Open)).collect();
    let mut reads = Vec::new();
    for second in from..to {
        let now = after(second);
        for number in hints(second) {
            tracker.hint(id(number), now);
        }
        while tracker.due_at(pace, None, None).is_some_and(|due| due <= now) {
            let read = tracker.next_read(pace, now, None, TimeDelta::zero());
            if let Read::Page { .. } = read {
                tracker.take_page(&page(&list), now);
            }
            reads.push(read);
        }
    }
    reads
}

/// A tracker whose last scan was a moment ago.
fn just_scanned(open: u32) -> Tracker {
    let mut tracker = following(open);
    assert_eq!(reads_until(&mut tracker, Pace::Blocked, 20, 21, |_| vec![]).len(), 1);
    tracker
}

#[test]
fn one_hint_is_read_by_its_id_and_several_by_a_page() {
    for (named, first) in [
        (vec![3], Some(Read::Conversation(id(3)))),
        (vec![3, 3, 3], Some(Read::Conversation(id(3)))),
        (vec![3, 4], Some(Read::Page { offset: 0 })),
        (vec![77], None),
        (vec![], None),
    ] {
        for pace in [Pace::Blocked, Pace::Draining] {
            let mut tracker = just_scanned(9);
            let hints = |second| if second == 22 { named.clone() } else { vec![] };
            let reads = reads_until(&mut tracker, pace, 22, 30, hints);
            assert_eq!(reads.first(), first.as_ref(), "{pace:?} {named:?}");
            assert_eq!(reads.len(), usize::from(first.is_some()), "{pace:?} {named:?}");
        }
    }
}

#[test]
fn a_call_too_young_to_have_ended_is_not_read_for_a_hint() {
    let mut tracker = following(1);
    tracker.hint(id(0), after(9));
    assert_eq!(tracker.hinted.due_at(Pace::Blocked), None);
    tracker.hint(id(0), after(10));
    assert_eq!(tracker.hinted.due_at(Pace::Blocked), Some(after(10)));
}

#[test]
fn while_the_budget_goes_to_calls_hints_are_gathered() {
    let hints = |second| if second == 22 { vec![3] } else { vec![] };
    let mut tracker = just_scanned(99);
    tracker.last = Some((after(1_000), 1));
    assert_eq!(reads_until(&mut tracker, Pace::Dialling, 22, 82, hints), []);
    assert_eq!(reads_until(&mut tracker, Pace::Dialling, 82, 90, |_| vec![]), [Read::Page { offset: 0 }]);

    let many = |second| if second == 55 { (0..60).collect() } else { vec![] };
    let mut tracker = just_scanned(99);
    tracker.last = Some((after(1_000), 1));
    assert_eq!(reads_until(&mut tracker, Pace::Dialling, 22, 60, many), [Read::Page { offset: 0 }]);
}

#[test]
fn whatever_is_delivered_costs_no_more_than_the_list_would() {
    let saved_up = 2;
    for pace in [Pace::Blocked, Pace::Draining, Pace::Dialling] {
        for named in [vec![3], vec![3, 4], (0..99).collect()] {
            let mut tracker = just_scanned(99);
            let reads = reads_until(&mut tracker, pace, 22, 622, |_| named.clone()).len() as i32;
            let most = 600 / pace.interval(1).num_seconds() as i32;
            assert!((most / 2..=2 * most + saved_up).contains(&reads), "{pace:?} {}: {reads}, {most}", named.len());
        }
    }
}

#[test]
fn while_deliveries_foretell_endings_the_list_is_read_less_and_when_they_stop_as_before() {
    let mut tracker = just_scanned(9);
    tracker.hint(id(3), after(22));
    assert_eq!(tracker.next_read(Pace::Blocked, after(22), None, TimeDelta::zero()), Read::Conversation(id(3)));
    let [closed] = page(&[(3, Status::Closed)]).conversations.try_into().expect("one");
    assert!(tracker.take(&closed, after(22)).is_some());
    assert_eq!(reads_until(&mut tracker, Pace::Blocked, 22, 50, |_| vec![]), []);
    assert_eq!(reads_until(&mut tracker, Pace::Blocked, 50, 202, |_| vec![]).len(), 6, "every 30 s");
    assert_eq!(reads_until(&mut tracker, Pace::Blocked, 210, 310, |_| vec![]).len(), 10, "every 10 s");
}

#[test]
fn a_named_conversation_that_the_list_does_not_show_is_asked_for_by_its_id() {
    let mut tracker = just_scanned(2);
    tracker.hint(id(0), after(22));
    tracker.hint(id(1), after(22));
    assert_eq!(tracker.next_read(Pace::Blocked, after(22), None, TimeDelta::zero()), Read::Page { offset: 0 });
    tracker.take_page(&page(&[(0, Status::Open)]), after(22));
    assert_eq!(tracker.next_read(Pace::Blocked, after(22), None, TimeDelta::zero()), Read::Page { offset: 1 });
    tracker.take_page(&page(&[]), after(22));
    assert_eq!(tracker.next_read(Pace::Blocked, after(23), None, TimeDelta::zero()), Read::Conversation(id(1)));
}

#[test]
fn a_hint_that_comes_while_a_page_is_on_its_way_is_not_lost() {
    for (again, is_served) in [(None, true), (Some(21), true), (Some(24), false)] {
        let mut tracker = just_scanned(2);
        tracker.hint(id(0), after(21));
        tracker.hint(id(1), after(21));
        if let Some(second) = again.filter(|second| *second <= 22) {
            tracker.hint(id(1), after(second));
        }
        tracker.next_read(Pace::Blocked, after(22), None, TimeDelta::zero());
        if let Some(second) = again.filter(|second| *second > 22) {
            tracker.hint(id(1), after(second));
        }
        tracker.take_page(&page(&[(0, Status::Open), (1, Status::Open)]), after(25));
        assert_eq!(tracker.hinted.due_at(Pace::Blocked).is_none(), is_served, "{again:?}");
    }
}

/// The simulation's seed 164695: the look at a list of 32,000 conversations took 390 pages, and the call that was placed
/// then was lost track of without having been read for once.
#[test]
fn however_long_the_list_is_endings_are_looked_for_in_time() {
    let mut tracker = following(1);
    tracker.last = Some((after(60), 390));
    assert_eq!(tracker.due_at(Pace::Draining, None, None), Some(after(60 + 25)), "a proof's pages are not an ending's");
    tracker.pages_for_endings = 390;
    assert_eq!(tracker.due_at(Pace::Draining, None, None), Some(after(60 + 1_800)));
    assert_eq!(
        tracker.due_at(Pace::Dialling, Some(after(70)), None),
        Some(after(60 + 1_800)),
        "nor is a lost answer forgotten"
    );
}

#[test]
fn a_conversation_whose_status_is_another_word_is_over_a_while_after_its_end() {
    let told = Testimony { topic: Some("a visit".into()), ..Testimony::default() };
    for (status, ended, testimony, over) in [
        (Status::Other, Some(60), Testimony::default(), Some(60 + 600)),
        (Status::Other, Some(60), told.clone(), Some(60 + 120)),
        (Status::Other, None, told.clone(), None),
        (Status::Closing, Some(60), told.clone(), None),
        (Status::Open, Some(60), told, None),
        (Status::Closed, None, Testimony::default(), Some(0)),
    ] {
        let conversation =
            Conversation { ended: ended.map(after), testimony, ..page(&[(0, status)]).conversations.remove(0) };
        let first = (0..1000).find(|second| following(1).take(&conversation, after(*second)).is_some());
        assert_eq!(first, over, "{status:?} {ended:?}");
    }
}

#[test]
fn what_a_former_run_gave_up_is_asked_for_again_when_its_read_failed_and_not_for_ever() {
    let mut tracker = asking_again(0..1);
    let id = id(0);
    for failed in 1..=5 {
        assert_eq!(tracker.still_given_up(), 1, "after {} failures", failed - 1);
        assert!(tracker.conversation_failed(&id, after(failed)).is_none());
    }
    assert_eq!(tracker.still_given_up(), 0, "the next run asks again");
}

#[test]
fn for_the_time_of_day_one_page_is_read_and_nothing_else() {
    let mut tracker = following(0);
    let Read::Page { offset } = tracker.next_read(Pace::Draining, start(), None, TimeDelta::zero()) else {
        panic!("a page")
    };
    let rows: Vec<_> = (0..40).map(|n| (n, Status::Closed)).collect();
    let (ended, result) = tracker.take_page(&page(&rows), after(1));
    assert_eq!((offset, ended.len(), result, tracker.scans()), (0, 0, ScanResult::Nothing, false));
}

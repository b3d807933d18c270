//! The request budget, shared with other software and seen from the vendor's side: a run of the engine against the
//! simulator's world and its budget, on virtual time.

use std::collections::BTreeMap;

use callrounds::engine::Event;
use callrounds::simulator::Settings;
use chrono::{DateTime, TimeDelta, Utc};

use crate::neighbour::{self, Asked, Ran, Telling, What};

/// So many calls by enough lines, while other software makes so many of the sixty requests a minute.
fn shared_with(others: u32, telling: Telling) -> Ran {
    let mut settings = Settings::default();
    settings.budget.used_by_others = others;
    let campaign = neighbour::campaign("10:00-18:00", 100);
    neighbour::run(&campaign, neighbour::drafts(150), settings, telling)
}

fn refused(ran: &Ran) -> usize {
    ran.asked.iter().filter(|asked| asked.refused_until.is_some()).count()
}

fn calls(ran: &Ran) -> usize {
    ran.asked.iter().filter(|asked| asked.what == What::Call && asked.refused_until.is_none()).count()
}

/// From the first call to the last.
fn took(ran: &Ran) -> TimeDelta {
    let calls: Vec<_> = ran.asked.iter().filter(|asked| asked.what == What::Call).collect();
    calls[calls.len() - 1].at - calls[0].at
}

#[test]
fn other_software_on_the_same_budget_slows_us_without_one_refusal() {
    let alone = shared_with(0, Telling::Headers);
    let mut fastest = took(&alone);
    for others in [10, 30, 45, 55] {
        let ran = shared_with(others, Telling::Headers);
        assert_eq!((refused(&ran), calls(&ran)), (0, 150), "{others} requests of others");
        assert!(took(&ran) >= fastest, "{others} requests of others: {} after {fastest}", took(&ran));
        fastest = took(&ran);
    }
    assert_eq!((refused(&alone), calls(&alone)), (0, 150));
    // They are spread over each minute, so that its first half is ours.
    assert!(fastest * 2 > took(&alone) * 3, "{fastest} with others, {} alone", took(&alone));
}

#[test]
fn after_a_refusal_nothing_is_sent_before_the_window_ends() {
    let ran = shared_with(45, Telling::RefusalsAlone);
    assert!(refused(&ran) > 3, "{}: a vendor whose answers tell nothing refuses some", refused(&ran));
    assert_eq!(calls(&ran), 150);
    let mut closed_until: Option<DateTime<Utc>> = None;
    for Asked { at, what, refused_until } in ran.asked {
        assert!(closed_until.is_none_or(|until| at >= until), "{what:?} at {at}, before {closed_until:?}");
        closed_until = refused_until.or(closed_until);
    }
}

#[test]
fn nothing_is_read_while_no_conversation_is_open() {
    // One line: two hours are too short for ninety calls, and the rest waits for the next morning.
    let campaign = neighbour::campaign("10:00-12:00", 1);
    let ran = neighbour::run(&campaign, neighbour::drafts(90), Settings::default(), Telling::Headers);
    let mut open: BTreeMap<_, (DateTime<Utc>, Option<DateTime<Utc>>)> = BTreeMap::new();
    for event in &ran.events {
        if let Event::Dialling { entry, at, .. } = event {
            open.insert(*entry, (*at, None));
        }
        if let Event::Ended { entry, at, .. } = event {
            open.get_mut(entry).expect("it was dialled").1 = Some(*at);
        }
    }
    let first = open.values().map(|(from, _)| *from).min().expect("a call");
    let last = open.values().map(|(from, _)| *from).max().expect("a call");
    assert!(last - first > TimeDelta::hours(20), "it took two days");
    let reads = ran.asked.iter().filter(|asked| asked.what != What::Call && asked.at > first);
    let idle: Vec<_> = reads
        .filter(|read| !open.values().any(|(from, to)| *from <= read.at && to.is_none_or(|to| read.at <= to)))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}

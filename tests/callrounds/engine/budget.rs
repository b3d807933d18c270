//! The request budget, shared with other software, as the vendor counts it: runs of the engine against the simulator's world
//! on virtual time.

use std::collections::BTreeMap;

use callrounds::engine::Event;
use callrounds::simulator::Settings;
use chrono::{DateTime, TimeDelta, Utc};

use crate::support::in_process_vendor::{self, RequestKind, RunRecord, SentRequest, VendorSignals};

/// 150 calls with 100 concurrent calls allowed, while other software makes `others` of the 60 requests a minute.
fn shared_with(others: u32, signals: VendorSignals) -> RunRecord {
    let mut settings = Settings::default();
    settings.budget.used_by_others = others;
    let campaign = in_process_vendor::campaign("10:00-18:00", 100);
    in_process_vendor::run(&campaign, in_process_vendor::new_entries(150), settings, signals)
}

fn refused(ran: &RunRecord) -> usize {
    ran.sent.iter().filter(|sent| sent.refused_until.is_some()).count()
}

fn calls(ran: &RunRecord) -> usize {
    ran.sent.iter().filter(|sent| sent.kind == RequestKind::Call && sent.refused_until.is_none()).count()
}

/// The time from the first call to the last.
fn took(ran: &RunRecord) -> TimeDelta {
    let calls: Vec<_> = ran.sent.iter().filter(|sent| sent.kind == RequestKind::Call).collect();
    calls[calls.len() - 1].at - calls[0].at
}

#[test]
fn other_software_on_the_same_budget_slows_us_without_one_refusal() {
    let alone = shared_with(0, VendorSignals::Headers);
    let mut fastest = took(&alone);
    for others in [10, 30, 45, 55] {
        let ran = shared_with(others, VendorSignals::Headers);
        assert_eq!((refused(&ran), calls(&ran)), (0, 150), "{others} requests of others");
        assert!(took(&ran) >= fastest, "{others} requests of others: {} after {fastest}", took(&ran));
        fastest = took(&ran);
    }
    assert_eq!((refused(&alone), calls(&alone)), (0, 150));
    // The other requests are spread over each minute, so at its beginning most of the budget is still ours.
    assert!(fastest * 2 > took(&alone) * 3, "{fastest} with others, {} alone", took(&alone));
}

#[test]
fn after_a_refusal_nothing_is_sent_before_the_window_ends() {
    let ran = shared_with(45, VendorSignals::RefusalsOnly);
    assert!(refused(&ran) > 3, "{}: without budget headers, some requests are refused", refused(&ran));
    assert_eq!(calls(&ran), 150);
    let mut closed_until: Option<DateTime<Utc>> = None;
    for SentRequest { at, kind, refused_until } in ran.sent {
        assert!(closed_until.is_none_or(|until| at >= until), "{kind:?} at {at}, before {closed_until:?}");
        closed_until = refused_until.or(closed_until);
    }
}

#[test]
fn nothing_is_read_while_no_conversation_is_open() {
    // One call at a time: two hours are too short for 90 calls, so the remaining ones wait for the next morning.
    let campaign = in_process_vendor::campaign("10:00-12:00", 1);
    let ran = in_process_vendor::run(
        &campaign,
        in_process_vendor::new_entries(90),
        Settings::default(),
        VendorSignals::Headers,
    );
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
    let reads = ran.sent.iter().filter(|sent| sent.kind != RequestKind::Call && sent.at > first);
    let idle: Vec<_> = reads
        .filter(|read| !open.values().any(|(from, to)| *from <= read.at && to.is_none_or(|to| read.at <= to)))
        .collect();
    assert!(idle.is_empty(), "{idle:?}");
}

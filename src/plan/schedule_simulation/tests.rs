use std::rc::Rc;

use super::*;
use crate::fixtures::{self, REQUIRED};
use crate::ids::EntryKey;
use crate::phone::E164;
use crate::plan::ExpectedSlot;
use crate::policy;

/// The start of eleven open hours on a Tuesday.
const OPENS: &str = "2026-11-24T15:00:00Z";

fn campaign(more: &str) -> Campaign {
    fixtures::load(&format!("{REQUIRED}[calling]\nwindow = \"09:00-20:00\"\n{more}"))
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// `count` calls to different numbers, all allowed from [`OPENS`] on.
fn calls(count: u32, campaign: &Campaign) -> Vec<PlannedCall> {
    let hours = Rc::new(Hours::for_practice(&campaign.calling, &campaign.practice.zone));
    let call = |n: u32| PlannedCall {
        key: EntryKey::new(n.to_string()),
        line: u64::from(n) + 2,
        entry: None,
        phone: E164::parse(&format!("+1312{:07}", 2_000_000 + n)).expect("a number"),
        earliest: utc(OPENS),
        slot: ExpectedSlot { at: Some(utc(OPENS)), why: SlotReason::Now },
        calls: 0,
        calls_to_number: 0,
        script: None,
        hours: Rc::clone(&hours),
        organisation: Rc::new(campaign.practice.organisation.clone()),
    };
    (0..count).map(call).collect()
}

#[test]
fn as_many_calls_fit_as_concurrency_and_budget_allow_and_the_others_wait_for_the_next_window() {
    let minute = CallDurations::measured(vec![40.0; ENOUGH]);
    for (rate, now, fit) in [
        // A call of forty seconds, and two until its end is known and the next request is due.
        ("[rate]\nopen_calls = 5\n", "2026-11-25T01:00:00Z", 420..=440),
        ("[rate]\nopen_calls = 10\n", "2026-11-25T01:00:00Z", 820..=880),
        // With enough concurrent calls, the limit is one request a second, and scans take their share.
        ("[rate]\nopen_calls = 500\n", "2026-11-25T01:40:00Z", 1_100..=1_200),
    ] {
        let campaign = campaign(rate);
        let mut calls = calls(2_000, &campaign);
        for call in &mut calls {
            (call.earliest, call.slot.at) = (utc(now), Some(utc(now)));
        }
        let forecast = play(&mut calls, &campaign, &minute, utc(now));
        assert!(fit.contains(&forecast.fit), "{rate}: {}", forecast.fit);
        assert_eq!(forecast.closes, Some(utc("2026-11-25T02:00:00Z")));
        let next = calls[forecast.fit as usize].slot;
        assert_eq!(
            (next.why, next.at.map(|at| at >= utc("2026-11-25T15:00:00Z"))),
            (SlotReason::WindowCloses, Some(true))
        );
    }
}

#[test]
fn a_call_beyond_max_calls_has_no_slot_in_this_run() {
    let campaign = campaign("[safety]\nmax_calls = 3\n");
    let mut calls = calls(5, &campaign);
    let forecast = play(&mut calls, &campaign, &CallDurations::default(), utc(OPENS));
    assert_eq!(forecast.calls, 3);
    assert_eq!(calls[3].slot, ExpectedSlot { at: None, why: SlotReason::MaxCalls });
}

#[test]
fn a_second_call_to_a_number_waits_for_the_day_after_the_first() {
    let campaign = campaign("");
    let mut calls = calls(2, &campaign);
    calls[1].phone = calls[0].phone;
    play(&mut calls, &campaign, &CallDurations::default(), utc(OPENS));
    assert_eq!(calls[1].slot.why, SlotReason::Rule(Reason::DailyCap));
    let caps = &campaign.calling.caps;
    assert!(calls[1].slot.at >= calls[0].slot.at.map(|at| policy::caps::end_of_gap(caps, at)), "with the margin");
}

#[test]
fn requests_are_the_calls_and_the_pages_that_show_their_ends() {
    let campaign = campaign("[rate]\nopen_calls = 200\n");
    let mut calls = calls(1_000, &campaign);
    let forecast = play(&mut calls, &campaign, &CallDurations::default(), utc(OPENS));
    assert!((1_020..=1_080).contains(&forecast.requests), "{}", forecast.requests);
    assert_eq!(forecast.calls, 1_000);
}

#[test]
fn measured_lengths_count_once_there_are_enough() {
    assert_eq!(CallDurations::measured(vec![40.0; ENOUGH - 1]).measured, 0);
    assert_eq!(CallDurations::measured(vec![40.0; ENOUGH]).measured, ENOUGH);
}

#[test]
fn the_forecast_names_the_fewest_concurrent_calls_with_which_the_most_fit() {
    let minute = CallDurations::measured(vec![40.0; ENOUGH]);
    let play_with = |open_calls: u32, count: u32| {
        let campaign = campaign(&format!("[rate]\nopen_calls = {open_calls}\n"));
        let mut calls = calls(count, &campaign);
        for call in &mut calls {
            (call.earliest, call.slot.at) = (utc("2026-11-25T01:00:00Z"), Some(utc("2026-11-25T01:00:00Z")));
        }
        play(&mut calls, &campaign, &minute, utc("2026-11-25T01:00:00Z"))
    };
    let forecast = play_with(5, 600);
    let more = forecast.with_more_places.expect("more concurrent calls help");
    assert_eq!(more.fit, 600);
    assert!(forecast.fit < 600 && (7..=8).contains(&more.open_calls), "{forecast:?}");
    assert_eq!(play_with(more.open_calls, 600).fit, 600);
    assert!(play_with(more.open_calls - 1, 600).fit < 600);
    assert_eq!(play_with(more.open_calls, 600).with_more_places, None);
    // The requests are the limit: no number of concurrent calls lets all of them fit.
    let budget = play_with(10, 4_500).with_more_places.expect("more concurrent calls help");
    assert!(budget.fit < 4_000, "{budget:?}");
}

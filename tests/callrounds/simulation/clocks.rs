//! Clocks (`faults.md`, row 10): hours that close while a call is on its way to be dialled, clocks that are off, and clocks
//! that are set back.

use std::sync::Arc;

use chrono::TimeDelta;

use super::life::Story;
use super::machine::Machine;
use super::plan::Plan;
use super::trace::Trace;
use super::{callable, clock, live_on, small};

/// A campaign in which nothing goes wrong but the clock; the vendor says what time it is.
fn with(habit: clock::Habit, change: impl FnOnce(&mut Plan)) -> Story {
    let mut plan = small();
    plan.vendor.dated = true;
    plan.vendor.ahead = TimeDelta::zero();
    plan.clock = habit;
    change(&mut plan);
    live_on(
        2,
        plan,
        |disk| Machine::told(None, false, 2, disk),
        if std::env::var_os("TELL").is_some() { Trace::Told } else { Trace::Silent },
    )
}

#[test]
fn hours_that_close_between_the_claim_and_the_dialling_are_kept() {
    let mut closed = 0;
    for early in 0..60 {
        let habit = clock::Habit { hesitation: TimeDelta::milliseconds(200), ..clock::Habit::default() };
        let story = with(habit, |plan| {
            let zone = &plan.campaign.practice.zone;
            let day = zone.local(plan.start).date();
            let end = zone.first_instant(day.and_time(plan.campaign.calling.window.end));
            plan.start = end - TimeDelta::milliseconds(early * 500);
        });
        assert_eq!(story.broken, Vec::<String>::new(), "{early}");
        closed += story.met.closed;
    }
    assert!(closed > 3, "only {closed} calls were stopped at the last moment");
}

fn real(off: TimeDelta, set: Option<(u64, TimeDelta)>) -> clock::Habit {
    clock::Habit { off, set, real: true, ..clock::Habit::default() }
}

#[test]
fn a_clock_that_is_off_by_more_than_two_minutes_dials_nobody_until_it_is_set_right() {
    // An answer is under way for some seconds, and its date has no fractions.
    for (seconds, stops) in [(1, false), (60, false), (110, false), (123, true), (3_600, true), (86_400, true)] {
        for off in [TimeDelta::seconds(seconds), -TimeDelta::seconds(seconds)] {
            let story = with(real(off, None), |_| ());
            assert_eq!(story.broken, Vec::<String>::new(), "{off}");
            assert!(story.met.calls > 0, "{off}: in the end everybody is called");
            assert_eq!(story.met.clocks > 0, stops, "{off}: {:?}", story.met);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_past_the_newest_event_stops_the_run() {
    for (seconds, stops) in [(1, false), (100, false), (125, true), (3_600, true), (86_400, true)] {
        let story = with(real(TimeDelta::zero(), Some((2, -TimeDelta::seconds(seconds)))), |plan| {
            let campaign = Arc::make_mut(&mut plan.campaign);
            campaign.rate.open_calls = 10;
        });
        assert_eq!(story.broken, Vec::<String>::new(), "{seconds}");
        assert!(story.met.calls > 2, "{seconds}: in the end everybody is called");
        assert_eq!(story.met.clocks > 0, stops, "{seconds}: {:?}", story.met);
    }
}

#[test]
fn what_a_proxy_has_kept_for_an_hour_proves_nothing_and_ends_nothing() {
    let (mut lost, mut kept) = (0, 0);
    for nth in 2..12 {
        let story = with(real(TimeDelta::zero(), None), |plan| {
            plan.lists = vec![(0..9).map(callable).collect()];
            plan.vendor.stale_dates = nth;
            plan.vendor.call_faults = 60;
        });
        assert_eq!(story.broken, Vec::<String>::new(), "every {nth}th answer");
        assert_eq!(story.met.clocks, 0, "every {nth}th answer");
        lost += story.met.lost;
        kept += story.met.list.stale_dates;
    }
    assert!(lost > 10 && kept > 100, "{lost} lost, {kept} kept");
}

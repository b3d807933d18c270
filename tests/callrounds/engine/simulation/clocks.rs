//! Clocks (`faults.md`, row 10): hours that close between the claim and the request, clocks that are wrong, and clocks that
//! are set back. `CALLROUNDS_TRACE=1` logs every step of these tests to standard error.

use std::sync::Arc;

use chrono::TimeDelta;

use super::machine::Machine;
use super::plan::Plan;
use super::run_lifecycle::SeedResult;
use super::trace::Trace;
use super::{callable_person, clock, run_seed_on, small_plan};

/// Runs a campaign whose only fault is its clock; the vendor's answers carry `Date`.
fn with(habit: clock::Habit, change: impl FnOnce(&mut Plan)) -> SeedResult {
    let mut plan = small_plan();
    plan.vendor.dated = true;
    plan.vendor.ahead = TimeDelta::zero();
    plan.clock = habit;
    change(&mut plan);
    run_seed_on(
        2,
        plan,
        |disk| Machine::with_fault(None, false, 2, disk),
        if std::env::var_os("CALLROUNDS_TRACE").is_some() { Trace::On } else { Trace::Off },
    )
}

#[test]
fn hours_that_close_between_the_claim_and_the_dialling_are_kept() {
    let mut closed = 0;
    for early in 0..60 {
        let habit = clock::Habit { hesitation: TimeDelta::milliseconds(200), ..clock::Habit::default() };
        let result = with(habit, |plan| {
            let zone = &plan.campaign.practice.zone;
            let day = zone.local(plan.start).date();
            let end = zone.first_instant(day.and_time(plan.campaign.calling.window.end));
            // No call begins in the last minute.
            plan.start = end - TimeDelta::minutes(1) - TimeDelta::milliseconds(early * 500);
        });
        assert_eq!(result.broken, Vec::<String>::new(), "{early}");
        closed += result.coverage.closed;
    }
    assert!(closed > 3, "only {closed} calls were stopped at the last moment");
}

fn real(off: TimeDelta, set: Option<(u64, TimeDelta)>) -> clock::Habit {
    clock::Habit { off, set, real: true, ..clock::Habit::default() }
}

#[test]
fn a_clock_that_is_off_by_more_than_two_minutes_dials_nobody_until_it_is_set_right() {
    // An answer travels for some seconds, and its `Date` has no fractions of a second.
    for (seconds, stops) in [(1, false), (60, false), (110, false), (123, true), (3_600, true), (86_400, true)] {
        for off in [TimeDelta::seconds(seconds), -TimeDelta::seconds(seconds)] {
            let result = with(real(off, None), |_| ());
            assert_eq!(result.broken, Vec::<String>::new(), "{off}");
            assert!(result.coverage.calls > 0, "{off}: in the end everybody is called");
            assert_eq!(result.coverage.clocks > 0, stops, "{off}: {:?}", result.coverage);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_past_the_newest_event_stops_the_run() {
    for (seconds, stops) in [(1, false), (100, false), (125, true), (3_600, true), (86_400, true)] {
        let result = with(real(TimeDelta::zero(), Some((2, -TimeDelta::seconds(seconds)))), |plan| {
            let campaign = Arc::make_mut(&mut plan.campaign);
            campaign.rate.open_calls = 10;
        });
        assert_eq!(result.broken, Vec::<String>::new(), "{seconds}");
        assert!(result.coverage.calls > 2, "{seconds}: in the end everybody is called");
        assert_eq!(result.coverage.clocks > 0, stops, "{seconds}: {:?}", result.coverage);
    }
}

#[test]
fn a_cached_answer_an_hour_old_proves_nothing_and_ends_no_run() {
    let (mut lost, mut kept) = (0, 0);
    for nth in 2..12 {
        let result = with(real(TimeDelta::zero(), None), |plan| {
            plan.lists = vec![(0..9).map(callable_person).collect()];
            plan.vendor.stale_dates = nth;
            plan.vendor.call_faults = 60;
        });
        assert_eq!(result.broken, Vec::<String>::new(), "every {nth}th answer");
        assert_eq!(result.coverage.clocks, 0, "every {nth}th answer");
        lost += result.coverage.lost;
        kept += result.coverage.list.stale_dates;
    }
    assert!(lost > 10 && kept > 100, "{lost} lost, {kept} kept");
}

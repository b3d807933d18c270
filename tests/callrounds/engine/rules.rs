//! Every rule in every zone of the United States and Canada over two years: each call is within the hours of every zone that
//! applies, below every cap, and never after an opt-out. The hours are the oracle's ([`super::hours`]), the caps are counted
//! here.

use callrounds::campaign::Campaign;
use callrounds::entry::{CalledPartyZones, ZoneSource};
use callrounds::phone::E164;
use callrounds::policy::{self, CallFacts, CallRules, ContactResult, Decision, NumberHistory, PastCall};
use chrono::{DateTime, TimeDelta, Utc, Weekday};

use super::hours::{OracleWindow, oracle_windows, start};
use crate::support::fixtures::{self, CONSENT, REQUIRED};
use crate::support::seeded_rng::SeededRng;

/// Numbers simulated in each zone.
const RUNS_PER_ZONE: u64 = 12;

/// The four Sundays on which the clocks change, as days since 1 January 2026.
const CLOCK_CHANGE_DAYS: [i64; 4] = [66, 304, 437, 675];

/// The last day that the oracle covers completely.
const LAST_DAY: i64 = 725;

/// Nine to twenty in the practice's zone and wherever the called party may be, Monday to Saturday.
fn campaign(zone: &str) -> Campaign {
    let calling = "window = \"09:00-20:00\"\nzone_mode = \"row-wins\"\n\
                   days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]\n[calling.holidays]\nobserve = \"off\"\n";
    fixtures::load(&format!("{}{CONSENT}{calling}", REQUIRED.replace("America/Chicago", zone)))
}

/// Counts over all simulated numbers.
#[derive(Default)]
struct Counts {
    calls: u64,
    waits: u64,
    cooled: u64,
    opted_out: u64,
}

/// Simulates one number: it is called whenever the rules allow it, with random results.
fn simulate_number(zones: [&OracleWindow; 2], rng: &mut SeededRng, counts: &mut Counts) {
    let campaign = campaign(zones[0].zone);
    let phone = E164::parse("+13125550142").expect("a number");
    let called = CalledPartyZones { zones: vec![zones[1].zone.into()], regions: vec![], source: ZoneSource::Row };
    let rules = CallRules::new(&campaign, &campaign.practice, phone, &called);
    let mut facts = CallFacts::without_ledger(Some(&rules), None);
    let day = if rng.chance(50) { rng.pick(&CLOCK_CHANGE_DAYS) - 3 } else { i64::from(rng.between(0, 700)) };
    let mut now = start() + TimeDelta::days(day) + rng.up_to(TimeDelta::days(1));
    while now < start() + TimeDelta::days(LAST_DAY) && facts.history.placements.len() < 40 {
        match policy::decide(&facts, now) {
            Decision::Call { until, .. } => {
                assert!(!facts.suppressed, "called after an opt-out");
                within_the_hours(zones, now, until);
                under_the_caps(&facts.history, now);
                counts.calls += 1;
                let reached = rng.pick(&[
                    ContactResult::Somebody,
                    ContactResult::Nobody,
                    ContactResult::Nobody,
                    ContactResult::NotKnown,
                ]);
                facts.history.placements.push(PastCall { at: now, reached });
                facts.suppressed = rng.chance(2);
                now += rng.up_to(TimeDelta::days(2));
            }
            Decision::Wait { until, .. } => {
                assert!(until > now, "a wait that is over");
                counts.waits += 1;
                counts.cooled += u64::from(until - now > TimeDelta::days(20));
                // Half of the time, the decision is asked for too early.
                let early = now + (until - now) / i32::try_from(rng.between(2, 9)).expect("a few");
                now = if rng.chance(50) { until } else { early.max(now + TimeDelta::seconds(1)) };
            }
            Decision::Never(_) if facts.suppressed => {
                counts.opted_out += 1;
                return;
            }
            // The hours of two distant zones may not overlap.
            Decision::Hold(_) => return,
            Decision::Never(_) | Decision::Settled(_) | Decision::TooLate(_) => panic!("no rule allows this"),
        }
    }
}

fn within_the_hours(zones: [&OracleWindow; 2], now: DateTime<Utc>, until: DateTime<Utc>) {
    for oracle in zones {
        let minute = (now - start()).num_minutes();
        let (open, closes) = oracle.at(minute);
        assert!(open, "{} is closed at {now}", oracle.zone);
        let closes = start() + TimeDelta::minutes(closes.expect("a turn"));
        assert!(until <= closes, "{}: allowed until {until}, closed from {closes}", oracle.zone);
        assert_ne!(oracle.weekday(minute), Weekday::Sun, "{} at {now}", oracle.zone);
    }
}

/// Checks the vendor's caps, counted from the history.
fn under_the_caps(history: &NumberHistory, now: DateTime<Utc>) {
    let within = |span: TimeDelta| history.placements.iter().filter(|placed| now - placed.at < span).count();
    for (span, most) in [(TimeDelta::hours(24), 1), (TimeDelta::days(7), 3), (TimeDelta::days(30), 6)] {
        assert!(within(span) < most, "one call too many within {span} at {now}");
    }
    let known: Vec<_> = history.placements.iter().filter(|placed| placed.reached != ContactResult::NotKnown).collect();
    let failed = known.iter().rev().take_while(|placed| placed.reached == ContactResult::Nobody).count();
    let last = history.placements.last().map(|placed| placed.at);
    let rested = last.is_none_or(|last| now - last >= TimeDelta::days(30));
    assert!(failed < 3 || rested, "called at {now} in the 30 days after three failures");
}

#[test]
fn no_call_is_outside_the_hours_of_any_zone_over_any_cap_or_after_an_opt_out() {
    let oracles: Vec<_> = oracle_windows().into_iter().filter(|oracle| oracle.window == "09:00-20:00").collect();
    let mut counts = Counts::default();
    for (at, oracle) in oracles.iter().enumerate() {
        for run in 0..RUNS_PER_ZONE {
            let mut rng = SeededRng::new(at as u64 * RUNS_PER_ZONE + run);
            let practice = if rng.chance(50) { oracle } else { rng.pick(&oracles.iter().collect::<Vec<_>>()) };
            simulate_number([practice, oracle], &mut rng, &mut counts);
        }
    }
    let Counts { calls, waits, cooled, opted_out } = counts;
    eprintln!(
        "{} zones: {calls} calls, {waits} waits ({cooled} of over 20 days), {opted_out} opt-outs: 0 violations",
        oracles.len()
    );
    assert!(calls > 5_000 && cooled > 500 && opted_out > 50, "{calls} {cooled} {opted_out}: too little was tried");
}

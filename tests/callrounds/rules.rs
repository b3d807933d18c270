//! Every rule over every zone of the United States and Canada and two years of instants: whoever is called is called within
//! the hours of every zone that applies, under every cap, and never after an opt-out. The hours are the oracle's
//! ([`super::hours`]), the caps are counted here.

use callrounds::campaign::{self, Allowances, Campaign};
use callrounds::entry::{CalledPartyZones, ZoneSource};
use callrounds::phone::E164;
use callrounds::policy::{self, Case, Decision, Hours, NumberHistory, Placement, Reached};
use chrono::{DateTime, TimeDelta, Utc, Weekday};

use crate::hours::{Oracle, lines, start};
use crate::simulation::dice::Dice;

/// Lives that are played in each zone.
const LIVES: u64 = 12;

/// Days around the four Sundays on which the clocks change, counted from the first of January 2026.
const CHANGES: [i64; 4] = [66, 304, 437, 675];

/// The last day that the oracle knows whole.
const LAST_DAY: i64 = 725;

/// Nine to twenty in the practice's zone and wherever the called party may be, Monday to Saturday.
fn campaign(zone: &str) -> Campaign {
    let text = format!(
        "name = \"r\"\npurpose = \"recall\"\n[practice]\nname = \"Bright Smile Dental\"\ntimezone = \"{zone}\"\n\
         from_number = \"+13125550142\"\n[calling]\nconsent = \"on_file\"\nwindow = \"09:00-20:00\"\nzone_mode = \"row-wins\"\n\
         days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]\n[calling.holidays]\nobserve = \"off\"\n"
    );
    campaign::load(&text, "c.toml", std::path::PathBuf::new(), Allowances::default())
        .unwrap_or_else(|problems| panic!("{zone}: {}", problems.drawn(false)))
}

/// What was seen in all lives.
#[derive(Default)]
struct Seen {
    calls: u64,
    waits: u64,
    cooled: u64,
    opted_out: u64,
}

/// One number's life: it is called whenever the rules allow it, and takes the calls as the dice will have it.
fn live(zones: [&Oracle; 2], dice: &mut Dice, seen: &mut Seen) {
    let campaign = campaign(zones[0].zone);
    let phone = E164::parse("+13125550142").expect("a number");
    let called = CalledPartyZones { zones: vec![zones[1].zone.into()], regions: vec![], source: ZoneSource::Row };
    let hours = Hours::of_entry(&campaign.calling, &campaign.practice.zone, phone, &called);
    let mut history = NumberHistory::default();
    let mut suppressed = false;
    let day = if dice.chance(50) { dice.pick(&CHANGES) - 3 } else { i64::from(dice.between(0, 700)) };
    let mut now = start() + TimeDelta::days(day) + dice.some_time(TimeDelta::days(1));
    while now < start() + TimeDelta::days(LAST_DAY) && history.placements.len() < 40 {
        let case = Case {
            hours: &hours,
            caps: &campaign.calling.caps,
            state_cap: None,
            history: &history,
            suppressed,
            spoken_for: false,
            not_after: None,
            again: None,
        };
        match policy::decide(&case, now) {
            Decision::Call { until } => {
                assert!(!suppressed, "called after an opt-out");
                within_the_hours(zones, now, until);
                under_the_caps(&history, now);
                seen.calls += 1;
                let reached = dice.pick(&[Reached::Somebody, Reached::Nobody, Reached::Nobody, Reached::NotKnown]);
                history.placements.push(Placement { at: now, reached });
                suppressed = dice.chance(2);
                now += dice.some_time(TimeDelta::days(2));
            }
            Decision::Wait { until, .. } => {
                assert!(until > now, "a wait that is over");
                seen.waits += 1;
                seen.cooled += u64::from(until - now > TimeDelta::days(20));
                // Half of the time somebody asks too early.
                let asked = now + (until - now) / i32::try_from(dice.between(2, 9)).expect("a few");
                now = if dice.chance(50) { until } else { asked.max(now + TimeDelta::seconds(1)) };
            }
            Decision::Never(_) if suppressed => {
                seen.opted_out += 1;
                return;
            }
            // Hours far apart may have nothing in common.
            Decision::Hold(_) => return,
            Decision::Never(_) | Decision::TooLate => panic!("nothing says so"),
        }
    }
}

fn within_the_hours(zones: [&Oracle; 2], now: DateTime<Utc>, until: DateTime<Utc>) {
    for oracle in zones {
        let minute = (now - start()).num_minutes();
        let (open, closes) = oracle.at(minute);
        assert!(open, "{} is closed at {now}", oracle.zone);
        let closes = start() + TimeDelta::minutes(closes.expect("a turn"));
        assert!(until <= closes, "{}: allowed until {until}, closed from {closes}", oracle.zone);
        assert_ne!(oracle.weekday(minute), Weekday::Sun, "{} at {now}", oracle.zone);
    }
}

/// The vendor's limits, counted anew for each call.
fn under_the_caps(history: &NumberHistory, now: DateTime<Utc>) {
    let within = |span: TimeDelta| history.placements.iter().filter(|placed| now - placed.at < span).count();
    for (span, most) in [(TimeDelta::hours(24), 1), (TimeDelta::days(7), 3), (TimeDelta::days(30), 6)] {
        assert!(within(span) < most, "a call too many within {span} at {now}");
    }
    let known: Vec<_> = history.placements.iter().filter(|placed| placed.reached != Reached::NotKnown).collect();
    let failed = known.iter().rev().take_while(|placed| placed.reached == Reached::Nobody).count();
    let last = history.placements.last().map(|placed| placed.at);
    let rested = last.is_none_or(|last| now - last >= TimeDelta::days(30));
    assert!(failed < 3 || rested, "called at {now} in the 30 days after three failures");
}

#[test]
fn no_call_is_outside_the_hours_of_any_zone_over_any_cap_or_after_an_opt_out() {
    let oracles: Vec<_> = lines().into_iter().filter(|oracle| oracle.window == "09:00-20:00").collect();
    let mut seen = Seen::default();
    for (at, oracle) in oracles.iter().enumerate() {
        for life in 0..LIVES {
            let mut dice = Dice::new(at as u64 * LIVES + life);
            let practice = if dice.chance(50) { oracle } else { dice.pick(&oracles.iter().collect::<Vec<_>>()) };
            live([practice, oracle], &mut dice, &mut seen);
        }
    }
    let Seen { calls, waits, cooled, opted_out } = seen;
    eprintln!(
        "{} zones: {calls} calls, {waits} waits ({cooled} of over 20 days), {opted_out} opt-outs: 0 violations",
        oracles.len()
    );
    assert!(calls > 5_000 && cooled > 500 && opted_out > 50, "{calls} {cooled} {opted_out}: too little was tried");
}

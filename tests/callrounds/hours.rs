//! Calling hours against an independent oracle, in every zone of the United States and Canada over two years: 2026 and 2027,
//! with both of their transitions. `tests/fixtures/windows.py` made the oracle.

use callrounds::campaign::DayWindow;
use callrounds::policy::Hours;
use callrounds::policy::window::{Daily, WEEK};
use callrounds::zone::Zone;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};

const ORACLE: &str = include_str!("../fixtures/windows.tsv");
const START: &str = "2026-01-01T00:00:00Z";
const MINUTES: i64 = 730 * 24 * 60;

/// One line of the oracle: a window in a zone, and the minutes since [`START`] at which it opens or closes.
pub struct Oracle {
    pub zone: &'static str,
    pub window: &'static str,
    hours: Hours,
    open_at_first: bool,
    turns: Vec<i64>,
}

impl Oracle {
    fn parse(line: &'static str) -> Self {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let [zone, window, first, runs] = *cells.as_slice() else { panic!("{line}") };
        let time = |text| NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
        let (start, end) = window.split_once('-').expect("a window");
        let named = Zone::named(zone).expect("a zone");
        let hours = Hours::all_of(vec![Daily::on(named, &WEEK, DayWindow { start: time(start), end: time(end) })]);
        let mut turns = vec![0];
        for run in runs.split(',') {
            let (count, steps) = run.split_once('x').expect("a run");
            for _ in 0..count.parse::<u32>().expect("a count") {
                for step in steps.split(' ') {
                    turns.push(turns.last().expect("the first") + step.parse::<i64>().expect("minutes"));
                }
            }
        }
        Self { zone, window, hours, open_at_first: first == "open", turns }
    }

    /// Whether the window is open at a minute, and when it next opens or closes after it.
    pub fn at(&self, minute: i64) -> (bool, Option<i64>) {
        let passed = self.turns.partition_point(|turn| *turn <= minute);
        ((passed % 2 == 1) == self.open_at_first, self.turns.get(passed).copied())
    }

    /// The weekday of an open minute. All these zones lie west of Greenwich, so that the first turn is of the last day of
    /// 2025, a Wednesday, and every day has one opening.
    pub fn weekday(&self, minute: i64) -> Weekday {
        let passed = self.turns.partition_point(|turn| *turn <= minute);
        let day = if self.open_at_first { passed.div_ceil(2) - 1 } else { passed / 2 };
        (0..day).fold(Weekday::Wed, |day, _| day.succ())
    }
}

pub fn start() -> DateTime<Utc> {
    START.parse().expect("an instant")
}

/// Every window of every zone.
pub fn lines() -> Vec<Oracle> {
    ORACLE.lines().filter(|line| !line.starts_with('#')).map(Oracle::parse).collect()
}

#[test]
fn no_zone_has_a_minute_that_is_open_for_us_and_closed_for_the_oracle_or_the_other_way_round() {
    let lines = lines();
    assert!(lines.len() >= 60, "{} lines", lines.len());
    let mut transitions = 0;
    for oracle in &lines {
        let (zone, window) = (oracle.zone, oracle.window);
        // Two years in steps that come past every minute of the day, and the minute on either side of each turn.
        let around = oracle.turns.iter().flat_map(|turn| [turn - 1, *turn, turn + 1]);
        let minutes = (0..MINUTES).step_by(353).chain(around).filter(|minute| (0..MINUTES).contains(minute));
        for minute in minutes {
            let now = start() + TimeDelta::minutes(minute);
            let (open, turn) = oracle.at(minute);
            let turn = turn.map(|turn| start() + TimeDelta::minutes(turn));
            assert_eq!(oracle.hours.closes(now).is_some(), open, "{zone} {window} at {now}");
            let Some(turn) = turn else { continue };
            let told = if open { oracle.hours.closes(now) } else { oracle.hours.next_open(now) };
            assert_eq!(told, Some(turn), "{zone} {window} from {now}");
        }
        let steps: Vec<i64> = oracle.turns.windows(3).skip(1).map(|turns| turns[2] - turns[0]).collect();
        transitions += steps.iter().filter(|step| **step != 24 * 60).count();
    }
    assert!(transitions > 200, "{transitions}: the oracle's years have no summer time");
}

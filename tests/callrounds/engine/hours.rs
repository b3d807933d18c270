//! Dialing hours compared with an independent oracle, in every zone of the United States and Canada in 2026 and 2027, all
//! daylight saving changes included. `tests/fixtures/windows.py` generated the oracle.

use callrounds::campaign::DayWindow;
use callrounds::policy::Hours;
use callrounds::policy::dialing_hours::{WEEK, ZoneHours};
use callrounds::zone::Zone;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};

const ORACLE: &str = include_str!("../../fixtures/windows.tsv");
const START: &str = "2026-01-01T00:00:00Z";
const MINUTES: i64 = 730 * 24 * 60;

/// One line of the oracle: a window in a zone, and the minutes since [`START`] at which it opens or closes, ascending.
pub struct OracleWindow {
    pub zone: &'static str,
    pub window: &'static str,
    hours: Hours,
    open_at_first: bool,
    changes: Vec<i64>,
}

impl OracleWindow {
    fn parse(line: &'static str) -> Self {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let [zone, window, first, runs] = *cells.as_slice() else { panic!("{line}") };
        let time = |text| NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
        let (start, end) = window.split_once('-').expect("a window");
        let named = Zone::named(zone).expect("a zone");
        let hours = Hours::all_of(vec![ZoneHours::on(named, &WEEK, DayWindow { start: time(start), end: time(end) })]);
        let mut changes = vec![0];
        for run in runs.split(',') {
            let (count, steps) = run.split_once('x').expect("a run");
            for _ in 0..count.parse::<u32>().expect("a count") {
                for step in steps.split(' ') {
                    changes.push(changes.last().expect("the first") + step.parse::<i64>().expect("minutes"));
                }
            }
        }
        Self { zone, window, hours, open_at_first: first == "open", changes }
    }

    /// Whether the window is open at a minute, and when it next opens or closes after it.
    pub fn at(&self, minute: i64) -> (bool, Option<i64>) {
        let passed = self.changes.partition_point(|change| *change <= minute);
        ((passed % 2 == 1) == self.open_at_first, self.changes.get(passed).copied())
    }

    /// The weekday of an open minute. All these zones lie west of Greenwich, so the first change belongs to the last day of
    /// 2025, a Wednesday, and every day has one opening.
    pub fn weekday(&self, minute: i64) -> Weekday {
        let passed = self.changes.partition_point(|change| *change <= minute);
        let day = if self.open_at_first { passed.div_ceil(2) - 1 } else { passed / 2 };
        (0..day).fold(Weekday::Wed, |day, _| day.succ())
    }
}

pub fn start() -> DateTime<Utc> {
    START.parse().expect("an instant")
}

/// Every window of every zone.
pub fn oracle_windows() -> Vec<OracleWindow> {
    ORACLE.lines().filter(|line| !line.starts_with('#')).map(OracleWindow::parse).collect()
}

#[test]
fn every_window_is_open_exactly_when_the_oracle_says_so() {
    let oracle_windows = oracle_windows();
    assert!(oracle_windows.len() >= 60, "{} lines", oracle_windows.len());
    let mut transitions = 0;
    for oracle in &oracle_windows {
        let (zone, window) = (oracle.zone, oracle.window);
        // Two years in steps that visit every minute of the day, and the minutes around each change.
        let around = oracle.changes.iter().flat_map(|change| [change - 1, *change, change + 1]);
        let minutes = (0..MINUTES).step_by(353).chain(around).filter(|minute| (0..MINUTES).contains(minute));
        for minute in minutes {
            let now = start() + TimeDelta::minutes(minute);
            let (open, change) = oracle.at(minute);
            let change = change.map(|change| start() + TimeDelta::minutes(change));
            assert_eq!(oracle.hours.closes(now).is_some(), open, "{zone} {window} at {now}");
            let Some(change) = change else { continue };
            let next_change = if open { oracle.hours.closes(now) } else { oracle.hours.next_open(now) };
            assert_eq!(next_change, Some(change), "{zone} {window} from {now}");
        }
        let steps: Vec<i64> = oracle.changes.windows(3).skip(1).map(|changes| changes[2] - changes[0]).collect();
        transitions += steps.iter().filter(|step| **step != 24 * 60).count();
    }
    assert!(transitions > 200, "{transitions}: the oracle's years have no summer time");
}

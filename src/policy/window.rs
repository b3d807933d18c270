//! The hours in which a call may be made: the vendor's legal hours and the campaign's own hours in the practice's zone,
//! and the preset's hours in every zone in which the called party may be. A call must lie in all of them.

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, Utc, Weekday};

use crate::campaign::{Campaign, DayWindow, Preset, ZoneMode};
use crate::entry::{CalledPartyZones, ZoneSource};
use crate::phone::E164;
use crate::phone::area_codes;
use crate::zone::Zone;

/// Monday to Sunday.
pub const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// How far ahead an open moment is looked for. Hours repeat weekly, so what is closed for two weeks stays closed.
const HORIZON: TimeDelta = TimeDelta::days(15);

/// Weekly hours in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daily {
    zone: Zone,
    /// Monday first.
    days: [Option<DayWindow>; 7],
}

impl Daily {
    /// The same hours on each of `days`, none on the others.
    #[must_use]
    pub fn on(zone: Zone, days: &[Weekday], window: DayWindow) -> Self {
        Self { zone, days: WEEK.map(|day| days.contains(&day).then_some(window)) }
    }

    /// The first instant from `from` on at which these hours are open.
    fn next_open(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.zone.local(from);
        (0..8).find_map(|ahead| {
            let date = local.date() + TimeDelta::days(ahead);
            let window = self.days[date.weekday().num_days_from_monday() as usize]?;
            if ahead == 0 && window.start <= local.time() {
                return (local.time() < window.end).then_some(from);
            }
            let start = date.and_time(window.start);
            // In the second pass of a fold, the first instant that shows `start` has gone by.
            let opens = self.zone.first_instant(start);
            Some(if opens < from { self.zone.last_instant(start).max(from) } else { opens })
        })
    }

    /// When these hours, open at `now`, close.
    fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.zone.local(now);
        let window = self.days[local.weekday().num_days_from_monday() as usize]?;
        let open = window.start <= local.time() && local.time() < window.end;
        open.then(|| self.zone.first_instant(local.date().and_time(window.end)).max(now))
    }
}

/// Hours that must all be open for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<Daily>);

impl Hours {
    /// Open when all of `parts` are.
    #[must_use]
    pub fn all_of(parts: Vec<Daily>) -> Self {
        Self(parts)
    }

    /// The hours that bind every entry of `campaign`: the vendor's and its own, in the practice's zone.
    #[must_use]
    pub fn of_practice(campaign: &Campaign) -> Self {
        let zone = &campaign.practice.zone;
        Self(vec![
            Daily::on(zone.clone(), &WEEK, vendor_hours()),
            Daily::on(zone.clone(), &campaign.calling.days, campaign.calling.window),
        ])
    }

    /// The hours in which one entry may be called: the practice's, narrowed by the preset's in every zone that counts.
    #[must_use]
    pub fn of_entry(campaign: &Campaign, phone: E164, called: &CalledPartyZones) -> Self {
        let mut hours = Self::of_practice(campaign);
        let calling = &campaign.calling;
        let Some(zones) = zones_that_count(calling.zone_mode, phone, called) else {
            // A zone without rules has no hours that could be kept: better nobody than somebody at night.
            hours.0.push(Daily { zone: campaign.practice.zone.clone(), days: [None; 7] });
            return hours;
        };
        for zone in zones {
            hours.0.push(if calling.allow_wider {
                // The operator takes the campaign's own hours for the called party's as well.
                Daily::on(zone, &calling.days, calling.window)
            } else {
                preset_hours(calling.preset, zone)
            });
        }
        hours
    }

    /// The first instant from `from` on at which a call may be made; `None` if there is none in two weeks.
    #[must_use]
    pub fn next_open(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let mut at = from;
        while at - from <= HORIZON {
            let latest = self.0.iter().map(|daily| daily.next_open(at)).collect::<Option<Vec<_>>>()?;
            match latest.into_iter().max() {
                Some(later) if later > at => at = later,
                _ => return Some(at),
            }
        }
        None
    }

    /// When these hours, open at `now`, close; `None` if they are closed now.
    #[must_use]
    pub fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().map(|daily| daily.closes(now)).collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

/// 9 AM to 8 PM in the organisation's zone (`annie-api.md`, POST /calls).
#[must_use]
pub fn vendor_hours() -> DayWindow {
    DayWindow { start: clock(9, 0), end: clock(20, 0) }
}

fn clock(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).expect("the hours below are hours of a day")
}

fn preset_hours(preset: Preset, zone: Zone) -> Daily {
    let from_to = |start, end| Some(DayWindow { start, end });
    let days = match preset {
        Preset::VendorSafe => {
            let day = from_to(clock(9, 0), clock(20, 0));
            [day, day, day, day, day, day, None]
        }
        Preset::UsFederal => [from_to(clock(8, 0), clock(21, 0)); 7],
        Preset::Canada => {
            let (week, weekend) = (from_to(clock(9, 0), clock(21, 30)), from_to(clock(10, 0), clock(18, 0)));
            [week, week, week, week, week, weekend, weekend]
        }
    };
    Daily { zone, days }
}

/// What the row says and what the number suggests: both count, unless a zone that the row names is to win alone. A
/// called party of whom nothing is known may be anywhere in the United States or Canada. `None`: one of them is unknown.
fn zones_that_count(mode: ZoneMode, phone: E164, called: &CalledPartyZones) -> Option<Vec<Zone>> {
    let mut names: Vec<&str> = called.zones.iter().map(String::as_str).collect();
    let row_decides = mode == ZoneMode::RowWins && called.source == ZoneSource::Row;
    if !row_decides {
        let area = phone.north_american().map(|number| number.area);
        names.extend(area.and_then(area_codes::zones_of).unwrap_or_default().iter().copied());
    }
    if names.is_empty() {
        names = area_codes::all_zones().collect();
    }
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| Zone::named(name).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        Zone::named(name).expect("a zone")
    }

    fn from_to(start: u32, end: u32) -> DayWindow {
        DayWindow { start: clock(start, 0), end: clock(end, 0) }
    }

    #[track_caller]
    fn check_zones(mode: ZoneMode, source: ZoneSource, row: &[&str], expected: Option<&[&str]>) {
        let called = CalledPartyZones { zones: row.iter().map(ToString::to_string).collect(), source };
        let chicago = E164::parse("+13125550142").expect("a number");
        let zones = zones_that_count(mode, chicago, &called);
        let names = zones.as_ref().map(|zones| zones.iter().map(Zone::name).collect::<Vec<_>>());
        assert_eq!(names.as_deref(), expected);
    }

    #[test]
    fn what_the_row_says_and_what_the_number_suggests_both_count() {
        let denver = &["America/Denver"];
        let both: &[&str] = &["America/Chicago", "America/Denver"];
        check_zones(ZoneMode::Intersect, ZoneSource::Row, denver, Some(both));
        check_zones(ZoneMode::Intersect, ZoneSource::State, denver, Some(both));
        check_zones(ZoneMode::RowWins, ZoneSource::State, denver, Some(both));
        check_zones(ZoneMode::RowWins, ZoneSource::Row, denver, Some(denver));
    }

    #[test]
    fn a_zone_that_nobody_knows_leaves_no_hours() {
        check_zones(ZoneMode::Intersect, ZoneSource::Row, &["Mars/Olympus"], None);
    }

    #[test]
    fn hours_in_two_zones_open_when_the_later_one_does_and_close_with_the_earlier() {
        let hours = Hours::all_of(vec![
            Daily::on(zone("America/New_York"), &WEEK, from_to(9, 20)),
            Daily::on(zone("America/Los_Angeles"), &WEEK, from_to(9, 20)),
        ]);
        let open = hours.next_open(utc("2026-11-24T12:00:00Z")).expect("they meet");
        assert_eq!(open, utc("2026-11-24T17:00:00Z"));
        assert_eq!(hours.closes(open), Some(utc("2026-11-25T01:00:00Z")));
    }

    #[test]
    fn the_end_of_a_window_is_closed_and_its_start_is_open() {
        let hours = Hours::all_of(vec![Daily::on(zone("America/Chicago"), &WEEK, from_to(9, 17))]);
        assert_eq!(hours.closes(utc("2026-11-24T23:00:00Z")), None);
        assert_eq!(hours.next_open(utc("2026-11-24T22:59:59Z")), Some(utc("2026-11-24T22:59:59Z")));
        assert_eq!(hours.next_open(utc("2026-11-24T23:00:00Z")), Some(utc("2026-11-25T15:00:00Z")));
        assert_eq!(hours.next_open(utc("2026-11-25T15:00:00Z")), Some(utc("2026-11-25T15:00:00Z")));
    }

    #[test]
    fn a_weekend_is_slept_through() {
        let hours = Hours::all_of(vec![Daily::on(zone("America/Chicago"), &WEEK[..5], from_to(9, 17))]);
        assert_eq!(hours.next_open(utc("2026-11-28T03:00:00Z")), Some(utc("2026-11-30T15:00:00Z")));
    }

    #[test]
    fn hours_inside_the_gap_open_at_its_end() {
        let hours = Hours::all_of(vec![Daily::on(zone("America/Chicago"), &WEEK, from_to(2, 4))]);
        assert_eq!(hours.next_open(utc("2026-03-08T07:00:00Z")), Some(utc("2026-03-08T08:00:00Z")));
    }
}

//! The hours in which a call may be placed: the vendor's legal hours and the campaign's own hours in the practice's zone,
//! and the preset's hours in every zone in which the called party may be. A call must lie in all of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};

use super::state_rules;
use crate::campaign::{Calling, DayWindow, Holiday, Preset, ZoneMode};
use crate::entry::{CalledPartyZones, Reason, ZoneSource};
use crate::phone::E164;
use crate::phone::area_codes::{self, AreaCodeCoverage};
use crate::zone::Zone;

/// Monday to Sunday.
pub const WEEK: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

/// How far ahead an open instant is searched. Hours repeat weekly, and no holidays close the same weekday for five weeks.
const HORIZON: TimeDelta = TimeDelta::days(36);

/// A call that begins later than this before the end of the hours would still ring when they close.
const RINGING: TimeDelta = TimeDelta::minutes(1);

/// Weekly hours in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneHours {
    zone: Zone,
    /// Monday first.
    days: [Option<DayWindow>; 7],
    holidays: HolidayCalendar,
}

/// The holidays of the regions in which the called party may be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct HolidayCalendar {
    list: Arc<[Holiday]>,
    regions: Arc<[(&'static str, String)]>,
}

impl HolidayCalendar {
    fn is_on(&self, date: NaiveDate) -> bool {
        let applies =
            |holiday: &Holiday| self.regions.iter().any(|(country, region)| holiday.is_observed_in(country, region));
        self.list.iter().any(|holiday| holiday.is_on(date) && applies(holiday))
    }
}

impl ZoneHours {
    /// The same hours on each of `days`, none on other days.
    #[must_use]
    pub fn on(zone: Zone, days: &[Weekday], window: DayWindow) -> Self {
        let days = WEEK.map(|day| days.contains(&day).then_some(window));
        Self { zone, days, holidays: HolidayCalendar::default() }
    }

    /// The hours of one day: none on a holiday.
    fn on_date(&self, date: NaiveDate) -> Option<DayWindow> {
        self.days[date.weekday().num_days_from_monday() as usize].filter(|_| !self.holidays.is_on(date))
    }

    /// The first open instant at or after `from`.
    fn next_open(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.zone.local(from);
        (0..=HORIZON.num_days()).find_map(|ahead| {
            let date = local.date() + TimeDelta::days(ahead);
            let window = self.on_date(date)?;
            if ahead == 0 && window.start <= local.time() {
                return self.open_until(from).map(|_| from);
            }
            let start = date.and_time(window.start);
            // In the second pass of a fold, the first instant whose local time is `start` has passed.
            let opens = self.zone.first_instant(start);
            Some(if opens < from { self.zone.last_instant(start).max(from) } else { opens })
        })
    }

    /// The instant at which these hours, open at `now`, close; `None` if they are closed.
    fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let local = self.zone.local(now);
        let window = self.on_date(local.date())?;
        if local.time() < window.start || window.end <= local.time() {
            return None;
        }
        let end = local.date().and_time(window.end);
        // In the second pass of a fold, the first instant whose local time is the end has passed.
        let ends = Some(self.zone.first_instant(end)).filter(|at| *at > now).unwrap_or(self.zone.last_instant(end));
        // A clock that goes back may show a time before the start again.
        let back = self.zone.next_set_back(now, ends).filter(|at| self.zone.local(*at).time() < window.start);
        Some(back.unwrap_or(ends).max(now))
    }

    /// The first instant after `now` at which a call may no longer begin; `None` if none may begin at `now`.
    fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.closes(now).map(|closes| closes - RINGING).filter(|last| *last > now)
    }
}

/// Hours that must all be open for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<ZoneHours>);

impl Hours {
    /// Open when all of `parts` are.
    #[must_use]
    pub fn all_of(parts: Vec<ZoneHours>) -> Self {
        Self(parts)
    }

    /// The hours that apply to every entry of a practice in `zone`: the vendor's and the campaign's own.
    #[must_use]
    pub fn for_practice(calling: &Calling, zone: &Zone) -> Self {
        Self(vec![
            ZoneHours::on(zone.clone(), &WEEK, vendor_hours()),
            ZoneHours::on(zone.clone(), &calling.days, calling.window),
        ])
    }

    /// The hours of one entry: the practice's, narrowed by the preset's hours in every zone of the called party.
    #[must_use]
    pub fn for_entry(calling: &Calling, practice: &Zone, phone: E164, called: &CalledPartyZones) -> Self {
        let mut hours = Self::for_practice(calling, practice);
        let Some(CalledPartyRegions { zones, regions }) = CalledPartyRegions::locate(calling, phone, called) else {
            // The hours of an unknown zone are unknown: no call is better than a call at night.
            let zone = practice.clone();
            hours.0.push(ZoneHours { zone, days: [None; 7], holidays: HolidayCalendar::default() });
            return hours;
        };
        let holidays = HolidayCalendar { list: Arc::clone(&calling.holidays), regions: with_countries(&regions) };
        for zone in zones {
            if calling.allow_wider {
                // The operator applies the campaign's own hours to the called party as well.
                let own = ZoneHours::on(zone, &calling.days, calling.window);
                hours.0.push(ZoneHours { holidays: holidays.clone(), ..own });
                continue;
            }
            if calling.preset == Preset::UsStates {
                hours.0.extend(state_hours(calling, &zone, &regions));
            }
            hours.0.push(ZoneHours { days: preset_days(calling.preset), zone, holidays: holidays.clone() });
        }
        hours
    }

    /// The first instant at or after `from` at which a call may be placed; `None` if there is none within 36 days.
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

    /// Each zone with its open window on the local date at `now`: the intersection of all its hours, or `None`.
    #[must_use]
    pub fn on_the_day(&self, now: DateTime<Utc>) -> Vec<(Zone, Option<DayWindow>)> {
        let mut zones: Vec<(Zone, Option<DayWindow>)> = Vec::new();
        for daily in &self.0 {
            let window = daily.on_date(daily.zone.local(now).date());
            match zones.iter_mut().find(|(zone, _)| *zone == daily.zone) {
                Some((_, open)) => *open = open.zip(window).and_then(|(first, second)| first.narrowed_to(second)),
                None => zones.push((daily.zone.clone(), window)),
            }
        }
        zones
    }

    /// The rule that closes these hours at `now`: a holiday if they would be open without it.
    #[must_use]
    pub fn closed_by(&self, now: DateTime<Utc>) -> Reason {
        let workday = |daily: &ZoneHours| ZoneHours { holidays: HolidayCalendar::default(), ..daily.clone() };
        let without_holidays = Self(self.0.iter().map(workday).collect());
        if without_holidays.open_until(now).is_some() { Reason::Holiday } else { Reason::Window }
    }

    /// The instant at which these hours, open at `now`, close; `None` if they are closed.
    #[must_use]
    pub fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().map(|daily| daily.closes(now)).collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// The first instant after `now` at which a call may no longer begin, since it would ring when the hours close; `None`
    /// if none may begin at `now`.
    #[must_use]
    pub fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().map(|daily| daily.open_until(now)).collect::<Option<Vec<_>>>()?.into_iter().min()
    }
}

/// The hours of several locations: open when any location's hours are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoursUnion(Vec<Hours>);

impl HoursUnion {
    /// Open when any of `parts` is.
    #[must_use]
    pub fn any_of(parts: Vec<Hours>) -> Self {
        Self(parts)
    }

    /// The first instant at or after `from` at which one of them is open; `None` if there is none within 36 days.
    #[must_use]
    pub fn next_open(&self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().filter_map(|hours| hours.next_open(from)).min()
    }

    /// The instant at which the last of the hours open at `now` closes; `None` if all are closed.
    #[must_use]
    pub fn closes(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().filter_map(|hours| hours.closes(now)).max()
    }

    /// The last instant at which a call may no longer begin in one of the hours; `None` if none may begin at `now`.
    #[must_use]
    pub fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().filter_map(|hours| hours.open_until(now)).max()
    }
}

/// 9 AM to 8 PM in the organisation's zone (`annie-api.md`, POST /calls).
#[must_use]
pub fn vendor_hours() -> DayWindow {
    DayWindow { start: clock(9, 0), end: clock(20, 0) }
}

fn clock(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).expect("callers pass constants between 00:00 and 23:59")
}

fn preset_days(preset: Preset) -> [Option<DayWindow>; 7] {
    let from_to = |start, end| Some(DayWindow { start, end });
    match preset {
        Preset::VendorSafe => {
            let day = from_to(clock(9, 0), clock(20, 0));
            [day, day, day, day, day, day, None]
        }
        Preset::UsFederal | Preset::UsStates => [from_to(clock(8, 0), clock(21, 0)); 7],
        Preset::Canada => {
            let (week, weekend) = (from_to(clock(9, 0), clock(21, 30)), from_to(clock(10, 0), clock(18, 0)));
            [week, week, week, week, week, weekend, weekend]
        }
    }
}

/// The rules of every state in which the called party may be, applied to one zone's local time.
fn state_hours(calling: &Calling, zone: &Zone, regions: &BTreeSet<String>) -> Vec<ZoneHours> {
    let hours = |rule: &state_rules::StateRule| {
        let list = if rule.no_holidays { Arc::clone(&calling.all_holidays) } else { Arc::default() };
        let regions = with_countries(&BTreeSet::from([rule.state.to_owned()]));
        ZoneHours { zone: zone.clone(), days: rule.days, holidays: HolidayCalendar { list, regions } }
    };
    state_rules::rules().iter().filter(|rule| regions.contains(rule.state)).map(hours).collect()
}

/// The zones and regions in which the called party may be.
struct CalledPartyRegions {
    zones: Vec<Zone>,
    /// States and provinces; empty: unknown.
    regions: BTreeSet<String>,
}

impl CalledPartyRegions {
    /// Both the row and the number's area code count, unless the campaign lets a zone that the row names win alone. Without
    /// either, the called party may be anywhere in the United States or Canada. `None`: a zone is unknown.
    fn locate(calling: &Calling, phone: E164, called: &CalledPartyZones) -> Option<Self> {
        let row_decides = calling.zone_mode == ZoneMode::RowWins && called.source == ZoneSource::Row;
        let by_number = if row_decides { None } else { calling.area_codes.coverage_of(phone) };
        let AreaCodeCoverage { zones, regions } = by_number.unwrap_or_default();
        let mut names: BTreeSet<String> = called.zones.iter().cloned().chain(zones).collect();
        if names.is_empty() {
            names = area_codes::all_zones().map(ToOwned::to_owned).collect();
        }
        let zones = names.iter().map(|name| Zone::named(name).ok()).collect::<Option<_>>()?;
        Some(Self { zones, regions: called.regions.iter().cloned().chain(regions).collect() })
    }
}

/// The calls to one number in 24 hours allowed by every state in which it may ring; `None` without such a limit, or if the
/// preset is not `us-states`.
#[must_use]
pub fn state_cap(calling: &Calling, phone: E164, called: &CalledPartyZones) -> Option<u32> {
    if calling.preset != Preset::UsStates {
        return None;
    }
    let regions = CalledPartyRegions::locate(calling, phone, called)?.regions;
    state_rules::rules().iter().filter(|rule| regions.contains(rule.state)).filter_map(|rule| rule.per_24_hours).min()
}

/// Each region with its country. If no region is known, the holidays of both countries apply.
fn with_countries(regions: &BTreeSet<String>) -> Arc<[(&'static str, String)]> {
    let known: Vec<_> =
        regions.iter().filter_map(|region| Some((area_codes::country_of(region)?, region.clone()))).collect();
    if known.is_empty() { ["US", "CA"].map(|country| (country, String::new())).into() } else { known.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Campaign;
    use crate::fixtures::{self, REQUIRED};

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> Zone {
        Zone::named(name).expect("a zone")
    }

    fn from_to(start: u32, end: u32) -> DayWindow {
        DayWindow { start: clock(start, 0), end: clock(end, 0) }
    }

    fn campaign(calling: &str) -> Campaign {
        fixtures::load(&format!("{REQUIRED}[calling]\n{calling}"))
    }

    fn called(zones: &[&str], regions: &[&str], source: ZoneSource) -> CalledPartyZones {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        CalledPartyZones { zones: owned(zones), regions: owned(regions), source }
    }

    #[track_caller]
    fn check_zones(mode: &str, source: ZoneSource, row: &[&str], expected: Option<&[&str]>) {
        let chicago = E164::parse("+13125550142").expect("a number");
        let campaign = campaign(&format!("zone_mode = \"{mode}\""));
        let found = CalledPartyRegions::locate(&campaign.calling, chicago, &called(row, &[], source));
        let names = found.as_ref().map(|found| found.zones.iter().map(Zone::name).collect::<Vec<_>>());
        assert_eq!(names.as_deref(), expected);
    }

    #[test]
    fn wider_hours_of_a_campaign_stay_within_the_vendors() {
        let calling = campaign("window = \"08:00-21:00\"\nallow_wider = true").calling;
        let hours = Hours::for_entry(
            &calling,
            &zone("America/Chicago"),
            E164::parse("+13125550142").expect("a number"),
            &called(&["America/Chicago"], &[], ZoneSource::Row),
        );
        // A Tuesday: the practice's local time is 8:30, then noon.
        assert_eq!(hours.next_open(utc("2026-11-24T14:30:00Z")), Some(utc("2026-11-24T15:00:00Z")));
        assert_eq!(hours.closes(utc("2026-11-24T18:00:00Z")), Some(utc("2026-11-25T02:00:00Z")));
    }

    #[test]
    fn the_rows_zone_and_the_area_codes_zone_both_count() {
        let denver = &["America/Denver"];
        let both: &[&str] = &["America/Chicago", "America/Denver"];
        check_zones("intersect", ZoneSource::Row, denver, Some(both));
        check_zones("intersect", ZoneSource::State, denver, Some(both));
        check_zones("row-wins", ZoneSource::State, denver, Some(both));
        check_zones("row-wins", ZoneSource::Row, denver, Some(denver));
    }

    #[test]
    fn an_unknown_zone_leaves_no_hours() {
        check_zones("intersect", ZoneSource::Row, &["Mars/Olympus"], None);
    }

    /// The first instant at which a number of the row's state may be called.
    fn opens(calling: &str, phone: &str, state: &[&str], from: &str) -> Option<DateTime<Utc>> {
        let phone = E164::parse(phone).expect("a number");
        let campaign = campaign(calling);
        let called = called(&[], state, ZoneSource::State);
        Hours::for_entry(&campaign.calling, &campaign.practice.zone, phone, &called).next_open(utc(from))
    }

    #[test]
    fn the_presets_or_the_campaigns_holidays_apply_where_the_called_party_may_be() {
        let wide = "days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\"]\nwindow = \"09:00-20:00\"\n";
        let thanksgiving = "2026-11-26T16:00:00Z";
        let next_day = "2026-11-27T15:00:00Z";
        for (more, phone, expected) in [
            ("", "+13125550142", next_day),
            ("[calling.holidays]\nobserve = \"off\"", "+13125550142", thanksgiving),
            ("preset = \"us-federal\"", "+13125550142", thanksgiving),
            ("preset = \"us-federal\"\n[calling.holidays]\nobserve = \"on\"", "+13125550142", next_day),
            ("", "+14165550142", thanksgiving),
            ("[calling.holidays]\nalso = [\"CA-ON 2026-11-26 Closed\"]", "+14165550142", next_day),
            ("[calling.holidays]\ndays = []", "+13125550142", thanksgiving),
        ] {
            let opens = opens(&format!("{wide}{more}"), phone, &[], thanksgiving);
            assert_eq!(opens, Some(utc(expected)), "{more} {phone}");
        }
    }

    #[test]
    fn a_states_rules_narrow_the_federal_hours_where_the_state_is_known() {
        let states = "preset = \"us-states\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
                      window = \"09:00-20:00\"";
        for (phone, state, from, expected) in [
            // Kentucky from 10 on, in both of its zones.
            ("+13125550142", vec!["KY"], "2026-11-24T15:00:00Z", "2026-11-24T16:00:00Z"),
            // Texas on a Sunday from 12 on, and Illinois from 9.
            ("+12145550142", vec![], "2026-11-22T15:00:00Z", "2026-11-22T18:00:00Z"),
            ("+13125550142", vec![], "2026-11-22T15:00:00Z", "2026-11-22T15:00:00Z"),
            // Rhode Island not on a Saturday, Alabama neither on a Sunday nor on a holiday.
            ("+14015550142", vec![], "2026-11-21T15:00:00Z", "2026-11-23T15:00:00Z"),
            ("+12055550142", vec![], "2026-11-22T15:00:00Z", "2026-11-23T15:00:00Z"),
            ("+12055550142", vec![], "2026-11-26T15:00:00Z", "2026-11-27T15:00:00Z"),
        ] {
            assert_eq!(opens(states, phone, &state, from), Some(utc(expected)), "{phone} {state:?} {from}");
        }
        let cap = |phone: &str| {
            state_cap(
                &campaign(states).calling,
                E164::parse(phone).expect("a number"),
                &called(&[], &[], ZoneSource::AreaCode),
            )
        };
        assert_eq!((cap("+13055550142"), cap("+13125550142")), (Some(3), None));
    }

    #[test]
    fn a_campaigns_own_area_code_moves_its_hours() {
        let own = "[calling.area_codes]\n\"312\" = \"America/Los_Angeles\"";
        assert_eq!(opens(own, "+13125550142", &[], "2026-11-24T15:30:00Z"), Some(utc("2026-11-24T17:00:00Z")));
    }

    #[test]
    fn hours_in_two_zones_open_when_the_later_one_does_and_close_with_the_earlier() {
        let hours = Hours::all_of(vec![
            ZoneHours::on(zone("America/New_York"), &WEEK, from_to(9, 20)),
            ZoneHours::on(zone("America/Los_Angeles"), &WEEK, from_to(9, 20)),
        ]);
        let open = hours.next_open(utc("2026-11-24T12:00:00Z")).expect("they meet");
        assert_eq!(open, utc("2026-11-24T17:00:00Z"));
        assert_eq!(hours.closes(open), Some(utc("2026-11-25T01:00:00Z")));
    }

    #[test]
    fn the_end_of_a_window_is_closed_and_its_start_is_open() {
        let hours = Hours::all_of(vec![ZoneHours::on(zone("America/Chicago"), &WEEK, from_to(9, 17))]);
        assert_eq!(hours.closes(utc("2026-11-24T23:00:00Z")), None);
        assert_eq!(hours.next_open(utc("2026-11-24T22:58:59Z")), Some(utc("2026-11-24T22:58:59Z")));
        assert_eq!(hours.open_until(utc("2026-11-24T22:58:59Z")), Some(utc("2026-11-24T22:59:00Z")));
        assert_eq!(hours.next_open(utc("2026-11-24T22:59:00Z")), Some(utc("2026-11-25T15:00:00Z")));
        assert_eq!(hours.open_until(utc("2026-11-24T22:59:00Z")), None);
        assert_eq!(hours.next_open(utc("2026-11-24T23:00:00Z")), Some(utc("2026-11-25T15:00:00Z")));
        assert_eq!(hours.next_open(utc("2026-11-25T15:00:00Z")), Some(utc("2026-11-25T15:00:00Z")));
    }

    #[test]
    fn a_weekend_is_closed() {
        let hours = Hours::all_of(vec![ZoneHours::on(zone("America/Chicago"), &WEEK[..5], from_to(9, 17))]);
        assert_eq!(hours.next_open(utc("2026-11-28T03:00:00Z")), Some(utc("2026-11-30T15:00:00Z")));
    }

    #[test]
    fn hours_inside_a_clock_gap_open_at_its_end() {
        let hours = Hours::all_of(vec![ZoneHours::on(zone("America/Chicago"), &WEEK, from_to(2, 4))]);
        assert_eq!(hours.next_open(utc("2026-03-08T07:00:00Z")), Some(utc("2026-03-08T08:00:00Z")));
    }
}

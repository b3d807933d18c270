//! Holidays: in which regions they are observed, and on which days they fall. The list is in `defaults.toml`.

use std::fmt;

use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

/// A holiday, written as `US 4th-thu-nov Thanksgiving Day`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    observed_in: HolidayRegion,
    rule: HolidayRule,
    name: String,
}

/// Where a holiday is observed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HolidayRegion {
    Everywhere,
    /// `US` or `CA`.
    Country(String),
    /// A state or province, by its postal abbreviation.
    State(String),
}

/// On which days a holiday falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HolidayRule {
    Once(NaiveDate),
    /// Month and day; on a weekend, the substitute working day counts too.
    Yearly(u32, u32),
    /// The n-th given weekday of a month.
    Nth(u8, Weekday, u32),
    /// The last given weekday of a month.
    Last(Weekday, u32),
    /// The last given weekday before a day of a month.
    Before(Weekday, u32, u32),
    /// Days after Easter Sunday; negative for before it.
    Easter(i64),
}

impl Holiday {
    /// Parses `REGION DAY NAME`. The region is `*`, `US`, `CA`, `US-TX` or `CA-QC`; the day `2026-12-24`, `jul-4`,
    /// `4th-thu-nov`, `last-mon-may`, `mon-before-may-25` or `easter-2`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (region, day_and_name) = text.trim().split_once(' ')?;
        let (day, name) = day_and_name.trim_start().split_once(' ')?;
        let name = name.trim().to_owned();
        Some(Self { observed_in: parse_region(region)?, rule: parse_rule(day)?, name })
    }

    /// The holiday's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is observed in a state or province of a country.
    #[must_use]
    pub fn is_observed_in(&self, country: &str, region: &str) -> bool {
        match &self.observed_in {
            HolidayRegion::Everywhere => true,
            HolidayRegion::Country(observing) => observing == country,
            HolidayRegion::State(observing) => observing == region,
        }
    }

    /// Whether it falls on a day, or has its substitute day on it.
    #[must_use]
    pub fn is_on(&self, date: NaiveDate) -> bool {
        match self.rule {
            HolidayRule::Once(day) => day == date,
            // The substitute of a New Year's Day on a Saturday is in the year before.
            HolidayRule::Yearly(month, day) => (date.year()..=date.year() + 1)
                .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
                .any(|day| day == date || substitute_day(day, &self.observed_in) == Some(date)),
            HolidayRule::Nth(n, weekday, month) => {
                NaiveDate::from_weekday_of_month_opt(date.year(), month, weekday, n) == Some(date)
            }
            HolidayRule::Last(weekday, month) => {
                date.month() == month && date.weekday() == weekday && (date + TimeDelta::days(7)).month() != month
            }
            HolidayRule::Before(weekday, month, day) => {
                let last = NaiveDate::from_ymd_opt(date.year(), month, day).map(|last| last - date);
                let days = last.map_or(0, |left| left.num_days());
                date.weekday() == weekday && (1..=7).contains(&days)
            }
            HolidayRule::Easter(after) => easter(date.year()) + TimeDelta::days(after) == date,
        }
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The working day that substitutes for a holiday on a weekend: Monday for a Sunday; for a Saturday, Monday in Canada
/// and Friday in the United States (5 U.S.C. 6103(b)).
fn substitute_day(day: NaiveDate, observed_in: &HolidayRegion) -> Option<NaiveDate> {
    let is_canadian = *observed_in == HolidayRegion::Country("CA".to_owned());
    match day.weekday() {
        Weekday::Sat if is_canadian => Some(day + TimeDelta::days(2)),
        Weekday::Sat => Some(day - TimeDelta::days(1)),
        Weekday::Sun => Some(day + TimeDelta::days(1)),
        Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => None,
    }
}

fn parse_region(text: &str) -> Option<HolidayRegion> {
    let is_code = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    match text.split_once('-') {
        None if text == "*" => Some(HolidayRegion::Everywhere),
        None if text == "US" || text == "CA" => Some(HolidayRegion::Country(text.to_owned())),
        Some(("US" | "CA", region)) if is_code(region) => Some(HolidayRegion::State(region.to_owned())),
        _ => None,
    }
}

fn parse_rule(text: &str) -> Option<HolidayRule> {
    if let Ok(date) = text.parse() {
        return Some(HolidayRule::Once(date));
    }
    if let Some(days) = text.strip_prefix("easter") {
        return if days.is_empty() { Some(HolidayRule::Easter(0)) } else { days.parse().ok().map(HolidayRule::Easter) };
    }
    match text.split('-').collect::<Vec<_>>().as_slice() {
        [month_of, day] => yearly(month(month_of)?, day),
        ["last", weekday, month_of] => Some(HolidayRule::Last(weekday.parse().ok()?, month(month_of)?)),
        [nth, weekday, month_of] => {
            let n = ["1st", "2nd", "3rd", "4th", "5th"].iter().position(|word| word == nth)?;
            Some(HolidayRule::Nth(n as u8 + 1, weekday.parse().ok()?, month(month_of)?))
        }
        [weekday, "before", month_of, day] => match yearly(month(month_of)?, day)? {
            HolidayRule::Yearly(month, day) => Some(HolidayRule::Before(weekday.parse().ok()?, month, day)),
            HolidayRule::Once(_)
            | HolidayRule::Nth(..)
            | HolidayRule::Last(..)
            | HolidayRule::Before(..)
            | HolidayRule::Easter(_) => None,
        },
        _ => None,
    }
}

fn yearly(month: u32, day: &str) -> Option<HolidayRule> {
    let day = day.parse().ok()?;
    // 2028 is a leap year: the 29th of February is a day.
    NaiveDate::from_ymd_opt(2028, month, day).map(|_| HolidayRule::Yearly(month, day))
}

fn month(name: &str) -> Option<u32> {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    months.iter().position(|month| *month == name).map(|at| at as u32 + 1)
}

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm, Nature, 20 April 1876, in its own letters).
#[allow(clippy::many_single_char_names, reason = "the letters of the source, so that the two can be compared")]
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    NaiveDate::from_ymd_opt(year, month.unsigned_abs(), day.unsigned_abs()).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The days of a year on which a holiday is observed.
    fn days(text: &str, year: i32) -> Vec<String> {
        let holiday = Holiday::parse(text).unwrap_or_else(|| panic!("{text}"));
        let first = NaiveDate::from_ymd_opt(year, 1, 1).expect("a day");
        let all = first.iter_days().take_while(|date| date.year() == year);
        all.filter(|date| holiday.is_on(*date)).map(|date| date.format("%m-%d").to_string()).collect()
    }

    #[test]
    fn holidays_fall_where_the_calendar_has_them() {
        for (text, year, expected) in [
            ("US jan-1 New Year's Day", 2026, vec!["01-01"]),
            ("US 3rd-mon-jan Martin Luther King Jr. Day", 2026, vec!["01-19"]),
            ("US last-mon-may Memorial Day", 2027, vec!["05-31"]),
            ("US jul-4 Independence Day", 2026, vec!["07-03", "07-04"]),
            ("US jul-4 Independence Day", 2027, vec!["07-04", "07-05"]),
            ("US 4th-thu-nov Thanksgiving Day", 2026, vec!["11-26"]),
            ("US jan-1 New Year's Day", 2027, vec!["01-01", "12-31"]),
            ("CA mon-before-may-25 Victoria Day", 2026, vec!["05-18"]),
            ("CA dec-26 Boxing Day", 2026, vec!["12-26", "12-28"]),
            ("CA easter-2 Good Friday", 2026, vec!["04-03"]),
            ("US-LA easter-47 Mardi Gras", 2027, vec!["02-09"]),
            ("CA-QC easter+1 Easter Monday", 2027, vec!["03-29"]),
            ("* 2026-12-24 The practice is closed", 2026, vec!["12-24"]),
        ] {
            assert_eq!(days(text, year), expected, "{text} {year}");
        }
    }

    #[test]
    fn a_holiday_is_observed_in_its_country_or_its_region() {
        for (text, country, region, is_observed) in [
            ("US jul-4 Independence Day", "US", "IL", true),
            ("US jul-4 Independence Day", "CA", "ON", false),
            ("CA jul-1 Canada Day", "CA", "ON", true),
            ("US-CA mar-31 Cesar Chavez Day", "US", "CA", true),
            ("US-CA mar-31 Cesar Chavez Day", "US", "NV", false),
            ("* 2026-12-24 Closed", "CA", "QC", true),
        ] {
            assert_eq!(Holiday::parse(text).expect(text).is_observed_in(country, region), is_observed, "{text}");
        }
    }

    #[test]
    fn what_is_no_holiday_is_not_read() {
        for text in ["", "US", "US jul-4", "UK dec-26 Boxing Day", "US feb-30 Nothing", "US 6th-mon-may X", "US soon X"]
        {
            assert_eq!(Holiday::parse(text), None, "{text}");
        }
    }
}

//! Local time, dialing hours and holidays, for the few time zones that the stories use.

use chrono::{DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday};

pub type Instant = DateTime<Utc>;

/// A number in E.164 without the plus sign: `13125550101`.
pub type Number = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Eastern,
    Central,
    Pacific,
}

/// The practice's time zone: America/Chicago.
pub const PRACTICE: Zone = Zone::Central;

impl Zone {
    fn standard_offset(self) -> Duration {
        Duration::hours(match self {
            Zone::Eastern => -5,
            Zone::Central => -6,
            Zone::Pacific => -8,
        })
    }

    /// Summer time in the United States: from the second Sunday of March, 2:00 standard time, to the first Sunday of
    /// November, 2:00 summer time (1:00 standard time).
    fn is_summer_time(self, at: Instant) -> bool {
        let standard = at.naive_utc() + self.standard_offset();
        let (month, day) = (standard.month(), standard.day());
        if !(3..=11).contains(&month) {
            return false;
        }
        if (4..=10).contains(&month) {
            return true;
        }
        let hour = standard.time().signed_duration_since(NaiveTime::MIN).num_hours();
        if month == 3 {
            let sunday = first_sunday(standard.year(), 3) + 7;
            day > sunday || (day == sunday && hour >= 2)
        } else {
            let sunday = first_sunday(standard.year(), 11);
            day < sunday || (day == sunday && hour < 1)
        }
    }

    pub fn to_local(self, at: Instant) -> NaiveDateTime {
        let standard = at.naive_utc() + self.standard_offset();
        if self.is_summer_time(at) { standard + Duration::hours(1) } else { standard }
    }

    /// Not for the hour that the change of the clocks skips or repeats, in which no story does anything.
    pub fn to_utc(self, local: NaiveDateTime) -> Instant {
        let standard = Utc.from_utc_datetime(&(local - self.standard_offset()));
        let summer = standard - Duration::hours(1);
        if self.is_summer_time(summer) { summer } else { standard }
    }
}

fn first_sunday(year: i32, month: u32) -> u32 {
    let first = NaiveDate::from_ymd_opt(year, month, 1).expect("a day of the calendar");
    (7 - first.weekday().num_days_from_sunday()) % 7 + 1
}

/// The zone of a number's area code. Stories use only these area codes; none of them spans two zones.
pub fn zone_of(number: Number) -> Zone {
    match number / 10_000_000 % 1000 {
        212 => Zone::Eastern,
        415 => Zone::Pacific,
        312 | 773 | 872 | 708 | 847 | 630 => Zone::Central,
        other => panic!("no story uses the area code {other}"),
    }
}

/// "Nobody is called on a holiday where the called party may be": the holidays of the United States in `defaults.toml`.
/// "A yearly date on a weekend also counts on its substitute day: Monday for a Sunday; for a Saturday, Friday."
pub fn is_holiday(date: NaiveDate) -> bool {
    let floating = match (date.month(), date.weekday()) {
        (1 | 2, Weekday::Mon) => (15..=21).contains(&date.day()),
        (5, Weekday::Mon) => date.day() >= 25,
        (9, Weekday::Mon) => date.day() <= 7,
        (10, Weekday::Mon) => (8..=14).contains(&date.day()),
        (11, Weekday::Thu) => (22..=28).contains(&date.day()),
        _ => false,
    };
    let is_fixed = |day: NaiveDate| matches!((day.month(), day.day()), (1, 1) | (6, 19) | (7, 4) | (11, 11) | (12, 25));
    let substitutes = match date.weekday() {
        Weekday::Mon => is_fixed(date - Duration::days(1)),
        Weekday::Fri => is_fixed(date + Duration::days(1)),
        _ => false,
    };
    floating || is_fixed(date) || substitutes
}

/// A day on which the practice's own hours are open: Monday to Friday, no holiday.
pub fn is_open_day(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !is_holiday(date)
}

/// The hours in which a number may be called on a day: the practice's 09:30 to 17:00 in its own zone, and 9:00 to 20:00
/// in the called party's zone.
pub fn dialing_hours(number: Number, date: NaiveDate) -> Option<(Instant, Instant)> {
    if !is_open_day(date) {
        return None;
    }
    let at = |zone: Zone, hour, minute| zone.to_utc(date.and_hms_opt(hour, minute, 0).expect("a time of day"));
    let zone = zone_of(number);
    let (mut opens, mut closes) = (at(PRACTICE, 9, 30), at(PRACTICE, 17, 0));
    if zone != PRACTICE {
        opens = opens.max(at(zone, 9, 0));
        closes = closes.min(at(zone, 20, 0));
    }
    (opens < closes).then_some((opens, closes))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOfDay {
    Morning,
    Afternoon,
    Evening,
}

/// "Until 12, until 17, evening, by the practice's clock."
pub fn part_of_day(at: Instant) -> PartOfDay {
    let seconds = PRACTICE.to_local(at).time().signed_duration_since(NaiveTime::MIN).num_seconds();
    match seconds {
        s if s < 12 * 3600 => PartOfDay::Morning,
        s if s < 17 * 3600 => PartOfDay::Afternoon,
        _ => PartOfDay::Evening,
    }
}

//! Date cells: what they say, and in which order a column writes day and month.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::campaign::DateOrder;
pub(super) use crate::template::iso_date;
use crate::zone::Zone;

/// What a date cell says. A cell may hold a time of day alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moment {
    pub(super) date: Option<NaiveDate>,
    pub(super) time: Option<NaiveTime>,
    pub(super) offset: Option<FixedOffset>,
}

/// Why a date cell says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum DateProblem {
    /// Not in any form that is known.
    #[error("not a date")]
    NotADate,
    /// A birth that has not happened yet.
    #[error("in the future")]
    Future,
}

/// Which century a year of two digits is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Century {
    /// The latest one that does not put the date in the future.
    Past,
    /// The one that puts the date near the present: up to 20 years ahead.
    Near,
}

/// How the cells of one column are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateReader {
    pub(super) order: DateOrder,
    pub(super) today: NaiveDate,
    pub(super) century: Century,
}

impl DateReader {
    /// Reads a cell. An empty one, and what software writes for an empty one, is an empty moment.
    pub(super) fn read(self, cell: &str) -> Result<Moment, DateProblem> {
        if cell.is_empty() || (iso_date(cell).is_none() && is_empty_marker(cell)) {
            return Ok(Moment::default());
        }
        let (day, hour) = split_time(cell);
        let (time, offset) = match hour {
            Some(text) => read_time(text).ok_or(DateProblem::NotADate)?,
            None => (None, None),
        };
        if day.is_empty() {
            return Ok(Moment { date: None, time, offset });
        }
        match self.read_day(day).ok_or(DateProblem::NotADate)? {
            date if is_empty_date(date) => Ok(Moment::default()),
            date if (1880..=2200).contains(&date.year()) => Ok(Moment { date: Some(date), time, offset }),
            _ => Err(DateProblem::NotADate),
        }
    }

    fn read_day(self, text: &str) -> Option<NaiveDate> {
        if let Some(date) = iso_date(text) {
            return Some(date);
        }
        match Tokens::of(text)?.three() {
            Some(triple) => self.read_triple(triple),
            None => compact(text).or_else(|| serial(text)),
        }
    }

    fn read_triple(self, [a, b, c]: [&str; 3]) -> Option<NaiveDate> {
        let (year, month, day) = match (month_named(a), month_named(b)) {
            (Some(month), None) => (c, month, number(b)?),
            (None, Some(month)) if a.len() == 4 => (a, month, number(c)?),
            (None, Some(month)) => (c, month, number(a)?),
            (Some(_), Some(_)) => return None,
            (None, None) => match effective_order(a, self.order) {
                DateOrder::Ymd => (a, number(b)?, number(c)?),
                DateOrder::Mdy => (c, number(a)?, number(b)?),
                DateOrder::Dmy => (c, number(b)?, number(a)?),
            },
        };
        // Spreadsheets show an empty cell as the zeroth of January 1900.
        let day = if (year, month, day) == ("1900", 1, 0) { 1 } else { day };
        self.in_century(year, month, day)
    }

    fn in_century(self, year: &str, month: u32, day: u32) -> Option<NaiveDate> {
        let value = number(year)? as i32;
        if year.len() > 2 {
            return NaiveDate::from_ymd_opt(value, month, day);
        }
        let latest = match self.century {
            Century::Past => self.today,
            Century::Near => self.today + TimeDelta::days(20 * 365),
        };
        let century = latest.year() / 100 * 100;
        [century + value, century - 100 + value]
            .into_iter()
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date <= latest)
    }
}

impl Moment {
    /// The moment as an instant with the offset of `zone`; a moment without an offset of its own is local there.
    /// `None` without both a date and a time.
    pub(super) fn in_zone(self, zone: &Zone) -> Option<DateTime<FixedOffset>> {
        let local = self.date?.and_time(self.time?);
        let instant = match self.offset {
            Some(offset) => local.and_local_timezone(offset).single()?.to_utc(),
            None => zone.first_instant(local),
        };
        Some(with_offset_of(zone, instant))
    }

    /// The local date in `zone`.
    pub(super) fn local_date(self, zone: &Zone) -> Option<NaiveDate> {
        self.in_zone(zone).map(|instant| instant.date_naive()).or(self.date)
    }
}

fn with_offset_of(zone: &Zone, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
    let seconds = (zone.local(instant) - instant.naive_utc()).num_seconds();
    let offset = FixedOffset::east_opt(seconds as i32).unwrap_or_else(|| chrono::Offset::fix(&Utc));
    instant.with_timezone(&offset)
}

/// What practice software and people write where there is no date.
fn is_empty_marker(cell: &str) -> bool {
    const WORDS: [&str; 7] = ["na", "none", "null", "nil", "unknown", "never", "nan"];
    let plain: String = cell.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    plain.is_empty() || WORDS.contains(&plain.as_str()) || is_zero_date(cell)
}

/// `00/00/0000`, with or without a midnight after it.
fn is_zero_date(cell: &str) -> bool {
    cell.chars().any(|c| c == '0')
        && cell.chars().all(|c| c == '0' || !c.is_alphanumeric() || c == 'T')
        && cell.matches(':').count() != 1
}

/// `0001-01-01` and `1900-01-01`.
fn is_empty_date(date: NaiveDate) -> bool {
    (date.month(), date.day()) == (1, 1) && matches!(date.year(), 1 | 1900)
}

/// The date and the time of day of a cell, told apart by the first colon.
fn split_time(cell: &str) -> (&str, Option<&str>) {
    let Some(colon) = cell.find(':') else { return (cell, None) };
    let hour = cell[..colon].trim_end_matches(|c: char| c.is_ascii_digit());
    let day = hour.trim_end_matches(['T', 't', ' ', ',', '\u{a0}']);
    (day, Some(&cell[hour.len()..]))
}

/// `9:00`, `9:00 AM`, `09:00:00.000-06:00`, `14:30Z`.
fn read_time(text: &str) -> Option<(Option<NaiveTime>, Option<FixedOffset>)> {
    let (clock, offset) = split_offset(text)?;
    let lower = clock.to_ascii_lowercase().replace('.', "");
    let half = ["am", "pm"].into_iter().find(|half| lower.ends_with(half));
    let digits = clock.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ' || c == '.');
    let mut numbers = digits.split([':', '.']).map(number);
    let (hour, minute) = (numbers.next()??, numbers.next()??);
    let second = numbers.next().map_or(Some(0), |second| second)?;
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("am") => hour % 12,
        Some(_) => hour % 12 + 12,
        None => hour,
    };
    Some((Some(NaiveTime::from_hms_opt(hour, minute, second)?), offset))
}

fn split_offset(text: &str) -> Option<(&str, Option<FixedOffset>)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, FixedOffset::east_opt(0)));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Some((text, None)) };
    let digits: String = text[at + 1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let seconds = (number(hours)? * 60 + if minutes.is_empty() { 0 } else { number(minutes)? }) as i32 * 60;
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    Some((text[..at].trim_end(), Some(FixedOffset::east_opt(sign * seconds)?)))
}

/// The words and numbers of a date.
struct Tokens<'a> {
    tokens: [&'a str; 3],
    count: usize,
}

impl<'a> Tokens<'a> {
    /// At most three, weekdays aside.
    fn of(text: &'a str) -> Option<Self> {
        let mut all = Self { tokens: [""; 3], count: 0 };
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words.filter(|word| !is_weekday(word)) {
            *all.tokens.get_mut(all.count)? = word;
            all.count += 1;
        }
        Some(all)
    }

    fn three(&self) -> Option<[&'a str; 3]> {
        (self.count == 3).then_some(self.tokens)
    }
}

fn starts_like(word: &str, names: &[&str]) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    names.iter().position(|name| lower.len() >= 3 && name.starts_with(&lower))
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    starts_like(word, &DAYS).is_some()
}

fn month_named(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    if word.eq_ignore_ascii_case("sept") {
        return Some(9);
    }
    starts_like(word, &MONTHS).map(|at| at as u32 + 1)
}

/// A number of at most four ASCII digits; `22nd` is 22.
fn number(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ordinal = matches!(&word[digits.len()..], "" | "st" | "nd" | "rd" | "th");
    if !ordinal || digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// `19880322`
fn compact(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(number(&text[..4])? as i32, number(&text[4..6])?, number(&text[6..])?)
}

/// A day as Excel counts them: 32224 is 22 March 1988. Five digits only: those are the years 1927 to 2173.
fn serial(text: &str) -> Option<NaiveDate> {
    let (days, _) = text.split_once('.').unwrap_or((text, ""));
    if days.len() != 5 || !days.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(TimeDelta::days(days.parse().ok()?))
}

/// A year of four digits in front says the order itself.
fn effective_order(first: &str, order: DateOrder) -> DateOrder {
    if first.len() == 4 { DateOrder::Ymd } else { order }
}

/// What the cells of one column, taken together, say about the order of day and month.
#[derive(Debug, Clone, Copy)]
pub(super) struct OrderSurvey {
    /// Orders under which every readable cell so far is a date.
    possible: [bool; 3],
    /// Pairs of orders under which some cell means different dates.
    differs: [[bool; 3]; 3],
}

/// The column does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecided {
    /// Some cells can only be the one and some only the other.
    pub(super) contradictory: bool,
}

const ORDERS: [DateOrder; 3] = [DateOrder::Mdy, DateOrder::Dmy, DateOrder::Ymd];

impl Default for OrderSurvey {
    fn default() -> Self {
        Self { possible: [true; 3], differs: [[false; 3]; 3] }
    }
}

impl OrderSurvey {
    /// Takes a cell into account. A cell that is no date under any order says nothing.
    pub(super) fn see(&mut self, cell: &str) {
        if cell.is_empty() || iso_date(cell).is_some() {
            return;
        }
        let Some([a, b, c]) = Tokens::of(split_time(cell).0).and_then(|tokens| tokens.three()) else { return };
        if a.len() == 4 || is_zero_date(cell) || [a, b, c].into_iter().any(|token| number(token).is_none()) {
            return;
        }
        let under = ORDERS.map(|order| read_plainly([a, b, c], order));
        if under.iter().all(Option::is_none) {
            return;
        }
        for (i, one) in under.iter().enumerate() {
            self.possible[i] &= one.is_some();
            for (j, other) in under.iter().enumerate() {
                self.differs[i][j] |= one.is_some() && other.is_some() && one != other;
            }
        }
    }

    /// The column's order: the only one possible, or one of several that all mean the same.
    pub(super) fn decide(&self) -> Result<DateOrder, Undecided> {
        let mut possible = (0..3).filter(|i| self.possible[*i]);
        let first = possible.next().ok_or(Undecided { contradictory: true })?;
        if possible.any(|other| self.differs[first][other]) {
            return Err(Undecided { contradictory: false });
        }
        Ok(ORDERS[first])
    }
}

/// Day, month and year of three numbers, where a year of four digits may stand only where the order has it.
fn read_plainly([a, b, c]: [&str; 3], order: DateOrder) -> Option<(u32, u32, u32)> {
    let (year, month, day) = match order {
        DateOrder::Mdy => (c, a, b),
        DateOrder::Dmy => (c, b, a),
        DateOrder::Ymd => (a, b, c),
    };
    if month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    // 2000 was a leap year: whether this year was one is not the question here.
    NaiveDate::from_ymd_opt(2000, month, day).map(|_| (year, month, day))
}

/// Midnight of a date that has no time of day.
pub(super) fn start_of(moment: Moment) -> Option<NaiveDateTime> {
    moment.date.map(|date| date.and_time(moment.time.unwrap_or_default()))
}

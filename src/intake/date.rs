//! Date cells: parsing, and the order of day and month in a column.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use crate::campaign::DateOrder;
pub(super) use crate::template::iso_date;
use crate::zone::Zone;

/// A parsed date cell. It may have a time of day without a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DateCell {
    pub(super) date: Option<NaiveDate>,
    pub(super) time: Option<NaiveTime>,
    pub(super) offset: Option<FixedOffset>,
}

/// Why a date cell is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum DateError {
    /// The cell has no known date format.
    #[error("not a date")]
    NotADate,
    /// The date of birth is in the future.
    #[error("in the future")]
    Future,
}

/// How to choose the century of a two-digit year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Century {
    /// The latest century in which the date is not in the future.
    Past,
    /// The latest century in which the date is at most 20 years ahead.
    Near,
}

/// The parser for the cells of one column.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateReader {
    pub(super) order: DateOrder,
    pub(super) today: NaiveDate,
    pub(super) century: Century,
}

impl DateReader {
    /// Parses a cell. An empty cell, or a placeholder for one, gives an empty [`DateCell`].
    pub(super) fn read(self, cell: &str) -> Result<DateCell, DateError> {
        if cell.is_empty() || (iso_date(cell).is_none() && is_empty_marker(cell)) {
            return Ok(DateCell::default());
        }
        let (day, time) = split_time(cell);
        let (time, offset) = match time {
            Some(text) => read_time(text).ok_or(DateError::NotADate)?,
            None => (None, None),
        };
        if day.is_empty() {
            return Ok(DateCell { date: None, time, offset });
        }
        match self.read_day(day).ok_or(DateError::NotADate)? {
            date if is_empty_date(date) => Ok(DateCell::default()),
            date if (1880..=2200).contains(&date.year()) => Ok(DateCell { date: Some(date), time, offset }),
            _ => Err(DateError::NotADate),
        }
    }

    fn read_day(self, text: &str) -> Option<NaiveDate> {
        if let Some(date) = iso_date(text) {
            return Some(date);
        }
        match DateTokens::parse(text)?.three() {
            Some(triple) => self.read_triple(triple),
            None => compact(text).or_else(|| compact_with_year_last(text)).or_else(|| serial(text)),
        }
    }

    fn read_triple(self, [a, b, c]: [&str; 3]) -> Option<NaiveDate> {
        let (year, month, day) = match (month_named(a), month_named(b)) {
            (Some(month), None) => (c, month, number(b)?),
            (None, Some(month)) if a.len() == 4 && a.bytes().all(|byte| byte.is_ascii_digit()) => {
                (a, month, number(c)?)
            }
            (None, Some(month)) => (c, month, number(a)?),
            (Some(_), Some(_)) => return None,
            (None, None) => match effective_order(a, self.order) {
                DateOrder::Ymd => (a, number(b)?, number(c)?),
                DateOrder::Mdy => (c, number(a)?, number(b)?),
                DateOrder::Dmy => (c, number(b)?, number(a)?),
            },
        };
        // Spreadsheets show an empty cell as day 0 of January 1900.
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

impl DateCell {
    /// The instant, with the offset of `zone`. A cell without an offset is local time in `zone`. `None` if the date or
    /// the time is missing.
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

/// Whether the cell is one of the placeholders that software and people write for no date.
fn is_empty_marker(cell: &str) -> bool {
    const WORDS: [&str; 7] = ["na", "none", "null", "nil", "unknown", "never", "nan"];
    let normalized: String = cell.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    normalized.is_empty() || WORDS.contains(&normalized.as_str()) || is_zero_date(cell)
}

/// `00/00/0000`, with or without `00:00:00`.
fn is_zero_date(cell: &str) -> bool {
    cell.chars().any(|c| c == '0')
        && cell.chars().all(|c| c == '0' || !c.is_alphanumeric() || c == 'T')
        && cell.matches(':').count() != 1
}

/// The dates that software writes for no date: 1 January of the years 1 (.NET), 1753 (SQL Server), 1601 (Windows) and
/// 1900 (spreadsheets), and the end of 1899 (spreadsheets).
fn is_empty_date(date: NaiveDate) -> bool {
    match (date.month(), date.day()) {
        (1, 1) => matches!(date.year(), 1 | 1601 | 1753 | 1900),
        (12, 30 | 31) => date.year() == 1899,
        _ => false,
    }
}

/// Splits a cell into date and time of day. The time starts with the digits before the first colon.
fn split_time(cell: &str) -> (&str, Option<&str>) {
    let Some(colon) = cell.find(':') else { return (cell, None) };
    let before_time = cell[..colon].trim_end_matches(|c: char| c.is_ascii_digit());
    let day = before_time.trim_end_matches(['T', 't', ' ', ',', '\u{a0}']);
    (day, Some(&cell[before_time.len()..]))
}

/// Parses `9:00`, `9:00 AM`, `09:00:00.000-06:00` or `14:30Z`.
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

/// The words and numbers of a date, without weekdays.
struct DateTokens<'a> {
    tokens: [&'a str; 3],
    count: usize,
}

impl<'a> DateTokens<'a> {
    /// `None` if there are more than three.
    fn parse(text: &'a str) -> Option<Self> {
        let mut all = Self { tokens: [""; 3], count: 0 };
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        for word in words.filter(|word| !is_weekday(word) && !matches!(*word, "de" | "del" | "of" | "the")) {
            for part in parts_of_joined(word).into_iter().filter(|part| !part.is_empty()) {
                *all.tokens.get_mut(all.count)? = part;
                all.count += 1;
            }
        }
        Some(all)
    }

    fn three(&self) -> Option<[&'a str; 3]> {
        (self.count == 3).then_some(self.tokens)
    }
}

/// The index of the name that `word` abbreviates, with at least three letters.
fn position_of_abbreviated(word: &str, names: &[&str]) -> Option<usize> {
    let lower = word.to_ascii_lowercase();
    names.iter().position(|name| lower.len() >= 3 && name.starts_with(&lower))
}

/// `22MAR1988` in its three parts; any other word alone. `22nd` is one word.
fn parts_of_joined(word: &str) -> [&str; 3] {
    let day = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let year = word.len() - word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let is_joined = (1..=2).contains(&day) && matches!(year, 2 | 4) && day + year + 3 <= word.len();
    if !is_joined {
        return [word, "", ""];
    }
    let (day, rest) = word.split_at(day);
    let (month, year) = rest.split_at(rest.len() - year);
    [day, month, year]
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    position_of_abbreviated(word, &DAYS).is_some()
}

/// The months in Spanish, French, German and Portuguese, with their abbreviations.
const FOREIGN_MONTHS: [&str; 12] = [
    "enero ene janvier janv januar jän jänner janeiro",
    "febrero février févr fév fevrier februar fevereiro fev",
    "marzo mars märz maerz mär março marco",
    "abril abr avril avr",
    "mayo mai maio",
    "junio juin juni junho",
    "julio juillet juil juli julho",
    "agosto ago août aout",
    "septiembre setiembre septembre setembro set",
    "octubre octobre oktober okt outubro out",
    "noviembre novembre novembro",
    "diciembre dic décembre déc decembre dezember dez dezembro",
];

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
    let small = word.to_lowercase();
    let foreign = FOREIGN_MONTHS.iter().position(|names| names.split(' ').any(|name| name == small));
    position_of_abbreviated(word, &MONTHS).or(foreign).map(|at| at as u32 + 1)
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

/// Parses `19880322`.
fn compact(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(number(&text[..4])? as i32, number(&text[4..6])?, number(&text[6..])?)
}

/// Parses `03221988`, if only one order of day and month gives a date.
fn compact_with_year_last(text: &str) -> Option<NaiveDate> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (a, b, year) = (number(&text[..2])?, number(&text[2..4])?, number(&text[4..])? as i32);
    let dates = [(a, b), (b, a)].map(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
    match dates {
        [Some(one), Some(other)] => (one == other).then_some(one),
        [one, other] => one.or(other),
    }
}

/// Parses an Excel day number: 32224 is 22 March 1988. Only five digits are accepted, the years 1927 to 2173.
fn serial(text: &str) -> Option<NaiveDate> {
    let (days, _) = text.split_once('.').unwrap_or((text, ""));
    if days.len() != 5 || !days.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(TimeDelta::days(days.parse().ok()?))
}

/// The order of a date that starts with `first`: a four-digit year comes first in year-month-day only.
fn effective_order(first: &str, order: DateOrder) -> DateOrder {
    if first.len() == 4 { DateOrder::Ymd } else { order }
}

/// The evidence of a column's cells for the order of day and month.
#[derive(Debug, Clone, Copy)]
pub(super) struct DateOrderProfile {
    /// The orders under which every readable cell so far is a date; indices as in [`ORDERS`].
    possible: [bool; 3],
    /// The pairs of orders under which some cell is two different dates.
    differs: [[bool; 3]; 3],
}

/// The column's cells do not determine the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AmbiguousOrder {
    /// Some cells fit only one order and some only another.
    pub(super) contradictory: bool,
}

const ORDERS: [DateOrder; 3] = [DateOrder::Mdy, DateOrder::Dmy, DateOrder::Ymd];

impl Default for DateOrderProfile {
    fn default() -> Self {
        Self { possible: [true; 3], differs: [[false; 3]; 3] }
    }
}

impl DateOrderProfile {
    /// Adds a cell. A cell that is not a date under any order is ignored.
    pub(super) fn add(&mut self, cell: &str) {
        if cell.is_empty() || iso_date(cell).is_some() {
            return;
        }
        let Some([a, b, c]) = DateTokens::parse(split_time(cell).0).and_then(|tokens| tokens.three()) else { return };
        if a.len() == 4 || is_zero_date(cell) || [a, b, c].into_iter().any(|token| number(token).is_none()) {
            return;
        }
        let dates = ORDERS.map(|order| in_order([a, b, c], order));
        if dates.iter().all(Option::is_none) {
            return;
        }
        for (i, one) in dates.iter().enumerate() {
            self.possible[i] &= one.is_some();
            for (j, other) in dates.iter().enumerate() {
                self.differs[i][j] |= one.is_some() && other.is_some() && one != other;
            }
        }
    }

    /// The order that the cells prove: only one is possible.
    pub(super) fn proved(&self) -> Option<DateOrder> {
        let mut possible = ORDERS.into_iter().filter(|order| self.allows(*order));
        possible.next().filter(|_| possible.next().is_none())
    }

    /// Whether every readable cell is a date in this order.
    pub(super) fn allows(&self, order: DateOrder) -> bool {
        ORDERS.iter().zip(self.possible).any(|(one, possible)| *one == order && possible)
    }

    /// The column's order: the only possible one, or any of several that give the same dates.
    pub(super) fn decide(&self) -> Result<DateOrder, AmbiguousOrder> {
        let mut possible = (0..3).filter(|i| self.possible[*i]);
        let first = possible.next().ok_or(AmbiguousOrder { contradictory: true })?;
        if possible.any(|other| self.differs[first][other]) {
            return Err(AmbiguousOrder { contradictory: false });
        }
        Ok(ORDERS[first])
    }
}

/// Year, month and day of three numbers in the given order; `None` if they are not a date in it.
fn in_order([a, b, c]: [&str; 3], order: DateOrder) -> Option<(u32, u32, u32)> {
    let (year, month, day) = match order {
        DateOrder::Mdy => (c, a, b),
        DateOrder::Dmy => (c, b, a),
        DateOrder::Ymd => (a, b, c),
    };
    if month.len() > 2 || day.len() > 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    // Checked in a leap year, so that 29 February is accepted in any year.
    NaiveDate::from_ymd_opt(2000, month, day).map(|_| (year, month, day))
}

/// The date with its time of day, by default midnight.
pub(super) fn start_of(cell: DateCell) -> Option<NaiveDateTime> {
    cell.date.map(|date| date.and_time(cell.time.unwrap_or_default()))
}

/// The age of majority in years. For a younger patient the call speaks to an adult of the household, if there is one.
const ADULT_AGE: u32 = 18;

/// Whether the date of birth is known and of a person under 18.
pub(super) fn is_minor(born: Option<NaiveDate>, today: NaiveDate) -> bool {
    born.and_then(|date| today.years_since(date)).is_some_and(|age| age < ADULT_AGE)
}

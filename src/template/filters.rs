//! The filters and tests of message templates.
//!
//! | filter | makes |
//! |---|---|
//! | `date`, `date('%A, %B %-d')` | a date, from `2026-11-24` or `2026-11-24T14:30:00-06:00`, in strftime's letters |
//! | `time` | `2:30 PM`, from `2026-11-24T14:30:00-06:00` or `14:30` |
//! | `spoken` | a phone number digit by digit: `3 1 2, 5 5 5, 0 1 4 2` |
//! | `plural('tooth', 'teeth')` | the one word for 1, the other for every other number |
//! | `name` | the same text, which `shorten` never cuts |
//! | `shorten(80)` | at most 80 characters: whole sentences if they fill at least half of that, else whole words and `…` |
//! | `default('any time')` | the same text, or the argument if the column is missing or its cell empty |
//! | `upper lower title capitalize trim replace join first last length int round` | as in Jinja |
//!
//! A date or time keeps the offset that it is written with. A time in UTC (`…Z`) is rejected, because the patient's
//! clock shows another one.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, Value, filters as builtin, tests as builtin_tests};

use super::length::chars;

/// Joins the words of a text that `shorten` must not cut, until the message is finished.
const NO_BREAK: &str = "\u{a0}";

/// The filter name in the errors of [`insert`].
pub(super) const INSERT: &str = "{{ }}";

/// The names of all filters.
pub(super) const FILTERS: &[&str] = &[
    "date",
    "time",
    "spoken",
    "plural",
    "name",
    "shorten",
    "default",
    "d",
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "replace",
    "join",
    "first",
    "last",
    "length",
    "int",
    "round",
];

/// The names of all tests.
pub(super) const TESTS: &[&str] = &["defined", "undefined", "startingwith", "endingwith", "number", "odd", "even"];

/// Why a filter does not accept its input. Never repeats the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FilterError {
    /// The filter's name.
    pub(super) filter: &'static str,
    /// The reason.
    pub(super) what: &'static str,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.filter, self.what)
    }
}

impl std::error::Error for FilterError {}

fn error(filter: &'static str, what: &'static str) -> Error {
    Error::from(ErrorKind::InvalidOperation).with_source(FilterError { filter, what })
}

/// Adds every filter and test.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("date", date);
    environment.add_filter("time", time);
    environment.add_filter("spoken", spoken);
    environment.add_filter("plural", plural);
    environment.add_filter("name", name);
    environment.add_filter("shorten", shorten);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("upper", builtin::upper);
    environment.add_filter("lower", builtin::lower);
    environment.add_filter("title", builtin::title);
    environment.add_filter("capitalize", builtin::capitalize);
    environment.add_filter("trim", builtin::trim);
    environment.add_filter("replace", builtin::replace);
    environment.add_filter("join", builtin::join);
    environment.add_filter("first", builtin::first);
    environment.add_filter("last", builtin::last);
    environment.add_filter("length", builtin::length);
    environment.add_filter("int", builtin::int);
    environment.add_filter("round", builtin::round);
    environment.add_test("defined", builtin_tests::is_defined);
    environment.add_test("undefined", builtin_tests::is_undefined);
    environment.add_test("startingwith", builtin_tests::is_startingwith);
    environment.add_test("endingwith", builtin_tests::is_endingwith);
    environment.add_test("number", builtin_tests::is_number);
    environment.add_test("odd", builtin_tests::is_odd);
    environment.add_test("even", builtin_tests::is_even);
}

/// Writes the value of `{{ … }}` with no-break spaces.
pub(super) fn insert(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        // Minijinja tells an undefined variable (an error) from an `if` without an `else` (an empty text).
        return minijinja::escape_formatter(out, state, value);
    }
    let text = text(INSERT, value)?;
    out.write_str(&unbreakable(&text)).map_err(Error::from)
}

/// The text of a value that can be inserted: text or a number.
fn text<'v>(filter: &'static str, value: &'v Value) -> Result<Cow<'v, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    if value.kind() == ValueKind::Number {
        return Ok(Cow::Owned(value.to_string()));
    }
    Err(error(filter, "neither text nor a number"))
}

fn unbreakable(text: &str) -> Cow<'_, str> {
    if text.contains(' ') { Cow::Owned(text.replace(' ', NO_BREAK)) } else { Cow::Borrowed(text) }
}

/// The optional argument of a filter. An undefined variable as the argument is an error, not a missing argument.
fn argument(arguments: &[Value]) -> Result<Option<&Value>, Error> {
    match arguments {
        [] => Ok(None),
        [one] if one.is_undefined() => Err(Error::from(ErrorKind::UndefinedError)),
        [one] => Ok(Some(one)),
        _ => Err(Error::from(ErrorKind::TooManyArguments)),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "minijinja's signature")]
fn date(value: &Value, arguments: Rest<Value>) -> Result<String, Error> {
    let format = argument(&arguments)?.map_or(Some(DATE_FORMAT), Value::as_str);
    let format = format.ok_or_else(|| error("date", NO_FORMAT))?;
    let text = text("date", value)?;
    let day = day(text.trim()).map_err(|what| error("date", what))?;
    let formatted = format_date(day, format).map_err(|what| error("date", what))?;
    Ok(unbreakable(&formatted).into_owned())
}

/// Checks a strftime format for dates. A date has no hour, so `%H` is an error.
pub(super) fn check_format(format: &str) -> Result<(), &'static str> {
    format_date(NaiveDate::default(), format).map(|_| ())
}

/// The format of `date` without an argument.
const DATE_FORMAT: &str = "%B %-d, %Y";

fn format_date(day: NaiveDate, format: &str) -> Result<String, &'static str> {
    let mut text = String::new();
    match write!(text, "{}", day.format(format)) {
        Ok(()) => Ok(text),
        Err(fmt::Error) => Err(NO_FORMAT),
    }
}

const NO_FORMAT: &str = "not a format for dates";
const NO_DATE: &str = "not a date such as 2026-11-24";
const EMPTY: &str = "the cell is empty: put the text into {% if … %}, or give a default first";
const IN_UTC: &str = "in UTC, which no patient's clock shows: give the local time, such as 2026-11-24T14:30:00-06:00";

/// Parses `1988-03-22` and no other form. Most software exports dates so.
pub fn iso_date(text: &str) -> Option<NaiveDate> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let part = |digits: &[u8]| {
        digits
            .iter()
            .try_fold(0, |value: u32, digit| digit.is_ascii_digit().then(|| value * 10 + u32::from(digit - b'0')))
    };
    NaiveDate::from_ymd_opt(part(&bytes[..4])? as i32, part(&bytes[5..7])?, part(&bytes[8..])?)
}

fn day(text: &str) -> Result<NaiveDate, &'static str> {
    if text.is_empty() {
        return Err(EMPTY);
    }
    if let Some(day) = iso_date(text).or_else(|| text.parse().ok()) {
        return Ok(day);
    }
    match date_time(text) {
        // Exports write a date as midnight in UTC.
        Err(IN_UTC) if text.contains("T00:00:00") => text.get(..10).and_then(|t| t.parse().ok()).ok_or(NO_DATE),
        Err(IN_UTC) => Err(IN_UTC),
        Err(_) => Err(NO_DATE),
        Ok(time) => Ok(time.date()),
    }
}

/// A local date and time, with or without an offset.
fn date_time(text: &str) -> Result<NaiveDateTime, &'static str> {
    let text = text.replacen(' ', "T", 1);
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return if text.ends_with(['Z', 'z']) { Err(IN_UTC) } else { Ok(time.naive_local()) };
    }
    let parse = |format| NaiveDateTime::parse_from_str(&text, format);
    parse("%Y-%m-%dT%H:%M:%S%.f").or_else(|_| parse("%Y-%m-%dT%H:%M")).map_err(|_| NO_TIME)
}

const NO_TIME: &str = "not a time such as 2026-11-24T14:30:00-06:00 or 14:30";

fn time(value: &Value) -> Result<String, Error> {
    let text = text("time", value)?;
    let time = time_of_day(text.trim()).map_err(|what| error("time", what))?;
    Ok(format!("{}", time.format("%-I:%M\u{a0}%p")))
}

fn time_of_day(text: &str) -> Result<NaiveTime, &'static str> {
    if text.is_empty() {
        return Err(EMPTY);
    }
    let parse = |format| NaiveTime::parse_from_str(text, format);
    parse("%H:%M").or_else(|_| parse("%H:%M:%S")).or_else(|_| date_time(text).map(|time| time.time()))
}

fn spoken(value: &Value) -> Result<String, Error> {
    let text = text("spoken", value)?;
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace() || "+-.()/\u{2011}".contains(c));
    if !is_number || !(7..=15).contains(&digits.len()) {
        return Err(error("spoken", "not a phone number"));
    }
    Ok(unbreakable(&digit_groups(&digits)).into_owned())
}

/// `3 1 2, 5 5 5, 0 1 4 2`. North American numbers lose their country code; others are grouped in threes.
fn digit_groups(digits: &str) -> String {
    let (start, sizes): (usize, &[usize]) = match digits.len() {
        11 if digits.starts_with('1') => (1, &[3, 3, 4]),
        10 => (0, &[3, 3, 4]),
        7 => (0, &[3, 4]),
        _ => (0, &[3, 3, 3, 3, 3]),
    };
    let mut end = start;
    let groups = sizes.iter().map(|size| {
        let group = &digits[end..(end + size).min(digits.len())];
        end += group.len();
        group.chars().map(String::from).collect::<Vec<_>>().join(" ")
    });
    groups.filter(|group| !group.is_empty()).collect::<Vec<_>>().join(", ")
}

#[allow(clippy::needless_pass_by_value, reason = "minijinja's signature")]
fn plural(value: &Value, one: Cow<'_, str>, many: Cow<'_, str>) -> Result<String, Error> {
    let text = text("plural", value)?;
    let count: f64 = text.trim().parse().map_err(|_| error("plural", "not a number"))?;
    let is_one = (count - 1.0).abs() < f64::EPSILON;
    Ok(if is_one { one } else { many }.into_owned())
}

fn name(value: &Value) -> Result<String, Error> {
    let text = text("name", value)?;
    Ok(text.split_whitespace().collect::<Vec<_>>().join(NO_BREAK))
}

#[allow(clippy::needless_pass_by_value, reason = "minijinja's signature")]
fn default(value: &Value, arguments: Rest<Value>) -> Result<Value, Error> {
    let fallback = argument(&arguments)?.cloned();
    let is_blank = value.is_undefined() || value.is_none() || value.as_str().is_some_and(|text| text.trim().is_empty());
    Ok(if is_blank { fallback.unwrap_or_else(|| Value::from("")) } else { value.clone() })
}

fn shorten(value: &Value, limit: &Value) -> Result<String, Error> {
    let limit = argument(std::slice::from_ref(limit))?.and_then(Value::as_usize);
    let limit = limit.ok_or_else(|| error("shorten", "it needs a number of characters: shorten(80)"))?;
    Ok(shortened(&text("shorten", value)?, limit).into_owned())
}

/// At most `limit` characters of `text`; empty if not even its first word fits.
fn shortened(text: &str, limit: usize) -> Cow<'_, str> {
    let text = text.trim();
    if chars(text) <= limit {
        return Cow::Borrowed(text);
    }
    let breaks: Vec<_> = breaks(text);
    let fits = |end: &usize, limit: usize| chars(&text[..*end]) <= limit;
    let sentence = breaks.iter().rfind(|end| ends_sentence(&text[..**end]) && fits(end, limit));
    if let Some(end) = sentence.filter(|end| chars(&text[..**end]) * 2 >= limit) {
        return Cow::Borrowed(&text[..*end]);
    }
    let Some(end) = breaks.iter().rfind(|end| fits(end, limit.saturating_sub(1))) else {
        return Cow::Borrowed("");
    };
    Cow::Owned(format!("{}…", text[..*end].trim_end_matches('.')))
}

/// The byte offsets at which `text` may end: after each word that a plain space follows, without its comma. A short
/// word with a full stop is no end, because `Dr.` belongs to the next word.
fn breaks(text: &str) -> Vec<usize> {
    let plain_space = |c: char| c.is_whitespace() && c != '\u{a0}';
    let mut ends: Vec<_> = text
        .char_indices()
        .zip(text.chars().skip(1))
        .filter(|((_, c), next)| !plain_space(*c) && plain_space(*next))
        .map(|((at, c), _)| at + c.len_utf8())
        .collect();
    ends.retain(|end| {
        let word = text[..*end].rsplit(char::is_whitespace).next().unwrap_or_default();
        !(word.ends_with('.') && chars(word) <= 4)
    });
    ends.into_iter().map(|end| text[..end].trim_end_matches([',', ';', ':', '-', '–']).len()).collect()
}

fn ends_sentence(text: &str) -> bool {
    text.ends_with(['.', '!', '?'])
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;
    use crate::template::{RenderCause, Template};

    fn render(source: &str, x: &str) -> Result<String, RenderCause> {
        let template = Template::compile("context", source).expect(source);
        template.render(&context! { x => x }).map_err(|problem| problem.cause)
    }

    fn check(source: &str, x: &str, expected: &str) {
        assert_eq!(render(source, x).as_deref(), Ok(expected), "{source} of {x}");
    }

    #[test]
    fn every_listed_filter_and_test_exists() {
        let mut environment = Environment::empty();
        install(&mut environment);
        for filter in FILTERS {
            let source = format!("{{{{ x | {filter}(1, 2, 3, 4, 5, 6) }}}}");
            let error = environment.render_str(&source, context! { x => 1 }).expect_err(&source);
            assert_ne!(error.kind(), ErrorKind::UnknownFilter, "{filter}");
        }
        for test in TESTS {
            let source = format!("{{{{ x is {test}(1, 2, 3) }}}}");
            let error = environment.render_str(&source, context! { x => 1 }).expect_err(&source);
            assert_ne!(error.kind(), ErrorKind::UnknownTest, "{test}");
        }
    }

    #[test]
    fn dates_are_written_as_asked() {
        check("{{ x | date('%B %Y') }}", "2026-03-05", "March 2026");
        check("{{ x | date('%A, %B %-d') }}", "2026-11-24T14:30:00-06:00", "Tuesday, November 24");
        check("{{ x | date }}", " 2026-11-24 14:30 ", "November 24, 2026");
        check("{{ x | date }}", "1988-03-22T00:00:00Z", "March 22, 1988");
    }

    #[test]
    fn times_are_written_in_the_offset_they_carry() {
        for text in ["2026-11-24T14:30:00-06:00", "2026-11-24T14:30:00", "2026-11-24 14:30", "14:30", "14:30:59"] {
            check("{{ x | time }}", text, "2:30 PM");
        }
        check("{{ x | time }}", "00:05", "12:05 AM");
    }

    #[test]
    fn an_invalid_date_or_time_is_rejected_with_the_filters_name() {
        for (source, x, refusal) in [
            ("{{ x | date }}", "3/22/88", NO_DATE),
            ("{{ x | date }}", "2026-02-30", NO_DATE),
            ("{{ x | date }}", "", EMPTY),
            ("{{ x | time }}", "2026-11-24", NO_TIME),
            ("{{ x | time }}", "2026-11-24T20:30:00Z", IN_UTC),
            ("{{ x | date }}", "2026-11-24T02:30:00Z", IN_UTC),
        ] {
            let filter = if source.contains("date") { "date" } else { "time" };
            assert_eq!(render(source, x), Err(RenderCause::Filter { filter, refusal }), "{source} of {x}");
        }
    }

    #[test]
    fn a_format_from_a_cell_is_checked_too() {
        let cause = render("{{ '2026-11-24' | date(x) }}", "%Q").expect_err("no format");
        assert_eq!(cause, RenderCause::Filter { filter: "date", refusal: "not a format for dates" });
    }

    #[test]
    fn numbers_are_spoken_digit_by_digit() {
        check("{{ x | spoken }}", "+13125550142", "3 1 2, 5 5 5, 0 1 4 2");
        check("{{ x | spoken }}", "(312) 555-0142", "3 1 2, 5 5 5, 0 1 4 2");
        check("{{ x | spoken }}", "555-0142", "5 5 5, 0 1 4 2");
        check("{{ x | spoken }}", "+442079460000", "4 4 2, 0 7 9, 4 6 0, 0 0 0");
        for text in ["", "mom's cell", "312-555-0142 x12", "12345", "0123456789012345"] {
            assert!(render("{{ x | spoken }}", text).is_err(), "{text}");
        }
    }

    #[test]
    fn one_is_singular_and_every_other_number_plural() {
        for (x, word) in [("1", "tooth"), ("2", "teeth"), ("0", "teeth"), ("1.0", "tooth"), (" 1 ", "tooth")] {
            check("{{ x | plural('tooth', 'teeth') }}", x, word);
        }
        assert!(render("{{ x | plural('tooth', 'teeth') }}", "some").is_err());
    }

    #[test]
    fn a_default_replaces_an_empty_cell_and_a_missing_column() {
        check("{{ x | default('any time') }}", "", "any time");
        check("{{ x | default('any time') }}", "  ", "any time");
        check("{{ x | default('any time') }}", "mornings", "mornings");
        check("{{ y | default(x) }}{{ z | default }}", "mornings", "mornings");
    }

    #[test]
    fn an_argument_that_does_not_exist_is_an_error() {
        for source in ["{{ x | default(y) }}", "{{ x | date(y) }}", "{{ x | shorten(y) }}", "{{ x | plural(y, 'b') }}"]
        {
            assert_eq!(render(source, "2026-11-24"), Err(RenderCause::Undefined { variable: "y".into() }), "{source}");
        }
    }

    #[test]
    fn an_if_without_an_else_inserts_nothing() {
        check("a{{ ' and ' ~ x if x }}.", "", "a.");
        check("a{{ ' and ' ~ x if x }}.", "b", "a and b.");
    }

    #[test]
    fn shortening_keeps_sentences_and_words_whole() {
        let text = "Prefers late mornings. Has asked twice for Dr. Lee, never on Fridays.";
        for (limit, expected) in [
            (200, text),
            (69, text),
            (68, "Prefers late mornings. Has asked twice for Dr. Lee, never on…"),
            (51, "Prefers late mornings. Has asked twice for Dr. Lee…"),
            (50, "Prefers late mornings. Has asked twice for…"),
            (44, "Prefers late mornings."),
            (22, "Prefers late mornings."),
            (21, "Prefers late…"),
            (8, "Prefers…"),
            (7, ""),
            (0, ""),
        ] {
            assert_eq!(shortened(text, limit), expected, "{limit}");
            assert!(chars(&shortened(text, limit)) <= limit);
        }
    }

    #[test]
    fn shortening_never_cuts_a_date_a_number_or_a_name() {
        check("{{ ('Seen ' ~ (x | date('%B %Y')) ~ ' by us') | shorten(16) }}", "2026-03-05", "Seen March 2026…");
        check("{{ ('Seen ' ~ (x | date('%B %Y')) ~ ' by us') | shorten(15) }}", "2026-03-05", "Seen…");
        check("{{ ('For ' ~ (x | name) ~ ' and others') | shorten(14) }}", "Mary Kate", "For Mary Kate…");
        check("{{ ('For ' ~ (x | name) ~ ' and others') | shorten(13) }}", "Mary Kate", "For…");
        check("{{ ('Call ' ~ (x | spoken) ~ ' now') | shorten(20) }}", "+13125550142", "Call…");
    }

    #[test]
    fn shortening_never_cuts_what_a_tag_inserts() {
        let source = "{% filter shorten(14) %}With {{ x }} at ten{% endfilter %}";
        check(source, "Mary Kate", "With…");
        check(source, "Mary", "With Mary at…");
    }
}

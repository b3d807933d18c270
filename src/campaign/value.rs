//! The types of single values: each reads itself from TOML, reports what it expects, and has a JSON Schema.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc, Weekday};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

use super::diagnostics::Diagnostic;
use super::holiday::Holiday;
use super::sections::{
    Consent, DateOrder, DayWindow, HouseholdRule, ListEncoding, OnAbsent, OnConflict, OnLostAnswer, Preset, Purpose,
    ValueMeaning, VendorKind, ZoneMode,
};
use super::spanned_reader::{RawValue, Spanned, SpannedReader, unspanned};
use super::toml_span;
use crate::did_you_mean::nearest;
use crate::entry::Outcome;
use crate::ids::CampaignName;
use crate::phone::E164;
use crate::phone::area_codes::AreaCodeCoverage;
use crate::template::{self, Template};
use crate::zone::Zone;

/// A number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fraction(pub f64);

/// A whole number, 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count(pub u32);

/// A number above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositiveNumber(pub f64);

/// Field name → column name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnNames(pub Vec<(String, String)>);

/// Column or field → word → what it means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CellValues(pub Vec<(String, String, ValueMeaning)>);

/// Area code → its states and time zones.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AreaCodeTable(pub BTreeMap<u16, AreaCodeCoverage>);

/// The number of calls that one run may place, 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimit(pub u32);

/// The number of calls whose outcomes are awaited before others are placed; 0 for no canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canary(pub u32);

/// `"on"` or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

/// A fault of the simulator: `KIND=SHARE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultText(pub String);

/// The style of a simulated bot's tags, as `simulate --bot-style` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BotStyleWord(pub &'static str);

pub(super) fn count(spanned: Option<Spanned<Count>>) -> Option<u32> {
    unspanned(spanned).map(|Count(count)| count)
}

/// Types whose values are fixed words, with the meaning of each word.
macro_rules! words {
    ($($type:ty { $($word:literal = $meant:expr,)+ })+) => {$(
        impl RawValue for $type {
            fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
                reader.word(value, &[$(($word, $meant)),+])
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "enum": [$($word),+] })
            }
        }
    )+};
}

words! {
    Purpose { "recall" = Self::Recall, "reminder" = Self::Reminder, "follow_up" = Self::FollowUp, }
    BotStyleWord {
        "kebab" = Self("kebab"), "snake" = Self("snake"), "title" = Self("title"), "camel" = Self("camel"),
        "prefixed" = Self("prefixed"), "codes" = Self("codes"), "sentences" = Self("sentences"), "none" = Self("none"),
    }
    OnAbsent { "withdraw" = Self::Withdraw, "keep" = Self::Keep, }
    OnConflict { "reject" = Self::Reject, "last_wins" = Self::LastWins, }
    DateOrder { "mdy" = Self::Mdy, "dmy" = Self::Dmy, "ymd" = Self::Ymd, }
    ListEncoding {
        "utf-8" = Self::Utf8, "utf-16le" = Self::Utf16Le, "utf-16be" = Self::Utf16Be,
        "windows-1252" = Self::Windows1252, "mac-roman" = Self::MacRoman, "cp850" = Self::Cp850,
    }
    Preset { "vendor-safe" = Self::VendorSafe, "us-federal" = Self::UsFederal, "us-states" = Self::UsStates,
        "canada" = Self::Canada, }
    Consent { "on_file" = Self::OnFile, "column" = Self::Column, }
    ZoneMode { "intersect" = Self::Intersect, "row-wins" = Self::RowWins, }
    OnLostAnswer { "hold" = Self::Hold, "retry" = Self::Retry, }
    ValueMeaning {
        "call" = Self::Call, "do_not_call" = Self::DoNotCall, "inactive" = Self::Inactive, "deceased" = Self::Deceased,
        "appointment_off" = Self::AppointmentOff,
    }
    Switch { "on" = Self(true), "off" = Self(false), }
    // "on" is the word of earlier versions for the default.
    HouseholdRule { "name" = Self::Name, "number" = Self::Number, "off" = Self::Off, "on" = Self::Name, }
    VendorKind { "annie" = Self::Annie, "simulator" = Self::Simulator, }
    Weekday {
        "mon" = Self::Mon, "tue" = Self::Tue, "wed" = Self::Wed, "thu" = Self::Thu, "fri" = Self::Fri,
        "sat" = Self::Sat, "sun" = Self::Sun,
    }
}

impl RawValue for Outcome {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let words: Vec<_> = Self::ALL.iter().map(|outcome| (outcome.name(), *outcome)).collect();
        reader.word(value, &words)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::ALL.iter().map(|o| o.name()).collect::<Vec<_>>() })
    }
}

/// Types whose values are written as text: what a message says is expected, an example, and the parser.
macro_rules! texts {
    ($($type:ty, $wanted:literal, $example:literal, $read:expr;)+) => {$(
        impl RawValue for $type {
            fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
                let wanted = concat!($wanted, " such as \"", $example, "\"");
                let text = reader.text(value, wanted)?;
                let read: fn(&str) -> Option<Self> = $read;
                let read = read(text);
                if read.is_none() {
                    reader.must_be(value, wanted);
                }
                read
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "examples": [$example] })
            }
        }
    )+};
}

texts! {
    String, "a text", "Bright Smile Dental", |text| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    PathBuf, "a file's path", "lists/recall.csv", |text| (!text.trim().is_empty()).then(|| PathBuf::from(text));
    CampaignName, "a name of letters, digits, spaces and `-_.`, at most 64,", "six-month-recall", name;
    Zone, "an IANA time zone", "America/Chicago", |text| Self::named(text).ok();
    E164, "a phone number", "+13125550142", |text| Self::parse(text).ok();
    TimeDelta, "a duration", "72h", duration;
    DayWindow, "the hours of a day", "09:30-17:00", window;
    DateTime<Utc>, "a moment", "2026-11-24T15:00:00Z", |text| text.parse().ok();
    Holiday, "a region, a day and a name", "US 4th-thu-nov Thanksgiving Day", Self::parse;
    AreaCodeCoverage, "a state or an IANA time zone", "OH", Self::parse;
    FaultText, "a fault and its share", "reset-after=0.05", fault;
}

fn name(text: &str) -> Option<CampaignName> {
    let is_plain = text.chars().all(|c| c.is_alphanumeric() || " -_.".contains(c));
    (is_plain && text.trim() == text && (1..=64).contains(&text.chars().count())).then(|| CampaignName::new(text))
}

/// `300s`, `30m`, `72h`, `7d`, or several such parts in a row; at most ten years.
pub fn duration(text: &str) -> Option<TimeDelta> {
    let mut rest = text.trim();
    let mut sum = TimeDelta::zero();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount = rest[..digits].parse().ok()?;
        let part = match rest[digits..].chars().next()? {
            's' => TimeDelta::try_seconds(amount)?,
            'm' => TimeDelta::try_minutes(amount)?,
            'h' => TimeDelta::try_hours(amount)?,
            'd' => TimeDelta::try_days(amount)?,
            _ => return None,
        };
        sum = sum.checked_add(&part)?;
        rest = rest[digits + 1..].trim_start();
    }
    (!text.trim().is_empty() && sum <= TimeDelta::days(3_660)).then_some(sum)
}

fn window(text: &str) -> Option<DayWindow> {
    let (start, end) = text.split_once(['-', '–'])?;
    let time = |text: &str| NaiveTime::parse_from_str(text.trim(), "%H:%M").ok();
    let window = DayWindow { start: time(start)?, end: time(end)? };
    (window.start < window.end).then_some(window)
}

/// Checks the shape only; the simulator checks the kind.
fn fault(text: &str) -> Option<FaultText> {
    let (kind, share) = text.split_once('=')?;
    let share: f64 = share.trim().parse().ok()?;
    (!kind.trim().is_empty() && (0.0..=1.0).contains(&share)).then(|| FaultText(text.to_owned()))
}

/// Types whose values are numbers or booleans: what a message says is expected, the parser, and the JSON Schema.
macro_rules! numbers {
    ($($type:ty, $wanted:literal, $read:expr, $schema:tt;)+) => {$(
        impl RawValue for $type {
            fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
                let read: fn(&DeValue<'_>) -> Option<Self> = $read;
                let read = read(value.get_ref());
                if read.is_none() {
                    reader.must_be(value, $wanted);
                }
                read
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

numbers! {
    bool, "true or false", |value| value.as_bool(), { "type": "boolean" };
    Count, "a whole number, 1 or more", |value| whole(value).filter(|n| *n > 0)?.try_into().ok().map(Self),
        { "type": "integer", "minimum": 1, "maximum": u32::MAX };
    CallLimit, "a whole number, 1 or more (`callrounds pause` keeps a run from calling)",
        |value| whole(value).filter(|n| *n > 0)?.try_into().ok().map(Self),
        { "type": "integer", "minimum": 1, "maximum": u32::MAX };
    Canary, "a whole number, or 0 for none", |value| whole(value)?.try_into().ok().map(Self),
        { "type": "integer", "minimum": 0, "maximum": u32::MAX };
    u64, "a whole number, 0 or more", whole, { "type": "integer", "minimum": 0 };
    Fraction, "a number from 0 to 1", |value| number(value).filter(|n| (0.0..=1.0).contains(n)).map(Self),
        { "type": "number", "minimum": 0, "maximum": 1 };
    PositiveNumber, "a number above 0", |value| number(value).filter(|n| *n > 0.0 && n.is_finite()).map(Self),
        { "type": "number", "exclusiveMinimum": 0 };
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value.as_float() {
        Some(float) => float.as_str().parse().ok(),
        None => whole(value).map(|n| n as f64),
    }
}

impl RawValue for Template {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let text = reader.text(value, "a text in quotes")?;
        if text.trim().is_empty() {
            reader.must_be(value, "a message");
            reader.add_help("leave the key out if there is none".to_owned());
            return None;
        }
        let compiled = Self::compile(reader.key(), text);
        let wrong = compiled.as_ref().err().into_iter().flatten();
        let mut problems: Vec<_> =
            wrong.map(|problem| (problem.span.clone(), problem.what.clone(), problem.help.clone())).collect();
        problems.extend(unknown_parts(text));
        let (start, written) = (value.span().start, reader.literal(value.span()));
        let at = |at| start + toml_span::literal_offset(written, text, at);
        let is_good = problems.is_empty();
        for (span, what, help) in problems {
            let found = Diagnostic::new(at(span.start)..at(span.end), format!("`{}`: {what}", reader.key()));
            reader.problems.push(Diagnostic { help, ..found });
        }
        compiled.ok().filter(|_| is_good)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["{{ first_name }} is due for a visit."] })
    }
}

/// The parts of the template objects that do not come from the list, known before a list is read.
const OBJECTS: &[(&str, &[&str])] = &[
    ("practice", &["name", "callback_number", "timezone"]),
    ("campaign", &["name", "purpose"]),
    ("appointment", &["start", "end", "description", "id"]),
];

/// The variables of a template that name a part which a known object does not have.
fn unknown_parts(source: &str) -> Vec<(Range<usize>, String, Option<String>)> {
    let mut found = Vec::new();
    for (name, span) in template::variables(source) {
        let Some((object, part)) = name.split_once('.') else { continue };
        let Some((_, parts)) = OBJECTS.iter().find(|(known, _)| *known == object) else { continue };
        if parts.contains(&part) {
            continue;
        }
        let help = match nearest(part, parts.iter().copied()) {
            Some(near) => format!("did you mean `{object}.{near}`?"),
            None => format!("`{object}` has {}", parts.join(", ")),
        };
        found.push((span, format!("there is no `{name}`"), Some(help)));
    }
    found
}

impl RawValue for ColumnNames {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        // In the order of the file: of several phone columns, the first is dialled first.
        let mut entries: Vec<_> = reader.table(value)?.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let columns = entries.into_iter().filter_map(|(key, value)| {
            let column: Spanned<String> = reader.setting(key, value)?;
            Some((key.get_ref().to_string(), column.value))
        });
        Some(Self(columns.collect()))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": String::json_schema(generator) })
    }
}

impl RawValue for CellValues {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let mut values = Vec::new();
        for (column, words) in reader.table(value)? {
            for (word, meaning) in reader.table(words)? {
                let Some(meaning) = reader.setting::<ValueMeaning>(word, meaning) else { continue };
                values.push((column.get_ref().to_string(), word.get_ref().to_string(), meaning.value));
            }
        }
        Some(Self(values))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let words = json_schema!({ "type": "object", "additionalProperties": ValueMeaning::schema(generator) });
        json_schema!({ "type": "object", "additionalProperties": words })
    }
}

impl RawValue for AreaCodeTable {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let mut zones = BTreeMap::new();
        for (key, value) in reader.table(value)? {
            let region: Option<Spanned<AreaCodeCoverage>> = reader.setting(key, value);
            if let Some(area) = key.get_ref().parse().ok().filter(|area| (200..1_000).contains(area)) {
                zones.extend(region.map(|region| (area, region.value)));
            } else {
                let message = format!("`{}` must be an area code such as \"312\"", key.get_ref());
                reader.problems.push(Diagnostic::new(key.span(), message));
            }
        }
        Some(Self(zones))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": AreaCodeCoverage::schema(generator) })
    }
}

impl<T: RawValue> RawValue for Spanned<T> {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        reader.spanned(value)
    }

    fn keys(path: &str, keys: &mut Vec<(String, &'static str)>) {
        T::keys(path, keys);
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: RawValue> RawValue for Vec<T> {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let Some(items) = value.get_ref().as_array() else {
            reader.must_be(value, "a list in [ ]");
            return None;
        };
        Some(items.iter().filter_map(|item| T::read(item, reader)).collect())
    }

    fn keys(path: &str, keys: &mut Vec<(String, &'static str)>) {
        T::keys(path, keys);
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [
            ("300s", Some(300)),
            ("30m", Some(1_800)),
            ("72h", Some(259_200)),
            ("7d", Some(604_800)),
            ("1h 30m", Some(5_400)),
            ("0s", Some(0)),
            ("", None),
            ("7", None),
            ("h", None),
            ("1.5h", None),
            ("-1h", None),
            ("7w", None),
            ("7é", None),
            ("99999999999999999999d", None),
            ("9223372036854775807s", None),
            ("9000000000000d", None),
        ] {
            assert_eq!(duration(text).map(|span| span.num_seconds()), seconds, "{text}");
        }
    }

    #[test]
    fn a_window_starts_before_it_ends() {
        for (text, good) in [
            ("09:30-17:00", true),
            ("9:30 – 17:00", true),
            ("17:00-09:30", false),
            ("09:30-09:30", false),
            ("09:30", false),
            ("9-17", false),
            ("09:30-24:00", false),
        ] {
            assert_eq!(window(text).is_some(), good, "{text}");
        }
    }

    /// The words of a campaign file are the words of the ledger and of reports.
    #[test]
    fn words_are_the_same_everywhere() {
        fn check<T: RawValue + JsonSchema>() {
            let words = T::schema(&mut SchemaGenerator::default());
            let derived = T::json_schema(&mut SchemaGenerator::default()).to_value();
            let variants = derived["oneOf"].as_array().expect("documented variants").iter();
            let known: Vec<_> = variants.map(|variant| variant["const"].clone()).collect();
            assert_eq!(words.get("enum").expect("words").as_array(), Some(&known));
        }
        check::<Purpose>();
        check::<OnAbsent>();
        check::<OnConflict>();
        check::<DateOrder>();
        check::<ListEncoding>();
        check::<Preset>();
        check::<Consent>();
        check::<ZoneMode>();
        check::<OnLostAnswer>();
        check::<ValueMeaning>();
        check::<Outcome>();
    }
}

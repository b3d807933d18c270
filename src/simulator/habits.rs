//! Habits of the vendor, for what the contract leaves open: `simulate --habit WORD` or `--habit WORD=VALUE`.

use chrono::TimeDelta;

use crate::phone::E164;

use super::medium::SimulatedMedium;
use super::settings::{ConversationOrder, Dates, ForeignTraffic, Gaps, Offset, RowField, Settings, Total};

/// The known habits, for help texts and errors.
pub const KNOWN: &str = "order=newest|oldest|none, inversions=SECONDS, total=missing|page|high|capped:N|stale:N, \
                         offset=not-echoed|zero|ignored, page-cap=N, failing-at=N, stray, duplicates, \
                         lacks=id|from|to|start:PERCENT[:for-good], numbers=national, medium=WORD, \
                         texts=sms|chat|whatsapp|email|untold:SECONDS:FROM:TO[:TO…], date=none|stale:N|off:SECONDS, \
                         concurrent=N[:closing-counts]";

/// The text is not a known habit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}: not a habit of the simulated vendor; known are {KNOWN}")]
pub struct HabitParseError(String);

/// Parses a habit and applies it to the settings.
pub fn apply_habit(settings: &mut Settings, text: &str) -> Result<(), HabitParseError> {
    apply(settings, text).ok_or_else(|| HabitParseError(text.to_owned()))
}

fn apply(settings: &mut Settings, text: &str) -> Option<()> {
    let (word, value) = text.split_once('=').unwrap_or((text, ""));
    let (kind, argument) = value.split_once(':').unwrap_or((value, ""));
    let list = &mut settings.list;
    match (word, kind) {
        ("order", "newest") => list.order = ConversationOrder::NewestFirst,
        ("order", "oldest") => list.order = ConversationOrder::OldestFirst,
        ("order", "none") => list.order = ConversationOrder::Unordered,
        ("inversions", seconds) => list.inversions = TimeDelta::try_seconds(seconds.parse().ok()?)?,
        ("total", "missing") => list.total = Total::Missing,
        ("total", "page") => list.total = Total::OfThePage,
        ("total", "high") => list.total = Total::TooHigh,
        ("total", "capped") => list.total = Total::Capped(argument.parse().ok()?),
        ("total", "stale") => list.total = Total::Stale(argument.parse().ok()?),
        ("offset", "not-echoed") => list.offset = Offset::NotEchoed,
        ("offset", "zero") => list.offset = Offset::EchoedAsZero,
        ("offset", "ignored") => list.offset = Offset::Ignored,
        ("page-cap", rows) => list.page_cap = rows.parse().ok().filter(|rows| *rows >= 10)?,
        ("failing-at", at) => list.failing_at = Some(at.parse().ok()?),
        ("stray", "") => list.stray = true,
        ("duplicates", "") => list.duplicates = true,
        ("lacks", field) => list.gaps = Some(gaps(field, argument)?),
        ("numbers", "national") => settings.wording.national_numbers = true,
        ("medium", word) => word.clone_into(&mut settings.wording.voice_medium),
        ("texts", medium) => list.foreign.push(texts(medium, argument)?),
        ("concurrent", limit) => {
            settings.rules.concurrent_calls = Some(limit.parse().ok().filter(|limit| *limit > 0)?);
            settings.rules.closing_counts = argument == "closing-counts";
            return matches!(argument, "" | "closing-counts").then_some(());
        }
        ("date", "none") => settings.wording.date = Dates::Missing,
        ("date", "stale") => settings.wording.date = Dates::StaleEvery(argument.parse().ok()?),
        ("date", "off") => settings.wording.date = Dates::Off(argument.parse().ok()?),
        _ => return None,
    }
    Some(())
}

fn gaps(field: &str, argument: &str) -> Option<Gaps> {
    let (percent, for_good) = argument.split_once(':').unwrap_or((argument, ""));
    let field = match field {
        "id" => RowField::Id,
        "from" => RowField::From,
        "to" => RowField::To,
        "start" => RowField::Start,
        _ => return None,
    };
    let is_known = matches!(for_good, "" | "for-good");
    Some(Gaps { field, percent: percent.parse().ok()?, for_good: for_good == "for-good" }).filter(|_| is_known)
}

/// Text conversations of other software: `SECONDS:FROM:TO[:TO…]`.
fn texts(medium: &str, argument: &str) -> Option<ForeignTraffic> {
    let medium = match medium {
        "sms" => SimulatedMedium::Sms,
        "chat" => SimulatedMedium::Chat,
        "whatsapp" => SimulatedMedium::Whatsapp,
        "email" => SimulatedMedium::Email,
        "untold" => SimulatedMedium::Untold,
        _ => return None,
    };
    let mut parts = argument.split(':');
    let every = TimeDelta::try_seconds(parts.next()?.parse().ok()?)?;
    let mut numbers = parts.map(|text| E164::parse(text).ok());
    let from = numbers.next()??;
    Some(ForeignTraffic { every, backlog: 0, from, to: numbers.collect::<Option<_>>()?, medium })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_is_parsed_from_its_word() {
        let mut settings = Settings::default();
        for text in [
            "order=oldest",
            "inversions=20",
            "total=capped:100",
            "offset=ignored",
            "page-cap=50",
            "failing-at=120",
            "stray",
            "duplicates",
            "lacks=start:30:for-good",
            "numbers=national",
            "medium=xyz",
            "texts=whatsapp:90:+13125550142:+13125550101:+13125550102",
            "date=stale:7",
            "concurrent=4:closing-counts",
        ] {
            apply_habit(&mut settings, text).unwrap_or_else(|problem| panic!("{problem}"));
        }
        let list = &settings.list;
        assert_eq!(
            (list.order, list.total, list.offset),
            (ConversationOrder::OldestFirst, Total::Capped(100), Offset::Ignored)
        );
        assert_eq!(list.gaps, Some(Gaps { field: RowField::Start, percent: 30, for_good: true }));
        assert_eq!((settings.rules.concurrent_calls, settings.rules.closing_counts), (Some(4), true));
        assert_eq!((list.foreign.len(), list.foreign[0].to.len()), (1, 2));
        assert_eq!((&*settings.wording.voice_medium, settings.wording.date), ("xyz", Dates::StaleEvery(7)));
    }

    #[test]
    fn an_unknown_habit_is_refused_with_the_known_ones() {
        for text in [
            "",
            "order",
            "order=sideways",
            "page-cap=0",
            "lacks=age:3",
            "lacks=id:x",
            "texts=sms:9",
            "stray=1",
            "concurrent=0",
            "concurrent=3:x",
        ] {
            let problem = apply_habit(&mut Settings::default(), text).expect_err(text).to_string();
            assert!(problem.contains("known are order="), "{problem}");
        }
    }
}

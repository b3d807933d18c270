//! Habits of the vendor by their words, `WORD` or `WORD=VALUE`: what the contract leaves open, as `simulate --habit` takes it.

use chrono::TimeDelta;

use crate::phone::E164;

use super::conversation::Medium;
use super::settings::{Dates, Field, Foreign, Gaps, Offset, Order, Settings, Total};

/// What the words are, for whoever asks.
pub const KNOWN: &str = "order=newest|oldest|none, inversions=SECONDS, total=missing|page|high|capped:N|stale:N, \
                         offset=not-echoed|zero|ignored, page-cap=N, failing-at=N, stray, duplicates, \
                         lacks=id|from|to|start:PERCENT[:for-good], numbers=national, medium=WORD, \
                         texts=sms|chat|whatsapp|email|untold:SECONDS:FROM:TO[:TO…], date=none|stale:N|off:SECONDS";

/// Why a text is no habit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no habit of the simulated vendor; known are {KNOWN}")]
pub struct NotAHabit(String);

/// Gives the vendor a habit.
pub fn take_on(settings: &mut Settings, text: &str) -> Result<(), NotAHabit> {
    read(settings, text).ok_or_else(|| NotAHabit(text.to_owned()))
}

fn read(settings: &mut Settings, text: &str) -> Option<()> {
    let (word, value) = text.split_once('=').unwrap_or((text, ""));
    let (kind, of) = value.split_once(':').unwrap_or((value, ""));
    let list = &mut settings.list;
    match (word, kind) {
        ("order", "newest") => list.order = Order::NewestFirst,
        ("order", "oldest") => list.order = Order::OldestFirst,
        ("order", "none") => list.order = Order::Unordered,
        ("inversions", seconds) => list.inversions = TimeDelta::try_seconds(seconds.parse().ok()?)?,
        ("total", "missing") => list.total = Total::Missing,
        ("total", "page") => list.total = Total::OfThePage,
        ("total", "high") => list.total = Total::TooHigh,
        ("total", "capped") => list.total = Total::Capped(of.parse().ok()?),
        ("total", "stale") => list.total = Total::Stale(of.parse().ok()?),
        ("offset", "not-echoed") => list.offset = Offset::NotEchoed,
        ("offset", "zero") => list.offset = Offset::EchoedAsZero,
        ("offset", "ignored") => list.offset = Offset::Ignored,
        ("page-cap", rows) => list.page_cap = rows.parse().ok().filter(|rows| *rows >= 10)?,
        ("failing-at", at) => list.failing_at = Some(at.parse().ok()?),
        ("stray", "") => list.stray = true,
        ("duplicates", "") => list.duplicates = true,
        ("lacks", field) => list.gaps = Some(gaps(field, of)?),
        ("numbers", "national") => settings.wording.national_numbers = true,
        ("medium", word) => word.clone_into(&mut settings.wording.voice_medium),
        ("texts", medium) => list.foreign.push(texts(medium, of)?),
        ("date", "none") => settings.wording.date = Dates::Missing,
        ("date", "stale") => settings.wording.date = Dates::StaleEvery(of.parse().ok()?),
        ("date", "off") => settings.wording.date = Dates::Off(of.parse().ok()?),
        _ => return None,
    }
    Some(())
}

fn gaps(field: &str, of: &str) -> Option<Gaps> {
    let (percent, for_good) = of.split_once(':').unwrap_or((of, ""));
    let field = match field {
        "id" => Field::Id,
        "from" => Field::From,
        "to" => Field::To,
        "start" => Field::Start,
        _ => return None,
    };
    let is_known = matches!(for_good, "" | "for-good");
    Some(Gaps { field, percent: percent.parse().ok()?, for_good: for_good == "for-good" }).filter(|_| is_known)
}

/// Conversations that are no calls, from a number to others.
fn texts(medium: &str, of: &str) -> Option<Foreign> {
    let medium = match medium {
        "sms" => Medium::Sms,
        "chat" => Medium::Chat,
        "whatsapp" => Medium::Whatsapp,
        "email" => Medium::Email,
        "untold" => Medium::Untold,
        _ => return None,
    };
    let mut parts = of.split(':');
    let every = TimeDelta::try_seconds(parts.next()?.parse().ok()?)?;
    let mut numbers = parts.map(|text| E164::parse(text).ok());
    let from = numbers.next()??;
    Some(Foreign { every, backlog: 0, from, to: numbers.collect::<Option<_>>()?, medium })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_is_read_from_its_word() {
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
        ] {
            take_on(&mut settings, text).unwrap_or_else(|problem| panic!("{problem}"));
        }
        let list = &settings.list;
        assert_eq!((list.order, list.total, list.offset), (Order::OldestFirst, Total::Capped(100), Offset::Ignored));
        assert_eq!(list.gaps, Some(Gaps { field: Field::Start, percent: 30, for_good: true }));
        assert_eq!((list.foreign.len(), list.foreign[0].to.len()), (1, 2));
        assert_eq!((&*settings.wording.voice_medium, settings.wording.date), ("xyz", Dates::StaleEvery(7)));
    }

    #[test]
    fn what_is_no_habit_is_refused_with_those_that_are() {
        for text in ["", "order", "order=sideways", "page-cap=0", "lacks=age:3", "lacks=id:x", "texts=sms:9", "stray=1"]
        {
            let problem = take_on(&mut Settings::default(), text).expect_err(text).to_string();
            assert!(problem.contains("known are order="), "{problem}");
        }
    }
}

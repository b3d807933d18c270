//! A plan for people: who would be called on which day, from when, and why not before; by counts, rules and lines.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use serde::Serialize;

use crate::entry::{Outcome, Reason, State};
use crate::ledger::{Absence, Enrolled};
use crate::plan::{Forecast, LeftOut, Plan, Why};
use crate::zone::Zone;

use super::text::lowercase;

/// Stretches of lines that are named; of more it is said how many.
const STRETCHES: usize = 6;

/// From this hour on, today is tonight.
const EVENING: u32 = 17;

/// The calls of one day.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// In the practice's zone.
    pub date: NaiveDate,
    /// When the first of them is expected.
    pub first: DateTime<Utc>,
    /// When the last of them is expected.
    pub last: DateTime<Utc>,
    /// How many.
    pub calls: u64,
    /// By what keeps them from being placed before.
    pub because: Vec<Because>,
}

/// Calls that the same keeps from being placed before.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// `now`, the name of a rule, `no_turn` or `max_calls`.
    pub why: &'static str,
    /// The same in a sentence.
    pub says: &'static str,
    /// How many.
    pub calls: u64,
    /// Their rows of the list.
    pub lines: Vec<u64>,
}

/// The calls by the day on which their turn is expected to come, and those that are left for another run.
#[must_use]
pub fn days(plan: &Plan, zone: &Zone) -> (Vec<Day>, Vec<Because>) {
    let mut days: BTreeMap<NaiveDate, Vec<(DateTime<Utc>, Why, u64)>> = BTreeMap::new();
    let mut another_run: Vec<(Why, u64)> = Vec::new();
    for call in &plan.calls {
        match call.turn.at {
            Some(at) => days.entry(zone.local(at).date()).or_default().push((at, call.turn.why, call.line)),
            None => another_run.push((call.turn.why, call.line)),
        }
    }
    let day = |(date, calls): (NaiveDate, Vec<(DateTime<Utc>, Why, u64)>)| {
        let instants = || calls.iter().map(|(at, ..)| *at);
        Some(Day {
            date,
            first: instants().min()?,
            last: instants().max()?,
            calls: calls.len() as u64,
            because: because(calls.iter().map(|(_, why, line)| (*why, *line))),
        })
    };
    (days.into_iter().filter_map(day).collect(), because(another_run.into_iter()))
}

fn because(calls: impl Iterator<Item = (Why, u64)>) -> Vec<Because> {
    let mut by_rule: BTreeMap<Why, Vec<u64>> = BTreeMap::new();
    for (why, line) in calls {
        by_rule.entry(why).or_default().push(line);
    }
    let told = |(why, mut lines): (Why, Vec<u64>)| {
        lines.sort_unstable();
        Because { why: why.name(), says: why.says(), calls: lines.len() as u64, lines }
    };
    by_rule.into_iter().map(told).collect()
}

/// Why entries would not be called, and how many.
#[must_use]
pub fn left_out(plan: &Plan) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for entry in &plan.left_out {
        *counts.entry(why_not(entry)).or_default() += 1;
    }
    counts
}

/// The lines of the first `most` of them, by the same reasons.
#[must_use]
pub fn lines_left_out(plan: &Plan, most: usize) -> BTreeMap<String, Vec<u64>> {
    let mut lines: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in &plan.left_out {
        let told = lines.entry(why_not(entry)).or_default();
        if told.len() < most {
            told.push(entry.line);
        }
    }
    lines
}

fn why_not(LeftOut { state, reason, outcome, .. }: &LeftOut) -> String {
    let because = |reason: &Option<Reason>| reason.map_or_else(String::new, |reason| lowercase(reason.says()));
    match state {
        State::Finished => format!("called already: {}", outcome.map_or("over", Outcome::name)),
        State::Submitting | State::Open | State::Unknown => "a call to them is under way".into(),
        State::LostTrack => "lost track of their call".into(),
        State::Failed => format!("refused for good: {}", because(reason)),
        State::Cancelled => "cancelled by an operator".into(),
        State::Ready | State::Waiting | State::Held | State::Suppressed | State::Withdrawn | State::Expired => {
            because(reason)
        }
    }
}

/// The calls by day, and what they take; instants in the practice's zone.
#[must_use]
pub fn calls(plan: &Plan, forecast: &Forecast, zone: &Zone, now: DateTime<Utc>) -> String {
    if plan.calls.is_empty() {
        return "\ncalls\n  nobody is to be called\n".into();
    }
    let at = |at: DateTime<Utc>, form: &str| zone.local(at).format(form).to_string();
    let mut text = String::from("\ncalls\n");
    let Forecast { calls, requests, minutes, closes, fit, measured_on, .. } = forecast;
    let minutes = if *minutes == 1 { "1 minute".into() } else { format!("{minutes} minutes") };
    let lengths = match measured_on {
        0 => "; how long a conversation lasts is assumed".into(),
        count => format!("; conversations as long as the last {count}"),
    };
    let calls = if *calls == 1 { "1 call".into() } else { format!("{calls} calls") };
    let _ = writeln!(text, "  {calls}: about {requests} requests and {minutes}{lengths}");
    let (days, another_run) = days(plan, zone);
    let today = zone.local(now).date();
    for Day { date, first, last, calls, because } in &days {
        let day = if *date != today {
            ""
        } else if zone.local(*first).hour() < EVENING {
            "today, "
        } else {
            "tonight, "
        };
        let day = day.to_owned() + &at(*first, "%a %Y-%m-%d");
        let _ = writeln!(text, "  {day}, {} to {}: {calls}", at(*first, "%H:%M"), at(*last, "%H:%M"));
        tell_because(&mut text, because);
    }
    if !another_run.is_empty() {
        let _ = writeln!(text, "  not in this run: {}", another_run.iter().map(|because| because.calls).sum::<u64>());
        tell_because(&mut text, &another_run);
    }
    if let Some(closes) = closes {
        let _ = writeln!(text, "  the window closes {}: {fit} fit before that", at(*closes, "%a %Y-%m-%d %H:%M"));
    }
    text
}

fn tell_because(text: &mut String, because: &[Because]) {
    for Because { says, calls, lines, .. } in because {
        let _ = writeln!(text, "    {calls} × {}: {}", lowercase(says), stretches(lines));
    }
}

/// Sorted lines in stretches: `lines 2-119, 121 and 14 more`.
fn stretches(lines: &[u64]) -> String {
    let mut stretches: Vec<(u64, u64)> = Vec::new();
    for &line in lines {
        match stretches.last_mut() {
            Some((_, end)) if line <= *end + 1 => *end = line,
            _ => stretches.push((line, line)),
        }
    }
    let shown = &stretches[..stretches.len().min(STRETCHES)];
    let named: Vec<_> = shown
        .iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start}-{end}") })
        .collect();
    let last = shown.last().map_or(0, |(_, end)| *end);
    let hidden = lines.iter().filter(|line| **line > last).count();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    let word = if lines.len() == 1 { "line" } else { "lines" };
    format!("{word} {}{more}", named.join(", "))
}

/// What the list changes about the campaign's entries; nothing for a campaign that the ledger does not know.
#[must_use]
pub fn changes(plan: &Plan) -> String {
    let gone = |absence| plan.gone.iter().filter(|gone| gone.absence == absence).count() as u64;
    let [withdrawn, later, kept] = [Absence::Withdrawn, Absence::WithdrawnOnceSettled, Absence::Kept].map(gone);
    let mut parts = list_of(&plan.changes);
    let mut part = |count: u64, what: &str| parts.extend((count > 0).then(|| format!("{count} {what}")));
    part(withdrawn, "gone, to be withdrawn");
    part(later, "gone, to be withdrawn once their call is settled");
    part(kept, "gone, and kept");
    parts.join(", ")
}

/// What a list changed, in numbers.
#[must_use]
pub fn list_of(changes: &Enrolled) -> Vec<String> {
    let &Enrolled { new, same, changed, renumbered, renumbered_under_way } = changes;
    let under_way = match renumbered_under_way {
        0 => String::new(),
        count => format!(" ({count} while a call to the old one is not settled)"),
    };
    let counts = [
        (new, "new".to_owned()),
        (changed, "changed".to_owned()),
        (renumbered, format!("with another number{under_way}")),
        (same, "as before".to_owned()),
    ];
    counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_in_stretches() {
        for (lines, expected) in [
            (vec![2], "line 2"),
            (vec![2, 3, 4, 7], "lines 2-4, 7"),
            (vec![1, 3, 5, 7, 9, 11, 13, 14], "lines 1, 3, 5, 7, 9, 11 and 2 more"),
        ] {
            assert_eq!(stretches(&lines), expected);
        }
    }

    #[test]
    fn what_a_list_changes_is_told_in_numbers() {
        let changes = Enrolled { new: 3, same: 40, changed: 1, renumbered: 2, renumbered_under_way: 1 };
        assert_eq!(
            list_of(&changes),
            [
                "3 new",
                "1 changed",
                "2 with another number (1 while a call to the old one is not settled)",
                "40 as before"
            ]
        );
    }
}

//! A plan as text: the calls of each day, their expected times and the rules that defer them, as counts and line numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::{DateTime, NaiveDate, Timelike, Utc};
use serde::Serialize;

use crate::entry::reason::without_capital;
use crate::entry::{AbsenceEffect, Outcome, Reason, State};
use crate::ledger::EnrolmentCounts;
use crate::plan::{Forecast, MorePlaces, NotCalled, Plan, SlotReason};
use crate::wording::counted;
use crate::zone::Zone;

/// The ranges of line numbers shown; the other lines are counted.
const RANGES_SHOWN: usize = 6;

/// From this local hour on, the text says "tonight" instead of "today".
const EVENING: u32 = 17;

/// The calls of one day.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct DayPlan {
    /// The date in the practice's zone.
    pub date: NaiveDate,
    /// The expected instant of the first call.
    pub first: DateTime<Utc>,
    /// The expected instant of the last call.
    pub last: DateTime<Utc>,
    /// The number of calls.
    pub calls: u64,
    /// The calls by the reason why they are not placed earlier.
    pub because: Vec<ReasonGroup>,
}

/// Calls that are not placed earlier for the same reason.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct ReasonGroup {
    /// `now`, the name of a rule, `no_turn` or `max_calls`.
    pub why: &'static str,
    /// The same in a sentence.
    pub says: &'static str,
    /// The words for people.
    #[serde(skip)]
    label: String,
    /// The number of calls.
    pub calls: u64,
    /// The line numbers of their rows in the list.
    pub lines: Vec<u64>,
}

/// Entries that would not be called, for the same reason.
#[derive(Debug, PartialEq, Eq)]
pub struct NotCalledGroup {
    /// The reason in words for people.
    pub label: String,
    /// The number of entries.
    pub count: u64,
    /// The line numbers of the first of their rows in the list.
    pub lines: Vec<u64>,
}

/// The calls by the day on which they are expected, and those that are left for another run.
#[must_use]
pub fn days(plan: &Plan, zone: &Zone) -> (Vec<DayPlan>, Vec<ReasonGroup>) {
    let mut days: BTreeMap<NaiveDate, Vec<(DateTime<Utc>, SlotReason, u64)>> = BTreeMap::new();
    let mut another_run: Vec<(SlotReason, u64)> = Vec::new();
    for call in &plan.calls {
        match call.slot.at {
            Some(at) => days.entry(zone.local(at).date()).or_default().push((at, call.slot.why, call.line)),
            None => another_run.push((call.slot.why, call.line)),
        }
    }
    let day = |(date, calls): (NaiveDate, Vec<(DateTime<Utc>, SlotReason, u64)>)| {
        let instants = || calls.iter().map(|(at, ..)| *at);
        Some(DayPlan {
            date,
            first: instants().min()?,
            last: instants().max()?,
            calls: calls.len() as u64,
            because: by_reason(calls.iter().map(|(_, why, line)| (*why, *line))),
        })
    };
    (days.into_iter().filter_map(day).collect(), by_reason(another_run.into_iter()))
}

fn by_reason(calls: impl Iterator<Item = (SlotReason, u64)>) -> Vec<ReasonGroup> {
    let mut by_rule: BTreeMap<SlotReason, Vec<u64>> = BTreeMap::new();
    for (why, line) in calls {
        by_rule.entry(why).or_default().push(line);
    }
    let group = |(why, mut lines): (SlotReason, Vec<u64>)| {
        lines.sort_unstable();
        let calls = lines.len() as u64;
        ReasonGroup { why: why.name(), says: why.description(), label: why.label(), calls, lines }
    };
    by_rule.into_iter().map(group).collect()
}

/// The entries that would not be called, counted by reason, with the keys that `check --json` has.
#[must_use]
pub fn left_out(plan: &Plan) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for entry in &plan.left_out {
        let why = why_not(entry, Outcome::name, |reason| without_capital(reason.description()));
        *counts.entry(why).or_default() += 1;
    }
    counts
}

/// The entries that would not be called, by reason, each group with its first `most` lines.
#[must_use]
pub fn not_called_groups(plan: &Plan, most: usize) -> Vec<NotCalledGroup> {
    let mut groups: BTreeMap<String, (u64, Vec<u64>)> = BTreeMap::new();
    for entry in &plan.left_out {
        let (count, lines) = groups.entry(why_not(entry, Outcome::label, Reason::label)).or_default();
        *count += 1;
        if lines.len() < most {
            lines.push(entry.line);
        }
    }
    groups.into_iter().map(|(label, (count, lines))| NotCalledGroup { label, count, lines }).collect()
}

fn why_not(
    NotCalled { state, reason, outcome, used_by, .. }: &NotCalled,
    outcome_words: fn(Outcome) -> &'static str,
    reason_words: fn(Reason) -> String,
) -> String {
    let because = || match used_by {
        Some(line) => format!("the number is used by the call for line {line}"),
        None => reason.map_or_else(String::new, reason_words),
    };
    match state {
        State::Finished => format!("called already: {}", outcome.map_or("over", outcome_words)),
        State::Submitting | State::Open | State::Unknown => "a call to them is under way".into(),
        State::LostTrack => "lost track of their call".into(),
        State::Failed => format!("refused for good: {}", because()),
        State::Cancelled => "cancelled by an operator".into(),
        State::Ready | State::Waiting | State::Held | State::Suppressed | State::Withdrawn | State::Expired => {
            because()
        }
    }
}

/// The calls by day, with the requests and minutes that they take; instants are in the practice's zone.
#[must_use]
pub fn calls(plan: &Plan, forecast: &Forecast, zone: &Zone, now: DateTime<Utc>) -> String {
    if plan.calls.is_empty() {
        return "\ncalls\n  nobody is to be called\n".into();
    }
    let at = |at: DateTime<Utc>, form: &str| zone.local(at).format(form).to_string();
    let mut text = String::from("\ncalls\n");
    let &Forecast { calls: all, requests, minutes, closes, fit, with_more_places, measured_on, .. } = forecast;
    let minutes = counted(minutes, "minute", "minutes");
    let requests = counted(requests, "request", "requests");
    let lengths = match measured_on {
        0 => "; how long a conversation lasts is assumed".into(),
        count => format!("; conversations as long as the last {count}"),
    };
    let calls = counted(all, "call", "calls");
    let _ = writeln!(text, "  {calls}: about {requests} and {minutes}{lengths}");
    let (days, another_run) = days(plan, zone);
    let today = zone.local(now).date();
    for DayPlan { date, first, last, calls, because: groups } in &days {
        let day = if *date != today {
            ""
        } else if zone.local(*first).hour() < EVENING {
            "today, "
        } else {
            "tonight, "
        };
        let day = day.to_owned() + &at(*first, "%a %Y-%m-%d");
        let _ = writeln!(text, "  {day}, {} to {}: {calls}", at(*first, "%H:%M"), at(*last, "%H:%M"));
        write_groups(&mut text, groups);
    }
    if !another_run.is_empty() {
        let _ = writeln!(text, "  not in this run: {}", another_run.iter().map(|group| group.calls).sum::<u64>());
        write_groups(&mut text, &another_run);
    }
    if let Some(closes) = closes {
        let _ = writeln!(text, "  the window closes {}: {fit} fit before that", at(closes, "%a %Y-%m-%d %H:%M"));
    }
    if let Some(MorePlaces { open_calls, fit }) = with_more_places {
        let fit = if fit == all { format!("all {all} fit") } else { format!("{fit} fit") };
        let _ = writeln!(text, "  with {open_calls} concurrent calls (`open_calls`) {fit}");
    }
    text
}

fn write_groups(text: &mut String, groups: &[ReasonGroup]) {
    for ReasonGroup { label, calls, lines, .. } in groups {
        let _ = writeln!(text, "    {calls} × {label}: {}", line_ranges(lines));
    }
}

/// Sorted line numbers as ranges: `lines 2-119, 121 and 14 more`.
fn line_ranges(lines: &[u64]) -> String {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for &line in lines {
        match ranges.last_mut() {
            Some((_, end)) if line <= *end + 1 => *end = line,
            _ => ranges.push((line, line)),
        }
    }
    let shown = &ranges[..ranges.len().min(RANGES_SHOWN)];
    let written: Vec<_> = shown
        .iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start}-{end}") })
        .collect();
    let last = shown.last().map_or(0, |(_, end)| *end);
    let hidden = lines.iter().filter(|line| **line > last).count();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    let word = if lines.len() == 1 { "line" } else { "lines" };
    format!("{word} {}{more}", written.join(", "))
}

/// The list's changes to the campaign's entries in the ledger.
#[must_use]
pub fn changes(plan: &Plan) -> String {
    let gone = |absence| plan.gone.iter().filter(|gone| gone.absence == absence).count() as u64;
    let [withdrawn, later, kept, expired] =
        [AbsenceEffect::Withdrawn, AbsenceEffect::WithdrawnOnceSettled, AbsenceEffect::Kept, AbsenceEffect::Expired]
            .map(gone);
    let mut parts = list_of(&plan.changes);
    let mut part = |count: u64, what: &str| parts.extend((count > 0).then(|| format!("{count} {what}")));
    part(withdrawn, "gone, to be withdrawn");
    part(later, "gone, to be withdrawn once their call is settled");
    part(kept, "gone, and kept");
    part(expired, "gone, too late to call");
    parts.join(", ")
}

/// The counts of a list's changes, each with its words.
#[must_use]
pub fn list_of(changes: &EnrolmentCounts) -> Vec<String> {
    let &EnrolmentCounts {
        new,
        same,
        changed,
        renumbered,
        renumbered_under_way,
        corrected,
        excluded,
        allowed,
        returned,
    } = changes;
    let under_way = match renumbered_under_way {
        0 => String::new(),
        count => format!(" ({count} while a call to the old one is not settled)"),
    };
    let counts = [
        (new, "new".to_owned()),
        (changed, "changed".to_owned()),
        (renumbered - corrected, format!("with another number{under_way}")),
        (corrected, "with a corrected number, to be called again".to_owned()),
        (excluded, "newly excluded".to_owned()),
        (allowed, "no longer excluded".to_owned()),
        (returned, "back on the list".to_owned()),
        (same, "as before".to_owned()),
    ];
    counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_as_ranges() {
        for (lines, expected) in [
            (vec![2], "line 2"),
            (vec![2, 3, 4, 7], "lines 2-4, 7"),
            (vec![1, 3, 5, 7, 9, 11, 13, 14], "lines 1, 3, 5, 7, 9, 11 and 2 more"),
        ] {
            assert_eq!(line_ranges(&lines), expected);
        }
    }

    #[test]
    fn a_reason_not_to_call_has_machine_words_in_json_and_labels_in_text() {
        let entry = |line: u64, state, reason, outcome| {
            let key = crate::ids::EntryKey::new(line.to_string());
            NotCalled { key, line, entry: None, state, reason, outcome, used_by: None }
        };
        let left_out = vec![
            entry(2, State::Finished, None, Some(Outcome::CallbackRequested)),
            entry(3, State::Held, Some(Reason::NoLine), None),
            entry(4, State::Finished, None, Some(Outcome::CallbackRequested)),
        ];
        let plan = Plan { left_out, ..Plan::default() };
        let keys = ["called already: callback_requested", "the campaign has no line for its location any more"];
        assert!(super::left_out(&plan).keys().eq(keys));
        let group = |label: &str, count, lines| NotCalledGroup { label: label.into(), count, lines };
        assert_eq!(
            not_called_groups(&plan, 1),
            [
                group("called already: wants a call back", 2, vec![2]),
                group("the campaign has no [[line]] for its location any more", 1, vec![3]),
            ]
        );
    }

    #[test]
    fn a_lists_changes_are_counted() {
        let changes = EnrolmentCounts {
            new: 3,
            same: 40,
            changed: 1,
            renumbered: 3,
            renumbered_under_way: 1,
            corrected: 1,
            excluded: 2,
            ..EnrolmentCounts::default()
        };
        assert_eq!(
            list_of(&changes),
            [
                "3 new",
                "1 changed",
                "2 with another number (1 while a call to the old one is not settled)",
                "1 with a corrected number, to be called again",
                "2 newly excluded",
                "40 as before"
            ]
        );
    }
}

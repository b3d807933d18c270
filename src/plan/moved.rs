//! What has moved since a plan was approved: the campaign, the list, or the ledger. It is told by settings, counts and
//! lines, never by what a patient's data are.

use std::collections::BTreeMap;
use std::fmt;

use crate::entry::Reason;

use super::file::{CallPart, LeftOutPart, PlanFile};

/// Lines that are named; of more it is said how many.
const NAMED: usize = 5;

/// What has moved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Moved {
    /// Settings of the campaign file, by their keys.
    pub settings: Vec<String>,
    /// What the list says otherwise.
    pub list: Vec<Difference>,
    /// What the ledger holds otherwise.
    pub ledger: Vec<Difference>,
}

/// Entries that differ alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub what: &'static str,
    /// Their lines.
    pub lines: Vec<u64>,
}

impl Moved {
    /// What has moved from the `approved` plan to one made `now`. `begun`: a run of the approved plan has been at work on
    /// the ledger, which therefore holds more than it did.
    #[must_use]
    pub fn between(approved: &PlanFile, now: &PlanFile, begun: bool) -> Self {
        let settings = settings_that_differ(&approved.campaign.source, &now.campaign.source);
        let differences = differences(approved, now);
        let of = |side: Side| {
            let mut by_kind: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
            for (_, what, line) in differences.iter().filter(|(of, ..)| *of == side) {
                by_kind.entry(what).or_default().push(*line);
            }
            by_kind.into_iter().map(|(what, lines)| Difference { what, lines }).collect()
        };
        let ledger = if begun { Vec::new() } else { of(Side::Ledger) };
        Self { settings, list: of(Side::List), ledger }
    }

    /// Whether nothing has.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.settings.is_empty() && self.list.is_empty() && self.ledger.is_empty()
    }

    /// Whether the list has moved, and nothing else.
    #[must_use]
    pub fn is_the_list_alone(&self) -> bool {
        self.settings.is_empty() && self.ledger.is_empty() && !self.list.is_empty()
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.settings.is_empty() {
            writeln!(f, "  campaign  {}", self.settings.join(", "))?;
        }
        for (name, differences) in [("list", &self.list), ("ledger", &self.ledger)] {
            for Difference { what, lines } in differences {
                writeln!(f, "  {name:<8}  {} {what}: {}", entries(lines.len()), named(lines))?;
            }
        }
        Ok(())
    }
}

fn entries(count: usize) -> String {
    if count == 1 { "1 entry".into() } else { format!("{count} entries") }
}

fn named(lines: &[u64]) -> String {
    let mut shown: Vec<String> = lines.iter().take(NAMED).map(|line| format!("line {line}")).collect();
    if lines.len() > NAMED {
        shown.push(format!("and {} more", lines.len() - NAMED));
    }
    shown.join(", ")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    List,
    Ledger,
}

/// An entry as a plan has it.
#[derive(Clone, Copy)]
enum Entry<'p> {
    Call(&'p CallPart),
    LeftOut(&'p LeftOutPart),
}

impl Entry<'_> {
    fn line(self) -> u64 {
        match self {
            Self::Call(call) => call.line,
            Self::LeftOut(entry) => entry.line,
        }
    }
}

fn entries_of(plan: &PlanFile) -> BTreeMap<&[String], Entry<'_>> {
    let calls = plan.calls.iter().map(|call| (call.key.as_slice(), Entry::Call(call)));
    let left_out = plan.left_out.iter().map(|entry| (entry.key.as_slice(), Entry::LeftOut(entry)));
    calls.chain(left_out).collect()
}

fn differences(approved: &PlanFile, now: &PlanFile) -> Vec<(Side, &'static str, u64)> {
    let (before, after) = (entries_of(approved), entries_of(now));
    let added = after.iter().filter(|(key, _)| !before.contains_key(*key));
    let added = added.map(|(_, entry)| (Side::List, "not in the plan", entry.line()));
    let known = before.iter().filter_map(|(key, entry)| {
        let Some(now) = after.get(key) else { return Some((Side::List, "not on the list any more", entry.line())) };
        moved(*entry, *now).map(|(side, what)| (side, what, entry.line()))
    });
    let gone = |plan: &PlanFile| plan.gone.iter().map(|gone| (gone.entry, gone.becomes)).collect::<BTreeMap<_, _>>();
    let (gone_before, gone_now) = (gone(approved), gone(now));
    let withdrawn = now.gone.iter().filter(|gone| !gone_before.contains_key(&gone.entry));
    let withdrawn = withdrawn.map(|gone| (Side::Ledger, "of an earlier list, not in the plan", gone.line));
    let back = approved.gone.iter().filter(|gone| !gone_now.contains_key(&gone.entry));
    let back = back.map(|gone| (Side::Ledger, "of an earlier list, over by now", gone.line));
    let mut found: Vec<_> = added.chain(known).chain(withdrawn).chain(back).collect();
    found.sort_by_key(|(.., line)| *line);
    found
}

/// How an entry differs, if what it is called by has moved; the passing of time alone is no difference.
fn moved(before: Entry<'_>, now: Entry<'_>) -> Option<(Side, &'static str)> {
    match (before, now) {
        (Entry::Call(before), Entry::Call(now)) => call_moved(before, now),
        (Entry::LeftOut(before), Entry::LeftOut(now)) => left_out_moved(before, now),
        (Entry::Call(_), Entry::LeftOut(now)) => match now.reason {
            // It would be too late by now, or the exclude list takes it off: it will not be dialled, which is no less than
            // what was approved.
            Some(Reason::NotAfter | Reason::Excluded) => None,
            reason => Some((side_of(reason), "not to be called any more")),
        },
        (Entry::LeftOut(before), Entry::Call(_)) => Some((side_of(before.reason), "to be called now")),
    }
}

fn call_moved(before: &CallPart, now: &CallPart) -> Option<(Side, &'static str)> {
    let said = |call: &CallPart| (call.content.clone(), call.not_after, call.covers.clone());
    if before.phone != now.phone || before.other_numbers != now.other_numbers {
        Some((Side::List, "with another number"))
    } else if said(before) != said(now) || before.zones != now.zones {
        Some((Side::List, "with other texts or data"))
    } else if before.calls != now.calls || before.calls_to_number != now.calls_to_number {
        Some((Side::Ledger, "called in the meantime"))
    } else {
        None
    }
}

fn left_out_moved(before: &LeftOutPart, now: &LeftOutPart) -> Option<(Side, &'static str)> {
    let same = (before.state, before.reason, before.outcome) == (now.state, now.reason, now.outcome);
    (!same).then(|| (side_of(now.reason.or(before.reason)), "left out for another reason"))
}

fn side_of(reason: Option<Reason>) -> Side {
    if reason.is_some_and(Reason::is_of_the_list) { Side::List } else { Side::Ledger }
}

/// The keys whose values differ, as `table.key`.
fn settings_that_differ(before: &str, now: &str) -> Vec<String> {
    if before == now {
        return Vec::new();
    }
    let (before, now) = (settings(before), settings(now));
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let differing = keys.into_iter().filter(|key| before.get(*key) != now.get(*key));
    differing.cloned().collect()
}

fn settings(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        flatten("", &toml::Value::Table(table), &mut found);
    }
    found
}

fn flatten(path: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    let Some(table) = value.as_table() else {
        into.insert(path.to_owned(), value.to_string());
        return;
    };
    for (key, value) in table {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        flatten(&path, value, into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_that_differs_is_told_by_its_settings() {
        let before = "name = \"r\"\n[calling]\nwindow = \"09:30-17:00\"\n[rate]\nopen_calls = 5\n";
        for (now, expected) in [
            ("name = \"r\"\n[calling]\nwindow = \"09:30-20:00\"\n[rate]\nopen_calls = 5\n", vec!["calling.window"]),
            ("name = \"r\"\n[calling]\nwindow = \"09:30-17:00\"\n", vec!["rate.open_calls"]),
            // A comment changes nothing.
            ("# recall\nname = \"r\"\n[calling]\nwindow = \"09:30-17:00\"\n[rate]\nopen_calls = 5\n", vec![]),
        ] {
            assert_eq!(settings_that_differ(before, now), expected);
        }
    }

    #[test]
    fn many_lines_are_counted_and_the_first_of_them_named() {
        let moved = Moved {
            settings: vec!["calling.window".into()],
            list: vec![Difference { what: "not in the plan", lines: (2..10).collect() }],
            ledger: vec![Difference { what: "called in the meantime", lines: vec![7] }],
        };
        assert_eq!(
            moved.to_string(),
            "  campaign  calling.window\n  \
               list      8 entries not in the plan: line 2, line 3, line 4, line 5, line 6, and 3 more\n  \
               ledger    1 entry called in the meantime: line 7\n"
        );
    }
}

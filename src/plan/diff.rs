//! What has changed since a plan was made: the campaign, the list or the ledger. A difference is shown as settings, counts
//! and line numbers, never as patient data.

use std::collections::BTreeMap;
use std::fmt;

use crate::entry::Reason;
use crate::wording::counted;

use super::file::{CallPart, NotCalledPart, PlanFile};

/// The line numbers shown of one difference; the others are counted.
const LINES_SHOWN: usize = 5;

/// The differences between two plans.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanDiff {
    /// The keys of settings in the campaign file, as `table.key`.
    pub settings: Vec<String>,
    /// Differences that come from the list.
    pub list: Vec<Difference>,
    /// Differences that come from the ledger.
    pub ledger: Vec<Difference>,
}

/// Entries with the same kind of difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The difference in words that follow a count of patients.
    pub what: &'static str,
    /// The entries' lines in the list.
    pub lines: Vec<u64>,
}

impl PlanDiff {
    /// The differences between the `approved` plan and one made `now`. `begun`: a run of the approved plan has started, so
    /// the ledger is expected to differ.
    #[must_use]
    pub fn between(approved: &PlanFile, now: &PlanFile, begun: bool) -> Self {
        let settings = settings_that_differ(&approved.campaign.source, &now.campaign.source);
        let differences = differences(approved, now);
        let on_side = |wanted: DiffSide| {
            let mut by_kind: BTreeMap<&'static str, Vec<u64>> = BTreeMap::new();
            for (_, what, line) in differences.iter().filter(|(side, ..)| *side == wanted) {
                by_kind.entry(what).or_default().push(*line);
            }
            by_kind.into_iter().map(|(what, lines)| Difference { what, lines }).collect()
        };
        let ledger = if begun { Vec::new() } else { on_side(DiffSide::Ledger) };
        Self { settings, list: on_side(DiffSide::List), ledger }
    }

    /// Whether there is no difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.list.is_empty() && self.ledger.is_empty()
    }

    /// Whether only the list differs.
    #[must_use]
    pub fn is_only_the_list(&self) -> bool {
        self.settings.is_empty() && self.ledger.is_empty() && !self.list.is_empty()
    }
}

impl fmt::Display for PlanDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.settings.is_empty() {
            writeln!(f, "  campaign  {}", self.settings.join(", "))?;
        }
        for (name, differences) in [("list", &self.list), ("ledger", &self.ledger)] {
            for Difference { what, lines } in differences {
                writeln!(f, "  {name:<8}  {} {what}: {}", patients(lines.len()), line_numbers(lines))?;
            }
        }
        Ok(())
    }
}

fn patients(count: usize) -> String {
    counted(count as u64, "patient", "patients")
}

fn line_numbers(lines: &[u64]) -> String {
    let mut shown: Vec<String> = lines.iter().take(LINES_SHOWN).map(|line| format!("line {line}")).collect();
    if lines.len() > LINES_SHOWN {
        shown.push(format!("and {} more", lines.len() - LINES_SHOWN));
    }
    shown.join(", ")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DiffSide {
    List,
    Ledger,
}

/// An entry of a plan: called or left out.
#[derive(Clone, Copy)]
enum PlannedEntry<'p> {
    Call(&'p CallPart),
    LeftOut(&'p NotCalledPart),
}

impl PlannedEntry<'_> {
    fn line(self) -> u64 {
        match self {
            Self::Call(call) => call.line,
            Self::LeftOut(entry) => entry.line,
        }
    }
}

fn entries_of(plan: &PlanFile) -> BTreeMap<&[String], PlannedEntry<'_>> {
    let calls = plan.calls.iter().map(|call| (call.key.as_slice(), PlannedEntry::Call(call)));
    let left_out = plan.left_out.iter().map(|entry| (entry.key.as_slice(), PlannedEntry::LeftOut(entry)));
    calls.chain(left_out).collect()
}

fn differences(approved: &PlanFile, now: &PlanFile) -> Vec<(DiffSide, &'static str, u64)> {
    let (before, after) = (entries_of(approved), entries_of(now));
    let added = after.iter().filter(|(key, _)| !before.contains_key(*key));
    let added = added.map(|(_, entry)| (DiffSide::List, "not in the plan", entry.line()));
    let known = before.iter().filter_map(|(key, entry)| {
        let Some(now) = after.get(key) else { return Some((DiffSide::List, "not on the list any more", entry.line())) };
        difference(*entry, *now).map(|(side, what)| (side, what, entry.line()))
    });
    let gone = |plan: &PlanFile| plan.gone.iter().map(|gone| (gone.entry, gone.becomes)).collect::<BTreeMap<_, _>>();
    let (gone_before, gone_now) = (gone(approved), gone(now));
    let newly_gone = now.gone.iter().filter(|gone| !gone_before.contains_key(&gone.entry));
    let newly_gone = newly_gone.map(|gone| (DiffSide::Ledger, "of an earlier list, not in the plan", gone.line));
    let settled = approved.gone.iter().filter(|gone| !gone_now.contains_key(&gone.entry));
    let settled = settled.map(|gone| (DiffSide::Ledger, "of an earlier list, settled since then", gone.line));
    let mut found: Vec<_> = added.chain(known).chain(newly_gone).chain(settled).collect();
    found.sort_by_key(|(.., line)| *line);
    found
}

/// The difference between two plans' versions of an entry. The passing of time alone is not a difference.
fn difference(before: PlannedEntry<'_>, now: PlannedEntry<'_>) -> Option<(DiffSide, &'static str)> {
    match (before, now) {
        (PlannedEntry::Call(before), PlannedEntry::Call(now)) => call_difference(before, now),
        (PlannedEntry::LeftOut(before), PlannedEntry::LeftOut(now)) => left_out_difference(before, now),
        (PlannedEntry::Call(_), PlannedEntry::LeftOut(now)) => match now.reason {
            // It is too late, or the exclude list removes the entry: it is not dialled, which the approval allows.
            Some(Reason::NotAfter | Reason::NumberUsed | Reason::Excluded) => None,
            reason => Some((side_of(reason), "not to be called any more")),
        },
        (PlannedEntry::LeftOut(before), PlannedEntry::Call(_)) => Some((side_of(before.reason), "to be called now")),
    }
}

fn call_difference(before: &CallPart, now: &CallPart) -> Option<(DiffSide, &'static str)> {
    // A row may move within the list.
    let covers = |call: &CallPart| {
        call.covers.iter().map(|covered| (covered.key.clone(), covered.patient.clone())).collect::<BTreeMap<_, _>>()
    };
    let texts = |call: &CallPart| (call.content.clone(), call.not_after, covers(call));
    if before.phone != now.phone || before.other_numbers != now.other_numbers {
        Some((DiffSide::List, "with another number"))
    } else if texts(before) != texts(now) || before.zones != now.zones {
        Some((DiffSide::List, "with other texts or data"))
    } else if before.calls != now.calls || before.calls_to_number != now.calls_to_number {
        Some((DiffSide::Ledger, "called in the meantime"))
    } else {
        None
    }
}

fn left_out_difference(before: &NotCalledPart, now: &NotCalledPart) -> Option<(DiffSide, &'static str)> {
    let same = (before.state, before.reason, before.outcome) == (now.state, now.reason, now.outcome);
    (!same).then(|| (side_of(now.reason.or(before.reason)), "left out for another reason"))
}

fn side_of(reason: Option<Reason>) -> DiffSide {
    if reason.is_some_and(Reason::comes_from_list) { DiffSide::List } else { DiffSide::Ledger }
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
    fn a_changed_campaign_is_shown_by_its_settings() {
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
    fn the_first_lines_are_shown_and_the_others_counted() {
        let diff = PlanDiff {
            settings: vec!["calling.window".into()],
            list: vec![Difference { what: "not in the plan", lines: (2..10).collect() }],
            ledger: vec![Difference { what: "called in the meantime", lines: vec![7] }],
        };
        assert_eq!(
            diff.to_string(),
            "  campaign  calling.window\n  \
               list      8 patients not in the plan: line 2, line 3, line 4, line 5, line 6, and 3 more\n  \
               ledger    1 patient called in the meantime: line 7\n"
        );
    }
}

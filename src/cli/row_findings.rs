//! The rows of a list that `check` reports: rejected rows, duplicates, and rows covered by the call to another
//! household member.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::entry::ListCounts;
use crate::intake::RowResult;
use crate::intake::list::RowUnit;
use crate::visible;
use crate::wording::counted;

/// The number of rows of each kind that are listed; further rows are counted only.
pub(super) const MAX_LISTED: usize = 20;

/// The reported rows, at most [`MAX_LISTED`] of each kind.
#[derive(Debug, Default, Serialize)]
pub(super) struct RowFindings {
    /// Line and reason of rejected rows.
    #[serde(rename = "rejected_rows")]
    pub(super) rejected: Vec<String>,
    /// Rows that repeat an earlier row, or that a later row replaces.
    #[serde(rename = "repeated_rows")]
    duplicates: Vec<String>,
    /// `duplicates` as text shows them.
    #[serde(skip)]
    duplicate_labels: Vec<String>,
    /// The lines of patients covered by the call to another member of their household.
    #[serde(rename = "merged_rows")]
    merged: Vec<u64>,
    /// How many rows of each kind are counted and not listed.
    rows_not_listed: RowsNotListed,
    /// What the numbers of the rows count.
    #[serde(skip)]
    unit: RowUnit,
}

/// How many rows of each kind are counted and not listed, by the name of the list that is cut.
#[derive(Debug, Default, Serialize)]
struct RowsNotListed {
    #[serde(rename = "rejected_rows")]
    rejected: u64,
    #[serde(rename = "repeated_rows")]
    repeated: u64,
    #[serde(rename = "merged_rows")]
    merged: u64,
}

impl RowFindings {
    /// The findings of a list whose row numbers count `unit`.
    pub(super) fn new(unit: RowUnit) -> Self {
        Self { unit, ..Self::default() }
    }

    /// Adds the result of a row.
    pub(super) fn add(&mut self, row: &RowResult) {
        let (unit, not_listed) = (self.unit.word(), &mut self.rows_not_listed);
        match row {
            RowResult::Rejected(rejection, _) => {
                not_listed.rejected += add(&mut self.rejected, || rejection.to_string());
            }
            RowResult::Duplicate { line, first } => {
                not_listed.repeated +=
                    add(&mut self.duplicates, || format!("{unit} {line} says the same as {unit} {first}"));
                add(&mut self.duplicate_labels, || format!("{unit} {line} has the same data as {unit} {first}"));
            }
            RowResult::Replaced { line, by } => {
                let label = || format!("{unit} {line} is replaced by {unit} {by}, which has the same key");
                not_listed.repeated += add(&mut self.duplicates, label);
                add(&mut self.duplicate_labels, label);
            }
            RowResult::Accepted(entry) => {
                for member in &entry.members {
                    not_listed.merged += add(&mut self.merged, || member.line);
                }
            }
        }
    }

    /// Renders the rows as text. `by_reason` is the number of rejected rows by reason.
    pub(super) fn render(&self, counts: &ListCounts, by_reason: &BTreeMap<String, u64>) -> String {
        let mut text = String::new();
        for row in &self.rejected {
            let _ = writeln!(text, "  rejected: {}", visible::value(row));
        }
        let hidden = counts.rejected.saturating_sub(self.rejected.len() as u64);
        if hidden > 0 {
            let _ = writeln!(
                text,
                "  and {hidden} more rejected; `callrounds run` writes all of them to a file. By reason:"
            );
            for (reason, count) in by_reason {
                let _ = writeln!(text, "    {count} × {}", visible::value(reason));
            }
        }
        for row in &self.duplicate_labels {
            let _ = writeln!(text, "  duplicate: {row}");
        }
        let hidden = counts.duplicate.saturating_sub(self.duplicates.len() as u64);
        if hidden > 0 {
            let _ = writeln!(text, "  and {}", counted(hidden, "more duplicate", "more duplicates"));
        }
        if counts.merged > 0 {
            let at = on_lines(self.unit, &self.merged, counts.merged);
            let _ = writeln!(
                text,
                "  merged: {} × covered by the call to another member of the household{at}",
                counts.merged
            );
        }
        text
    }
}

/// Lists a row, if fewer than [`MAX_LISTED`] are. Returns the number of rows that are not listed: 0 or 1.
fn add<T>(listed: &mut Vec<T>, row: impl FnOnce() -> T) -> u64 {
    let is_full = listed.len() >= MAX_LISTED;
    if !is_full {
        listed.push(row());
    }
    u64::from(is_full)
}

/// ` (line 3)`, ` (lines 3, 5)`, or ` (lines 3, 5 and 40 more)`.
pub(super) fn on_lines(unit: RowUnit, lines: &[u64], count: u64) -> String {
    let word = unit.word();
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count.saturating_sub(lines.len() as u64);
    match (shown.as_slice(), more) {
        ([], _) => String::new(),
        ([line], 0) => format!(" ({word} {line})"),
        (lines, 0) => format!(" ({word}s {})", lines.join(", ")),
        (lines, more) => format!(" ({word}s {} and {more} more)", lines.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_lines_are_named() {
        assert_eq!(on_lines(RowUnit::Line, &[], 3), "");
        assert_eq!(on_lines(RowUnit::Line, &[7], 1), " (line 7)");
        assert_eq!(on_lines(RowUnit::Element, &[7, 9], 2), " (elements 7, 9)");
        assert_eq!(on_lines(RowUnit::Line, &[7, 9], 42), " (lines 7, 9 and 40 more)");
    }

    #[test]
    fn a_duplicate_has_the_same_text_in_json_as_in_earlier_versions() {
        let mut rows = RowFindings::default();
        rows.add(&RowResult::Duplicate { line: 42, first: 13 });
        rows.add(&RowResult::Replaced { line: 7, by: 9 });
        let replaced = "line 7 is replaced by line 9, which has the same key";
        let json = serde_json::to_value(&rows).expect("JSON");
        let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["merged_rows", "rejected_rows", "repeated_rows", "rows_not_listed"]);
        assert_eq!(json["repeated_rows"], serde_json::json!(["line 42 says the same as line 13", replaced]));
        let text = rows.render(&ListCounts { duplicate: 2, ..ListCounts::default() }, &BTreeMap::new());
        assert_eq!(text, format!("  duplicate: line 42 has the same data as line 13\n  duplicate: {replaced}\n"));
    }

    #[test]
    fn only_the_first_rows_are_listed() {
        let mut rows = RowFindings::default();
        for line in 0..1_000 {
            rows.add(&RowResult::Duplicate { line, first: 1 });
        }
        let text = rows.render(&ListCounts { duplicate: 1_000, ..ListCounts::default() }, &BTreeMap::new());
        assert_eq!(text.lines().count(), MAX_LISTED + 1);
        assert!(text.ends_with("  and 980 more duplicates\n"), "{text}");
        let json = serde_json::to_value(&rows).expect("JSON");
        let not_listed = serde_json::json!({"rejected_rows": 0, "repeated_rows": 980, "merged_rows": 0});
        assert_eq!(json["rows_not_listed"], not_listed);
    }
}

//! What became of a list's rows, line by line, as `check` tells it: which cannot be used, which repeat or replace each
//! other, and which the call to somebody else covers.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use crate::entry::ListTally;
use crate::intake::Step;
use crate::visible;

/// Rows that are told one by one; of more there are numbers only.
pub(super) const SHOWN: usize = 20;

/// The rows of which there is something to tell, the first of them each.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rows {
    /// Line and reason of rows that cannot be used.
    #[serde(rename = "rejected_rows")]
    pub(super) rejected: Vec<String>,
    /// Rows that repeat an earlier one, or that a later one replaces.
    #[serde(rename = "repeated_rows")]
    repeated: Vec<String>,
    /// The lines of patients whom the call to somebody else of their household covers.
    #[serde(rename = "merged_rows")]
    merged: Vec<u64>,
}

impl Rows {
    /// Takes note of what became of a row.
    pub(super) fn note(&mut self, step: &Step) {
        match step {
            Step::Rejected(rejection, _) => add(&mut self.rejected, || rejection.to_string()),
            Step::Duplicate { line, first } => {
                add(&mut self.repeated, || format!("line {line} says the same as line {first}"));
            }
            Step::Replaced { line, by } => {
                add(&mut self.repeated, || format!("line {line} is replaced by line {by}, which has the same key"));
            }
            Step::Accepted(draft) => draft.members.iter().for_each(|member| add(&mut self.merged, || member.line)),
        }
    }

    /// Tells it. `by_reason` is how many rows are rejected for which reason.
    pub(super) fn told(&self, tally: &ListTally, by_reason: &BTreeMap<String, u64>) -> String {
        let mut text = String::new();
        for row in &self.rejected {
            let _ = writeln!(text, "  rejected: {}", visible::value(row));
        }
        let hidden = tally.rejected.saturating_sub(self.rejected.len() as u64);
        if hidden > 0 {
            let _ = writeln!(
                text,
                "  and {hidden} more rejected; `callrounds run` writes all of them to a file. By reason:"
            );
            for (what, count) in by_reason {
                let _ = writeln!(text, "    {count} × {}", visible::value(what));
            }
        }
        for row in &self.repeated {
            let _ = writeln!(text, "  duplicate: {row}");
        }
        let hidden = tally.duplicate.saturating_sub(self.repeated.len() as u64);
        if hidden > 0 {
            let _ = writeln!(text, "  and {hidden} more duplicates");
        }
        if tally.merged > 0 {
            let at = on_lines(&self.merged, tally.merged);
            let _ = writeln!(
                text,
                "  merged: {} × covered by the call to somebody else of the household{at}",
                tally.merged
            );
        }
        text
    }
}

fn add<T>(told: &mut Vec<T>, next: impl FnOnce() -> T) {
    if told.len() < SHOWN {
        told.push(next());
    }
}

/// ` (line 3)`, ` (lines 3, 5)`, or ` (lines 3, 5 and 40 more)`.
pub(super) fn on_lines(lines: &[u64], count: u64) -> String {
    let shown: Vec<String> = lines.iter().map(u64::to_string).collect();
    let more = count.saturating_sub(lines.len() as u64);
    match (shown.as_slice(), more) {
        ([], _) => String::new(),
        ([line], 0) => format!(" (line {line})"),
        (lines, 0) => format!(" (lines {})", lines.join(", ")),
        (lines, more) => format!(" (lines {} and {more} more)", lines.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_as_far_as_they_are_known() {
        assert_eq!(on_lines(&[], 3), "");
        assert_eq!(on_lines(&[7], 1), " (line 7)");
        assert_eq!(on_lines(&[7, 9], 2), " (lines 7, 9)");
        assert_eq!(on_lines(&[7, 9], 42), " (lines 7, 9 and 40 more)");
    }

    #[test]
    fn no_more_rows_are_told_than_somebody_would_read() {
        let mut rows = Rows::default();
        for line in 0..1_000 {
            rows.note(&Step::Duplicate { line, first: 1 });
        }
        let told = rows.told(&ListTally { duplicate: 1_000, ..ListTally::default() }, &BTreeMap::new());
        assert_eq!(told.lines().count(), SHOWN + 1);
        assert!(told.ends_with("  and 980 more duplicates\n"), "{told}");
    }
}

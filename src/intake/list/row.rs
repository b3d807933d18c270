//! One row of a list.

use std::fmt;

use csv::StringRecord;

use crate::intake::normal_form::{composed, needs_composing};

/// One row of a list. It holds patient data, so `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ListRow {
    /// The row's first line in the file, counted from 1; or its number among all rows, if several are on one line.
    pub line: u64,
    /// The unchanged cells. There are as many as the header has, unless the row is malformed.
    pub cells: StringRecord,
    /// Why the row cannot be read. Its only cell then is the start of its text.
    pub fault: Option<RowFault>,
    /// Whether a spreadsheet hides the row, by a filter or by hand.
    pub is_hidden: bool,
}

/// The place of a row in the file that it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowPlace {
    /// The row's first line, counted from 1.
    pub(super) line: u64,
    /// Whether a spreadsheet hides the row.
    pub(super) is_hidden: bool,
    /// Why the row cannot be read.
    pub(super) fault: Option<RowFault>,
}

impl From<u64> for RowPlace {
    /// A row that is not hidden.
    fn from(line: u64) -> Self {
        Self { line, is_hidden: false, fault: None }
    }
}

/// What the number of a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowUnit {
    /// The lines of the file.
    #[default]
    Line,
    /// The elements of a JSON list that has several on one line.
    Element,
}

impl RowUnit {
    /// The word in front of the number.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Element => "element",
        }
    }
}

/// Why a row cannot be read, although the rows around it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// Not well-formed JSON.
    NotJson,
    /// JSON, but not an object; in a list of arrays, not an array.
    WrongShape,
    /// A row of more than 1 MiB.
    TooLong,
    /// A FHIR entry or line without a resource.
    NoResource,
    /// A FHIR Bundle whose entries are no array, or that is inside too many others.
    UnreadableBundle,
    /// A row of a workbook with a formula whose result was not saved.
    NoFormulaResult,
    /// A row of a workbook that a person has struck through.
    StruckThrough,
    /// A row of a workbook that shares a cell with the row above it.
    MergedCells,
}

impl RowFault {
    /// All faults.
    pub(super) const ALL: [Self; 8] = [
        Self::NotJson,
        Self::WrongShape,
        Self::TooLong,
        Self::NoResource,
        Self::UnreadableBundle,
        Self::NoFormulaResult,
        Self::StruckThrough,
        Self::MergedCells,
    ];

    /// The fault in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotJson => "not well-formed JSON",
            Self::WrongShape => "not of the same kind as the other rows",
            Self::TooLong => "longer than 1 MiB, too long for a row",
            Self::NoResource => "no FHIR resource that can be read",
            Self::UnreadableBundle => "a Bundle whose entries cannot be read",
            Self::NoFormulaResult => {
                "a formula whose result is not in the file; open the workbook in a spreadsheet program, and save it"
            }
            Self::StruckThrough => "struck through; delete the row, or take the line through it away",
            Self::MergedCells => "merged with the row above it in some column; split the cells, and fill in every row",
        }
    }
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl ListRow {
    /// The cell of column `at`, without surrounding space; empty if the row has fewer cells.
    #[must_use]
    pub fn cell(&self, at: usize) -> &str {
        self.cells.get(at).unwrap_or_default().trim()
    }

    /// Whether a cell contains a line break.
    #[must_use]
    pub fn has_line_breaks(&self) -> bool {
        self.cells.as_slice().contains(['\n', '\r'])
    }

    /// The row with empty cells up to `width`.
    #[must_use]
    pub fn padded(mut self, width: usize) -> Self {
        for _ in self.cells.len()..width {
            self.cells.push_field("");
        }
        self
    }

    /// Writes the accents of the cells as everybody does.
    pub(super) fn compose(&mut self) {
        if needs_composing(self.cells.as_slice()) {
            self.cells = self.cells.iter().map(composed).collect();
        }
    }

    pub(super) fn is_blank(&self) -> bool {
        self.fault.is_none() && self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

impl fmt::Debug for ListRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListRow(line {}, masked)", self.line)
    }
}

//! One row of a list.

use csv::StringRecord;

/// One row of a list. It holds patient data, so `Debug` masks it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ListRow {
    /// The row's first line in the file, counted from 1.
    pub line: u64,
    /// The unchanged cells. There are as many as the header has, unless the row is malformed.
    pub cells: StringRecord,
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

    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }
}

impl std::fmt::Debug for ListRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListRow(line {}, masked)", self.line)
    }
}

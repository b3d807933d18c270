//! What the cells of a row look like when they are not where they belong: other rows inside a cell, cells that have moved.

use super::columns::Columns;
use super::list::ListRow;

/// Whether a cell contains other rows, because a quote is closed where another is meant. The patients of those rows would
/// be left out, or their numbers dialled for somebody else. A cell contains other rows if one of its further lines has as
/// many separators as a row (in lists of four columns or more); if its last line has as many cells as the row then lacks,
/// the first of them like the row's key; or if it is a name, a date, a number or a key and has both a line break and a
/// separator. A row with line breaks and too many cells is two rows.
pub(super) fn has_row_in_cell(columns: &Columns, row: &ListRow, separator: char) -> bool {
    let width = columns.width();
    let is_a_row = |line: &str| width >= 4 && line.matches(separator).count() == width - 1;
    if row.cells.len() > width {
        return true;
    }
    row.cells.iter().enumerate().any(|(at, cell)| {
        let mut lines = cell.split(['\n', '\r']);
        let first = lines.next().unwrap_or_default();
        let is_start = |line: &str| is_start_of_row(columns, line, separator, row, at);
        first.len() < cell.len()
            && ((columns.is_single_value(at) && cell.contains(separator))
                || lines.clone().next_back().is_some_and(is_start)
                || lines.any(is_a_row))
    })
}

/// Whether the last line of the cell at `at` looks like the start of a row whose other cells are those that follow.
fn is_start_of_row(columns: &Columns, line: &str, separator: char, row: &ListRow, at: usize) -> bool {
    let cells: Vec<&str> = line.split(separator).collect();
    let keys = KeyShape::of(columns, |key| cells.get(key).copied().unwrap_or_default());
    cells.len() > 1
        && cells.len() == at + 1 + columns.width() - row.cells.len()
        && KeyShape::of(columns, |key| row.cell(key)).is_like(&keys)
}

/// Whether a phone cell has a name, behind a space, and the cell after it a number: as in `Coe, Ann,312-…`, where the
/// comma of the name is taken for one between cells.
pub(super) fn has_moved_cell(columns: &Columns, row: &ListRow) -> bool {
    let digits = |at: usize| row.cell(at).bytes().filter(u8::is_ascii_digit).count();
    let is_name = |cell: &str| cell.starts_with(' ') && cell.trim().chars().all(|c| c.is_alphabetic() || c == ' ');
    columns.phone_positions().any(|at| {
        let cell = row.cells.get(at).unwrap_or_default();
        is_name(cell) && !cell.trim().is_empty() && digits(at + 1) >= 7
    })
}

/// What the cells of a row's key look like: their lengths, and whether they are of digits only.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KeyShape(Vec<(usize, bool)>);

impl KeyShape {
    /// The shape of a row's key, whose cells `cell_at` has.
    pub(super) fn of<'r>(columns: &Columns, cell_at: impl Fn(usize) -> &'r str) -> Self {
        let shape = |text: &str| (text.chars().count(), text.bytes().all(|byte| byte.is_ascii_digit()));
        Self(columns.key_positions().map(|at| shape(cell_at(at).trim())).collect())
    }

    /// Whether another row's key could be one of the same list.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let are_alike = |(one, other): (&(usize, bool), &(usize, bool))| {
            one.1 == other.1 && one.0.abs_diff(other.0) < 2 && other.0 > 0
        };
        self.0.iter().zip(&other.0).all(are_alike)
    }
}

//! Rows with fewer cells than the header: those that were left short, whose last cells are empty, and the pieces of a row
//! that a line break has cut.

use std::collections::HashSet;

use super::columns::Columns;
use super::list::ListRow;
use super::row_shape::KeyShape;

/// Tells short rows apart, row by row. A short row continues the short one before it if both together have no more cells
/// than a row, and if its key does not look like the keys of the rows before it.
#[derive(Default)]
pub(super) struct ShortRows {
    /// The last row, if it was short.
    last: Option<ShortRow>,
    /// The keys of the last row that was none of the pieces.
    keys: Option<KeyShape>,
    /// The lines of pieces.
    pub(super) broken: HashSet<u64>,
}

/// A short row, until the next one shows what it is.
struct ShortRow {
    row: ListRow,
    is_piece: bool,
}

impl ShortRows {
    /// Takes the next row. Returns an earlier one that was left short.
    pub(super) fn next(&mut self, row: &ListRow, columns: &Columns) -> Option<ListRow> {
        let width = columns.width();
        let last = self.last.take();
        let keys = KeyShape::of(columns, |at| row.cells.get(at).unwrap_or_default());
        if row.cells.len() >= width {
            self.keys = Some(keys);
            return self.left_short(last);
        }
        let continues = self.keys.as_ref().is_none_or(|known| !known.is_like(&keys));
        let is_piece_of = |last: &ShortRow| continues && last.row.cells.len() + row.cells.len() <= width + 1;
        let is_piece = last.as_ref().is_some_and(is_piece_of);
        if !continues || self.keys.is_none() {
            self.keys = Some(keys);
        }
        self.last = Some(ShortRow { row: row.clone(), is_piece });
        let last = last.map(|last| ShortRow { is_piece: last.is_piece || is_piece, ..last });
        self.left_short(last)
    }

    /// Ends the list. Returns the last row if it was left short.
    pub(super) fn end(&mut self) -> Option<ListRow> {
        let last = self.last.take();
        self.left_short(last)
    }

    fn left_short(&mut self, last: Option<ShortRow>) -> Option<ListRow> {
        let ShortRow { row, is_piece } = last?;
        if is_piece {
            self.broken.insert(row.line);
            return None;
        }
        Some(row)
    }
}

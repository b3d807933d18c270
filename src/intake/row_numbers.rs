//! The numbers of a row that can be dialled, by its phone cells and by what its other cells say of them.

use super::cell_words::words_of;
use super::columns::Columns;
use super::list::ListRow;
use super::notes::says_wrong_number;
use super::phone_choice::PhoneChoice;
use super::rejection::RejectReason;
use super::word_lists::WordList;
use crate::phone::parse_cell::{DialRules, PhoneError};

/// Chooses among the row's numbers. A note about a wrong number bars the number, or all of several unless it says which one
/// it means.
pub(super) fn row_numbers(columns: &Columns, row: &ListRow, rules: DialRules<'_>) -> Result<PhoneChoice, RejectReason> {
    let chosen = PhoneChoice::choose(columns.phones(row), rules)?;
    let has_others = !chosen.alternatives.is_empty();
    let names_a_line = |note: &str| WordList::named("note_line").has_any(&words_of(note));
    let bars = |note: &str| says_wrong_number(note) && !(has_others && names_a_line(note));
    if columns.note_cells(row).any(bars) { Err(RejectReason::Phone(PhoneError::MarkedUnusable)) } else { Ok(chosen) }
}

//! Texts that stand for many rows: a title above the header, or a line between the rows that heads those below it. If such
//! a text says that the patients must not be called, nobody knows which rows it means, so the list is refused.

use super::cell_words::{PatientWords, patient_words, words_of};
use super::list::ListRow;
use super::notes;
use super::word_lists::WordList;

/// Whether a row has one text only, and that text says that patients must not be called: `DO NOT CALL BELOW THIS LINE`,
/// `Inactive patients:`.
pub(super) fn is_forbidding_section(row: &ListRow) -> bool {
    let mut texts = row.cells.iter().map(str::trim).filter(|cell| !cell.is_empty());
    let Some(text) = texts.next() else { return false };
    // Merged cells repeat their text.
    texts.all(|other| other == text) && row.cells.len() > 1 && forbids_rows(text)
}

/// Whether a title says that the patients of the list must not be called: `Do not call list`, not `without inactive`.
pub(super) fn is_forbidding_title(title: &str) -> bool {
    forbids_rows(title) && !WordList::named("title_without").begins_any(&words_of(title))
}

fn forbids_rows(text: &str) -> bool {
    notes::forbids(text).is_some() || matches!(patient_words(text), PatientWords::Forbids(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_forbids_is_told_from_one_that_says_who_is_left_out() {
        for title in
            ["DO NOT CALL LIST - November", "Inactive patients", "Deceased", "Patients who asked not to be called"]
        {
            assert!(is_forbidding_title(title), "{title}");
        }
        for title in
            ["Continuing Care Report", "Recall list without DNC", "Excludes inactive patients", "Bright Smile Dental"]
        {
            assert!(!is_forbidding_title(title), "{title}");
        }
    }
}

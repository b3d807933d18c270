//! The first rows of a list, by whose cells a column's field is decided where its heading may mean several.

use super::called_party_zone::is_region;
use super::cell_value::value;
use super::cell_words::{PatientWords, YesNo, patient_words, words_of};
use super::error::ListError;
use super::list::{Header, List, ListRow};
use crate::entry::Reason;

/// How many rows are looked at: enough that no single row decides.
const ROWS: usize = 300;

/// The first rows of a list.
#[derive(Debug, Default)]
pub(super) struct ColumnSample(Vec<ListRow>);

/// What the cells of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Nearly all are numbers that could be dialled.
    Phones,
    /// Numbers, or words with digits: a practice's own numbers.
    Ids,
    /// States and provinces.
    Regions,
    /// Yes and no.
    Flags,
    /// Words for whether somebody is a patient.
    Statuses,
    /// Words without digits, each of two or more: names.
    FullNames,
    /// Other words without digits.
    Words,
    /// Dates, texts, a mixture.
    Other,
}

impl ColumnSample {
    /// Reads the first rows of a list. Rows that cannot be read are left out.
    pub(super) fn of(list: &List) -> Result<Self, ListError> {
        let width = list.header().names().len();
        let mut sample = Vec::new();
        for row in list.rows()?.take(ROWS) {
            let row = row?;
            if row.fault.is_none() && row.cells.len() <= width && !is_repeated_header(&row, list.header()) {
                sample.push(row);
            }
        }
        Ok(Self(sample))
    }

    fn cells(&self, at: usize) -> impl Iterator<Item = &str> {
        self.0.iter().map(move |row| value(row, at)).filter(|cell| !cell.is_empty())
    }

    /// Whether the column has no cell that is not empty.
    pub(super) fn is_blank(&self, at: usize) -> bool {
        self.cells(at).next().is_none()
    }

    /// Whether two columns say the same in every row that has both.
    pub(super) fn are_same(&self, one: usize, other: usize) -> bool {
        self.0.iter().all(|row| {
            value(row, one).is_empty() || value(row, other).is_empty() || value(row, one) == value(row, other)
        })
    }

    /// Whether every cell of the column is different.
    pub(super) fn is_unique(&self, at: usize) -> bool {
        let mut cells: Vec<&str> = self.cells(at).collect();
        cells.sort_unstable();
        cells.windows(2).all(|pair| pair[0] != pair[1])
    }

    /// What the column's cells look like; `None` if it is blank.
    pub(super) fn kind(&self, at: usize) -> Option<CellKind> {
        let mostly = |is: fn(&str) -> bool| {
            let (hits, all) = self.cells(at).fold((0, 0), |(hits, all), cell| (hits + usize::from(is(cell)), all + 1));
            hits * 5 >= all * 4
        };
        Some(match () {
            () if self.is_blank(at) => return None,
            () if mostly(|cell| digits(cell) >= 10) => CellKind::Phones,
            () if mostly(is_region) => CellKind::Regions,
            () if mostly(is_flag) => CellKind::Flags,
            () if mostly(is_status) => CellKind::Statuses,
            () if mostly(is_id) => CellKind::Ids,
            () if mostly(|cell| digits(cell) == 0 && words_of(cell).len() > 1) => CellKind::FullNames,
            () if mostly(|cell| digits(cell) == 0) => CellKind::Words,
            () => CellKind::Other,
        })
    }

    /// Whether some cell of the column could be a phone number, with or without an area code.
    pub(super) fn has_phone(&self, at: usize) -> bool {
        self.cells(at).any(|cell| digits(cell) >= 7)
    }
}

fn digits(cell: &str) -> usize {
    cell.bytes().filter(u8::is_ascii_digit).count()
}

/// Whether a cell is one word with a digit, and no date: `4401`, `P-4401`, `A.17`.
fn is_id(cell: &str) -> bool {
    let has_separators = cell.contains(['/', ':']) || cell.matches(['-', '.']).count() > 1;
    digits(cell) > 0 && !cell.contains(char::is_whitespace) && !has_separators
}

/// Whether a cell is a word for yes or no; 1 and 0 may be numbers of patients.
fn is_flag(cell: &str) -> bool {
    digits(cell) == 0 && matches!(YesNo::parse(cell), YesNo::Yes | YesNo::No)
}

/// Whether a cell is one or two words that say whether somebody is a patient.
fn is_status(cell: &str) -> bool {
    cell.len() > 2
        && match patient_words(cell) {
            PatientWords::Active | PatientWords::Forbids(Reason::Inactive | Reason::Deceased | Reason::DoNotCall) => {
                true
            }
            PatientWords::Forbids(_) | PatientWords::Nothing | PatientWords::Unknown => false,
        }
}

fn is_repeated_header(row: &ListRow, header: &Header) -> bool {
    header.names().iter().enumerate().all(|(at, name)| name.starts_with(row.cell(at)))
}

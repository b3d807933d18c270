//! What a list may say against calls without being understood: columns whose headings look as if they forbade a call, and
//! words of which it is not known whether they do. Such a list is refused until the campaign says what they mean.

use std::collections::BTreeMap;

use super::cell_value::value;
use super::cell_words::{PatientWords, YesNo, patient_words, words_of};
use super::columns::Columns;
use super::eligibility::{CellVerdict, ExclusionCell, gravest};
use super::field::{Exclusion, Field};
use super::forbidding_heading::{FlagCells, WeakHeading, looks_forbidding};
use super::list::ListRow;
use super::not_understood::{NotUnderstood, SuspectColumn, UnclearWords};
use crate::campaign::Purpose;
use crate::entry::Reason;
use crate::phone::number_notes::has_unusable_word;

/// Collects, row by row, what is not understood.
#[derive(Debug)]
pub(super) struct ForbiddingColumns {
    purpose: Purpose,
    /// The columns without a field that look as if they forbade a call.
    suspects: Vec<(usize, SuspectColumn)>,
    /// The other columns without a field: their few words may say that they hold a status.
    categories: Vec<(usize, CategoryColumn)>,
    /// The unclear words of the columns with a field, by the column's position.
    unclear: BTreeMap<usize, UnclearWords>,
    /// Of the columns whose yes permits: whether each cell so far is yes or blank, and whether some is yes.
    ticks: BTreeMap<usize, (bool, bool)>,
}

impl ForbiddingColumns {
    pub(super) fn new(columns: &Columns, purpose: Purpose) -> Self {
        let (suspects, others): (Vec<_>, Vec<_>) =
            columns.columns_of_words().partition(|(_, name)| looks_forbidding(name));
        let suspect = |(at, name): (usize, &str)| (at, SuspectColumn::by_heading(name));
        let suspects = suspects.into_iter().map(suspect).collect();
        let categories = others.into_iter().map(|(at, name)| (at, CategoryColumn::new(name))).collect();
        Self { purpose, suspects, categories, unclear: BTreeMap::new(), ticks: BTreeMap::new() }
    }

    /// Adds a row. Returns the gravest reason for which its cells forbid a call, dates left out.
    pub(super) fn add(&mut self, columns: &Columns, row: &ListRow) -> Option<Reason> {
        for (at, suspect) in &mut self.suspects {
            suspect.add(value(row, *at));
        }
        for (at, column) in &mut self.categories {
            column.add(value(row, *at));
        }
        let mut forbids = None;
        for column in columns.forbidding() {
            let cell = ExclusionCell::read(column, columns, row);
            if matches!(column.exclusion, Exclusion::OkToCall | Exclusion::Active) {
                let (is_ticks, has_yes) = self.ticks.entry(column.at).or_insert((true, false));
                *is_ticks &= matches!(YesNo::parse(cell.text), YesNo::Yes | YesNo::Blank);
                *has_yes |= YesNo::parse(cell.text) == YesNo::Yes;
            }
            match cell.verdict(self.purpose) {
                CellVerdict::Forbids(reason) => forbids = gravest(forbids.into_iter().chain([reason])),
                CellVerdict::Unclear => {
                    let words =
                        self.unclear.entry(column.at).or_insert_with(|| UnclearWords::of(&columns.names()[column.at]));
                    words.add(cell.text, is_name_of_row(columns, row, cell.text), row.line);
                }
                CellVerdict::Allows | CellVerdict::Holds => {}
            }
        }
        forbids
    }

    /// The columns of permissions that have yes and blank cells only.
    pub(super) fn ticked(&self) -> Vec<usize> {
        self.ticks.iter().filter(|(_, (is_ticks, has_yes))| *is_ticks && *has_yes).map(|(at, _)| *at).collect()
    }

    /// What was not understood; `None` if nothing.
    pub(super) fn finish(self) -> Option<NotUnderstood> {
        let by_words = self.categories.into_iter().filter_map(|(at, column)| Some((at, column.suspect()?)));
        let mut columns: Vec<_> =
            self.suspects.into_iter().filter(|(_, suspect)| suspect.filled > 0).chain(by_words).collect();
        columns.sort_by_key(|(at, _)| *at);
        let columns: Vec<_> = columns.into_iter().map(|(_, suspect)| suspect).collect();
        let words: Vec<_> = self.unclear.into_values().collect();
        (!columns.is_empty() || !words.is_empty()).then_some(NotUnderstood { columns, words })
    }
}

/// A column without a field, as long as it holds only a few short words.
#[derive(Debug)]
struct CategoryColumn {
    suspect: SuspectColumn,
    heading: WeakHeading,
    /// Whether the heading is about a phone number.
    is_of_number: bool,
    /// Whether some word says that a patient must not be called, or that a number is wrong.
    forbids: bool,
    /// Whether the column holds more, or longer, texts than a status.
    is_text: bool,
    /// The cells that say yes or no.
    flags: u64,
    /// The cells that look like dates.
    dates: u64,
}

/// Different words of a status column, at most.
const MAX_CATEGORIES: usize = 12;

/// The longest word of a status column, in characters.
const MAX_CATEGORY_CHARS: usize = 24;

impl CategoryColumn {
    fn new(name: &str) -> Self {
        const OF_NUMBER: [&str; 8] = ["phone", "number", "cell", "mobile", "call", "calls", "disposition", "outcome"];
        let is_of_number = words_of(name).iter().any(|word| OF_NUMBER.contains(&word.as_str()));
        let (suspect, heading) = (SuspectColumn::by_words(name), WeakHeading::of(name));
        Self { suspect, heading, is_of_number, forbids: false, is_text: false, flags: 0, dates: 0 }
    }

    fn add(&mut self, cell: &str) {
        let is_candidate = self.flags == self.suspect.filled || self.dates == self.suspect.filled;
        if self.is_text && !is_candidate {
            return;
        }
        let is_flag = match self.heading.flags {
            FlagCells::None => false,
            FlagCells::Words => cell.parse::<u64>().is_err(),
            FlagCells::Any => true,
        };
        self.flags += u64::from(is_flag && matches!(YesNo::parse(cell), YesNo::Yes | YesNo::No));
        self.dates += u64::from(looks_like_date(cell));
        let known = self.suspect.texts.len();
        self.suspect.add(cell);
        if self.suspect.texts.len() > known {
            self.is_text = self.suspect.texts.len() > MAX_CATEGORIES || self.suspect.longest > MAX_CATEGORY_CHARS;
            self.forbids |= !self.heading.is_about_something_else && says_former_patient(cell)
                || (self.is_of_number && has_unusable_word(cell));
        }
    }

    fn suspect(mut self) -> Option<SuspectColumn> {
        let filled = self.suspect.filled;
        let is_flag = self.flags == filled && filled > 0;
        let is_end = self.heading.is_end && self.dates == filled && filled > 0;
        if is_flag || is_end {
            self.suspect.by_words = false;
            return Some(self.suspect);
        }
        (self.forbids && !self.is_text).then_some(self.suspect)
    }
}

/// Whether a cell could be a date.
fn looks_like_date(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    (3..=17).contains(&digits) && letters <= 9 && cell.contains(['-', '/', '.', ' '])
}

/// Whether a text can only be the status of a former patient.
fn says_former_patient(text: &str) -> bool {
    const CLEAR: [&str; 13] = [
        "inactive",
        "archived",
        "nonpatient",
        "deactivated",
        "inactivo",
        "inactif",
        "inactiva",
        "transferred",
        "terminated",
        "dismissed",
        "discharged",
        "suspended",
        "disabled",
    ];
    match patient_words(text) {
        PatientWords::Forbids(Reason::Inactive) => {
            let words = words_of(text);
            words.iter().any(|word| CLEAR.contains(&word.as_str())) || words == ["non", "patient"]
        }
        // Words that forbid calls, and a death, bar the patient wherever they stand.
        PatientWords::Forbids(_) | PatientWords::Nothing | PatientWords::Active | PatientWords::Unknown => false,
    }
}

/// Whether the text has one of the row's own names, as in a row whose cells have slipped.
fn is_name_of_row(columns: &Columns, row: &ListRow, text: &str) -> bool {
    let words = words_of(text);
    [Field::FirstName, Field::LastName, Field::PreferredName, Field::FullName]
        .iter()
        .any(|field| words_of(columns.cell(row, *field)).iter().any(|name| words.contains(name)))
}

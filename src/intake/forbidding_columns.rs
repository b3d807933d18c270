//! What a list may say against calls without being understood: columns whose headings look as if they forbade a call, and
//! words of which it is not known whether they do. Such a list is refused until the campaign says what they mean.

use std::collections::BTreeMap;
use std::fmt;

use super::cell_words::{PatientWords, patient_words, words_of};
use super::columns::{Columns, value};
use super::eligibility::ExclusionCell;
use super::field::Field;
use super::forbidding_heading::{is_about_something_else, likely_field, looks_forbidding};
use super::list::ListRow;
use crate::campaign::Purpose;
use crate::entry::Reason;
use crate::phone::parse_cell::has_unusable_word;
use crate::visible;

/// Different words of a column that are kept; a column with more does not hold a status.
const MAX_WORDS: usize = 40;

/// Words of a column that are shown.
const SHOWN_WORDS: usize = 12;

/// The longest word that is shown, in characters: a longer one may be a note about a patient.
const MAX_SHOWN_CHARS: usize = 30;

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
}

/// The cells of a column whose heading looks as if it forbade a call. It holds no cell's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuspectColumn {
    /// The column's name.
    name: String,
    /// Whether its words, not its heading, look so.
    by_words: bool,
    /// Rows with a cell that is not empty.
    filled: u64,
    /// Rows read.
    rows: u64,
    /// Hashes of the different texts, up to [`MAX_WORDS`].
    texts: std::collections::BTreeSet<u64>,
    /// The longest text, in characters.
    longest: usize,
}

/// Words of a column of which it is not known whether they forbid a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnclearWords {
    /// The column's name.
    column: String,
    /// The words with the number of their rows. `None`: words that may be a patient's data and are not shown.
    words: BTreeMap<Option<String>, u64>,
    /// The first line with a word that is not shown.
    hidden_on: Option<u64>,
}

/// What a list says against calls without being understood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotUnderstood {
    /// Columns that look as if they forbade a call.
    pub columns: Vec<SuspectColumn>,
    /// Columns with unclear words.
    pub words: Vec<UnclearWords>,
}

impl ForbiddingColumns {
    pub(super) fn new(columns: &Columns, purpose: Purpose) -> Self {
        let (suspects, mut others): (Vec<_>, Vec<_>) =
            columns.unmapped_columns().partition(|(_, name)| looks_forbidding(name));
        others.retain(|(_, name)| !is_about_something_else(name));
        let suspect =
            |(at, name): (usize, &str)| (at, SuspectColumn { name: name.to_owned(), ..SuspectColumn::default() });
        let suspects = suspects.into_iter().map(suspect).collect();
        let categories = others.into_iter().map(|(at, name)| (at, CategoryColumn::new(name))).collect();
        Self { purpose, suspects, categories, unclear: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, columns: &Columns, row: &ListRow) {
        for (at, suspect) in &mut self.suspects {
            suspect.add(value(row, *at));
        }
        for (at, column) in &mut self.categories {
            column.add(value(row, *at));
        }
        for column in columns.forbidding() {
            let cell = ExclusionCell::read(column, columns, row);
            if cell.is_unclear(self.purpose) {
                let words = self.unclear.entry(column.at).or_insert_with(|| UnclearWords {
                    column: columns.names()[column.at].clone(),
                    ..UnclearWords::default()
                });
                words.add(cell.text, is_name_of_row(columns, row, cell.text), row.line);
            }
        }
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

impl SuspectColumn {
    fn add(&mut self, cell: &str) {
        self.rows += 1;
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        self.longest = self.longest.max(cell.chars().count());
        if self.texts.len() <= MAX_WORDS {
            self.texts.insert(super::duplicate_filter::hash_of(cell.to_lowercase()));
        }
    }
}

/// A column without a field, as long as it holds only a few short words.
#[derive(Debug)]
struct CategoryColumn {
    suspect: SuspectColumn,
    /// Whether the heading is about a phone number.
    is_of_number: bool,
    /// Whether some word says that a patient must not be called, or that a number is wrong.
    forbids: bool,
    /// Whether the column holds more, or longer, texts than a status.
    is_text: bool,
}

/// Different words of a status column, at most.
const MAX_CATEGORIES: usize = 12;

/// The longest word of a status column, in characters.
const MAX_CATEGORY_CHARS: usize = 24;

impl CategoryColumn {
    fn new(name: &str) -> Self {
        let is_of_number =
            words_of(name).iter().any(|word| matches!(word.as_str(), "phone" | "number" | "cell" | "mobile"));
        let suspect = SuspectColumn { name: name.to_owned(), by_words: true, ..SuspectColumn::default() };
        Self { suspect, is_of_number, forbids: false, is_text: false }
    }

    fn add(&mut self, cell: &str) {
        if self.is_text {
            return;
        }
        let known = self.suspect.texts.len();
        self.suspect.add(cell);
        if self.suspect.texts.len() > known {
            self.is_text = self.suspect.texts.len() > MAX_CATEGORIES || self.suspect.longest > MAX_CATEGORY_CHARS;
            self.forbids |= says_former_patient(cell) || (self.is_of_number && has_unusable_word(cell));
        }
    }

    fn suspect(self) -> Option<SuspectColumn> {
        let is_category = !self.is_text && self.suspect.filled * 2 >= self.suspect.rows;
        (self.forbids && is_category).then_some(self.suspect)
    }
}

/// Whether a text can only be the status of a former patient.
fn says_former_patient(text: &str) -> bool {
    const CLEAR: [&str; 8] =
        ["inactive", "archived", "nonpatient", "deactivated", "inactivo", "inactif", "inactiva", "transferred"];
    match patient_words(text) {
        PatientWords::Forbids(Reason::Inactive) => {
            let words = words_of(text);
            words.iter().any(|word| CLEAR.contains(&word.as_str())) || words == ["non", "patient"]
        }
        // Words that forbid calls, and a death, bar the patient wherever they stand.
        PatientWords::Forbids(_) | PatientWords::Nothing | PatientWords::Active | PatientWords::Unknown => false,
    }
}

impl UnclearWords {
    fn add(&mut self, cell: &str, is_name: bool, line: u64) {
        let word = cell.to_lowercase();
        let is_shown = !is_name
            && word.chars().count() <= MAX_SHOWN_CHARS
            && word.bytes().filter(u8::is_ascii_digit).count() < 4
            && !word.contains('@');
        let key = is_shown
            .then_some(word)
            .filter(|word| self.words.len() < MAX_WORDS || self.words.contains_key(&Some(word.clone())));
        if key.is_none() {
            self.hidden_on.get_or_insert(line);
        }
        *self.words.entry(key).or_default() += 1;
    }
}

/// Whether the text has one of the row's own names, as in a row whose cells have slipped.
fn is_name_of_row(columns: &Columns, row: &ListRow, text: &str) -> bool {
    let words = words_of(text);
    [Field::FirstName, Field::LastName, Field::PreferredName, Field::FullName]
        .iter()
        .any(|field| words_of(columns.cell(row, *field)).iter().any(|name| words.contains(name)))
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for SuspectColumn { name, by_words, filled, rows, texts, longest } in &self.columns {
            let field = if *by_words { Field::Status } else { likely_field(name) };
            let name = visible::value(name);
            let longest = if *longest == 1 { "1 character".to_owned() } else { format!("{longest} characters") };
            let different = match texts.len() {
                1 => "always the same text".to_owned(),
                count if count > MAX_WORDS => format!("more than {MAX_WORDS} different texts"),
                count => format!("{count} different texts"),
            };
            writeln!(
                f,
                "the column `{name}` looks as if it said who must not be called, and it is not known what it means: filled in \
                 {filled} of {rows} rows, {different}, the longest with {longest}. Say in the campaign file which field \
                 it is, or that it does not matter:\n\n    [list]\n    columns = {{ {field} = \"{name}\" }}\n    \
                 ignore = [\"{name}\"]\n"
            )?;
        }
        for unclear in &self.words {
            unclear.fmt(f)?;
        }
        f.write_str("Nobody is called until then.")
    }
}

impl fmt::Display for UnclearWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = visible::value(&self.column);
        let mut counted: Vec<(&Option<String>, u64)> = self.words.iter().map(|(word, rows)| (word, *rows)).collect();
        counted.sort_by_key(|(word, rows)| (word.is_none(), std::cmp::Reverse(*rows)));
        let shown = counted.iter().take(SHOWN_WORDS).map(|(word, rows)| match word {
            Some(word) => format!("`{}` × {rows}", visible::value(word)),
            None => format!("other texts × {rows}, the first on line {}", self.hidden_on.unwrap_or_default()),
        });
        let more = counted.len().saturating_sub(SHOWN_WORDS);
        let more = (more > 0).then(|| format!("and {more} more"));
        let shown: Vec<String> = shown.chain(more).collect();
        let example = counted.iter().find_map(|(word, _)| word.as_ref());
        let example = example.map_or("WORD".to_owned(), |word| visible::value(word).into_owned());
        writeln!(
            f,
            "the column `{column}` has words of which it is not known whether they forbid a call: {}. Say in the campaign file \
             what each means (\"call\", \"do_not_call\", \"inactive\", \"deceased\" or \"appointment_off\"), or that the column \
             does not matter (ignore = [\"{column}\"] under [list]):\n\n    [list.values]\n    \"{column}\" = {{ \"{example}\" = \
             \"do_not_call\" }}\n",
            shown.join(", ")
        )
    }
}

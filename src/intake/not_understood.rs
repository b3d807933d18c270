//! What a list may say against calls without being understood, for the person who must say what it means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::duplicate_filter::hash_of;
use super::field::Field;
use super::forbidding_heading::likely_field;
use crate::visible;

/// Different words of a column that are kept; a column with more does not hold a status.
const MAX_WORDS: usize = 40;

/// Words of a column that are shown.
const SHOWN_WORDS: usize = 12;

/// The longest word that is shown, in characters: a longer one may be a note about a patient.
const MAX_SHOWN_CHARS: usize = 30;

/// The cells of a column whose heading looks as if it forbade a call. It holds no cell's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SuspectColumn {
    /// The column's name.
    name: String,
    /// Whether its words, not its heading, look so.
    pub(super) by_words: bool,
    /// Rows with a cell that is not empty.
    pub(super) filled: u64,
    /// Rows read.
    pub(super) rows: u64,
    /// Hashes of the different texts, up to [`MAX_WORDS`].
    pub(super) texts: BTreeSet<u64>,
    /// The longest text, in characters.
    pub(super) longest: usize,
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

impl SuspectColumn {
    pub(super) fn by_heading(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn by_words(name: &str) -> Self {
        Self { name: name.to_owned(), by_words: true, ..Self::default() }
    }

    pub(super) fn add(&mut self, cell: &str) {
        self.rows += 1;
        if cell.is_empty() {
            return;
        }
        self.filled += 1;
        self.longest = self.longest.max(cell.chars().count());
        if self.texts.len() <= MAX_WORDS {
            self.texts.insert(hash_of(cell.to_lowercase()));
        }
    }
}

impl UnclearWords {
    pub(super) fn of(column: &str) -> Self {
        Self { column: column.to_owned(), ..Self::default() }
    }

    pub(super) fn add(&mut self, cell: &str, is_name: bool, line: u64) {
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
            let both = [Field::DoNotCall, Field::OkToCall];
            let choices = match both.into_iter().find(|other| both.contains(&field) && *other != field) {
                Some(other) => format!("{}{}", choice(field, &name), choice(other, &name)),
                None => format!("    columns = {{ {field} = \"{name}\" }}\n"),
            };
            writeln!(
                f,
                "the column `{name}` looks as if it said who must not be called, and it is not known what it means: filled in \
                 {filled} of {rows} rows, {different}, the longest with {longest}. Say in the campaign file which field \
                 it is, or that it does not matter:\n\n    [list]\n{choices}    ignore = [\"{name}\"]\n"
            )?;
        }
        for unclear in &self.words {
            unclear.fmt(f)?;
        }
        f.write_str("Nobody is called until then.")
    }
}

/// A line of the campaign file for a column that says yes or no.
fn choice(field: Field, column: &str) -> String {
    let forbids = if field == Field::OkToCall { "no" } else { "yes" };
    format!("    columns = {{ {field} = \"{column}\" }}    # \"{forbids}\" forbids the call\n")
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

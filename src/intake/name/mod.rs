//! Patient names: split into parts, cleaned, and converted to natural case. [`full`] has the rules for a name in one
//! cell, [`separate`] those for two; [`words`] is the table of words that both ask.

mod case;
mod cell;
mod full;
mod given;
mod separate;
mod words;

use self::case::{is_all_capitals, natural_case};
use self::cell::clean;
use self::full::FullName;
use self::separate::Separate;
use self::words::Word;
use super::field::Field;
use super::normal_form::folded;
use super::rejection::RejectReason;

/// What of a cell is read, in bytes: far more than a name has, and little enough for any order of words.
const MAX_CELL: usize = 1_000;

/// A patient's names, each cut to the vendor's limit.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct PatientNames {
    /// The legal first name. If it is in doubt, the whole name in its natural order.
    pub(super) first: String,
    /// The last name with its suffix; may be empty.
    pub(super) last: String,
    /// The name by which the call addresses the patient; by default the first name.
    pub(super) preferred: String,
    /// Which word is the first name is not certain, so nobody is addressed by one.
    pub(super) is_doubtful: bool,
}

/// The name cells of a row; empty if the list has no such column.
#[derive(Clone, Copy, Default)]
pub(super) struct NameCells<'a> {
    pub(super) first: &'a str,
    pub(super) last: &'a str,
    pub(super) preferred: &'a str,
    pub(super) full: &'a str,
}

impl<'a> NameCells<'a> {
    /// The cells without space around them, and without what is too long for a name.
    fn cut(self) -> Self {
        let cut = |cell: &'a str| {
            let cell = cell.trim();
            &cell[..cell.floor_char_boundary(MAX_CELL)]
        };
        Self { first: cut(self.first), last: cut(self.last), preferred: cut(self.preferred), full: cut(self.full) }
    }
}

/// Whether the full name and those in separate columns have no word in common, although both are whole.
pub(super) fn are_different(cells: NameCells<'_>) -> bool {
    let words = |cell: &str| -> Vec<String> {
        let plain = folded(cell).into_owned();
        plain.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_owned).collect()
    };
    if cells.full.is_empty() || cells.first.is_empty() || cells.last.is_empty() {
        return false;
    }
    let (full, separate) = (words(cells.full), words(&format!("{} {}", cells.first, cells.last)));
    full.len() > 1 && separate.len() > 1 && !full.iter().any(|word| separate.contains(word))
}

/// Whether a cell for a preferred name has none: marks, pronouns, `same`, or a note.
fn is_no_name(cell: &str) -> bool {
    const NONE: [&str; 24] = [
        "same",
        "same as first",
        "same as first name",
        "same as above",
        "same name",
        "as above",
        "ditto",
        "n/a",
        "na",
        "n.a.",
        "none",
        "no",
        "nil",
        "unknown",
        "unk",
        "not given",
        "tbd",
        "see notes",
        "see note",
        "legal name",
        "first name",
        "blank",
        "yes",
        "igual",
    ];
    const PRONOUNS: [&str; 7] = ["he", "him", "she", "her", "they", "them", "hers"];
    let plain = cell.trim().to_lowercase();
    let mut words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    !plain.contains(char::is_alphabetic)
        || NONE.contains(&plain.as_str())
        || plain.contains([':', '@'])
        || plain.ends_with(" only")
        || words.peek().is_some() && words.all(|word| PRONOUNS.contains(&word))
}

impl PatientNames {
    /// Reads the cells. Separate columns win over the full name. Each name keeps its first `max_chars` characters.
    pub(super) fn from_cells(cells: NameCells<'_>, max_chars: usize) -> Result<Self, RejectReason> {
        let cells = cells.cut();
        let has_first = !cells.first.is_empty();
        let mut names = if has_first { Self::from_separate(cells)? } else { Self::from_full(cells)? };
        if !is_no_name(cells.preferred) {
            names.preferred = clean(cells.preferred);
            if is_all_capitals(&names.preferred) && is_all_capitals(if has_first { cells.first } else { cells.full }) {
                names.preferred = natural(&names.preferred, false);
            }
        }
        Ok(names.cut(max_chars))
    }

    fn from_full(cells: NameCells<'_>) -> Result<Self, RejectReason> {
        let last_column = clean(cells.last);
        match full::read(cells.full) {
            FullName::Clear { first, last, nickname } => {
                let last = if last_column.is_empty() { last } else { last_column };
                Ok(Self::new(first, last, nickname))
            }
            FullName::Doubtful { whole, nickname } => {
                Ok(Self { is_doubtful: true, ..Self::new(whole, String::new(), nickname) })
            }
            FullName::Empty => Err(RejectReason::Missing(Field::FirstName.to_string())),
            FullName::Nobody => Err(RejectReason::NotAPerson(Field::FullName)),
        }
    }

    fn from_separate(cells: NameCells<'_>) -> Result<Self, RejectReason> {
        match separate::read(cells.first, cells.last) {
            Separate::Name { first, last, nickname } => Ok(Self::new(first, last, nickname).in_natural_case()),
            Separate::Untitled(whole) => {
                Ok(Self { is_doubtful: true, ..Self::new(whole, String::new(), String::new()) })
            }
            Separate::Empty => Err(RejectReason::Missing(Field::FirstName.to_string())),
            Separate::Nobody => Err(RejectReason::NotAPerson(Field::FirstName)),
        }
    }

    fn new(first: String, last: String, nickname: String) -> Self {
        let preferred = if nickname.is_empty() { first.clone() } else { nickname };
        Self { first, last, preferred, is_doubtful: false }
    }

    /// Changes names that are all in capitals.
    fn in_natural_case(self) -> Self {
        if !is_all_capitals(&self.first) || !(self.last.is_empty() || is_all_capitals(&self.last)) {
            return self;
        }
        let preferred = if is_all_capitals(&self.preferred) { natural(&self.preferred, false) } else { self.preferred };
        Self { first: natural(&self.first, false), last: natural(&self.last, true), preferred, ..self }
    }

    fn cut(self, max_chars: usize) -> Self {
        let Self { first, last, preferred, is_doubtful } = self;
        Self {
            first: truncate(first, max_chars),
            last: truncate(last, max_chars),
            preferred: truncate(preferred, max_chars),
            is_doubtful,
        }
    }
}

fn natural(name: &str, is_last: bool) -> String {
    if name.contains(' ') {
        return natural_case(&name.split(' ').map(Word::new).collect::<Vec<_>>(), is_last);
    }
    natural_case(&[Word::new(name)], is_last)
}

/// The first characters.
fn truncate(name: String, max_chars: usize) -> String {
    if name.len() <= max_chars {
        return name;
    }
    match name.char_indices().nth(max_chars) {
        Some((at, _)) => name[..at].trim_end().to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests;

//! Columns about a single phone column: `Phone 1 - Label`, `Mobile OK?`, `Home Phone Do Not Call`. What they say concerns
//! that number only.

use super::cell_words::{YesNo, words_of};
use super::field::{Field, Heading};
use super::word_lists::WordList;
use crate::phone::number_notes::has_unusable_word;

/// A column about the phone column at `phone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NumberColumn {
    pub(super) at: usize,
    pub(super) phone: usize,
    says: NumberSays,
}

/// What the cells of such a column say of the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberSays {
    /// What kind of line it is.
    Kind,
    /// Yes: it may be dialled.
    Good,
    /// Yes: it must not be dialled.
    Bad,
}

impl NumberColumn {
    /// The phone column that each of the free columns is about. A column about all numbers, such as `Phone OK`, is about
    /// the patient if there are several phone columns.
    pub(super) fn all(names: &[String], phones: &[(Field, usize)], free: impl Iterator<Item = usize>) -> Vec<Self> {
        free.filter_map(|at| Self::of(&names[at], at, names, phones)).collect()
    }

    fn of(name: &str, at: usize, names: &[String], phones: &[(Field, usize)]) -> Option<Self> {
        let words = words_of(name);
        (1..words.len()).rev().find_map(|length| {
            let (own, rest) = words.split_at(length);
            let says = NumberSays::of(rest)?;
            let heading = Heading::of(&own.join(" ")).filter(|heading| heading.field.phone_rank().is_some());
            let is_same = |phone: &&(Field, usize)| {
                let is_its_name = words_of(&names[phone.1]).starts_with(own) && phone.1 != at;
                is_its_name || heading.is_some_and(|heading| heading.field == phone.0)
            };
            let mut same = phones.iter().filter(is_same);
            let found = same.next()?;
            same.next().is_none().then_some(Self { at, phone: found.1, says })
        })
    }

    /// Whether the cell says that the number is not to be dialled.
    pub(super) fn bars(self, cell: &str) -> bool {
        match (self.says, YesNo::parse(cell)) {
            (NumberSays::Kind, _) => has_unusable_word(cell),
            (NumberSays::Good, answer) => answer == YesNo::No || has_unusable_word(cell),
            (NumberSays::Bad, answer) => matches!(answer, YesNo::Yes | YesNo::Other),
        }
    }
}

impl NumberSays {
    /// What the words of a heading behind those of the phone column say.
    fn of(words: &[String]) -> Option<Self> {
        let are = |list: &str| words.iter().all(|word| WordList::named(list).has(word));
        match () {
            () if are("number_kind") => Some(Self::Kind),
            () if are("number_good") => Some(Self::Good),
            () if are("number_bad") => Some(Self::Bad),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_about_the_number_that_its_heading_names() {
        let names: Vec<String> = ["Home Phone", "Mobile", "Phone 1 - Value"].map(str::to_owned).to_vec();
        let phones = [(Field::HomePhone, 0), (Field::MobilePhone, 1), (Field::Phone, 2)];
        for (heading, phone, cell, bars) in [
            ("Home Phone Type", 0, "Fax", true),
            ("Home Phone Type", 0, "Landline", false),
            ("Mobile OK?", 1, "N", true),
            ("Cell Phone Valid", 1, "yes", false),
            ("Home Do Not Call", 0, "1", true),
            ("Phone 1 - Label", 2, "Work Fax", true),
        ] {
            let found = NumberColumn::of(heading, 9, &names, &phones).expect(heading);
            assert_eq!((found.phone, found.bars(cell)), (phone, bars), "{heading}");
        }
        for heading in ["Phone notes from call", "Do Not Call", "Type", "Recall Type"] {
            assert_eq!(NumberColumn::of(heading, 9, &names, &phones), None, "{heading}");
        }
    }
}

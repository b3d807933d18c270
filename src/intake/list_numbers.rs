//! What a whole list says about its numbers: which of them a row forbids to be called, and which a guarantor lends to
//! dependants without a number of their own.
//!
//! A household's number stands for its guarantor (`Guarantor`, `Responsible Party`): that patient's number. Or it only
//! stands for the family (`Family ID`): then the first adult of it who has a number. A guarantor belongs to the household,
//! so a patient whose number at the practice is by chance that of somebody else's family lends nothing.

use std::collections::{HashMap, HashSet};

use super::cell_value::whole_id;
use super::cell_words::words_of;
use super::columns::Columns;
use super::field::Field;
use super::list::ListRow;
use super::phone_choice::PhoneChoice;
use super::rejection::RejectReason;
use super::row_numbers::row_numbers;
use crate::phone::E164;
use crate::phone::parse_cell::{DialRules, PhoneError};

/// The numbers of a list that concern more than one row. They are patient data, so `Debug` masks them.
#[derive(Clone, Default)]
pub(super) struct ListNumbers {
    /// The numbers of patients who must not be called. Nobody else is called there.
    barred: HashSet<E164>,
    /// The numbers of guarantors, by household.
    lent: HashMap<String, PhoneChoice>,
    /// Dependants without a number of their own, by household, until it is known what is lent to them.
    dependants: HashMap<String, u32>,
}

impl std::fmt::Debug for ListNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListNumbers({} barred, {} lent, masked)", self.barred.len(), self.lent.len())
    }
}

impl ListNumbers {
    /// Bars the numbers of a patient who must not be called.
    pub(super) fn bar(&mut self, phones: &PhoneChoice) {
        self.barred.insert(phones.best.number);
        self.barred.extend(&phones.alternatives);
    }

    /// Bars numbers of a row that cannot be read.
    pub(super) fn bar_numbers(&mut self, numbers: impl Iterator<Item = E164>) {
        self.barred.extend(numbers);
    }

    /// Notes a row whose numbers cannot be used for this reason.
    pub(super) fn add_without_number(&mut self, columns: &Columns, row: &ListRow, reason: &RejectReason) {
        if let Some(household) = household_of(columns, row).filter(|_| is_without_number(reason)) {
            *self.dependants.entry(household.to_owned()).or_default() += 1;
        }
    }

    /// Whether a dependant still needs a guarantor's number.
    pub(super) fn needs_guarantors(&self) -> bool {
        !self.dependants.is_empty()
    }

    /// Lends the numbers of a row to the dependants of its household, if the row is the guarantor's. `numbers` reads the
    /// numbers of a row that may lend them.
    pub(super) fn add_guarantor(
        &mut self,
        columns: &Columns,
        row: &ListRow,
        numbers: impl FnOnce() -> Option<PhoneChoice>,
    ) {
        let own = household_of(columns, row);
        let id = whole_id(columns.cell(row, Field::PatientId));
        let household = match (names_a_guarantor(columns), own) {
            (true, None) => id,
            (true, Some(own)) if own == id || is_name_of(columns, row, own) => own,
            (true, Some(_)) | (false, None) => return,
            (false, Some(own)) => own,
        };
        if self.dependants.contains_key(household)
            && !self.lent.contains_key(household)
            && let Some(phones) = numbers()
        {
            self.lent.insert(household.to_owned(), phones);
        }
    }

    /// The first numbers of what is lent, each with the number of dependants who take it.
    pub(super) fn lent(&self) -> impl Iterator<Item = (E164, u32)> {
        self.lent
            .iter()
            .map(|(household, phones)| (phones.counted, self.dependants.get(household).copied().unwrap_or_default()))
    }

    /// The row's own numbers, or those that its guarantor lends it.
    pub(super) fn choose(
        &self,
        columns: &Columns,
        row: &ListRow,
        rules: DialRules<'_>,
    ) -> Result<PhoneChoice, RejectReason> {
        let lent = || self.lent.get(household_of(columns, row)?);
        row_numbers(columns, row, rules).or_else(|reason| match lent() {
            Some(phones) if is_without_number(&reason) => Ok(phones.clone()),
            Some(_) | None => Err(reason),
        })
    }

    /// Those of the numbers that no row forbids; `None` if every one is forbidden.
    pub(super) fn allowed(&self, phones: &PhoneChoice) -> Option<PhoneChoice> {
        if self.barred.is_empty() {
            return Some(phones.clone());
        }
        phones.without(|number| self.barred.contains(number))
    }

    /// The household of a patient: the row's, or the one of which the patient is the guarantor.
    pub(super) fn household(&self, columns: &Columns, row: &ListRow) -> Option<String> {
        let id = || Some(whole_id(columns.cell(row, Field::PatientId))).filter(|id| self.lent.contains_key(*id));
        household_of(columns, row).or_else(id).map(ToOwned::to_owned)
    }
}

/// Whether a row has no number of its own, not one that is to be corrected.
fn is_without_number(reason: &RejectReason) -> bool {
    matches!(reason, RejectReason::Phone(PhoneError::Missing | PhoneError::Filler | PhoneError::MarkedUnusable))
}

/// The row's household; zeros are none.
fn household_of<'r>(columns: &Columns, row: &'r ListRow) -> Option<&'r str> {
    let household = whole_id(columns.cell(row, Field::Household));
    household.bytes().any(|byte| byte != b'0').then_some(household)
}

/// Whether the column of households says who the guarantor is, not only which family it is.
fn names_a_guarantor(columns: &Columns) -> bool {
    let words = words_of(columns.name_of(Field::Household));
    !words.iter().any(|word| matches!(word.as_str(), "family" | "household"))
        || words.iter().any(|word| matches!(word.as_str(), "head" | "guarantor"))
}

/// Whether a household is named by the row's own name, in any order: `Ruiz, Ana`.
fn is_name_of(columns: &Columns, row: &ListRow, household: &str) -> bool {
    let sorted = |mut words: Vec<String>| {
        words.sort_unstable();
        words
    };
    let full = columns.cell(row, Field::FullName);
    let separate = format!("{} {}", columns.cell(row, Field::FirstName), columns.cell(row, Field::LastName));
    let wanted = sorted(words_of(household));
    [full, &separate].into_iter().any(|name| wanted.len() > 1 && sorted(words_of(name)) == wanted)
}

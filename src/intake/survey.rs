//! The first pass over a list: what only the whole of it can say. How each date column writes its dates, how many rows
//! there are, and which numbers and keys occur more than once.

use std::collections::BTreeMap;

use super::columns::Columns;
use super::contact::Contact;
use super::date::OrderSurvey;
use super::field::Field;
use super::footer::is_no_patient;
use super::list::{List, Row};
use super::problem::ListProblem;
use super::repeats::{Repeats, Sightings, hash_of};
use crate::campaign::{DateOrder, ListRules};
use crate::phone::cell::CellRules;

/// What the whole list says.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    /// Rows that are not blank.
    pub(super) rows: u64,
    /// The lines of rows that are no patients.
    pub(super) left_out: Vec<u64>,
    orders: BTreeMap<Field, DateOrder>,
    /// How many rows would be called on a number, by its hash.
    pub(super) numbers: Repeats,
    /// How many rows have a key, by its hash.
    pub(super) keys: Repeats,
}

impl Survey {
    /// Reads the whole list. Shared numbers are counted only if `households` says that they matter.
    pub(super) fn of(
        list: &List,
        columns: &Columns,
        rules: &ListRules,
        households: Option<CellRules<'_>>,
    ) -> Result<Self, ListProblem> {
        let mut survey = Self::default();
        let mut dates: Vec<(Field, OrderSurvey)> =
            columns.fields().filter(|field| field.is_date()).map(|field| (field, OrderSurvey::default())).collect();
        let (mut keys, mut numbers) = (Sightings::default(), Sightings::default());
        let (separator, mut previous) = (list.separator(), 0);
        let (mut rows, mut row) = (list.rows()?, Row::default());
        while rows.read_into(&mut row)? {
            if is_no_patient(&row, columns) {
                survey.left_out.push(row.line);
                continue;
            }
            survey.rows += 1;
            let before = std::mem::replace(&mut previous, row.line);
            if row.has_lines() && separator.is_some_and(|separator| columns.swallows(&row, separator)) {
                // Where the list ends within the quote, its last line is counted once too often.
                return Err(ListProblem::RowsInACell { line: row.line.max(before + 1) });
            }
            if row.cells.len() != columns.width() {
                continue;
            }
            columns.refuse_differing_twins(&row)?;
            for (field, order) in &mut dates {
                order.see(columns.cell(&row, *field));
            }
            keys.see(columns.key_hash(&row));
            if let Some(Ok(contact)) = households.map(|rules| Contact::of(columns.phones(&row), rules)) {
                numbers.see(hash_of(contact.phone.number));
            }
        }
        (survey.keys, survey.numbers) = (keys.finish(), numbers.finish());
        survey.orders = decide(&dates, columns, rules.date_order)?;
        if survey.rows == 0 { Err(ListProblem::NoRows) } else { Ok(survey) }
    }

    /// The order of a date column.
    pub(super) fn order(&self, field: Field) -> DateOrder {
        self.orders.get(&field).copied().unwrap_or(DateOrder::Mdy)
    }
}

/// The campaign's word decides; without one, each column's cells.
fn decide(
    dates: &[(Field, OrderSurvey)],
    columns: &Columns,
    told: Option<DateOrder>,
) -> Result<BTreeMap<Field, DateOrder>, ListProblem> {
    let decided = dates.iter().map(|(field, survey)| match told {
        Some(order) => Ok((*field, order)),
        None => survey.decide().map(|order| (*field, order)).map_err(|undecided| ListProblem::DateOrder {
            column: columns.name_of(*field).to_owned(),
            contradictory: undecided.contradictory,
        }),
    });
    decided.collect()
}

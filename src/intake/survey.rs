//! The first pass over a list: what only the whole of it can say. How each date column writes its dates, how many rows
//! there are, and which numbers occur more than once.

use std::collections::{BTreeMap, HashMap};

use super::columns::Columns;
use super::contact::Contact;
use super::date::OrderSurvey;
use super::field::Field;
use super::list::Rows;
use super::problem::ListProblem;
use crate::campaign::{DateOrder, ListRules};
use crate::phone::E164;
use crate::phone::cell::CellRules;

/// What the whole list says.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    /// Rows that are not blank.
    pub(super) rows: u64,
    orders: BTreeMap<Field, DateOrder>,
    /// How many rows would be called on a number, where it is more than one.
    pub(super) shared: HashMap<E164, u32>,
}

impl Survey {
    /// Reads the whole list. Shared numbers are counted only if `households` says that they matter.
    pub(super) fn of(
        rows: Rows,
        columns: &Columns,
        rules: &ListRules,
        households: Option<CellRules<'_>>,
    ) -> Result<Self, ListProblem> {
        let mut survey = Self::default();
        let mut dates: Vec<(Field, OrderSurvey)> =
            columns.fields().filter(|field| field.is_date()).map(|field| (field, OrderSurvey::default())).collect();
        for row in rows {
            let row = row?;
            survey.rows += 1;
            if row.cells.len() != columns.width() {
                continue;
            }
            for (field, order) in &mut dates {
                order.see(columns.cell(&row, *field));
            }
            if let Some(Ok(contact)) = households.map(|rules| Contact::of(columns.phones(&row), rules)) {
                *survey.shared.entry(contact.phone.number).or_default() += 1;
            }
        }
        survey.shared.retain(|_, count| *count > 1);
        survey.shared.shrink_to_fit();
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

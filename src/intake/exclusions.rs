//! A second list whose patients are not to be called: those who booked since, say. It needs nothing but key columns of the
//! campaign; of a key in several columns, those that it has count.

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use super::columns::key_columns;
use super::field::Field;
use super::list::{Expected, List, ListSource, RowPer};
use super::problem::ListProblem;
use crate::campaign::ListRules;
use crate::ids::EntryKey;

/// The patients of an exclude list, by their keys. It holds patients' identifiers and is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Which of the key's columns count.
    parts: Vec<usize>,
    keys: HashSet<Vec<String>>,
}

impl std::fmt::Debug for Excluded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Excluded({}, masked)", self.keys.len())
    }
}

impl Excluded {
    /// Reads an exclude list. A row that does not say whom it means is an error: it might be anybody.
    pub fn read(source: &ListSource, rules: &ListRules, now: DateTime<Utc>) -> Result<Self, ListProblem> {
        let is_key = |name: &str| rules.key.iter().any(|key| key == name);
        let is_known = |name: &str| is_key(name) || Field::of_column(name).is_some();
        let list = List::open(source, &Expected { is_known: &is_known, row_per: RowPer::Patient, now })?;
        let columns = key_columns(list.header(), rules)?;
        let mut keys = HashSet::new();
        for row in list.rows()? {
            let row = row?;
            if row.cells.len() != list.header().names().len() {
                return Err(ListProblem::Malformed { line: row.line, what: "not as many cells as columns" });
            }
            let key: Vec<String> = columns.iter().map(|(_, at)| row.cell(*at).to_owned()).collect();
            if key.iter().any(String::is_empty) {
                return Err(ListProblem::Malformed { line: row.line, what: "it does not say whom it means" });
            }
            keys.insert(key);
        }
        Ok(Self { parts: columns.into_iter().map(|(part, _)| part).collect(), keys })
    }

    /// Whether the entry, or the household's member, of that key is on it.
    #[must_use]
    pub fn has(&self, key: &EntryKey) -> bool {
        let parts: Vec<&str> = key.parts().collect();
        let counted = self.parts.iter().map(|part| parts.get(*part).copied().unwrap_or_default().to_owned());
        self.keys.contains(&counted.collect::<Vec<_>>())
    }

    /// How many it names.
    #[must_use]
    pub fn count(&self) -> usize {
        self.keys.len()
    }
}

//! The column names of a list.

use std::collections::HashMap;

use crate::intake::normal_form::composed;

/// The column names of a list, in order, made unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    names: Vec<String>,
    /// For a column whose name occurred before: the first column of that name.
    first: Vec<Option<usize>>,
    /// For each name: its first column and how often it occurred. A map, since a list may have a thousand columns of
    /// one name.
    seen: HashMap<String, (usize, usize)>,
}

impl Header {
    /// Names the columns. A repeated name becomes `name (2)`, an empty one `column 3`.
    pub(super) fn new<'a>(cells: impl IntoIterator<Item = &'a str>) -> Self {
        let mut header = Self::default();
        for cell in cells {
            header.push(composed(cell).trim());
        }
        header
    }

    fn push(&mut self, name: &str) {
        let base = if name.is_empty() { format!("column {}", self.names.len() + 1) } else { name.to_owned() };
        let at = self.names.len();
        let (first, mut count) = self.seen.get(&base).copied().unwrap_or((at, 0));
        let unique = loop {
            count += 1;
            let unique = if count == 1 { base.clone() } else { format!("{base} ({count})") };
            if !self.seen.contains_key(&unique) {
                break unique;
            }
        };
        self.seen.insert(base, (first, count));
        self.seen.entry(unique.clone()).or_insert((at, 1));
        self.first.push((first != at).then_some(first));
        self.names.push(unique);
    }

    /// Adds a column whose name the caller knows to be new.
    pub(super) fn push_new(&mut self, name: String) {
        self.names.push(name);
    }

    /// The names, in the order of the cells.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The first column of the same name, if the one at `at` is not the first.
    #[must_use]
    pub fn first_of_name(&self, at: usize) -> Option<usize> {
        self.first.get(at).copied().flatten()
    }
}

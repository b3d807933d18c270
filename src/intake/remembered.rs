//! Texts that were rendered before: a voicemail says little more than a first name, and names come again and again.

use std::collections::HashMap;
use std::fmt;

use super::rejection::RejectReason;
use super::tally::Warning;
use crate::template::{Cells, Columns, Template};

/// Texts kept at a time, over all practices of a campaign: more first names than most lists have.
const MOST: usize = 2_048;
/// So many rows show whether a template's texts come again at all.
const TRIAL: u32 = 4_096;

/// A rendered text, nothing if it is empty, and what somebody should look at in it; or why it cannot be sent.
pub(super) type Rendered = Result<(Option<String>, Vec<Warning>), RejectReason>;

/// The texts of one template by the cells that it says. It holds patients' data, so `Debug` masks it.
#[derive(Clone)]
pub(super) struct Remembered {
    /// The cells that decide the text; none if something else does, too.
    deciding: Option<Vec<usize>>,
    texts: HashMap<String, Rendered>,
    /// Texts kept at a time.
    most: usize,
    /// The last row's deciding cells.
    key: String,
    found: u32,
    missed: u32,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remembered({} texts, masked)", self.texts.len())
    }
}

impl Remembered {
    /// For the texts of `template`; `shared` are the objects that are the same for every row. It is one of so many.
    pub(super) fn of(template: &Template, columns: &Columns, shared: &[&str], of_so_many: usize) -> Self {
        let is_shared = |name: &str| shared.contains(&name.split('.').next().unwrap_or(name));
        let names = template.names();
        let deciding = names.iter().filter(|name| !is_shared(name)).map(|name| columns.place(name)).collect();
        let most = (MOST / of_so_many).max(1);
        Self { deciding, texts: HashMap::new(), most, key: String::new(), found: 0, missed: 0 }
    }

    /// The text for a row's cells, made by `render` if it was not made before.
    pub(super) fn text(&mut self, cells: &Cells, render: impl FnOnce() -> Rendered) -> Rendered {
        let Some(deciding) = &self.deciding else { return render() };
        self.key.clear();
        for cell in deciding.iter().filter_map(|at| cells.get(*at)) {
            self.key.push_str(cell);
            self.key.push('\u{1f}');
        }
        if let Some(text) = self.texts.get(&self.key) {
            self.found += 1;
            return text.clone();
        }
        self.missed += 1;
        if self.missed > TRIAL && self.found < self.missed {
            self.forget();
            return render();
        }
        let text = render();
        if self.texts.len() == self.most {
            self.texts.clear();
        }
        self.texts.insert(self.key.clone(), text.clone());
        text
    }

    /// Looking for texts that hardly ever come again costs more than it saves.
    fn forget(&mut self) {
        self.deciding = None;
        self.texts = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remembered(source: &str) -> Remembered {
        let columns = Columns::new(["first_name", "due"].map(String::from));
        Remembered::of(&Template::compile("voicemail", source).expect(source), &columns, &["practice"], 1)
    }

    /// How often `rows` rows with `names` different names are rendered.
    fn renderings(source: &str, rows: usize, names: usize) -> usize {
        let mut remembered = remembered(source);
        let mut count = 0;
        for row in 0..rows {
            let name = format!("Name{}", row % names);
            let cells: Cells = [&name, &row.to_string()].into_iter().collect();
            let text = remembered.text(&cells, || {
                count += 1;
                Ok((Some(format!("Hello {name}")), Vec::new()))
            });
            assert_eq!(text.expect("a text").0, Some(format!("Hello {name}")));
        }
        assert!(remembered.texts.len() <= MOST);
        count
    }

    #[test]
    fn a_text_that_came_before_is_not_rendered_again() {
        assert_eq!(renderings("Hello {{ first_name }}, {{ practice.name }}", 1_000, 10), 10);
    }

    #[test]
    fn a_text_that_something_else_decides_is_always_rendered() {
        for source in ["{{ first_name }} {{ household_names }}", "{{ appointment.start }}", "{{ nobody }}"] {
            assert_eq!(renderings(source, 100, 10), 100, "{source}");
        }
    }

    #[test]
    fn texts_that_hardly_come_again_are_given_up() {
        assert_eq!(renderings("{{ first_name }} {{ due }}", 10_000, 10), 10_000);
        let mut remembered = remembered("{{ due }}");
        for row in 0..10_000 {
            let _ = remembered.text(&["", &row.to_string()].into_iter().collect(), || Ok((None, Vec::new())));
        }
        assert!(remembered.texts.is_empty());
        assert_eq!(format!("{remembered:?}"), "Remembered(0 texts, masked)");
    }
}

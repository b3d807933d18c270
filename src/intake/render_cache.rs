//! A cache of rendered texts. A voicemail often contains only a first name, and first names repeat.

use std::collections::HashMap;
use std::fmt;

use super::rejection::RejectReason;
use super::summary::IntakeWarning;
use crate::template::{Template, TemplateCells, TemplateColumns};

/// The maximum number of texts, over all locations of a campaign: more than the first names of most lists.
const MAX_TEXTS: usize = 2_048;
/// The number of misses after which a cache with more misses than hits is turned off.
const TRIAL_MISSES: u32 = 4_096;

/// A rendered text (`None` if it is empty) with its warnings, or the reason to reject the row.
pub(super) type RenderedText = Result<(Option<String>, Vec<IntakeWarning>), RejectReason>;

/// The texts of one template, by the cells that it uses. It holds patient data, so `Debug` masks it.
#[derive(Clone)]
pub(super) struct RenderCache {
    /// The indices of the cells that determine the text; `None` turns the cache off, since other variables matter, too.
    key_cells: Option<Vec<usize>>,
    texts: HashMap<String, RenderedText>,
    /// The maximum number of texts.
    capacity: usize,
    /// The current row's key cells; a buffer.
    key: String,
    hits: u32,
    misses: u32,
}

impl fmt::Debug for RenderCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RenderCache({} texts, masked)", self.texts.len())
    }
}

impl RenderCache {
    /// A cache for `template`. `shared` names the objects that are the same for every row. `caches` is the number of
    /// caches among which [`MAX_TEXTS`] is divided.
    pub(super) fn new(template: &Template, columns: &TemplateColumns, shared: &[&str], caches: usize) -> Self {
        let is_shared = |name: &str| shared.contains(&name.split('.').next().unwrap_or(name));
        let names = template.names();
        let key_cells = names.iter().filter(|name| !is_shared(name)).map(|name| columns.position(name)).collect();
        let capacity = (MAX_TEXTS / caches).max(1);
        Self { key_cells, texts: HashMap::new(), capacity, key: String::new(), hits: 0, misses: 0 }
    }

    /// The text for a row's cells, from the cache or from `render`.
    pub(super) fn text(&mut self, cells: &TemplateCells, render: impl FnOnce() -> RenderedText) -> RenderedText {
        let Some(key_cells) = &self.key_cells else { return render() };
        self.key.clear();
        for cell in key_cells.iter().filter_map(|at| cells.get(*at)) {
            self.key.push_str(cell);
            self.key.push('\u{1f}');
        }
        if let Some(text) = self.texts.get(&self.key) {
            self.hits += 1;
            return text.clone();
        }
        self.misses += 1;
        if self.misses > TRIAL_MISSES && self.hits < self.misses {
            self.turn_off();
            return render();
        }
        let text = render();
        if self.texts.len() == self.capacity {
            self.texts.clear();
        }
        self.texts.insert(self.key.clone(), text.clone());
        text
    }

    /// Used when lookups cost more than they save.
    fn turn_off(&mut self) {
        self.key_cells = None;
        self.texts = HashMap::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_of(source: &str) -> RenderCache {
        let columns = TemplateColumns::new(["first_name", "due"].map(String::from));
        RenderCache::new(&Template::compile("voicemail", source).expect(source), &columns, &["practice"], 1)
    }

    /// The number of renderings for `rows` rows with `names` different names.
    fn renderings(source: &str, rows: usize, names: usize) -> usize {
        let mut cache = cache_of(source);
        let mut count = 0;
        for row in 0..rows {
            let name = format!("Name{}", row % names);
            let cells: TemplateCells = [&name, &row.to_string()].into_iter().collect();
            let text = cache.text(&cells, || {
                count += 1;
                Ok((Some(format!("Hello {name}")), Vec::new()))
            });
            assert_eq!(text.expect("a text").0, Some(format!("Hello {name}")));
        }
        assert!(cache.texts.len() <= MAX_TEXTS);
        count
    }

    #[test]
    fn a_cached_text_is_not_rendered_again() {
        assert_eq!(renderings("Hello {{ first_name }}, {{ practice.name }}", 1_000, 10), 10);
    }

    #[test]
    fn a_template_with_other_variables_is_always_rendered() {
        for source in ["{{ first_name }} {{ household_names }}", "{{ appointment.start }}", "{{ nobody }}"] {
            assert_eq!(renderings(source, 100, 10), 100, "{source}");
        }
    }

    #[test]
    fn a_cache_with_few_hits_is_turned_off() {
        assert_eq!(renderings("{{ first_name }} {{ due }}", 10_000, 10), 10_000);
        let mut cache = cache_of("{{ due }}");
        for row in 0..10_000 {
            let _ = cache.text(&["", &row.to_string()].into_iter().collect(), || Ok((None, Vec::new())));
        }
        assert!(cache.texts.is_empty());
        assert_eq!(format!("{cache:?}"), "RenderCache(0 texts, masked)");
    }
}

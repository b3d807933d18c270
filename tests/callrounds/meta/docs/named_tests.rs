//! The tests that the manual names exist.

use std::collections::BTreeSet;

use super::Page;
use crate::meta::known_tests::all_tests;
use crate::support::harness::repository;

/// The code spans of a text that name tests. Paths of files and environment variables have tests of their own.
fn test_names(text: &str) -> impl Iterator<Item = &str> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.filter(|span| span.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b':'))
}

/// The tests in one column of a page's tables, counted from 0.
fn in_column<'p>(page: &'p Page, heading: &str) -> BTreeSet<&'p str> {
    let mut column = None;
    let mut names = BTreeSet::new();
    for line in page.prose() {
        if !line.starts_with('|') {
            column = None;
            continue;
        }
        let cells = super::cells(line);
        match column {
            None => column = cells.iter().position(|cell| *cell == heading).or(Some(usize::MAX)),
            Some(column) => names.extend(cells.get(column).into_iter().flat_map(|cell| test_names(cell))),
        }
    }
    names
}

/// The tests between two marks, wherever the first one is.
fn between<'p>(page: &'p Page, start: &str, end: &str) -> BTreeSet<&'p str> {
    let parts = page.text.split(start).skip(1);
    parts.flat_map(|part| test_names(part.split_once(end).map_or(part, |(named, _)| named))).collect()
}

#[test]
fn every_test_that_a_page_names_exists() {
    let pages = [
        ("docs/faults.md", Page::read("docs/faults.md")),
        ("docs/security.md", Page::read("docs/security.md")),
        ("docs/design.md", Page::read("docs/design.md")),
        ("docs/test-results.md", Page::read("docs/test-results.md")),
        ("tests/README.md", Page::read("tests/README.md")),
    ];
    let known = all_tests();
    // A name is a part of a test's path, its module or more; or it is a benchmark.
    let is_known = |name: &str| {
        known.iter().any(|test| format!("::{test}::").contains(&format!("::{name}::")))
            || repository().join(format!("benches/{name}.rs")).exists()
    };
    let mut unknown = Vec::new();
    for (path, page) in &pages {
        let mut names = in_column(page, if *path == "docs/faults.md" { "tested in" } else { "test" });
        names.extend(between(page, "*Tests:", "*"));
        names.extend(between(page, "*Shown by:*", "\n\n"));
        assert!(names.len() > 5, "{path} names {names:?}");
        unknown.extend(names.iter().filter(|name| !is_known(name)).map(|name| format!("{path}: {name}")));
    }
    assert!(unknown.is_empty(), "there are no such tests:\n{}", unknown.join("\n"));
}

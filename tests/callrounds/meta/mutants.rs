//! The patches under `tests/mutants`, each of which breaks the program on purpose, still apply, name tests that exist, and are
//! in the table of `docs/test-results.md`. `tests/mutants/run` shows which test notices each.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::docs::Page;
use super::known_tests::{all_tests, library_tests, own_tests};
use crate::support::harness::repository;

fn patches() -> Vec<PathBuf> {
    let folder = repository().join("tests/mutants");
    let mut patches: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    patches.retain(|path| path.extension().is_some_and(|kind| kind == "patch"));
    patches.sort();
    patches
}

/// The value of the header line `FIELD: …` of a patch.
fn field<'t>(text: &'t str, field: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "))
}

/// Git's error if the patch does not apply.
fn apply_error(patch: &Path) -> Option<String> {
    let checked = Command::new("git").args(["apply", "--check"]).arg(patch).current_dir(repository()).output();
    let checked = checked.expect("git");
    (!checked.status.success()).then(|| String::from_utf8_lossy(&checked.stderr).into_owned())
}

#[test]
fn every_deliberate_breakage_can_still_be_made() {
    if !repository().join(".git").exists() {
        eprintln!("skipped: this is no git repository");
        return;
    }
    let patches = patches();
    assert!(patches.len() > 20, "only {} patches were found", patches.len());
    for patch in &patches {
        let text = fs::read_to_string(patch).expect("a patch");
        for name in ["Breakage", "Tests"] {
            assert!(field(&text, name).is_some_and(|value| !value.is_empty()), "{}: no {name}", patch.display());
        }
    }
    let errors: Vec<_> = patches.iter().filter_map(|patch| apply_error(patch)).collect();
    assert!(errors.is_empty(), "{}", errors.concat());
}

/// The tests that a patch names in its header: those of its targets, and the words that select some of them.
struct Selection {
    tests: BTreeSet<String>,
    words: Vec<String>,
}

fn selection(patch: &str) -> Selection {
    let mut selection = Selection { tests: BTreeSet::new(), words: Vec::new() };
    let mut words = field(patch, "Tests").expect("tests").split(' ');
    while let Some(word) = words.next() {
        match word {
            "--lib" => selection.tests.extend(library_tests()),
            "--test" => {
                assert_eq!(words.next(), Some("callrounds"), "the only target of this folder");
                selection.tests.extend(own_tests());
            }
            word => selection.words.push(word.to_owned()),
        }
    }
    selection
}

fn name_of(patch: &Path) -> String {
    patch.file_stem().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn every_word_in_the_header_of_a_patch_selects_a_test() {
    let mut wrong = Vec::new();
    for patch in patches() {
        let Selection { tests, words } = selection(&fs::read_to_string(&patch).expect("a patch"));
        assert!(!words.is_empty(), "{}: all tests", patch.display());
        let unknown = words.iter().filter(|word| !tests.iter().any(|test| test.contains(word.as_str())));
        wrong.extend(unknown.map(|word| format!("{}: {word}", name_of(&patch))));
    }
    assert!(wrong.is_empty(), "no test has such a name:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_of_the_patches_has_every_patch_and_names_tests_that_exist() {
    let page = Page::read("docs/test-results.md").section("## What the tests would notice");
    let rows: Vec<_> = page.rows().filter(|row| row[0] != "patch").collect();
    let in_table: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let mut expected: Vec<_> = patches().iter().map(|patch| name_of(patch)).collect();
    expected.sort();
    let mut sorted = in_table.clone();
    sorted.sort();
    assert_eq!(sorted, expected, "the rows of the table and the patches");

    let known = all_tests();
    let mut wrong = Vec::new();
    for row in &rows {
        let names: Vec<_> = row[1].split('`').skip(1).step_by(2).collect();
        assert!(names.iter().any(|name| name.contains("::")), "{} names no test", row[0]);
        let is_known = |name: &str| {
            known.iter().any(|test| test == name)
                || (!name.contains("::") && known.iter().any(|test| test.split("::").any(|part| part == name)))
        };
        wrong.extend(names.iter().filter(|name| !is_known(name)).map(|name| format!("{}: {name}", row[0])));
    }
    assert!(wrong.is_empty(), "there are no such tests:\n{}", wrong.join("\n"));
}

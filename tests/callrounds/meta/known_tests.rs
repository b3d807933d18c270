//! The names of all tests: of this program by asking it, and of the library by reading its sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::harness::repository;

/// The names of the tests of this program and of the library.
pub fn all_tests() -> BTreeSet<String> {
    let known = &own_tests() | &library_tests();
    assert!(known.len() > 500, "{} tests", known.len());
    known
}

/// The names of the tests in the library.
pub fn library_tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    tests_of_folder(&repository().join("src"), "", &mut tests);
    tests
}

/// The names of the tests in this program.
pub fn own_tests() -> BTreeSet<String> {
    let listed =
        Command::new(std::env::current_exe().expect("this program")).arg("--list").output().expect("its tests");
    let listed = String::from_utf8(listed.stdout).expect("text");
    listed.lines().filter_map(|line| line.strip_suffix(": test")).map(ToOwned::to_owned).collect()
}

/// The names of the tests in a folder of the library, by its sources.
fn tests_of_folder(folder: &Path, module: &str, tests: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()) {
        let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let inner = |name: &str| if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") };
        if path.is_dir() {
            tests_of_folder(&path, &inner(&stem), tests);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let module = match stem.strip_suffix("_tests") {
                Some(tested) => inner(&format!("{tested}::tests")),
                None if stem == "mod" => module.to_owned(),
                None => inner(&stem),
            };
            tests_of_file(&fs::read_to_string(&path).expect("text"), &module, tests);
        }
    }
}

fn tests_of_file(text: &str, module: &str, tests: &mut BTreeSet<String>) {
    let mut module_within = String::new();
    let mut is_test = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            module_within = format!("{name}::");
        } else if line == "}" {
            module_within.clear();
        }
        let line = line.trim_start().trim_start_matches("async ");
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((name, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once('('))
            && std::mem::take(&mut is_test)
        {
            tests.insert(format!("{module}::{module_within}{name}"));
        }
        // A case of every store is a test for each of them.
        if let Some(case) = line.strip_prefix("pub(super) fn ").and_then(|rest| rest.strip_suffix("(open: Opener) {")) {
            tests.insert(format!("{}::{case}", module.replace("ledger::tests", "ledger::tests::sqlite_inline")));
        }
    }
}

#[test]
fn the_tests_of_a_source_file_are_found() {
    let mut tests = BTreeSet::new();
    let text = "fn f() {\n}\nmod tests {\n    #[test]\n    fn one() {}\n    fn no() {}\n}\n#[tokio::test(start_paused)]\n#[ignore]\nasync fn two() {\n";
    tests_of_file(text, "m::n", &mut tests);
    assert_eq!(tests, ["m::n::tests::one", "m::n::two"].map(str::to_owned).into());
}

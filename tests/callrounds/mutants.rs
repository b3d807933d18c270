//! The patches under `tests/mutants`, each of which breaks the program on purpose, still apply. `tests/mutants/run` shows
//! which test notices each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::repository;

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

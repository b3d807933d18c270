//! The deliberate breakages under `tests/mutants` still fit the program: `tests/mutants/run` shows which test notices each.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::practice::repository;

fn patches() -> Vec<PathBuf> {
    let folder = repository().join("tests/mutants");
    let mut patches: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    patches.retain(|path| path.extension().is_some_and(|kind| kind == "patch"));
    patches.sort();
    patches
}

/// What the line `FIELD: …` of a patch's head says.
fn field<'t>(text: &'t str, field: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "))
}

/// What git says against applying a patch.
fn objection(patch: &Path) -> Option<String> {
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
    assert!(patches.len() > 20, "{} patches: they are somewhere else", patches.len());
    for patch in &patches {
        let text = fs::read_to_string(patch).expect("a patch");
        for name in ["Breakage", "Tests"] {
            assert!(field(&text, name).is_some_and(|said| !said.is_empty()), "{}: no {name}", patch.display());
        }
    }
    let objections: Vec<_> = patches.iter().filter_map(|patch| objection(patch)).collect();
    assert!(objections.is_empty(), "{}", objections.concat());
}

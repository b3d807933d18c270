//! What the manual quotes of the program's messages is in the program, and the pages that a message names exist.

use std::collections::BTreeMap;
use std::fs;

use callrounds::ending::Ending;
use callrounds::entry::{Outcome, Reason, State};

use super::{Page, commented, named_pages};
use crate::support::harness::repository;

/// The code of a source file: no comments, no unit tests, and a string that goes on in the next line in one piece.
fn code_of(text: &str) -> String {
    let without_tests = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut code = String::new();
    for line in without_tests.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
        if let Some(start) = line.strip_suffix('\\') {
            code += start;
        } else {
            code += line;
            code.push('\n');
        }
    }
    code.replace("\\\"", "\"")
}

/// The code of every file under `src`, with its path.
fn code_files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    commented(&repository().join("src"), &mut files);
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let path_of =
        |file: &std::path::Path| file.strip_prefix(repository()).expect("of the repository").display().to_string();
    let read = |file: &std::path::PathBuf| (path_of(file), code_of(&fs::read_to_string(file).expect("a source file")));
    files.iter().map(read).filter(|(path, _)| !path.contains("tests")).collect()
}

#[test]
fn every_message_that_the_troubleshooting_page_quotes_is_in_the_program() {
    let code: String = code_files().into_iter().map(|(_, code)| code).collect();
    let page = Page::read("docs/troubleshooting.md");
    let mut missing = Vec::new();
    let mut quoted = 0;
    for section in ["## The campaign file", "## The list", "## The vendor", "## The ledger"] {
        for message in page.section(section).first_column() {
            quoted += 1;
            for part in message.split('…').map(str::trim).filter(|part| !part.is_empty()) {
                if !code.contains(part) {
                    missing.push(format!("{section}: `{message}`: {part}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "nothing in src prints this:\n{}", missing.join("\n"));
    assert!(quoted > 30, "{quoted} messages");
}

#[test]
fn every_page_that_a_message_names_exists() {
    let mut wrong = Vec::new();
    let mut named = 0;
    for (path, code) in code_files() {
        for line in code.lines() {
            let pages: Vec<&str> = named_pages(line).collect();
            if line.contains("README") && pages.is_empty() {
                wrong.push(format!("{path}: README without a file: {line}"));
            }
            for page in pages {
                named += 1;
                if !repository().join(page).exists() {
                    wrong.push(format!("{path}: there is no {page}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(named > 0, "no message names a page");
}

/// The second column of the tables of a section, by the word in the first.
fn second_column(page: &str, section: &str) -> BTreeMap<String, String> {
    let section = Page::read(page).section(section);
    let rows = section.rows().filter(|row| row[0].starts_with('`'));
    rows.map(|row| (row[0].trim_matches('`').to_owned(), row[1].replace('`', ""))).collect()
}

#[test]
fn the_pages_have_the_words_of_the_texts() {
    let reasons = Reason::ALL.iter().map(|reason| (reason.name().to_owned(), reason.label()));
    assert_eq!(second_column("docs/reports.md", "## Reasons"), reasons.collect(), "reasons");
    let states = State::ALL.iter().map(|state| (state.name().to_owned(), state.label().to_owned()));
    assert_eq!(second_column("docs/reports.md", "## States"), states.collect(), "states");
    let outcomes = Outcome::ALL.iter().map(|outcome| (outcome.name().to_owned(), outcome.label().to_owned()));
    assert_eq!(second_column("docs/outcomes.md", "## The outcomes"), outcomes.collect(), "outcomes");
}

#[test]
fn the_pages_have_every_ending_with_the_words_of_the_summary() {
    let shown = Ending::ALL.iter().map(|ending| (ending.name().to_owned(), ending.label().to_owned()));
    assert_eq!(second_column("docs/reports.md", "## Endings"), shown.collect());
    let schema = Page::read("schemas/report.schema.json").text;
    let missing: Vec<_> =
        Ending::ALL.iter().filter(|ending| !schema.contains(&format!("`{}`", ending.name()))).collect();
    assert!(missing.is_empty(), "`RunSummary::ending` does not name {missing:?}");
}

//! The documentation, held against the program: what it refers to exists, its [`commands`] can be typed, its
//! [`first_campaign`] runs, its [`tables`] have every word that the program knows, its [`messages`] are
//! printed, and its [`named_tests`] can be run.

mod commands;
mod first_campaign;
mod messages;
mod named_tests;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::harness::repository;

/// A Markdown page.
pub struct Page {
    /// From the repository.
    path: String,
    text: String,
}

impl Page {
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text }
    }

    /// The folder that relative links start from.
    fn folder(&self) -> PathBuf {
        repository().join(&self.path).parent().expect("a folder").to_owned()
    }

    /// The lines outside fenced blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_fenced = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_fenced ^= is_fence;
            !is_fenced && !is_fence
        })
    }

    /// The fenced blocks, each with the word after its fence.
    fn blocks(&self) -> Vec<(&str, Vec<&str>)> {
        let mut blocks = Vec::new();
        let mut lines = self.text.lines();
        while let Some(line) = lines.next() {
            if let Some(word) = line.trim_start().strip_prefix("```") {
                let indent = line.len() - line.trim_start().len();
                let inside = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
                blocks.push((word, inside.map(|line| line.get(indent..).unwrap_or(line.trim_start())).collect()));
            }
        }
        blocks
    }

    /// The code spans of the prose. A span does not go on in the next line.
    fn spans(&self) -> Vec<&str> {
        self.prose().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    }

    /// The prose of one section, from its heading to the next heading.
    pub fn section(&self, heading: &str) -> Self {
        let mut lines = self.text.lines().skip_while(|line| *line != heading);
        assert!(lines.next().is_some(), "{} has no section {heading}", self.path);
        let mut is_fenced = false;
        let is_inside = |line: &&str| {
            is_fenced ^= line.trim_start().starts_with("```");
            is_fenced || !line.starts_with('#')
        };
        let lines: Vec<_> = lines.take_while(is_inside).collect();
        Self { path: format!("{}, {heading}", self.path), text: lines.join("\n") }
    }

    /// The rows of its tables, as cells.
    pub fn rows(&self) -> impl Iterator<Item = Vec<&str>> {
        self.prose().filter(|line| line.starts_with('|') && !line.starts_with("|---")).map(cells)
    }

    /// The code spans in the first column of its tables.
    fn first_column(&self) -> BTreeSet<&str> {
        self.rows().flat_map(|row| row[0].split('`').skip(1).step_by(2)).collect()
    }
}

/// The cells of a table's row; a `\|` within one does not end it.
fn cells(row: &str) -> Vec<&str> {
    let mut cells = Vec::new();
    let mut start = 1;
    for (at, _) in row.match_indices('|').skip(1) {
        if !row[..at].ends_with('\\') {
            cells.push(row[start..at].trim());
            start = at + 1;
        }
    }
    cells
}

fn markdown_in(folder: &str) -> Vec<String> {
    let files = fs::read_dir(repository().join(folder)).expect("a directory").map(|file| file.expect("a file"));
    let mut names: Vec<_> = files.map(|file| format!("{folder}/{}", file.file_name().display())).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|kind| kind == "md"));
    names.sort();
    names
}

/// The manual: README and every page under `docs/`.
fn manual() -> Vec<Page> {
    let pages: Vec<_> = std::iter::once("README.md".to_owned()).chain(markdown_in("docs")).collect();
    assert!(pages.len() > 12, "{pages:?}: the documentation is somewhere else");
    pages.iter().map(|path| Page::read(path)).collect()
}

fn every_page() -> Vec<Page> {
    let mut pages = manual();
    pages.extend(["tests/README.md", "benches/README.md"].map(Page::read));
    pages
}

/// The targets of the links of a line.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| line[at + 2..].split_once(')').map(|(target, _)| target))
}

/// What a heading's anchor is called: small letters, spaces as `-`, and nothing but letters, digits, `-` and `_`.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

/// The anchors of a page; a heading that comes again has a number.
fn anchors(page: &Page) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in page.prose().filter(|line| line.starts_with('#')) {
        let text = line.trim_start_matches('#');
        let name = anchor(text);
        let count = seen.entry(name.clone()).or_default();
        anchors.insert(if *count == 0 { name } else { format!("{name}-{count}") });
        *count += 1;
    }
    anchors
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    let mut broken = Vec::new();
    let mut followed = 0;
    for page in every_page() {
        for target in page.prose().flat_map(links).filter(|target| !target.contains("://")) {
            followed += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { repository().join(&page.path) } else { page.folder().join(file) };
            let Ok(path) = path.canonicalize() else {
                broken.push(format!("{}: there is no {file}", page.path));
                continue;
            };
            if !heading.is_empty() {
                let leads_to = path.strip_prefix(repository()).expect("a file of the repository").display().to_string();
                if !anchors(&Page::read(&leads_to)).contains(heading) {
                    broken.push(format!("{}: {leads_to} has no heading #{heading}", page.path));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(followed > 100, "{followed} links");
}

/// The files of a folder that have comments.
fn commented(folder: &Path, files: &mut Vec<PathBuf>) {
    const KINDS: [&str; 7] = ["rs", "toml", "sql", "tsv", "py", "mjs", "patch"];
    for path in fs::read_dir(folder).expect("a directory").map(|file| file.expect("a file").path()) {
        if path.is_dir() {
            if !path.ends_with("target") {
                commented(&path, files);
            }
        } else if path.extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known)) {
            files.push(path);
        }
    }
}

/// The Markdown files that a line names.
fn named_pages(line: &str) -> impl Iterator<Item = &str> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "/-_.".contains(c)));
    words.map(|word| word.trim_matches('.')).filter(|word| Path::new(word).extension().is_some_and(|kind| kind == "md"))
}

#[test]
fn every_page_that_a_comment_names_exists() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz"] {
        commented(&repository().join(folder), &mut files);
    }
    let mut missing = Vec::new();
    let mut named = 0;
    for file in &files {
        let text = fs::read_to_string(file).unwrap_or_default();
        let path = file.strip_prefix(repository()).expect("a file of the repository").display();
        for (number, line) in (1..).zip(text.lines()) {
            let is_comment = ["//", "#", "--"].iter().any(|mark| line.trim_start().starts_with(mark));
            for page in named_pages(line).filter(|_| is_comment) {
                named += 1;
                if !repository().join("docs").join(page).exists() && !repository().join(page).exists() {
                    missing.push(format!("{path}:{number}: {page}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "there are no such pages:\n{}", missing.join("\n"));
    assert!(named > 40, "{named} pages named in {} files", files.len());
}

#[test]
fn every_file_of_the_repository_that_a_page_names_exists() {
    const ROOTS: [&str; 8] = ["src/", "tests/", "benches/", "fuzz/", "schemas/", "campaigns/", "docs/", ".ci/"];
    let mut missing = Vec::new();
    let mut named = 0;
    for page in every_page() {
        for span in page.spans() {
            let is_path = ROOTS.iter().any(|root| span.starts_with(root)) && !span.contains([' ', '*', '…', '<']);
            if is_path {
                named += 1;
                if !repository().join(span).exists() {
                    missing.push(format!("{}: {span}", page.path));
                }
            }
        }
    }
    assert!(missing.is_empty(), "there are no such files:\n{}", missing.join("\n"));
    assert!(named > 30, "{named} files");
}

#[test]
fn every_where_is_is_answered_by_a_file_that_defines_the_name() {
    let page = Page::read("docs/where-is.md");
    let mut answered = 0;
    for row in page.rows().filter(|row| row.len() == 3 && row[1].starts_with('`')) {
        let (path, name) = (row[1].trim_matches('`'), row[2].trim_matches('`'));
        let text = fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut definitions =
            ["fn", "struct", "enum", "trait", "const", "CREATE TABLE"].iter().map(|kind| format!("{kind} {name}"));
        let is_word_there = |definition: String| {
            text.match_indices(&definition).any(|(at, _)| {
                let after = text[at + definition.len()..].chars().next();
                !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
            })
        };
        assert!(definitions.any(is_word_there) || text.contains(&format!("\n[{name}]")), "{path} has no {name}");
        answered += 1;
    }
    assert!(answered >= 20, "{answered} answers");
}

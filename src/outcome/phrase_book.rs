//! The phrases that the program knows, by language, and what each of them says.
//!
//! A file of phrases has sections. `[opt_out] asked not to be called` begins the phrases that say so; the words after the
//! bracket name the rule for people. A word in the bracket may follow the meaning: `may be` (it may be meant), `suspect` (words
//! that mean it only if the second opinion thinks so), `unless` (where such a phrase overlaps one that says it, it is not meant), `doubt` (it is then no longer certain), `reversed` (what was said
//! before it no longer holds for certain). `@name = … / …` names phrases for use in others; `#` begins a comment.

use std::ops::Range;
use std::sync::LazyLock;

use super::meaning::Meaning;
use super::phrase::{Phrase, Text, Vocabulary};
use super::text;

static BOOK: LazyLock<PhraseBook> = LazyLock::new(|| {
    PhraseBook::read(&[include_str!("phrases/en.txt"), include_str!("phrases/es.txt"), include_str!("phrases/fr.txt")])
});

/// What a phrase does for its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Says,
    MayBe,
    Suspect,
    Unless,
    Doubt,
    Reversed,
}

struct Section {
    meaning: Meaning,
    role: Role,
    name: &'static str,
    phrases: Vec<Phrase>,
}

struct PhraseBook {
    vocabulary: Vocabulary,
    sections: Vec<Section>,
}

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// What is meant.
    pub(super) meaning: Meaning,
    /// Whether that is certain.
    pub(super) is_certain: bool,
    /// The name of its rule.
    pub(super) name: &'static str,
    /// The sentence that says it, counted from 1.
    pub(super) sentence: usize,
    /// The position of its last word.
    pub(super) end: usize,
}

/// What a text says, and what it only seems to say.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What it says, in the order of the words.
    pub(super) findings: Vec<Finding>,
    /// What it speaks of without meaning it.
    pub(super) not_meant: Vec<Meaning>,
    /// What its words leave to the second opinion, by the names of the rules.
    pub(super) suspected: Vec<(Meaning, &'static str)>,
}

/// What `written` says.
pub(super) fn said(written: &str) -> Said {
    let mut words = text::words(written);
    words.push(text::STOP.to_owned());
    BOOK.said(&words)
}

impl PhraseBook {
    fn read(files: &[&'static str]) -> Self {
        let mut book = Self { vocabulary: Vocabulary::default(), sections: Vec::new() };
        for line in files.iter().flat_map(|file| file.lines()) {
            let line = line.trim();
            if let Some(header) = line.strip_prefix('[') {
                book.sections.push(Section::from_header(header));
            } else if let Some((name, choices)) = line.strip_prefix('@').and_then(|line| line.split_once(" = ")) {
                book.vocabulary.define(name, choices);
            } else if !line.is_empty() && !line.starts_with("# ") {
                let phrase = book.vocabulary.phrase(line);
                // A test reads the files: each begins with a section.
                book.sections.last_mut().expect("a section before the first phrase").phrases.push(phrase);
            }
        }
        book
    }

    fn said(&self, words: &[String]) -> Said {
        let text = self.vocabulary.text(words);
        let found: Vec<Found<'_>> = self.sections.iter().flat_map(|section| section.find(&text)).collect();
        let of = |role| found.iter().filter(move |found: &&Found<'_>| found.section.role == role);
        let mut said = Said::default();
        for found in of(Role::Says).chain(of(Role::MayBe)) {
            if of(Role::Unless).any(|unless| unless.touches(found)) {
                said.not_meant.push(found.section.meaning);
                continue;
            }
            let is_doubted = of(Role::Doubt).any(|doubt| doubt.touches(found))
                || of(Role::Reversed).any(|reversed| reversed.is_about(found) && reversed.at.start >= found.at.end);
            said.findings.push(Finding {
                meaning: found.section.meaning,
                is_certain: found.section.role == Role::Says && !is_doubted,
                name: found.section.name,
                sentence: text.sentence(found.at.start),
                end: found.at.end,
            });
        }
        let is_meant = |suspect: &&Found<'_>| !of(Role::Unless).any(|unless| unless.touches(suspect));
        said.suspected =
            of(Role::Suspect).filter(is_meant).map(|suspect| (suspect.section.meaning, suspect.section.name)).collect();
        said.suspected.dedup();
        said.findings.sort_by_key(|finding| finding.end);
        said
    }
}

/// A phrase of a section, found in a text.
struct Found<'b> {
    section: &'b Section,
    at: Range<usize>,
}

impl Found<'_> {
    fn is_about(&self, other: &Self) -> bool {
        self.section.meaning == other.section.meaning
    }

    fn touches(&self, other: &Self) -> bool {
        self.is_about(other) && self.at.start < other.at.end && other.at.start < self.at.end
    }
}

impl Section {
    fn from_header(header: &'static str) -> Self {
        // A test reads the files: each header is of this form, with a known meaning and role.
        let (bracket, name) = header.split_once(']').expect("a header ends with ]");
        let (meaning, role) = bracket.split_once(' ').unwrap_or((bracket, ""));
        let meaning = Meaning::named(meaning).expect("a known meaning");
        let role = match role {
            "" => Role::Says,
            "may be" => Role::MayBe,
            "suspect" => Role::Suspect,
            "unless" => Role::Unless,
            "doubt" => Role::Doubt,
            "reversed" => Role::Reversed,
            other => unreachable!("{other} is no role of a phrase"),
        };
        Self { meaning, role, name: name.trim(), phrases: Vec::new() }
    }

    fn find<'b>(&'b self, text: &Text) -> impl Iterator<Item = Found<'b>> {
        let places: Vec<_> = self.phrases.iter().flat_map(|phrase| text.find(phrase)).collect();
        places.into_iter().map(|at| Found { section: self, at })
    }
}

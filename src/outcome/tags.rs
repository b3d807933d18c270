//! Tags, topics and actions that say by themselves what a conversation meant.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::meaning::Meaning;
use super::text;

static TAGS: LazyLock<Tags> = LazyLock::new(|| Tags::read(include_str!("phrases/tags.txt")));

/// What stands between a tag and what it is about: `outcome:booked`, `AI/No Answer`, `disposition=VM`.
const SEPARATORS: [char; 10] = [':', '/', '=', '>', '|', '[', ']', '(', ')', ';'];

/// Values of a tag that take back what its name says: `opt_out=false`.
const DENIALS: [&str; 8] = ["false", "no", "none", "0", "n", "null", "off", "pending"];

/// A value that takes an outcome back, but no request: `opt_out=pending`.
const PENDING: &str = "pending";

/// Words of a tag, a topic or an action that leave open whether it is so: `possible_optout`, "Review: removed from list?".
const HEDGES: [&str; 36] = [
    "ask",
    "check",
    "clarify",
    "consider",
    "could",
    "doubtful",
    "eventual",
    "handled",
    "if",
    "likely",
    "may",
    "maybe",
    "might",
    "pending",
    "perhaps",
    "posible",
    "possible",
    "possibly",
    "potential",
    "potentially",
    "probable",
    "probably",
    "quiza",
    "quizas",
    "review",
    "revisar",
    "sospecha",
    "suspect",
    "suspected",
    "unclear",
    "unconfirmed",
    "undo",
    "unsure",
    "verificar",
    "verifier",
    "whether",
];

/// Whether a tag, a topic or an action leaves open whether it is so.
pub(super) fn is_hedged(text: &str) -> bool {
    let words = text::words(text);
    words.iter().any(|word| word == text::QUESTION || HEDGES.contains(&&**word))
}

#[derive(Debug, Default)]
struct Tags {
    known: HashMap<&'static str, Meaning>,
    /// What a tag may mean.
    possible: HashMap<&'static str, Meaning>,
    /// What it may mean that a tag is denied: `ok_to_call=false`.
    denied: HashMap<&'static str, Meaning>,
    empty: HashSet<&'static str>,
}

/// What a tag says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagMeaning {
    /// Nothing that is known: it is read as a sentence.
    Unknown,
    /// Its value takes back what its name says.
    TakenBack,
    /// It says this.
    Says(Meaning),
    /// It may say this.
    MaySay(Meaning),
}

/// What a tag says by itself.
pub(super) fn meaning(tag: &str) -> TagMeaning {
    TAGS.meaning(tag)
}

impl Tags {
    fn read(file: &'static str) -> Self {
        let mut tags = Self::default();
        let mut section = (None, "");
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[') {
                let header = header.trim_end_matches(']');
                let (meaning, role) = header.split_once(' ').unwrap_or((header, ""));
                section = (Meaning::named(meaning), role);
                continue;
            }
            for tag in line.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                match section {
                    (Some(meaning), "may be") => drop(tags.possible.insert(tag, meaning)),
                    (Some(meaning), "denied") => drop(tags.denied.insert(tag, meaning)),
                    (Some(meaning), _) => drop(tags.known.insert(tag, meaning)),
                    (None, _) => drop(tags.empty.insert(tag)),
                }
            }
        }
        tags
    }

    fn meaning(&self, tag: &str) -> TagMeaning {
        let mut parts = parts(tag);
        let denial = parts.last().filter(|_| parts.len() > 1).map(|last| last.join(" "));
        if let Some(denial) = denial.filter(|denial| DENIALS.contains(&&**denial)) {
            parts.pop();
            let pending = || self.of_parts(&self.known, &parts).filter(|said| *said == Meaning::OPT_OUT);
            let meant = if denial == PENDING { pending() } else { self.of_parts(&self.denied, &parts) };
            return meant.map_or(TagMeaning::TakenBack, TagMeaning::MaySay);
        }
        let said = self.of_parts(&self.known, &parts).map(TagMeaning::Says);
        said.or_else(|| self.of_parts(&self.possible, &parts).map(TagMeaning::MaySay)).unwrap_or(TagMeaning::Unknown)
    }

    /// The tag as a whole is looked up first, then each of its parts from the last on.
    fn of_parts(&self, among: &HashMap<&'static str, Meaning>, parts: &[Vec<String>]) -> Option<Meaning> {
        let whole = parts.concat();
        std::iter::once(&whole).chain(parts.iter().rev()).find_map(|words| self.of_words(among, words))
    }

    fn of_words(&self, among: &HashMap<&'static str, Meaning>, words: &[String]) -> Option<Meaning> {
        let is_empty = |word: &str| self.empty.contains(word) || HEDGES.contains(&word) || word.parse::<u32>().is_ok();
        let is_telling = |word: &&String| !is_empty(word);
        let telling: Vec<_> = words.iter().filter(is_telling).map(String::as_str).collect();
        among.get(&*words.join(" ")).or_else(|| among.get(&*telling.join(" "))).copied()
    }
}

/// The parts of a tag between separators, each as its words without marks.
fn parts(tag: &str) -> Vec<Vec<String>> {
    let words =
        |part: &str| text::words(part).into_iter().flat_map(dotted).filter(|word| !text::is_mark(word)).collect();
    tag.split(SEPARATORS).map(words).filter(|words: &Vec<String>| !words.is_empty()).collect()
}

/// `call.result.busy` is one word of a text, and three of a tag.
fn dotted(word: String) -> Vec<String> {
    if word.contains('.') { word.split('.').map(str::to_owned).collect() } else { vec![word] }
}

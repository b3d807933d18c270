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

#[derive(Debug, Default)]
struct Tags {
    known: HashMap<&'static str, Meaning>,
    empty: HashSet<&'static str>,
}

/// What a tag says by itself.
pub(super) fn meaning(tag: &str) -> Option<Meaning> {
    TAGS.meaning(tag)
}

/// Whether a tag's own value takes back what its name says.
pub(super) fn is_denied(tag: &str) -> bool {
    let mut parts = parts(tag);
    parts.len() > 1 && parts.pop().is_some_and(|last| DENIALS.contains(&&*last.join(" ")))
}

impl Tags {
    fn read(file: &'static str) -> Self {
        let mut tags = Self::default();
        let mut section = None;
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if let Some(header) = line.strip_prefix('[') {
                section = Meaning::named(header.trim_end_matches(']'));
                continue;
            }
            for tag in line.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
                match section {
                    Some(meaning) => drop(tags.known.insert(tag, meaning)),
                    None => drop(tags.empty.insert(tag)),
                }
            }
        }
        tags
    }

    /// The tag as a whole is looked up first, then each of its parts from the last on.
    fn meaning(&self, tag: &str) -> Option<Meaning> {
        let parts = parts(tag);
        let whole = parts.concat();
        std::iter::once(&whole).chain(parts.iter().rev()).find_map(|words| self.of_words(words))
    }

    fn of_words(&self, words: &[String]) -> Option<Meaning> {
        let is_telling = |word: &&String| !self.empty.contains(word.as_str()) && word.parse::<u32>().is_err();
        let telling: Vec<_> = words.iter().filter(is_telling).map(String::as_str).collect();
        self.known.get(&*words.join(" ")).or_else(|| self.known.get(&*telling.join(" "))).copied()
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

//! The lists of words in `word_lists.tsv`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A list of words or phrases.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordList(&'static Words);

#[derive(Debug, Default)]
struct Words {
    /// In the order of the table.
    all: Vec<&'static str>,
    set: HashSet<&'static str>,
    /// The phrases by their first words.
    by_first: HashMap<&'static str, Vec<&'static str>>,
}

impl Words {
    fn of(words: &'static str) -> Self {
        let all: Vec<&str> = words.split(" | ").collect();
        let mut by_first: HashMap<&str, Vec<&str>> = HashMap::new();
        for phrase in &all {
            by_first.entry(phrase.split(' ').next().unwrap_or_default()).or_default().push(phrase);
        }
        Self { set: all.iter().copied().collect(), all, by_first }
    }
}

impl WordList {
    /// The list with this name.
    ///
    /// # Panics
    ///
    /// If the table has no such list: a name in the code is wrong, which a test of each use finds.
    pub(super) fn named(name: &str) -> Self {
        static LISTS: LazyLock<HashMap<&'static str, Words>> = LazyLock::new(|| {
            let lines = include_str!("word_lists.tsv").lines().filter(|line| !line.starts_with('#'));
            let rows = lines.filter_map(|line| line.split_once('\t'));
            rows.map(|(name, words)| (name, Words::of(words))).collect()
        });
        Self(LISTS.get(name).expect("a list of word_lists.tsv"))
    }

    pub(super) fn has(self, word: &str) -> bool {
        self.0.set.contains(word)
    }

    /// Whether any of the words is in the list.
    pub(super) fn has_any(self, words: &[String]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// Whether any of the words begins with a word of the list.
    pub(super) fn begins_any(self, words: &[String]) -> bool {
        words.iter().any(|word| self.0.all.iter().any(|stem| word.starts_with(stem)))
    }

    /// The words and phrases, in the order of the table.
    pub(super) fn iter(self) -> impl Iterator<Item = &'static str> {
        self.0.all.iter().copied()
    }

    /// The places of its phrases in the words: the number of words before each, and its own.
    pub(super) fn places(self, words: &[String]) -> impl Iterator<Item = (usize, usize)> {
        let at_word = move |at: usize| {
            let phrases = self.0.by_first.get(words[at].as_str()).map(Vec::as_slice).unwrap_or_default();
            let found = phrases.iter().map(|phrase| phrase.split(' ')).filter(move |phrase| {
                let mut of_text = words[at..].iter();
                phrase.clone().all(|word| of_text.next().is_some_and(|other| other == word))
            });
            found.map(move |phrase| (at, phrase.count()))
        };
        (0..words.len()).flat_map(at_word)
    }

    /// The place of the first of its phrases in the words.
    pub(super) fn find_phrase(self, words: &[String]) -> Option<(usize, usize)> {
        self.places(words).next()
    }
}

//! The lists of words in `word_lists.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A list of words or phrases.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordList(&'static [&'static str]);

impl WordList {
    /// The list with this name.
    ///
    /// # Panics
    ///
    /// If the table has no such list: a name in the code is wrong, which a test of each use finds.
    pub(super) fn named(name: &str) -> Self {
        static LISTS: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
            let lines = include_str!("word_lists.tsv").lines().filter(|line| !line.starts_with('#'));
            let rows = lines.filter_map(|line| line.split_once('\t'));
            rows.map(|(name, words)| (name, words.split(" | ").collect())).collect()
        });
        Self(LISTS.get(name).expect("a list of word_lists.tsv"))
    }

    pub(super) fn has(self, word: &str) -> bool {
        self.0.contains(&word)
    }

    /// Whether any of the words is in the list.
    pub(super) fn has_any(self, words: &[String]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    /// Whether any of the words begins with a word of the list.
    pub(super) fn begins_any(self, words: &[String]) -> bool {
        words.iter().any(|word| self.0.iter().any(|stem| word.starts_with(stem)))
    }

    /// The place of the first of its phrases in the words: the number of words before it, and its own.
    pub(super) fn find_phrase(self, words: &[String]) -> Option<(usize, usize)> {
        let places = (0..words.len()).flat_map(|at| self.0.iter().map(move |phrase| (at, *phrase)));
        let mut found = places.filter(|(at, phrase)| {
            let mut of_phrase = phrase.split(' ');
            let mut of_text = words[*at..].iter();
            of_phrase.all(|word| of_text.next().is_some_and(|other| other == word))
        });
        found.next().map(|(at, phrase)| (at, phrase.split(' ').count()))
    }
}

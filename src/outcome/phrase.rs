//! Phrases: patterns over words, and where they are found in a text.
//!
//! A phrase is written as words with spaces between them: `call` is this word, `call*` a word that begins so, `a|b` either,
//! `#` a number, `@name` one of the named phrases, and `?` after any of these makes it optional. `..` skips up to three
//! words of a clause, `...` up to eight of a sentence.

use std::collections::HashMap;
use std::ops::Range;

use super::text::{PAUSE, STOP};

/// The words that phrases ask for. Each word or choice of words has a number, so that a text's words are looked up once and
/// not once for every phrase.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: HashMap<String, usize>,
    whole: HashMap<String, Vec<usize>>,
    beginnings: HashMap<String, Vec<usize>>,
    classes: HashMap<String, Vec<Phrase>>,
}

/// A sequence of elements.
pub(super) type Phrase = Vec<Element>;

/// One element of a phrase.
#[derive(Debug, Clone)]
pub(super) enum Element {
    /// A word of this number of the vocabulary.
    Word(usize),
    /// Any one of these.
    OneOf(Vec<Phrase>),
    /// Up to so many words.
    Skip { most: usize, over_pauses: bool },
}

/// A text, as what the vocabulary knows of its words.
#[derive(Debug)]
pub(super) struct Text {
    words: Vec<Word>,
    block: usize,
    known: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Plain,
    Pause,
    Stop,
}

impl Vocabulary {
    /// Names phrases, for `@name` in those that follow.
    pub(super) fn define(&mut self, name: &str, choices: &str) {
        let mut single = Vec::new();
        let mut phrases = Vec::new();
        for choice in choices.split(" / ") {
            let choice = choice.trim();
            let is_word = !choice.contains([' ', '@', '?']) && !choice.starts_with("..");
            if is_word { single.push(choice) } else { phrases.push(self.phrase(choice)) }
        }
        if !single.is_empty() {
            phrases.insert(0, vec![Element::Word(self.number(&single.join("|")))]);
        }
        self.classes.insert(name.to_owned(), phrases);
    }

    /// Reads a phrase.
    pub(super) fn phrase(&mut self, written: &str) -> Phrase {
        written.split_whitespace().map(|element| self.element(element)).collect()
    }

    fn element(&mut self, written: &str) -> Element {
        match written {
            ".." => return Element::Skip { most: 3, over_pauses: false },
            "..." => return Element::Skip { most: 8, over_pauses: true },
            "?" => return Element::Word(self.number("?")),
            _ => {}
        }
        if let Some(needed) = written.strip_suffix('?') {
            return Element::OneOf(vec![vec![self.element(needed)], Vec::new()]);
        }
        if written.contains('@') && written.contains('|') {
            return Element::OneOf(written.split('|').map(|choice| vec![self.element(choice)]).collect());
        }
        match written.strip_prefix('@') {
            Some(name) => match self.classes.get(name).map(Vec::as_slice) {
                Some([only]) if only.len() == 1 => only[0].clone(),
                Some(phrases) => Element::OneOf(phrases.to_vec()),
                // A test reads all files of phrases.
                None => unreachable!("the phrases name @{name}, which is not defined before"),
            },
            None => Element::Word(self.number(written)),
        }
    }

    /// The number of a word or of a choice of words.
    fn number(&mut self, choice: &str) -> usize {
        let next = self.numbers.len();
        let number = *self.numbers.entry(choice.to_owned()).or_insert(next);
        if number == next {
            for form in choice.split('|') {
                let (forms, form) = match form.strip_suffix('*') {
                    Some(beginning) => (&mut self.beginnings, beginning),
                    None => (&mut self.whole, form),
                };
                forms.entry(form.to_owned()).or_default().push(number);
            }
        }
        number
    }

    /// Looks up the words of a text.
    pub(super) fn text(&self, words: &[String]) -> Text {
        let block = self.numbers.len().div_ceil(64);
        let mut known = vec![0; block * words.len()];
        for (word, known) in words.iter().zip(known.chunks_mut(block.max(1))) {
            for number in self.numbers_of(word) {
                known[number / 64] |= 1 << (number % 64);
            }
        }
        Text { words: words.iter().map(|word| Word::new(word)).collect(), block, known }
    }

    fn numbers_of<'v>(&'v self, word: &'v str) -> impl Iterator<Item = usize> + 'v {
        let whole = self.whole.get(word).into_iter();
        let number = word.starts_with(|first: char| first.is_ascii_digit()).then(|| self.whole.get("#")).flatten();
        let ends = word.char_indices().map(|(at, letter)| at + letter.len_utf8());
        let beginnings = ends.filter_map(|end| self.beginnings.get(&word[..end]));
        whole.chain(number).chain(beginnings).flatten().copied()
    }
}

impl Word {
    fn new(word: &str) -> Self {
        match word {
            STOP => Self::Stop,
            PAUSE => Self::Pause,
            _ => Self::Plain,
        }
    }
}

impl Text {
    /// Where `phrase` is, once for each word at which it begins.
    pub(super) fn find(&self, phrase: &Phrase) -> Vec<Range<usize>> {
        let ends = |at| self.end_of(phrase, at, &Some).map(|end| at..end);
        (0..self.words.len()).filter_map(ends).filter(|found| !found.is_empty()).collect()
    }

    /// The sentence that holds the word at `at`, counted from 1.
    pub(super) fn sentence(&self, at: usize) -> usize {
        let begins = |pair: &&[Word]| pair[0] == Word::Stop && pair[1] != Word::Stop;
        1 + self.words[..=at].windows(2).filter(begins).count()
    }

    fn has(&self, at: usize, number: usize) -> bool {
        at < self.words.len() && self.known[at * self.block + number / 64] & (1 << (number % 64)) != 0
    }

    /// The end of `phrase` at `at`, if what follows it accepts that end.
    fn end_of(&self, phrase: &[Element], at: usize, then: &dyn Fn(usize) -> Option<usize>) -> Option<usize> {
        let Some((first, rest)) = phrase.split_first() else { return then(at) };
        let go_on = |at| self.end_of(rest, at, then);
        match first {
            Element::Word(number) => self.has(at, *number).then(|| go_on(at + 1))?,
            Element::OneOf(choices) => choices.iter().find_map(|choice| self.end_of(choice, at, &go_on)),
            Element::Skip { most, over_pauses } => {
                let skipped = self.words[at.min(self.words.len())..].iter().take(*most);
                let may_skip = |word: &&Word| **word == Word::Plain || (**word == Word::Pause && *over_pauses);
                let length = skipped.take_while(may_skip).count();
                (at..=at + length).find_map(go_on)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::words;
    use super::*;

    fn found(phrase: &str, text: &str) -> Vec<Range<usize>> {
        let mut vocabulary = Vocabulary::default();
        vocabulary.define("call", "call* / ring|phone / get in touch");
        let phrase = vocabulary.phrase(phrase);
        vocabulary.text(&words(text)).find(&phrase)
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "the ranges are where phrases begin and end")]
    fn a_phrase_is_found_where_it_begins() {
        for (phrase, text, expected) in [
            ("not @call", "do not call, do not get in touch", vec![1..3, 5..9]),
            ("not .. @call", "not to ever call", vec![0..4]),
            ("not .. @call", "not today, call", vec![]),
            ("not ... @call", "not today, call", vec![0..4]),
            ("not ... @call", "Not today. Call", vec![]),
            ("no more? calls", "no calls, no more calls", vec![0..2, 3..6]),
            ("at #", "at 9am at noon", vec![0..2]),
            ("stop|quit calling", "quit calling", vec![0..2]),
            ("call", "recalled calls", vec![]),
        ] {
            assert_eq!(found(phrase, text), expected, "{phrase}: {text}");
        }
    }

    #[test]
    fn sentences_are_counted_from_one() {
        let vocabulary = Vocabulary::default();
        let text = vocabulary.text(&words("One. Two?! Three"));
        assert_eq!([0, 2, 6].map(|at| text.sentence(at)), [1, 2, 3]);
    }
}

//! What the words in a name are (`words.tsv`).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// A kind of word, as `words.tsv` describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Title,
    Woman,
    Rank,
    Credential,
    Short,
    Suffix,
    Particle,
    Small,
    Given,
    Man,
    Both,
    Hispanic,
    Nick,
    Devotion,
    Double,
    Doubled,
    Jean,
    Pierre,
    Syllable,
    Servant,
    Parent,
    Asian,
    Vietnamese,
    Baby,
    Group,
    And,
    Legal,
    Company,
    Filler,
    Placeholder,
    Empty,
    Remark,
    Relation,
    Maiden,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "title" => Self::Title,
            "woman" => Self::Woman,
            "rank" => Self::Rank,
            "credential" => Self::Credential,
            "short" => Self::Short,
            "suffix" => Self::Suffix,
            "particle" => Self::Particle,
            "small" => Self::Small,
            "given" => Self::Given,
            "man" => Self::Man,
            "both" => Self::Both,
            "hispanic" => Self::Hispanic,
            "nick" => Self::Nick,
            "devotion" => Self::Devotion,
            "double" => Self::Double,
            "doubled" => Self::Doubled,
            "jean" => Self::Jean,
            "pierre" => Self::Pierre,
            "syllable" => Self::Syllable,
            "servant" => Self::Servant,
            "parent" => Self::Parent,
            "asian" => Self::Asian,
            "vietnamese" => Self::Vietnamese,
            "baby" => Self::Baby,
            "group" => Self::Group,
            "and" => Self::And,
            "legal" => Self::Legal,
            "company" => Self::Company,
            "filler" => Self::Filler,
            "placeholder" => Self::Placeholder,
            "empty" => Self::Empty,
            "remark" => Self::Remark,
            "relation" => Self::Relation,
            "maiden" => Self::Maiden,
            _ => return None,
        })
    }
}

/// The kinds of one word; none for most words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Kinds(u64);

impl Kinds {
    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// No kind, or only those of first names.
    pub(super) fn is_plain_name(self) -> bool {
        let names = [
            Kind::Given,
            Kind::Man,
            Kind::Hispanic,
            Kind::Nick,
            Kind::Double,
            Kind::Doubled,
            Kind::Devotion,
            Kind::Jean,
        ];
        self.0 & !names.iter().fold(0, |bits, kind| bits | 1 << *kind as u32) == 0
    }

    pub(super) fn are_given(self) -> bool {
        self.has_any(&[Kind::Given, Kind::Man, Kind::Hispanic])
    }

    pub(super) fn has_any(self, kinds: &[Kind]) -> bool {
        kinds.iter().any(|kind| self.has(*kind))
    }
}

/// The longest word of the table, in bytes; a longer one is of no kind.
const LONGEST: usize = 24;

/// FNV-1a: these are short words of a fixed table, looked up several times for each row.
#[derive(Default)]
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

type Table = HashMap<&'static str, Kinds, BuildHasherDefault<Fnv>>;

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut kinds = Table::default();
    for (kind, word) in table() {
        kinds.entry(word).or_default().0 |= 1 << kind as u32;
    }
    kinds
});

/// The rows of `words.tsv`, one for each word.
fn table() -> impl Iterator<Item = (Kind, &'static str)> {
    let lines = include_str!("words.tsv").lines().filter(|line| !line.starts_with('#'));
    let rows =
        lines.filter_map(|line| line.split_once('\t')).filter_map(|(name, rest)| Some((Kind::named(name)?, rest)));
    rows.flat_map(|(kind, words)| words.split(' ').map(move |word| (kind, word)))
}

/// The kinds of a word, without case and dots.
pub(super) fn kinds(word: &str) -> Kinds {
    if word.len() > LONGEST {
        return Kinds::default();
    }
    if !word.is_ascii() {
        return TABLE.get(word.to_lowercase().replace('.', "").as_str()).copied().unwrap_or_default();
    }
    let (mut key, mut length) = ([0; LONGEST], 0);
    for byte in word.bytes().filter(|byte| *byte != b'.') {
        key[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    std::str::from_utf8(&key[..length]).ok().and_then(|key| TABLE.get(key)).copied().unwrap_or_default()
}

pub(super) fn is(word: &str, kind: Kind) -> bool {
    kinds(word).has(kind)
}

/// A word with its kinds, which the rules ask for many times.
#[derive(Clone, Copy)]
pub(super) struct Word<'c> {
    pub(super) text: &'c str,
    kinds: Kinds,
}

impl<'c> Word<'c> {
    pub(super) fn new(text: &'c str) -> Self {
        Self { text, kinds: kinds(text) }
    }

    pub(super) fn is(self, kind: Kind) -> bool {
        self.kinds.has(kind)
    }

    pub(super) fn is_any(self, kinds: &[Kind]) -> bool {
        self.kinds.has_any(kinds)
    }

    /// Whether the word is a first name, as a whole or in its first part: `Jean-Pierre`.
    pub(super) fn is_given(self) -> bool {
        self.kinds.are_given() || self.text.split_once('-').is_some_and(|(first, _)| kinds(first).are_given())
    }

    pub(super) fn is_initial(self) -> bool {
        is_initial(self.text)
    }
}

/// One letter, or several that are initials: `M`, `M.`, `M.L.`
pub(super) fn is_initial(word: &str) -> bool {
    let dots = word.bytes().filter(|byte| *byte == b'.').count();
    let letters = word.chars().count() - dots;
    letters <= 1 || (dots >= letters && word.chars().all(|c| c == '.' || c.is_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("words.tsv").lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let (name, words) = line.split_once('\t').expect("a kind and its words");
            assert!(Kind::named(name).is_some(), "{name}");
            for word in words.split(' ') {
                assert_eq!(word.to_lowercase().replace('.', ""), word);
                assert!(!word.is_empty() && word.len() <= LONGEST, "{word}");
                assert!(is(word, Kind::named(name).expect("a kind")));
            }
        }
    }
}

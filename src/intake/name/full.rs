//! The rules for a full name in one cell (`docs/lists.md`, "Names and dates"). The order of its words is read from
//! commas, titles, suffixes, particles and well-known first names. Where that leaves a doubt, the name is kept whole.

use super::case::{is_all_capitals, is_all_small, is_initials, is_shouted, natural_case, push_natural_word, suffix};
use super::cell::NameCell;
use super::given::{count_of_first, is_middle_name};
use super::words::{Kind, Word, kinds};
use crate::intake::cell_words::is_nothing;

/// What a cell says.
#[derive(PartialEq, Eq)]
pub(super) enum FullName {
    Clear {
        first: String,
        last: String,
        nickname: String,
    },
    /// The whole name in its natural order. Which word is the first name is not certain.
    Doubtful {
        whole: String,
        nickname: String,
    },
    /// No first name.
    Empty,
    /// Plainly no patient: a company, a test, a number.
    Nobody,
}

/// The words of a name by what they are.
#[derive(Default)]
struct Words<'c> {
    titles: Vec<Word<'c>>,
    given: Vec<Word<'c>>,
    family: Vec<Word<'c>>,
    suffixes: Vec<Word<'c>>,
    is_doubtful: bool,
}

/// How the letters of a cell become natural case.
#[derive(Clone, Copy)]
struct Letters {
    /// The whole cell is in capitals or in small letters.
    is_one_case: bool,
    is_mixed: bool,
}

/// Reads a full name.
pub(super) fn read(cell: &str) -> FullName {
    plain_name(cell).unwrap_or_else(|| by_rules(cell))
}

/// Reads a full name of any shape.
pub(super) fn by_rules(cell: &str) -> FullName {
    let is_empty = is_nothing(cell.trim());
    if is_empty || cell.contains('@') {
        return if is_empty { FullName::Empty } else { FullName::Nobody };
    }
    let has_any_letter = cell.contains(char::is_alphanumeric);
    let cell = NameCell::read(cell);
    if !cell.text.contains(char::is_alphabetic) {
        return if has_any_letter { FullName::Nobody } else { FullName::Empty };
    }
    let is_one_case = is_all_capitals(&cell.text) || is_all_small(&cell.text);
    let letters = Letters { is_one_case, is_mixed: !is_one_case };
    let segments: Vec<Vec<Word<'_>>> = cell.text.split(',').map(|part| words_of(part).collect()).collect();
    match who(&segments) {
        Who::Nobody => return FullName::Nobody,
        Who::Unnamed => return FullName::Empty,
        Who::Joint => return doubtful(&in_natural_order(&segments), &cell.nickname, letters),
        Who::One => {}
    }
    let mut name = by_commas(&segments, letters);
    name.is_doubtful |= cell.is_doubtful;
    name.into_full_name(cell.nickname, letters)
}

/// The usual cell, at once: `Last, First`, perhaps with an initial, or `First Last`, each a word of letters without
/// another meaning, in natural case or in capitals. The rules say the same of it.
pub(super) fn plain_name(cell: &str) -> Option<FullName> {
    let (one, two) = cell.split_once(' ')?;
    let (first, last) = match one.strip_suffix(',') {
        None => (!kinds(two).are_given()).then_some((one, two))?,
        Some(last) => match two.as_bytes() {
            [.., b' ', b'A'..=b'Z', b'.'] => (&two[..two.len() - 3], last),
            [.., b' ', b'A'..=b'Z'] => (&two[..two.len() - 2], last),
            _ => (two, last),
        },
    };
    let is_capitals = plain_word_is_capitals(first)?;
    if plain_word_is_capitals(last)? != is_capitals {
        return None;
    }
    let natural = |word: &str| {
        let mut natural = String::with_capacity(word.len());
        if is_capitals {
            push_natural_word(word, &mut natural);
        } else {
            natural.push_str(word);
        }
        natural
    };
    Some(FullName::Clear { first: natural(first), last: natural(last), nickname: String::new() })
}

/// Whether `HARTLEY` or `Hartley`: at least four letters, and none of the kinds that change how a name is read.
fn plain_word_is_capitals(word: &str) -> Option<bool> {
    let &[first, ref rest @ ..] = word.as_bytes() else { return None };
    let is_capitals = rest.iter().all(u8::is_ascii_uppercase);
    let has_shape = first.is_ascii_uppercase() && (is_capitals || rest.iter().all(u8::is_ascii_lowercase));
    (has_shape && rest.len() > 2 && kinds(word).is_plain_name()).then_some(is_capitals)
}

/// The words of a part. A dash between two words is none.
fn words_of(part: &str) -> impl Iterator<Item = Word<'_>> {
    let is_word = |word: &&str| word.contains(|c: char| c.is_alphabetic() || matches!(c, '&' | '+' | '/'));
    part.split_whitespace().filter(is_word).map(Word::new)
}

enum Who {
    One,
    /// Several persons, a household, a newborn, a company of an unclear kind.
    Joint,
    /// A last name alone, beside a word that stands for no first name.
    Unnamed,
    Nobody,
}

/// Who a cell is about, by its words.
fn who(segments: &[Vec<Word<'_>>]) -> Who {
    let words = || segments.iter().flatten().copied();
    if words().any(|word| word.is(Kind::Filler)) {
        let is_nobody = words().all(|word| word.is_any(&[Kind::Filler, Kind::Empty])) || words().any(is_plain_test);
        let has_no_first_name = segments.get(1).is_some_and(|given| given.iter().all(|word| word.is(Kind::Filler)));
        let is_unknown = words().all(|word| word.text.to_ascii_lowercase().starts_with("unk"));
        return match () {
            () if is_unknown => Who::Unnamed,
            () if is_nobody => Who::Nobody,
            () if has_no_first_name => Who::Unnamed,
            () => Who::Joint,
        };
    }
    if words().skip(1).any(|word| word.is(Kind::Legal)) {
        return Who::Nobody;
    }
    let has_comma = segments.len() > 1;
    let is_joint = |at: usize, word: &Word<'_>| {
        let is_given = !has_comma || at > 0;
        word.is_any(&[Kind::And, Kind::Parent])
            || word.text.contains(['&', '+'])
            || (is_given && (word.text.contains('/') || word.is_any(&[Kind::Baby, Kind::Group])))
            || (!has_comma && word.is(Kind::Company))
    };
    let is_joint = segments.iter().enumerate().any(|(at, words)| words.iter().any(|word| is_joint(at, word)));
    let given = segments.get(1).unwrap_or(&segments[0]);
    let joins_in_spanish = given.get(1).is_some_and(|word| word.text.eq_ignore_ascii_case("y"));
    let is_named = |names: &[&str]| words().any(|word| names.iter().any(|name| word.text.eq_ignore_ascii_case(name)));
    let is_placeholder = words().any(|word| word.is(Kind::Placeholder)) && is_named(&["jane", "john"]);
    if is_joint || joins_in_spanish || is_placeholder { Who::Joint } else { Who::One }
}

/// A word that stands before a name to say that it is none: `zzTest`, `DUPLICATE`.
fn is_plain_test(word: Word<'_>) -> bool {
    let text = word.text.to_ascii_lowercase();
    word.is(Kind::Filler) && (text.starts_with("zz") || text.starts_with("duplicate"))
}

/// All words, with what stands before the first comma at the end.
fn in_natural_order<'c>(segments: &[Vec<Word<'c>>]) -> Vec<Word<'c>> {
    let is_kept = |word: &Word<'_>| !word.is(Kind::Credential);
    let (family, rest) = segments.split_at(1);
    let is_household = rest.iter().flatten().all(|word| word.is(Kind::Group));
    let (one, two) = if is_household { (family, rest) } else { (rest, family) };
    one.iter().chain(two).flatten().copied().filter(is_kept).collect()
}

/// A whole name, with its letters in natural case.
fn doubtful(words: &[Word<'_>], nickname: &str, letters: Letters) -> FullName {
    let whole = letters.natural(words, false);
    FullName::Doubtful { whole, nickname: letters.natural(&words_of(nickname).collect::<Vec<_>>(), false) }
}

impl Letters {
    fn natural(self, words: &[Word<'_>], is_family: bool) -> String {
        let are_shouted =
            || words.iter().any(|word| is_shouted(word.text)) && words.iter().all(|word| is_all_capitals(word.text));
        if self.is_one_case || (is_family && are_shouted()) {
            return natural_case(words, is_family);
        }
        let mut natural = String::new();
        for word in words {
            if !natural.is_empty() {
                natural.push(' ');
            }
            if is_shouted(word.text) || is_inverted(word.text) {
                push_natural_word(word.text, &mut natural);
            } else {
                natural.push_str(word.text);
            }
        }
        natural
    }
}

/// `cOE` and `McDONALD`: capitals after a small letter.
fn is_inverted(word: &str) -> bool {
    let rest = word.strip_prefix("Mc").or_else(|| {
        let first = word.chars().next().filter(|c| c.is_lowercase())?;
        Some(&word[first.len_utf8()..])
    });
    rest.is_some_and(|rest| rest.len() > 1 && rest.chars().all(char::is_uppercase))
}

/// Reads the parts between commas: `Last, First`, with suffixes and credentials in any place; or one part.
fn by_commas<'c>(segments: &[Vec<Word<'c>>], letters: Letters) -> Words<'c> {
    let mut name = Words { is_doubtful: segments[0].is_empty(), ..Words::default() };
    let mut parts: Vec<Vec<Word<'_>>> = Vec::with_capacity(segments.len());
    let is_last = |at: usize| segments[at + 1..].iter().all(Vec::is_empty);
    for (at, words) in segments.iter().enumerate().filter(|(_, words)| !words.is_empty()) {
        let is_after = !parts.is_empty() && words.iter().all(|word| is_after_name(*word));
        let may_be_first_name = parts.len() == 1 && parts[0].len() == 1 && is_last(at);
        if is_after && !(may_be_first_name && words.iter().all(|word| word.is(Kind::Short))) {
            name.suffixes.extend(words.iter().filter(|word| word.is(Kind::Suffix)));
            continue;
        }
        name.is_doubtful |= is_after;
        let is_family = parts.is_empty() && !is_last(at);
        let part = name.stripped(words, is_family || at > 0, letters);
        parts.push(part);
    }
    let mut parts = parts.into_iter();
    match (parts.next(), parts.next()) {
        (Some(family), Some(given)) => {
            let is_middle = |word: Word<'_>| word.is_initial() || word.is_given();
            name.is_doubtful |= !parts.flatten().all(is_middle) || are_two_persons(&family, &given);
            (name.family, name.given) = (family, given);
            name.read_given_part(letters);
        }
        // `Coe,`: a last name alone.
        (Some(words), None) if words.len() == 1 && segments.len() > 1 && !name.is_doubtful => name.family = words,
        (Some(words), None) => name.read_in_order(words, letters),
        (None, _) => {}
    }
    name
}

/// `Ann Coe, Bob Dow`.
fn are_two_persons(family: &[Word<'_>], given: &[Word<'_>]) -> bool {
    let is_person = |words: &[Word<'_>]| {
        let &[first, last] = words else { return false };
        first.is_given() && !is_middle_name(first, last) && !last.is_initial()
    };
    is_person(family) && is_person(given)
}

/// A suffix or a credential, or a title that stands where they do.
fn is_after_name(word: Word<'_>) -> bool {
    word.is_any(&[Kind::Suffix, Kind::Credential, Kind::Short, Kind::Title])
}

impl<'c> Words<'c> {
    /// Takes titles from the start of a part, and credentials, titles and suffixes from its end.
    fn stripped(&mut self, words: &[Word<'c>], has_comma: bool, letters: Letters) -> Vec<Word<'c>> {
        let mut words = words.to_vec();
        while let &[_, ref others @ .., last] = words.as_slice() {
            let may_be_short = letters.is_mixed && is_all_capitals(last.text) && (has_comma || !others.is_empty());
            let is_title = last.is(Kind::Title) && (has_comma || !others.is_empty());
            if last.is(Kind::Suffix) {
                self.suffixes.insert(0, last);
            } else if !(last.is(Kind::Credential) || (last.is(Kind::Short) && may_be_short) || is_title) {
                break;
            }
            words.pop();
        }
        let titles = words.iter().take(words.len() - 1).take_while(|word| word.is(Kind::Title)).count();
        self.titles.extend(words.drain(..titles));
        while let Some(at) = (1..words.len()).find(|at| words[*at].is(Kind::Suffix)) {
            self.suffixes.push(words.remove(at));
        }
        words
    }

    /// The part after `Last,`.
    fn read_given_part(&mut self, letters: Letters) {
        while let &[_, .., last] = self.given.as_slice() {
            let is_small = letters.is_one_case || last.text.starts_with(char::is_lowercase);
            if !(is_small && last.is(Kind::Particle) && !last.is(Kind::Short)) {
                break;
            }
            self.given.pop();
            self.family.insert(0, last);
        }
        self.check_given(letters.is_one_case);
        self.is_doubtful |= self.given[0].is(Kind::Vietnamese) && self.given.len() > 1;
    }

    /// A name without a comma: `First Middle Last`.
    fn read_in_order(&mut self, words: Vec<Word<'c>>, letters: Letters) {
        self.is_doubtful |= words.len() < 2;
        let shouted = words
            .iter()
            .take_while(|word| is_shouted(word.text) || (is_all_capitals(word.text) && word.is(Kind::Asian)))
            .count();
        let is_last_first =
            letters.is_mixed && shouted > 0 && words[shouted..].iter().all(|word| !is_all_capitals(word.text));
        if is_last_first && shouted < words.len() {
            let mut words = words;
            self.given = words.split_off(shouted);
            self.family = words;
            return self.check_given(letters.is_one_case);
        }
        self.is_doubtful |= is_perhaps_reversed(&words) || starts_in_doubt(&words);
        let first = count_of_first(&words[..words.len().saturating_sub(1).max(1)], false);
        let last = first + start_of_last_name(&words, first);
        self.given = words;
        self.family = self.given.split_off(last.min(self.given.len()));
        self.check_given(letters.is_one_case);
    }

    fn check_given(&mut self, is_one_case: bool) {
        let Some(&first) = self.given.first() else { return self.is_doubtful = true };
        let is_womans = self.titles.iter().any(|title| title.is(Kind::Woman));
        let is_mans = first.is(Kind::Man) && !first.is(Kind::Given);
        self.is_doubtful |= first.is_initial() || (is_one_case && is_initials(first.text)) || (is_womans && is_mans);
        // `Ma. Teresa`
        self.is_doubtful |= first.text.ends_with('.') && self.given.len() > 1;
        self.is_doubtful |= first.is_any(&[Kind::Suffix, Kind::Title, Kind::Rank]) || self.family.is_empty();
    }

    fn into_full_name(self, nickname: String, letters: Letters) -> FullName {
        let Self { titles, given, family, suffixes, is_doubtful } = self;
        if given.is_empty() && titles.is_empty() && !is_doubtful {
            return FullName::Empty;
        }
        if is_doubtful || given.is_empty() {
            let words: Vec<Word<'_>> = [titles, given, family].concat();
            let FullName::Doubtful { mut whole, nickname } = doubtful(&words, &nickname, letters) else {
                return FullName::Empty;
            };
            push_suffixes(&suffixes, &mut whole);
            return FullName::Doubtful { whole, nickname };
        }
        let first = letters.natural(&given[..count_of_spoken(&given, &family)], false);
        let mut last = letters.natural(&family, true);
        push_suffixes(&suffixes, &mut last);
        let nickname = if nickname.is_empty() {
            nickname
        } else {
            letters.natural(&words_of(&nickname).collect::<Vec<_>>(), false)
        };
        FullName::Clear { first: without_dot(first), last, nickname }
    }
}

/// How many words the first name has. A Chinese or Vietnamese one is not cut.
fn count_of_spoken(given: &[Word<'_>], family: &[Word<'_>]) -> usize {
    let is_asian = family.iter().any(|word| word.is(Kind::Asian)) && !given[0].is_given();
    let whole = given.iter().take_while(|word| !word.is_initial() && !word.is(Kind::Vietnamese)).count();
    if is_asian { whole.max(1) } else { count_of_first(given, true) }
}

fn push_suffixes(suffixes: &[Word<'_>], last: &mut String) {
    for word in suffixes {
        last.push(' ');
        last.push_str(&suffix(word.text));
    }
}

/// `Ann.` at the end of a cell.
fn without_dot(mut first: String) -> String {
    if first.ends_with('.') && !first.trim_end_matches('.').contains('.') {
        first.pop();
    }
    first
}

/// `Smith John`, `Coe Ann M`, `Zhang Wei`, `Nguyen Van Minh`: the last name may be written first.
fn is_perhaps_reversed(words: &[Word<'_>]) -> bool {
    let &[first, ref middle @ .., last] = words else { return false };
    let is_syllable = |word: &str| Word::new(word).is(Kind::Syllable);
    let is_known = first.is_given()
        || first.is_any(&[Kind::Double, Kind::Jean, Kind::Syllable])
        || first.text.split('-').all(is_syllable);
    let has_particle = middle.iter().any(|word| word.is(Kind::Particle));
    let ends_with_first_name = last.is_given() && !last.is(Kind::Both) && !is_known && !has_particle;
    let mut others = words[1..].iter().flat_map(|word| word.text.split('-'));
    let is_asian = first.is(Kind::Asian) && (!is_known || others.all(is_syllable));
    ends_with_first_name || last.is_initial() || is_asian
}

/// A name that begins with an initial, a credential, a rank, or with what could be a first name of two words.
fn starts_in_doubt(words: &[Word<'_>]) -> bool {
    let first = words[0];
    let is_abbreviated = first.text.ends_with('.') && !first.is_any(&[Kind::Particle, Kind::Title]);
    let is_compound = words.len() == 2 && count_of_first(words, false) == 2;
    let is_either = words.len() > 2 && first.is(Kind::Hispanic) && words[1].is(Kind::Both);
    let is_title = first.is_any(&[Kind::Rank, Kind::Credential]) || (first.is(Kind::Short) && !first.is(Kind::Asian));
    first.is_initial() || is_abbreviated || is_compound || is_either || is_title
}

/// How many words after the first name are middle names. Particles begin a last name; after a Spanish first name two
/// last names do.
fn start_of_last_name(words: &[Word<'_>], first: usize) -> usize {
    let rest = &words[first.min(words.len())..];
    let end = rest.len().saturating_sub(1);
    let particle = rest[..end].iter().position(|word| word.is(Kind::Particle)).unwrap_or(end);
    let is_middle = |word: &&Word<'_>| word.is_initial() || is_middle_name(words[0], **word);
    if words[0].is(Kind::Hispanic) {
        return rest[..particle].iter().take_while(is_middle).count();
    }
    particle
}

//! First and last name in columns of their own: titles, credentials and nicknames are taken out where that is certain;
//! everything else stays.

use super::case::is_all_capitals;
use super::cell::{NameCell, clean};
use super::words::{Kind, is, kinds};

/// What the two cells say.
pub(super) enum Separate {
    Name {
        first: String,
        last: String,
        nickname: String,
    },
    /// A title and a last name: `Mrs. Coe`.
    Untitled(String),
    Empty,
    Nobody,
}

/// Reads the cells of a first and a last name. The first one is not empty.
pub(super) fn read(first: &str, last: &str) -> Separate {
    let (first, last) = (clean(first), clean(last));
    if is_plain(&first) && is_plain(&last) && !is_filler(&first) {
        return Separate::Name { first, last, nickname: String::new() };
    }
    let (name, nickname) = NameCell::split_nickname(&first);
    let name = clean(&name);
    let is_mixed = !(is_all_capitals(&name) && (last.is_empty() || is_all_capitals(&last)));
    let mut words: Vec<&str> = name.split(' ').collect();
    let suffixes = strip_end(&mut words, is_mixed);
    let titles = words.iter().take_while(|word| is(word, Kind::Title)).count();
    if is_filler(&name) {
        let is_nobody = is(&last, Kind::Filler) && !last.is_empty();
        let stays = !is_nobody && !name.to_ascii_lowercase().starts_with("unk");
        return match () {
            () if is_nobody => Separate::Nobody,
            () if stays => Separate::Name { first: name, last, nickname },
            () => Separate::Empty,
        };
    }
    let mut family: Vec<&str> = last.split(' ').filter(|word| !word.is_empty()).collect();
    let more = strip_end(&mut family, is_mixed);
    let last = [family, more, suffixes].concat().join(" ");
    if titles == words.len() {
        let whole = format!("{} {last}", words.join(" "));
        return if last.is_empty() { Separate::Empty } else { Separate::Untitled(whole) };
    }
    Separate::Name { first: words[titles..].join(" "), last, nickname }
}

/// A single word of letters.
fn is_plain(cell: &str) -> bool {
    cell.bytes().all(|byte| !byte.is_ascii() || byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'\''))
}

fn is_filler(word: &str) -> bool {
    word.len() > 2 && is(word, Kind::Filler)
}

/// Takes credentials from the end, and suffixes, which are returned.
fn strip_end<'c>(words: &mut Vec<&'c str>, is_mixed: bool) -> Vec<&'c str> {
    let mut suffixes = Vec::new();
    while words.len() > 1 {
        let last = words[words.len() - 1];
        let kinds = kinds(last.trim_end_matches(','));
        let is_short = kinds.has(Kind::Short) && is_mixed && is_all_capitals(last);
        if kinds.has(Kind::Suffix) {
            suffixes.insert(0, last);
        } else if !(kinds.has(Kind::Credential) || is_short) {
            break;
        }
        words.pop();
        if let Some(word) = words.last_mut() {
            *word = word.trim_end_matches(',');
        }
    }
    suffixes
}

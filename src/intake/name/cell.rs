//! What stands in a cell of names beside the names: escapes, separators of other systems, nicknames and notes.

use std::borrow::Cow;

use super::super::notes;
use super::case::is_all_capitals;
use super::words::{Kind, Word, is, is_initial, kinds};

/// A cell of names without everything that is no name.
pub(super) struct NameCell {
    /// Words, separated by one space or by commas.
    pub(super) text: String,
    pub(super) nickname: String,
    /// Something is left that could not be understood.
    pub(super) is_doubtful: bool,
}

/// Where an aside stands.
#[derive(Clone, Copy)]
struct Aside {
    is_quoted: bool,
    /// Before the comma of `Last, First`.
    in_family: bool,
}

impl NameCell {
    /// Takes the nickname out of a cell with a first name only; notes and former names go, too.
    pub(super) fn split_nickname(cell: &str) -> (String, String) {
        let mut name = Self { text: String::new(), nickname: String::new(), is_doubtful: false };
        let text = name.without_asides(cell);
        (text, name.nickname)
    }

    pub(super) fn read(cell: &str) -> Self {
        if is_plain(cell) {
            return Self { text: cell.to_owned(), nickname: String::new(), is_doubtful: false };
        }
        let (text, is_damaged) = unescaped(cell);
        let mut name = Self { text: String::new(), nickname: String::new(), is_doubtful: is_damaged };
        let text = name.without_asides(&visible(&text));
        let text = name.without_remarks(&text);
        name.text = spaced(&text);
        name
    }

    /// Takes out what stands in parentheses or quotes: a nickname, or a note.
    fn without_asides(&mut self, text: &str) -> String {
        let mut kept = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let Some((inner, remaining)) = aside(c, after, kept.chars().next_back()) else {
                kept.push(c);
                rest = after;
                continue;
            };
            let in_family = !kept.contains(',') && remaining.contains(',');
            self.on_aside(inner, Aside { is_quoted: !matches!(c, '(' | '[' | '{'), in_family });
            kept.push(' ');
            rest = remaining;
        }
        kept
    }

    fn on_aside(&mut self, inner: &str, place: Aside) {
        const QUOTES: [char; 9] = ['"', '\'', '“', '”', '‘', '’', '.', ',', ' '];
        let length = inner.trim().len();
        let inner = inner.trim_matches(QUOTES);
        let (name, is_said) = without_goes_by(inner);
        let words: Vec<&str> = name.split_whitespace().collect();
        let is_name = |word: &&str| word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'));
        let is_name = !words.is_empty() && words.iter().all(is_name) && !words.iter().all(|word| is_initial(word));
        let is_note = words.iter().all(|word| is_no_name(word))
            || words.first().is_some_and(|word| is(word, Kind::Maiden))
            || notes::forbids_in_name(inner).is_some()
            || name.contains(|c: char| c == '/' || c.is_ascii_digit());
        // Another word in parentheses may be a former last name.
        let is_short_name = |word: &str| {
            let is_initials = (2..4).contains(&word.len()) && is_all_capitals(word);
            Word::new(word).is_given() || is(word, Kind::Nick) || (is_initials && !place.in_family)
        };
        let is_marked = is_said || inner.len() < length || (place.is_quoted && !place.in_family);
        let is_nickname = match words.as_slice() {
            _ if !is_name || is_note => false,
            [one] | [one, _] => is_marked || is_short_name(one),
            _ => false,
        };
        if is_nickname && self.nickname.is_empty() {
            self.nickname = words.join(" ");
        }
        let is_former_name = words.len() == 1 && !place.in_family;
        self.is_doubtful |= !is_nickname && !is_note && !is_former_name && words.iter().any(|word| !is_initial(word));
    }

    /// Takes out remarks: asterisks, numbers, dates, `- DO NOT CALL`.
    fn without_remarks(&mut self, text: &str) -> String {
        let mut text = text.replace(['*', '†', '#', '(', ')', '[', ']'], " ");
        if let Some((at, mark)) =
            [" - ", " – ", " — ", " -- "].iter().find_map(|mark| Some((text.find(mark)?, mark.len())))
        {
            let note = &text[at + mark..];
            if note.split_whitespace().all(is_no_name) || notes::forbids_in_name(note).is_some() {
                text.truncate(at);
            } else {
                self.is_doubtful = true;
            }
        }
        if text.bytes().any(|byte| byte.is_ascii_digit()) {
            text = self.without_numbers(&text);
        }
        self.is_doubtful |= text.contains(['ª', '?', '\u{fffd}', ':', '=', '|', '_', '@']);
        text
    }

    /// Takes out chart numbers and dates; a digit in a word is a doubt.
    fn without_numbers(&mut self, text: &str) -> String {
        let mut kept = Vec::new();
        for word in text.split_whitespace() {
            let mut parts = word.split(',').filter(|part| part.bytes().any(|byte| byte.is_ascii_digit()));
            let is_number = !word.contains(char::is_alphabetic);
            let is_label = word.trim_end_matches([':', '.']).eq_ignore_ascii_case("dob");
            self.is_doubtful |= !is_number && !parts.all(|part| is(part, Kind::Suffix));
            match () {
                () if is_number && word.contains(',') => kept.push(","),
                () if is_number || is_label => {}
                () => kept.push(word),
            }
        }
        kept.join(" ")
    }
}

/// Replaces control characters by spaces, collapses runs of spaces, and trims.
pub(super) fn clean(cell: &str) -> String {
    if cell.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return cell.to_owned();
    }
    let visible: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Letters with commas, spaces, and single marks where names have them: there is nothing to take out.
fn is_plain(cell: &str) -> bool {
    let mut before = ' ';
    let mut chars = cell.chars().peekable();
    while let Some(c) = chars.next() {
        let is_followed = chars.peek().is_some_and(|next| next.is_alphabetic());
        let is_plain = match c {
            'Ã' | 'Â' | 'ª' => false,
            '.' => !is_followed && before.is_alphabetic(),
            '-' | '\'' | '’' => is_followed && before.is_alphabetic(),
            c => c.is_alphabetic() || matches!(c, ' ' | ','),
        };
        if !is_plain {
            return false;
        }
        before = c;
    }
    true
}

/// The text between a mark that opens an aside and the one that closes it, and the rest. A parenthesis that is never
/// closed ends with the cell.
fn aside(open: char, after: &str, before: Option<char>) -> Option<(&str, &str)> {
    let close: &[char] = match open {
        '(' => &[')'],
        '[' => &[']'],
        '{' => &['}'],
        '"' => &['"'],
        '“' | '”' | '„' => &['”', '“', '"'],
        '\'' | '‘' if before.is_none_or(|c| matches!(c, ' ' | ',')) => return quoted_word(after),
        _ => return None,
    };
    match after.split_once(close) {
        Some(parts) => Some(parts),
        None if open == '(' => Some((after, "")),
        None => None,
    }
}

/// A single word in single quotes; `'t Veld` and `O'Brien` have none.
fn quoted_word(after: &str) -> Option<(&str, &str)> {
    let end = after.find([' ', ',']).unwrap_or(after.len());
    let word = after[..end].strip_suffix(['\'', '’'])?;
    (word.chars().count() > 1).then_some((word, &after[end..]))
}

/// Splits `goes by` from a nickname.
fn without_goes_by(inner: &str) -> (&str, bool) {
    const PHRASES: [&str; 11] = [
        "goes by ",
        "aka ",
        "a.k.a. ",
        "called ",
        "known as ",
        "nickname ",
        "nick ",
        "prefers ",
        "preferred ",
        "pref ",
        "likes ",
    ];
    let begins = |phrase: &&&str| inner.get(..phrase.len()).is_some_and(|start| start.eq_ignore_ascii_case(phrase));
    match PHRASES.iter().find(begins) {
        Some(phrase) => (inner[phrase.len()..].trim(), true),
        None => (inner, false),
    }
}

/// A word of a note, a title or a credential.
fn is_no_name(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let kinds = kinds(word);
    word.is_empty()
        || word.bytes().any(|byte| byte.is_ascii_digit())
        || (kinds.has_any(&[Kind::Remark, Kind::Title, Kind::Credential, Kind::Suffix, Kind::Filler, Kind::Empty])
            && !kinds.has_any(&[Kind::Given, Kind::Man]))
}

/// Undoes the escapes of HTML, HL7's separators, and text that was decoded wrongly. Also says whether it was damaged.
fn unescaped(cell: &str) -> (Cow<'_, str>, bool) {
    let mut text = Cow::Borrowed(cell);
    if text.contains('&') && text.contains(';') {
        text = without_entities(&text).into();
    }
    let is_damaged = text.contains(['Ã', 'Â']) && text.chars().any(|c| ('\u{80}'..='\u{bf}').contains(&c));
    if is_damaged {
        let (bytes, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
        if let Ok(mended) = std::str::from_utf8(&bytes) {
            text = mended.to_owned().into();
        }
    }
    if text.contains('^') {
        text = from_hl7(&text).into();
    }
    (text, is_damaged)
}

/// `Last^First^Middle^Suffix^Title` as `Last, First Middle, Suffix`.
fn from_hl7(text: &str) -> String {
    let mut parts = text.split('^').map(str::trim);
    let mut next = || parts.next().unwrap_or_default();
    let (last, first, middle, suffix) = (next(), next(), next(), next());
    format!("{last}, {first} {middle}, {suffix}")
}

fn without_entities(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').and_then(|(name, after)| Some((entity(name)?, after)));
        let (c, remaining) = entity.unwrap_or(('&', after));
        plain.push(c);
        rest = remaining;
    }
    plain.push_str(rest);
    plain
}

fn entity(name: &str) -> Option<char> {
    const NAMED: [(&str, char); 24] = [
        ("amp", '&'),
        ("apos", '\''),
        ("quot", '"'),
        ("nbsp", ' '),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("aacute", 'á'),
        ("eacute", 'é'),
        ("iacute", 'í'),
        ("oacute", 'ó'),
        ("uacute", 'ú'),
        ("ntilde", 'ñ'),
        ("agrave", 'à'),
        ("egrave", 'è'),
        ("ecirc", 'ê'),
        ("ccedil", 'ç'),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("szlig", 'ß'),
        ("atilde", 'ã'),
        ("Eacute", 'É'),
    ];
    let number = |digits: &str| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    match name.strip_prefix('#') {
        Some(digits) => number(digits).and_then(char::from_u32),
        None => NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c),
    }
}

/// Control characters as spaces, characters without width removed, semicolons as commas.
fn visible(text: &str) -> String {
    let is_shown = |c: &char| !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let plain = |c: char| match c {
        ';' => ',',
        c if c.is_control() || c.is_whitespace() => ' ',
        c => c,
    };
    text.chars().filter(is_shown).map(plain).collect()
}

/// Separates words that only a dot separates: `Mr.Walter`.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('.') {
        spaced.push_str(before);
        spaced.push('.');
        let mut next = after.chars();
        let begins_word = next.next().is_some_and(char::is_alphabetic) && next.next().is_some_and(char::is_alphabetic);
        if begins_word {
            spaced.push(' ');
        }
        rest = after;
    }
    spaced.push_str(rest);
    spaced
}

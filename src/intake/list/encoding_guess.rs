//! Guesses a list's encoding from its bytes.

use std::io::BufRead;

use encoding_rs::{MACINTOSH, WINDOWS_1252};

use super::cp850;
use super::source::ListBytes;
use crate::campaign::ListEncoding;
use crate::intake::error::ListError;

/// What the bytes of a file show.
#[derive(Debug, Default)]
pub(super) struct ByteGuess {
    /// Characters of more than one byte that are UTF-8.
    utf8: u64,
    /// Bytes that cannot be UTF-8.
    broken: u64,
    /// Letters that fit their neighbours, under each of [`CANDIDATES`].
    fitting: [u64; 3],
}

/// The encodings of one byte a character, the likeliest first.
const CANDIDATES: [ListEncoding; 3] = [ListEncoding::Windows1252, ListEncoding::MacRoman, ListEncoding::Cp850];

/// The letters of western European names in small form, and the apostrophe of typography.
const LETTERS: &str = "àáâãäåæçèéêëìíîïñòóôõöøœùúûüýÿß";

impl ByteGuess {
    pub(super) fn of(mut bytes: ListBytes) -> Result<Self, ListError> {
        let mut guess = Self::default();
        let tables = CANDIDATES.map(table);
        let mut text: Vec<u8> = Vec::new();
        loop {
            let chunk = bytes.fill_buf()?;
            let is_last = chunk.is_empty();
            text.extend_from_slice(chunk);
            let read = chunk.len();
            bytes.consume(read);
            // A character may go on in the next chunk.
            let end = if is_last { text.len() } else { text.len().saturating_sub(4) };
            let judged = guess.judge(&text, end, &tables);
            if is_last {
                return Ok(guess);
            }
            // One byte more is kept, as the neighbour of the next.
            text.drain(..judged.saturating_sub(1));
        }
    }

    /// Judges the bytes up to `end`, a little more if a character ends there. Returns the end of what was judged.
    fn judge(&mut self, text: &[u8], end: usize, tables: &[[char; 128]; 3]) -> usize {
        let mut at = 0;
        while at < end {
            let Some(next) = text[at..end].iter().position(|byte| !byte.is_ascii()) else { return end };
            at += next;
            let length = utf8_length(&text[at..]);
            if length > 1 {
                self.utf8 += 1;
                at += length;
                continue;
            }
            self.broken += 1;
            let before = at.checked_sub(1).map(|before| char::from(text[before]));
            let after = text.get(at + 1).map(|after| char::from(*after));
            for (fitting, table) in self.fitting.iter_mut().zip(tables) {
                *fitting += u64::from(fits(table[usize::from(text[at] - 0x80)], before, after));
            }
            at += 1;
        }
        at
    }

    /// Whether some rows are UTF-8 and others of another encoding: lists that were put together.
    pub(super) fn is_mixed(&self) -> bool {
        self.utf8 > 0 && self.broken >= self.utf8 && self.fitting.iter().any(|fitting| fitting * 2 >= self.broken)
    }

    pub(super) fn encoding(&self) -> ListEncoding {
        if self.broken == 0 || self.utf8 > self.broken {
            return ListEncoding::Utf8;
        }
        let best = (0..CANDIDATES.len()).rev().max_by_key(|at| self.fitting[*at]);
        best.map_or(ListEncoding::Windows1252, |at| CANDIDATES[at])
    }
}

/// The length of the UTF-8 character at the start; 1 if it is none, or ASCII.
fn utf8_length(text: &[u8]) -> usize {
    (2..=4.min(text.len())).find(|length| std::str::from_utf8(&text[..*length]).is_ok()).unwrap_or(1)
}

/// Whether a character is a letter of the case of its neighbours, or an apostrophe between letters.
fn fits(character: char, before: Option<char>, after: Option<char>) -> bool {
    let is_letter = |c: &char| c.is_ascii_alphabetic();
    let (before, after) = (before.filter(is_letter), after.filter(is_letter));
    if character == '’' {
        return before.is_some() && after.is_some();
    }
    let small: String = character.to_lowercase().collect();
    if !LETTERS.contains(&small) {
        return false;
    }
    // A small letter may follow a capital; a capital stands at the start or among capitals.
    match (character.is_uppercase(), before, after) {
        (_, None, None) => false,
        (false, Some(before), None) => before.is_lowercase() || before.is_uppercase(),
        (false, _, Some(after)) => after.is_lowercase(),
        (true, None, Some(_)) => true,
        (true, Some(before), _) => before.is_uppercase(),
    }
}

/// The characters of the bytes 0x80 to 0xff.
pub(super) fn table(encoding: ListEncoding) -> [char; 128] {
    std::array::from_fn(|at| {
        let byte = at as u8 + 0x80;
        let of_web = |encoding: &'static encoding_rs::Encoding| {
            encoding.decode_without_bom_handling(&[byte]).0.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER)
        };
        match encoding {
            ListEncoding::MacRoman => of_web(MACINTOSH),
            ListEncoding::Cp850 => cp850::character(byte),
            ListEncoding::Windows1252 | ListEncoding::Utf8 | ListEncoding::Utf16Le | ListEncoding::Utf16Be => {
                of_web(WINDOWS_1252)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &[u8]) -> ListEncoding {
        let mut guess = ByteGuess::default();
        guess.judge(text, text.len(), &CANDIDATES.map(table));
        guess.encoding()
    }

    #[test]
    fn an_encoding_is_told_by_the_letters_of_names() {
        const NAMES: &str = "José Núñez,Zoë Müller,Françoise Lefèvre,Søren Ångström,IÑAKI PEÑA,Renée O’Brien";
        assert_eq!(guess(NAMES.as_bytes()), ListEncoding::Utf8);
        assert_eq!(guess(&WINDOWS_1252.encode(NAMES).0), ListEncoding::Windows1252);
        let of_table = |encoding| -> Vec<u8> {
            let table = table(encoding);
            let byte = |c: char| match table.iter().position(|other| *other == c) {
                Some(at) => at as u8 + 0x80,
                None => {
                    if c.is_ascii() {
                        c as u8
                    } else {
                        b'?'
                    }
                }
            };
            NAMES.chars().map(byte).collect()
        };
        assert_eq!(guess(&of_table(ListEncoding::MacRoman)), ListEncoding::MacRoman);
        assert_eq!(guess(&of_table(ListEncoding::Cp850)), ListEncoding::Cp850);
        assert_eq!(guess(b"Jos\x8e"), ListEncoding::MacRoman);
        assert_eq!(guess(b"Jos\x82"), ListEncoding::Cp850);
        assert_eq!(guess(b"Jos\xe9"), ListEncoding::Windows1252);
        assert_eq!(guess(b"plain"), ListEncoding::Utf8);
    }

    #[test]
    fn one_broken_byte_does_not_change_the_files_encoding() {
        assert_eq!(guess(b"Jos\xc3\xa9,Zo\xc3\xab,M\xfcller"), ListEncoding::Utf8);
    }
}

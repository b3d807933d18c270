//! Escapes untrusted text (a list's cells, the vendor's messages, file names, arguments) for display: control
//! characters, and characters that hide or reorder text, are written as `\u{202e}`.
//!
//! A value is escaped by [`value`] where it is inserted into a sentence, so that it stays on its line. All output is
//! escaped again by [`text`], or by [`json`] for a document, in case a place was forgotten.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// Whether a character is not displayed as itself: control characters, direction marks, zero-width characters and line
/// separators.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) { safe.extend(c.escape_unicode()) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Escapes a value for a sentence or a table cell: line breaks and tabs are escaped, too.
#[must_use]
pub fn value(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Displays a path in a sentence.
pub trait DisplayPath {
    /// The path, escaped by [`value`].
    fn shown(&self) -> String;
}

impl DisplayPath for Path {
    fn shown(&self) -> String {
        value(&self.display().to_string()).into_owned()
    }
}

/// Escapes a text of several lines: line breaks and tabs are kept.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// Like [`text`], but keeps colour sequences (`ESC [ … m`): for coloured text whose values are already escaped.
#[must_use]
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return self::text(text);
    }
    let mut safe = String::with_capacity(text.len());
    for (at, piece) in text.split('\u{1b}').enumerate() {
        let colour = piece.find(|c: char| !c.is_ascii_digit() && !matches!(c, '[' | ';'));
        let is_colour = at > 0 && piece.starts_with('[') && colour.is_some_and(|end| piece[end..].starts_with('m'));
        if at > 0 {
            safe.push_str(if is_colour { "\u{1b}" } else { "\\u{1b}" });
        }
        safe.push_str(&self::text(piece));
    }
    Cow::Owned(safe)
}

/// Escapes hidden characters of a JSON text by JSON's escapes; the value is unchanged, since they occur in strings
/// only.
#[must_use]
pub fn json(text: &str) -> Cow<'_, str> {
    let is_escaped = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t' | '\r');
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// Replaces each hidden character by a visible one of the same length in bytes, so that byte positions stay valid: for
/// a file that is shown with marks under positions.
#[must_use]
pub fn in_place(text: &str) -> Cow<'_, str> {
    let is_replaced = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t' | '\r');
    if !text.contains(is_replaced) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| match (is_replaced(c), c.len_utf8()) {
        (false, _) => c,
        (true, 1) => '?',
        (true, 2) => '¿',
        (true, 3) => '\u{fffd}',
        (true, _) => '\u{1f6ab}',
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// The characters that start a formula in a spreadsheet (OWASP, CSV Injection), and their full-width forms.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet may read the cell as a formula; invisible characters and apostrophes before it are ignored.
fn is_formula(cell: &str) -> bool {
    let is_unseen = |c: char| !FORMULA.contains(&c) && (is_hidden(c) || c.is_whitespace());
    cell.trim_start_matches('\'').trim_start_matches(is_unseen).starts_with(FORMULA)
}

/// Escapes a cell for a spreadsheet: a cell that begins with one of `= + - @`, a tab or a line break would be read as a
/// formula, so it gets an apostrophe in front. A cell with such an apostrophe gets another one, so that
/// [`original_cell`] restores every cell exactly.
#[must_use]
pub fn cell_without_formula(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// Undoes [`cell_without_formula`]. A cell without an apostrophe is unchanged.
#[must_use]
pub fn original_cell(cell: &str) -> &str {
    if is_formula(cell) { cell.strip_prefix('\'').unwrap_or(cell) } else { cell }
}

/// A writer that escapes text by a function of this module, also if a character is split between two writes.
pub struct EscapingWriter<W> {
    out: W,
    escape: fn(&str) -> Cow<'_, str>,
    /// The bytes of an incomplete character.
    incomplete: Vec<u8>,
}

impl<W: Write> EscapingWriter<W> {
    /// A writer to `out` that escapes by `escape`.
    pub fn new(out: W, escape: fn(&str) -> Cow<'_, str>) -> Self {
        Self { out, escape, incomplete: Vec::new() }
    }
}

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.incomplete.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&self.incomplete) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.incomplete.len(),
        };
        let complete: Vec<u8> = self.incomplete.drain(..end).collect();
        self.out.write_all((self.escape)(&String::from_utf8_lossy(&complete)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The characters that a terminal interprets, by a rule independent of the one under test.
    fn is_interpreted(c: char) -> bool {
        let code = u32::from(c);
        code < 0x20
            || (0x7f..0xa0).contains(&code)
            || [0x61c, 0xfeff].contains(&code)
            || (0x200b..=0x200f).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2060..=0x2069).contains(&code)
    }

    #[test]
    fn hidden_characters_are_escaped_and_others_are_unchanged() {
        for (given, shown) in [
            ("Zoë O'Brien-Quartermain 李", "Zoë O'Brien-Quartermain 李"),
            ("Ana\u{1b}[2J", "Ana\\u{1b}[2J"),
            ("Ana\nline 3: accepted", "Ana\\u{a}line 3: accepted"),
            ("\u{202e}anA\u{2066}", "\\u{202e}anA\\u{2066}"),
            ("A\u{200b}na\u{9b}0m\u{7f}\t", "A\\u{200b}na\\u{9b}0m\\u{7f}\\u{9}"),
        ] {
            assert_eq!(value(given), shown);
        }
        assert_eq!(text("two\nlines\u{7}\tand"), "two\nlines\\u{7}\tand");
        assert_eq!(
            coloured("\u{1b}[31mred\u{1b}[0m\u{1b}[2J\u{1b}]0;title\u{7}"),
            "\u{1b}[31mred\u{1b}[0m\\u{1b}[2J\\u{1b}]0;title\\u{7}"
        );
    }

    proptest! {
        #[test]
        fn no_character_that_a_terminal_interprets_is_left(given in any::<String>()) {
            prop_assert!(!value(&given).contains(is_interpreted));
            prop_assert!(!text(&given).contains(|c| is_interpreted(c) && !matches!(c, '\n' | '\t')));
            prop_assert!(!in_place(&given).contains(|c| is_interpreted(c) && !matches!(c, '\n' | '\t' | '\r')));
            prop_assert_eq!(in_place(&given).len(), given.len());
        }

        #[test]
        fn no_cell_is_a_formula_and_each_is_restored(given in "[-=+@\t\r' a1]{0,6}") {
            let safe = cell_without_formula(&given);
            prop_assert!(!safe.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(original_cell(&safe), &given);
        }

        #[test]
        fn an_escaped_json_text_has_the_same_value(given in any::<String>()) {
            let written = serde_json::to_string(&given).expect("JSON");
            let shown = json(&written);
            prop_assert!(!shown.contains(is_interpreted));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), given);
        }

        #[test]
        fn pieces_give_the_same_result_as_the_whole(given in any::<String>(), size in 1_usize..9) {
            let mut out = Vec::new();
            let mut writer = EscapingWriter::new(&mut out, value);
            for piece in given.as_bytes().chunks(size) {
                writer.write_all(piece).expect("written");
            }
            prop_assert_eq!(String::from_utf8(out).expect("text"), value(&given).into_owned());
        }

        #[test]
        fn invalid_utf8_is_escaped(given in any::<Vec<u8>>()) {
            let mut out = Vec::new();
            EscapingWriter::new(&mut out, value).write_all(&given).expect("written");
            prop_assert!(!String::from_utf8(out).expect("text").contains(is_interpreted));
        }
    }
}

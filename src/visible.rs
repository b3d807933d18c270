//! Text from outside (a list's cells, the vendor's words, file names, arguments) as people may be shown it: what a terminal
//! would obey, and what would hide or reorder the rest, stands there as `\u{202e}`.
//!
//! A value goes through [`value`] where it is put into a sentence, so that it stays on its line. Whatever is written goes
//! through [`text`] once more, or through [`json`] if it is a document, so that nothing depends on a place that was forgotten.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// Whether a character is obeyed rather than shown: controls, marks that change the direction, and what has no width or
/// separates lines.
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

/// One value, for a sentence or a cell of a table: line breaks and tabs are made visible, too.
#[must_use]
pub fn value(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// A file's name as it may stand in a sentence.
pub trait Shown {
    /// The name, made visible as by [`value`].
    fn shown(&self) -> String;
}

impl Shown for Path {
    fn shown(&self) -> String {
        value(&self.display().to_string()).into_owned()
    }
}

/// Lines of our own: their breaks and tabs stay.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && !matches!(c, '\n' | '\t'))
}

/// The same with our own colours in it (`ESC [ … m`): for text whose values have been made visible before.
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

/// A JSON text that says the same and shows all of it: such characters stand in its strings alone, as JSON's own escapes.
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

/// The text with every such character replaced by another of as many bytes, so that places in it stay where they are: a
/// file that is shown with marks under it.
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

/// What a spreadsheet takes for the start of a formula (OWASP, CSV Injection), in East Asia's wide form, too.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// What is not seen in front of a formula hides none.
fn is_formula(cell: &str) -> bool {
    let is_unseen = |c: char| !FORMULA.contains(&c) && (is_hidden(c) || c.is_whitespace());
    cell.trim_start_matches('\'').trim_start_matches(is_unseen).starts_with(FORMULA)
}

/// A cell for a spreadsheet, which takes one that begins with any of `= + - @`, tab or a line break for a formula: an
/// apostrophe in front makes it text. One that has such an apostrophe already gets another, so that [`cell_as_it_was`] gives back every
/// cell exactly.
#[must_use]
pub fn cell_without_formula(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The cell that [`cell_without_formula`] was given. What a person has typed without an apostrophe stays.
#[must_use]
pub fn cell_as_it_was(cell: &str) -> &str {
    if is_formula(cell) { cell.strip_prefix('\'').unwrap_or(cell) } else { cell }
}

/// Writes text through one of the functions of this module, however it is cut into pieces.
pub struct Showing<W> {
    out: W,
    show: fn(&str) -> Cow<'_, str>,
    /// The start of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl<W: Write> Showing<W> {
    /// Writes to `out` what `show` makes of it.
    pub fn new(out: W, show: fn(&str) -> Cow<'_, str>) -> Self {
        Self { out, show, begun: Vec::new() }
    }
}

impl<W: Write> Write for Showing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(bytes);
        let end = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.begun.len(),
        };
        let whole: Vec<u8> = self.begun.drain(..end).collect();
        self.out.write_all((self.show)(&String::from_utf8_lossy(&whole)).as_bytes())?;
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

    /// What no terminal may be sent, told apart by another rule than the one that is tested.
    fn is_obeyed(c: char) -> bool {
        let code = u32::from(c);
        code < 0x20
            || (0x7f..0xa0).contains(&code)
            || [0x61c, 0xfeff].contains(&code)
            || (0x200b..=0x200f).contains(&code)
            || (0x2028..=0x202e).contains(&code)
            || (0x2060..=0x2069).contains(&code)
    }

    #[test]
    fn what_is_obeyed_is_shown_and_everything_else_is_itself() {
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
        fn nothing_that_a_terminal_obeys_is_left(given in any::<String>()) {
            prop_assert!(!value(&given).contains(is_obeyed));
            prop_assert!(!text(&given).contains(|c| is_obeyed(c) && !matches!(c, '\n' | '\t')));
            prop_assert!(!in_place(&given).contains(|c| is_obeyed(c) && !matches!(c, '\n' | '\t' | '\r')));
            prop_assert_eq!(in_place(&given).len(), given.len());
        }

        #[test]
        fn no_cell_is_a_formula_and_each_is_given_back(given in "[-=+@\t\r' a1]{0,6}") {
            let safe = cell_without_formula(&given);
            prop_assert!(!safe.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert_eq!(cell_as_it_was(&safe), &given);
        }

        #[test]
        fn a_json_text_says_the_same(given in any::<String>()) {
            let written = serde_json::to_string(&given).expect("JSON");
            let shown = json(&written);
            prop_assert!(!shown.contains(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).expect("JSON"), given);
        }

        #[test]
        fn pieces_make_the_same_as_the_whole(given in any::<String>(), size in 1_usize..9) {
            let mut out = Vec::new();
            let mut showing = Showing::new(&mut out, value);
            for piece in given.as_bytes().chunks(size) {
                showing.write_all(piece).expect("written");
            }
            prop_assert_eq!(String::from_utf8(out).expect("text"), value(&given).into_owned());
        }

        #[test]
        fn bytes_that_are_no_text_reach_no_terminal(given in any::<Vec<u8>>()) {
            let mut out = Vec::new();
            Showing::new(&mut out, value).write_all(&given).expect("written");
            prop_assert!(!String::from_utf8(out).expect("text").contains(is_obeyed));
        }
    }
}

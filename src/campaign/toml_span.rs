//! Maps a byte of a string to the byte of the TOML literal that it was read from.

/// The offset in `literal` of the byte that became byte `at` of `text`. `literal` is the string as written in the file,
/// with its quotes; `text` is its value.
pub(super) fn literal_offset(literal: &str, text: &str, at: usize) -> usize {
    let is_basic = literal.starts_with('"');
    let (mut raw, mut read_to) = (opening(literal), 0);
    while read_to < at {
        let (Some(written), Some(read)) = (literal[raw..].chars().next(), text[read_to..].chars().next()) else {
            break;
        };
        match written {
            '\\' if is_basic => {
                let (length, has_value) = escape(&literal[raw..]);
                raw += length;
                read_to += if has_value { read.len_utf8() } else { 0 };
            }
            // `\r\n` may be read as `\n`.
            '\r' if read != '\r' => raw += 1,
            _ => {
                raw += written.len_utf8();
                read_to += read.len_utf8();
            }
        }
    }
    raw.min(literal.len())
}

/// The length of the opening quotes, with the line break that may follow the quotes of a multi-line string.
fn opening(literal: &str) -> usize {
    if !literal.starts_with("\"\"\"") && !literal.starts_with("'''") {
        return 1.min(literal.len());
    }
    let rest = &literal[3..];
    3 + if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) }
}

/// The length of the escape that `rest` starts with, and whether it produces a character.
fn escape(rest: &str) -> (usize, bool) {
    match rest[1..].chars().next() {
        Some('x') => (4, true),
        Some('u') => (6, true),
        Some('U') => (10, true),
        Some(c) if c.is_whitespace() => (rest.len() - rest[1..].trim_start().len(), false),
        Some(c) => (1 + c.len_utf8(), true),
        None => (1, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_through_quotes_escapes_and_line_breaks() {
        for literal in [
            r#""Hello @""#,
            r"'Hello \n @'",
            r#""a \"b\" \u00e9 \U0001F600 \t \\ é @""#,
            "\"\"\"\nfirst\nsecond @\"\"\"",
            "\"\"\"first \\\n   \n  second @\"\"\"",
            "'''\nfirst\nsecond @'''",
            "\"\"\"\r\nfirst\r\nsecond @\"\"\"",
        ] {
            let document = format!("x = {literal}");
            let table: toml::Table = document.parse().expect("valid TOML");
            let text = table["x"].as_str().expect("a string");
            let at = text.find('@').expect("in the text");
            assert_eq!(literal[literal_offset(literal, text, at)..].chars().next(), Some('@'), "{literal}");
        }
    }
}

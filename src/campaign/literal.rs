//! Where a place of a text lies in the TOML literal that the text was written as.

/// The byte of `literal` that became the byte `at` of `text`. `literal` is the string as it stands in the file, quotes and
/// all; `text` is what it means.
pub(super) fn place(literal: &str, text: &str, at: usize) -> usize {
    let is_basic = literal.starts_with('"');
    let (mut raw, mut meant) = (opening(literal), 0);
    while meant < at {
        let (Some(written), Some(read)) = (literal[raw..].chars().next(), text[meant..].chars().next()) else { break };
        match written {
            '\\' if is_basic => {
                let (length, stands_for) = escape(&literal[raw..]);
                raw += length;
                meant += if stands_for { read.len_utf8() } else { 0 };
            }
            // A line break may be read as one character.
            '\r' if read != '\r' => raw += 1,
            _ => {
                raw += written.len_utf8();
                meant += read.len_utf8();
            }
        }
    }
    raw.min(literal.len())
}

/// The length of the opening quotes, with the line break that a text of several lines may begin with.
fn opening(literal: &str) -> usize {
    if !literal.starts_with("\"\"\"") && !literal.starts_with("'''") {
        return 1.min(literal.len());
    }
    let rest = &literal[3..];
    3 + if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) }
}

/// The length of the escape that `rest` starts with, and whether it stands for a character.
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
    fn a_place_is_found_through_quotes_escapes_and_line_breaks() {
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
            assert_eq!(literal[place(literal, text, at)..].chars().next(), Some('@'), "{literal}");
        }
    }
}

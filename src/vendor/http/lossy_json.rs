//! JSON as some servers write it: invalid UTF-8, a byte order mark, lone surrogates, and [values](super::json_extremes) that
//! no parser takes.
//!
//! A text truncated by UTF-16 units can end in half a character, which JavaScript writes as a lone `\ud83e`. A strict
//! parser then refuses the whole page for one emoji in one summary, and an unreadable page proves nothing.

use serde_json::Value;

use super::json_extremes;

/// The escape that replaces a lone surrogate.
const REPLACEMENT: &str = "\\ufffd";

/// The length of `\uXXXX`, in bytes.
const ESCAPE_LEN: usize = 6;

/// Parses `body` as JSON; one that does not parse is repaired and tried again.
pub(in crate::vendor) fn parse(body: &[u8]) -> Option<Value> {
    let repaired = || json_extremes::replaced(&repaired(body));
    serde_json::from_slice(body).or_else(|_| serde_json::from_str(&repaired())).ok()
}

fn repaired(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let (kept, length) = repaired_escape(escape);
        out.push_str(before);
        out.push_str(kept);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// The repaired form of the escape at the start of `text`, and how many bytes of `text` it replaces.
fn repaired_escape(text: &str) -> (&str, usize) {
    let is_pair = || text.get(ESCAPE_LEN..).and_then(unit).is_some_and(|low| (0xdc00..0xe000).contains(&low));
    match unit(text) {
        Some(0xd800..0xdc00) if is_pair() => (&text[..2 * ESCAPE_LEN], 2 * ESCAPE_LEN),
        Some(0xd800..0xe000) => (REPLACEMENT, ESCAPE_LEN),
        Some(_) => (&text[..ESCAPE_LEN], ESCAPE_LEN),
        None => {
            let length = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            (&text[..length], length)
        }
    }
}

/// The UTF-16 unit of a `\uXXXX` at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_surrogate_does_not_lose_the_page() {
        for (written, read) in [
            (r#""cut \ud83e""#, "cut \u{fffd}"),
            (r#""cut \ud83e\u0041""#, "cut \u{fffd}A"),
            (r#""\ude37 late""#, "\u{fffd} late"),
            (r#""\ud83e\uddb7 \ud83e""#, "🦷 \u{fffd}"),
            (r#""\\ud83e \ud83e""#, "\\ud83e \u{fffd}"),
            (r#""é\n\"\ud83e""#, "é\n\"\u{fffd}"),
        ] {
            assert_eq!(parse(written.as_bytes()), Some(Value::String(read.to_owned())), "{written}");
        }
    }

    #[test]
    fn one_value_that_no_parser_takes_does_not_lose_the_page() {
        let page = format!("[{{\"cost\": 1e999}}, {{\"x\": {}{}}}, {{\"id\": 7}}]", "[".repeat(200), "]".repeat(200));
        assert_eq!(parse(page.as_bytes()).expect("a page")[2]["id"], 7);
    }

    #[test]
    fn invalid_utf_8_is_replaced() {
        assert_eq!(parse(b"\"caf\xe9\""), Some(Value::String("caf\u{fffd}".to_owned())));
        assert_eq!(parse(b"\xef\xbb\xbf[]"), Some(Value::Array(vec![])));
    }

    #[test]
    fn text_that_is_not_json_is_refused() {
        for body in ["", "{", "<html>", r#""\"#, r#""\u12"#, r#"{"a":"\ud83e"#] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_cause_a_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = parse(&body);
        }

        #[test]
        fn valid_json_is_not_changed(text in ".*") {
            let written = serde_json::to_string(&text).expect("a JSON string");
            proptest::prop_assert_eq!(repaired(written.as_bytes()), written);
        }
    }
}

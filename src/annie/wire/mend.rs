//! JSON as some servers write it: invalid UTF-8, a byte order mark, and halves of characters.
//!
//! A text cut by UTF-16 units can end in half a character, which JavaScript writes as a lone `\ud83e`. A strict reader
//! then refuses the whole page for one emoji in one summary, and a page that cannot be read proves nothing.

use serde_json::Value;

/// What stands for a character that is not there.
const REPLACEMENT: &str = "\\ufffd";

/// The length of `\uXXXX`.
const UNIT: usize = 6;

/// Reads `body` as JSON, mended if it needs to be.
pub(super) fn parse(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).or_else(|_| serde_json::from_str(&mended(body))).ok()
}

fn mended(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        let (kept, length) = mended_escape(escape);
        out.push_str(before);
        out.push_str(kept);
        rest = &escape[length..];
    }
    out.push_str(rest);
    out
}

/// What the escape at the start of `text` becomes, and how many bytes of `text` that stands for.
fn mended_escape(text: &str) -> (&str, usize) {
    let pair = || text.get(UNIT..).and_then(unit).is_some_and(|low| (0xdc00..0xe000).contains(&low));
    match unit(text) {
        Some(0xd800..0xdc00) if pair() => (&text[..2 * UNIT], 2 * UNIT),
        Some(0xd800..0xe000) => (REPLACEMENT, UNIT),
        Some(_) => (&text[..UNIT], UNIT),
        None => {
            let length = 1 + text[1..].chars().next().map_or(0, char::len_utf8);
            (&text[..length], length)
        }
    }
}

/// The UTF-16 unit that `\uXXXX` at the start of `text` stands for.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_does_not_lose_the_page() {
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
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(parse(b"\"caf\xe9\""), Some(Value::String("caf\u{fffd}".to_owned())));
        assert_eq!(parse(b"\xef\xbb\xbf[]"), Some(Value::Array(vec![])));
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for body in ["", "{", "<html>", r#""\"#, r#""\u12"#, r#"{"a":"\ud83e"#] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let _ = parse(&body);
        }

        #[test]
        fn good_json_is_left_alone(text in ".*") {
            let written = serde_json::to_string(&text).expect("a JSON string");
            proptest::prop_assert_eq!(mended(written.as_bytes()), written);
        }
    }
}

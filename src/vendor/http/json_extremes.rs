//! Values that a parser of JSON refuses for their size alone, or that some servers write all the same: arrays in arrays
//! without end, numbers beyond any number, and `NaN`.
//!
//! They stand in fields that nobody reads. A refusal would lose the whole page for one of them, and an unreadable page
//! proves nothing; so each becomes `null`.

/// The deepest level that is kept. The parser itself gives up at 128.
const DEEPEST: usize = 100;

/// The text with `null` in place of values that are too deep or too large.
pub(super) fn replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut rest) = (0_usize, text);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if let Some(word) = no_number(rest) => word.len(),
            '"' => string_length(rest),
            '-' | '0'..='9' => number_length(rest),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let is_kept = depth <= DEEPEST;
        match first {
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match is_kept {
            // What opens the first level that is too deep stands for all of it.
            true if depth > DEEPEST => out.push_str("null"),
            true if is_infinite(token) || no_number(token).is_some() => out.push_str("null"),
            true => out.push_str(token),
            false => {}
        }
        rest = after;
    }
    out
}

/// The length of the string at the start of `text`, with its quotes.
fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let is_of_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    text.find(|c| !is_of_number(c)).unwrap_or(text.len())
}

/// The word at the start of `text` that some servers write for no number.
fn no_number(text: &str) -> Option<&'static str> {
    ["NaN", "Infinity", "-Infinity"].into_iter().find(|word| text.starts_with(word))
}

fn is_infinite(token: &str) -> bool {
    token.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && token.parse::<f64>().is_ok_and(|number: f64| number.is_infinite())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(text: &str) -> Option<Value> {
        serde_json::from_str(&replaced(text)).ok()
    }

    #[test]
    fn what_is_too_deep_or_too_large_is_null_and_the_rest_is_kept() {
        let deep = format!("{{\"a\": {}1{}, \"b\": \"]]\\\"\"}}", "[".repeat(300), "]".repeat(300));
        let read = parsed(&deep).expect("JSON");
        assert_eq!(read["b"], json!("]]\""));
        assert!(read["a"].is_array());
        let objects = format!("[{}1{}, 7]", "{\"x\":".repeat(300), "}".repeat(300));
        assert_eq!(parsed(&objects).expect("JSON")[1], json!(7));
        assert_eq!(parsed("{\"a\":NaN,\"b\":-Infinity,\"NaN\":1}"), Some(json!({ "a": null, "b": null, "NaN": 1 })));
        assert_eq!(parsed("[1e999, -1E400, 1e3, \"1e999\", 0.5]"), Some(json!([null, null, 1e3, "1e999", 0.5])));
    }

    proptest::proptest! {
        #[test]
        fn other_json_is_not_changed(text in ".*", number in proptest::num::f64::NORMAL, depth in 0..90_usize) {
            let value = json!({ "text": text, "number": number });
            let written = format!("{}{value}{}", "[".repeat(depth), "]".repeat(depth));
            proptest::prop_assert_eq!(replaced(&written), written);
        }

        #[test]
        fn no_text_causes_a_panic(text in "[\\[\\]{}\"\\\\0-9eE+.,é -]{0,60}") {
            let _ = replaced(&text);
        }
    }
}

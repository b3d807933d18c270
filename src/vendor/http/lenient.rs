//! Tolerant field readers: each accepts the forms that it understands and returns nothing for any other value, so that
//! no field can break the object around it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::phone::E164;

/// Generates the `deserialize_with` function of each reader.
macro_rules! readers {
    ($($name:ident = $reader:ident -> $type:ty),* $(,)?) => {$(
        pub(in crate::vendor) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
            Value::deserialize(deserializer).map(|value| $reader(&value))
        }
    )*};
}

readers! {
    text = as_text -> Option<String>,
    said = as_said -> Option<String>,
    said_list = as_said_list -> Vec<String>,
    number = as_number -> Option<f64>,
    count = as_count -> Option<u64>,
    flag = as_flag -> Option<bool>,
    instant = as_instant -> Option<DateTime<Utc>>,
    phone = as_phone -> Option<E164>,
    rows = as_rows -> Option<Vec<Value>>,
}

/// A text that is not blank, or a number as text.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What was said, in whatever shape it comes: a text, or the texts of a list or an object, each as a sentence of its own. An
/// opt-out must not be lost over a shape.
fn as_said(value: &Value) -> Option<String> {
    let texts = as_said_list(value);
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The texts of a list or of an object's fields. A single text counts as a list of one.
fn as_said_list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(as_said_list).collect(),
        Value::Object(fields) => said_by_fields(fields),
        Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => as_text(value).into_iter().collect(),
    }
}

/// Names of fields that say yes or no to the text next to them.
const FLAGS: [&str; 10] =
    ["active", "answer", "checked", "detected", "enabled", "present", "result", "selected", "set", "value"];

/// The texts of an object's fields. A field that says yes or no is said with its name, as in `{"optOut": "yes"}`; next to a
/// text it says yes or no to that, as in `{"name": "opt-out", "value": false}`. Other numbers are ids and counts.
fn said_by_fields(fields: &Map<String, Value>) -> Vec<String> {
    let (flags, others): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| as_yes_or_no(value).is_some());
    let texts: Vec<_> =
        others.into_iter().filter(|(_, value)| !value.is_number()).flat_map(|(_, v)| as_said_list(v)).collect();
    let said = |name: &str, value: &Value| as_yes_or_no(value).map(|word| format!("{name}={word}"));
    match (&*texts, &*flags) {
        ([text], [(name, value)]) if FLAGS.contains(&&*name.to_ascii_lowercase()) => {
            said(text, value).into_iter().collect()
        }
        _ => texts.into_iter().chain(flags.into_iter().filter_map(|(name, value)| said(name, value))).collect(),
    }
}

/// Yes or no as a boolean or a word, in the word of a tag's value.
fn as_yes_or_no(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::String(text) => match &*text.trim().to_ascii_lowercase() {
            "yes" | "true" | "y" => Some("true"),
            "no" | "false" | "n" => Some("false"),
            _ => None,
        },
        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A finite number, or a text with one.
fn as_number(value: &Value) -> Option<f64> {
    let number = match value.as_str() {
        Some(text) => text.trim().parse().ok(),
        None => value.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A number of at least 0, rounded down.
fn as_count(value: &Value) -> Option<u64> {
    as_number(value).filter(|number| *number >= 0.0).map(|number| number as u64)
}

/// `true` or `false`, as a boolean, a text, 1 or 0.
fn as_flag(value: &Value) -> Option<bool> {
    if let Value::Bool(flag) = value {
        return Some(*flag);
    }
    match as_text(value)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// An ISO 8601 instant. One without an offset is refused: a guessed offset could move a call before its own intent, and
/// reconciliation (rule R) would then prove an existing call absent.
fn as_instant(value: &Value) -> Option<DateTime<Utc>> {
    as_text(value)?.trim().parse().ok()
}

/// A phone number: E.164, a North American form, one with an international prefix (`00`, `011`), or a `tel:` URI, with
/// any separators. An extension is ignored. A text with letters is refused, and so are digits whose country is unknown.
fn as_phone(value: &Value) -> Option<E164> {
    let text = as_text(value)?;
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix("tel:").unwrap_or(&text);
    let number = without_extension(text);
    if number.chars().any(char::is_alphabetic) {
        return None;
    }
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let international = if number.trim_start().trim_start_matches('(').starts_with('+') {
        digits
    } else if let Some(rest) = digits.strip_prefix("011").or_else(|| digits.strip_prefix("00")) {
        rest.to_owned()
    } else {
        match digits.len() {
            10 => format!("1{digits}"),
            11 if digits.starts_with('1') => digits,
            _ => return None,
        }
    };
    let is_too_short = international.starts_with('1') && international.len() != 11;
    if is_too_short { None } else { E164::parse(&format!("+{international}")).ok() }
}

/// The number before an extension: `;…`, or `x`, `ext`, `ext.`, `#` or `,` and digits up to the end. Letters in place
/// of digits (`+1312555xxxx`) are not an extension.
fn without_extension(text: &str) -> &str {
    if let Some((number, _)) = text.split_once(';') {
        return number;
    }
    let without_digits = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let before = without_digits.trim_end();
    let number = ["ext.", "ext", "x", "#", ","].iter().find_map(|mark| before.strip_suffix(mark));
    number.filter(|_| without_digits.len() < text.len()).unwrap_or(text)
}

fn as_rows(value: &Value) -> Option<Vec<Value>> {
    value.as_array().cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_may_be_numbers_and_lists_may_be_texts() {
        assert_eq!(as_text(&json!("a")), Some("a".to_owned()));
        assert_eq!(as_text(&json!(7)), Some("7".to_owned()));
        for nothing in [json!(null), json!(" "), json!(true), json!([]), json!({})] {
            assert_eq!(as_text(&nothing), None);
        }
        assert_eq!(as_said_list(&json!(["a", null, 7, {}])), ["a", "7"]);
        assert_eq!(as_said_list(&json!("a")), ["a"]);
        assert_eq!(as_said_list(&json!(null)), Vec::<String>::new());
    }

    #[test]
    fn what_was_said_is_read_in_whatever_shape_it_comes() {
        assert_eq!(as_said_list(&json!([{ "id": 4, "name": "opt-out" }, ["busy"]])), ["opt-out", "busy"]);
        assert_eq!(as_said_list(&json!({ "optOut": true, "booked": "No" })), ["booked=false", "optOut=true"]);
        assert_eq!(as_said_list(&json!([{ "name": "opt-out", "value": false, "id": 7 }])), ["opt-out=false"]);
        assert_eq!(as_said_list(&json!([{ "label": "opt-out", "checked": "yes" }])), ["opt-out=true"]);
        assert_eq!(as_said_list(&json!([{ "name": "opt-out", "isManual": false }])), ["opt-out", "isManual=false"]);
        assert_eq!(as_said(&json!({ "text": "Stop calling." })).as_deref(), Some("Stop calling."));
        assert_eq!(as_said(&json!(["Hung up.", "Stop calling."])).as_deref(), Some("Hung up.\nStop calling."));
        for nothing in [json!(null), json!(" "), json!([]), json!({}), json!({ "score": 3 })] {
            assert_eq!(as_said(&nothing), None, "{nothing}");
        }
    }

    #[test]
    fn numbers_may_be_texts() {
        for (value, number) in
            [(json!(1500), Some(1500.0)), (json!("15.5"), Some(15.5)), (json!("NaN"), None), (json!("long"), None)]
        {
            assert_eq!(as_number(&value), number, "{value}");
        }
        for (value, number) in [(json!(3), Some(3)), (json!("3"), Some(3)), (json!(-3), None), (json!(null), None)] {
            assert_eq!(as_count(&value), number, "{value}");
        }
    }

    #[test]
    fn flags_may_be_texts_or_numbers() {
        for yes in [json!(true), json!("TRUE"), json!(1)] {
            assert_eq!(as_flag(&yes), Some(true), "{yes}");
        }
        for no in [json!(false), json!("false"), json!("0")] {
            assert_eq!(as_flag(&no), Some(false), "{no}");
        }
        assert_eq!(as_flag(&json!("perhaps")), None);
    }

    #[test]
    fn an_instant_has_an_offset() {
        let noon = "2026-11-24T12:00:00Z".parse().ok();
        for text in [
            "2026-11-24T12:00:00Z",
            "2026-11-24T12:00:00.000Z",
            "2026-11-24 06:00:00-06:00",
            "2026-11-24T12:00:00+0000",
        ] {
            assert_eq!(as_instant(&json!(text)), noon, "{text}");
        }
        for text in ["2026-11-24T12:00:00", "2026-11-24", "yesterday", "1795521600"] {
            assert_eq!(as_instant(&json!(text)), None, "{text}");
        }
    }

    #[test]
    fn a_phone_number_may_be_written_in_several_ways() {
        let number = E164::parse("+13125550142").ok();
        for value in [
            json!("+13125550142"),
            json!("+1 (312) 555-0142"),
            json!("13125550142"),
            json!(13_125_550_142_u64),
            json!("(312) 555-0142"),
            json!("312.555.0142"),
            json!("1-312-555-0142"),
            json!("3125550142"),
            json!(3_125_550_142_u64),
            json!("0013125550142"),
            json!("011 1 312 555 0142"),
            json!("tel:+1-312-555-0142;ext=7"),
            json!("+1 312\u{2011}555\u{2011}0142 x12"),
        ] {
            assert_eq!(as_phone(&value), number, "{value}");
        }
        for value in [
            json!("5550142"),
            json!("anonymous"),
            json!(null),
            json!("+1312555014a"),
            json!("client:anna"),
            json!("+1312555xxxx"),
            json!("+131255501xx"),
            json!("+44207946xxxx"),
            json!("+1312555"),
        ] {
            assert_eq!(as_phone(&value), None, "{value}");
        }
    }
}

//! The conversation ids in a delivery. Its body is not documented, so any text in it may be one.

use std::collections::BTreeSet;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ids::ConversationId;

/// The longest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// The longest text that counts as an id, in bytes; the vendor's ids have 36.
const MAX_ID_BYTES: usize = 64;

/// The most ids that are taken from one body.
const MAX_IDS: usize = 256;

/// The deepest nesting of arrays and objects that is searched.
const MAX_DEPTH: u8 = 16;

/// The distinct text values of a JSON body that could be conversation ids; none if the body is not JSON.
#[must_use]
pub fn candidate_ids(body: &[u8]) -> BTreeSet<ConversationId> {
    let mut found = BTreeSet::new();
    if body.len() > MAX_BODY_BYTES {
        return found;
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = TextCollector { found: &mut found, remaining_depth: MAX_DEPTH }
        .deserialize(&mut json)
        .and_then(|()| json.end());
    if read.is_err() {
        found.clear();
    }
    found
}

fn may_be_an_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Collects the texts of one JSON value without building the value.
struct TextCollector<'f> {
    found: &'f mut BTreeSet<ConversationId>,
    remaining_depth: u8,
}

impl TextCollector<'_> {
    /// A collector for the values inside; `None` if they are nested too deep.
    fn nested(&mut self) -> Option<TextCollector<'_>> {
        let remaining_depth = self.remaining_depth.checked_sub(1)?;
        Some(TextCollector { found: self.found, remaining_depth })
    }
}

impl<'de> DeserializeSeed<'de> for TextCollector<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextCollector<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if may_be_an_id(text) && self.found.len() < MAX_IDS {
            self.found.insert(ConversationId::written(text));
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
        while match self.nested() {
            Some(nested) => values.next_element_seed(nested)?.is_some(),
            None => values.next_element::<IgnoredAny>()?.is_some(),
        } {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key::<IgnoredAny>()?.is_some() {
            match self.nested() {
                Some(nested) => fields.next_value_seed(nested)?,
                None => fields.next_value::<IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &str) -> Vec<String> {
        candidate_ids(body.as_bytes()).iter().map(|id| id.as_str().to_owned()).collect()
    }

    #[test]
    fn an_id_is_found_anywhere_in_the_body() {
        let id = "0b1c7f0e-5a0e-4a56-9d0e-3f7c1c9f1a11";
        for body in [
            format!("\"{id}\""),
            format!(r#"{{"conversationId":"{id}"}}"#),
            format!(r#"{{"n":1.5,"ok":true,"none":null,"data":[[],{{"a":[-1,{{"id":"{id}"}}]}}]}}"#),
            format!(r#"{{"summary":"a text of several words","id":"{id}","again":"{id}"}}"#),
        ] {
            assert_eq!(texts(&body), [id], "{body}");
        }
    }

    #[test]
    fn a_malformed_body_has_no_ids() {
        let long = format!("\"{}\"", "x".repeat(MAX_ID_BYTES + 1));
        let big = format!("[\"c-1\",\"{}\"]", "x ".repeat(MAX_BODY_BYTES));
        let bottomless = "[".repeat(100_000);
        for body in
            ["", "{", "nonsense", "{\"a\":\"c-1\"", "[\"c-1\"] []", "\"\"", "\"\u{1}\"", &long, &big, &bottomless]
        {
            assert_eq!(texts(body), [""; 0], "{}", &body[..body.len().min(40)]);
        }
        assert_eq!(candidate_ids(b"\"\xff\xfe\""), BTreeSet::new());
    }

    #[test]
    fn texts_that_are_too_deep_or_too_many_are_left_out() {
        let nested = |depth: usize| format!("{}\"c-1\"{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(texts(&nested(MAX_DEPTH.into())), ["c-1"]);
        assert_eq!(texts(&nested(usize::from(MAX_DEPTH) + 1)), [""; 0]);
        let many: Vec<_> = (0..10_000).map(|n| format!("\"c-{n}\"")).collect();
        assert_eq!(texts(&format!("[{}]", many.join(","))).len(), MAX_IDS);
    }
}

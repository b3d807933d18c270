//! Which conversations a delivery may be about: its body is not documented, so any text in it may be an id.

use std::collections::BTreeSet;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::ids::ConversationId;

/// The longest body that is looked through, in bytes.
pub const BODY_AT_MOST: usize = 256 * 1024;

/// The longest text that is taken for an id; the vendor's have 36 characters.
const ID_AT_MOST: usize = 64;

/// The most different texts that are taken for ids.
const NAMED_AT_MOST: usize = 256;

/// How deep arrays and objects are looked into.
const DEPTH: u8 = 16;

/// Every text value of a JSON body that could be a conversation's id, once; none if the body is not JSON.
#[must_use]
pub fn named(body: &[u8]) -> BTreeSet<ConversationId> {
    let mut found = BTreeSet::new();
    if body.len() > BODY_AT_MOST {
        return found;
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Texts { found: &mut found, depth: DEPTH }.deserialize(&mut json).and_then(|()| json.end());
    if read.is_err() {
        found.clear();
    }
    found
}

fn may_be_an_id(text: &str) -> bool {
    (1..=ID_AT_MOST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Gathers texts from one value without building it.
struct Texts<'f> {
    found: &'f mut BTreeSet<ConversationId>,
    depth: u8,
}

impl Texts<'_> {
    /// For what is inside; `None` if that is too deep.
    fn inside(&mut self) -> Option<Texts<'_>> {
        let depth = self.depth.checked_sub(1)?;
        Some(Texts { found: self.found, depth })
    }
}

impl<'de> DeserializeSeed<'de> for Texts<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if may_be_an_id(text) && self.found.len() < NAMED_AT_MOST {
            self.found.insert(ConversationId::new(text));
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
        while match self.inside() {
            Some(inside) => values.next_element_seed(inside)?.is_some(),
            None => values.next_element::<IgnoredAny>()?.is_some(),
        } {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_key::<IgnoredAny>()?.is_some() {
            match self.inside() {
                Some(inside) => fields.next_value_seed(inside)?,
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
        named(body.as_bytes()).iter().map(|id| id.as_str().to_owned()).collect()
    }

    #[test]
    fn an_id_is_found_wherever_it_is() {
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
    fn garbage_names_nobody() {
        let long = format!("\"{}\"", "x".repeat(ID_AT_MOST + 1));
        let big = format!("[\"c-1\",\"{}\"]", "x ".repeat(BODY_AT_MOST));
        let bottomless = "[".repeat(100_000);
        for body in
            ["", "{", "nonsense", "{\"a\":\"c-1\"", "[\"c-1\"] []", "\"\"", "\"\u{1}\"", &long, &big, &bottomless]
        {
            assert_eq!(texts(body), [""; 0], "{}", &body[..body.len().min(40)]);
        }
        assert_eq!(named(b"\"\xff\xfe\""), BTreeSet::new());
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_left_out() {
        let nested = |depth: usize| format!("{}\"c-1\"{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(texts(&nested(DEPTH.into())), ["c-1"]);
        assert_eq!(texts(&nested(usize::from(DEPTH) + 1)), [""; 0]);
        let many: Vec<_> = (0..10_000).map(|n| format!("\"c-{n}\"")).collect();
        assert_eq!(texts(&format!("[{}]", many.join(","))).len(), NAMED_AT_MOST);
    }
}

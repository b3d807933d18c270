//! The length of a message.

/// A text's length as vendors count it: in Unicode scalar values.
#[must_use]
pub fn chars(text: &str) -> usize {
    text.chars().count()
}

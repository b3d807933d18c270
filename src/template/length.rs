//! The length limit of a message.

/// The vendor's limit for `context` and `voicemailMessage`, in characters (`annie-api.md`, POST /calls).
pub const MAX_CHARS: usize = 500;

/// A text's length as the vendor counts it: in Unicode scalar values.
#[must_use]
pub fn chars(text: &str) -> usize {
    text.chars().count()
}

//! One message of a conversation's transcript.

use std::fmt;

use chrono::{DateTime, Utc};

/// One message of a conversation's transcript. It holds what a patient said, so `Debug` masks it, and it is never kept.
#[derive(Clone, PartialEq, Eq)]
pub struct TranscriptMessage {
    /// The vendor's word for the speaker; `None` if it names none.
    pub role: Option<String>,
    /// What was said; `None` if the vendor shows no text.
    pub text: Option<String>,
    /// When it was said; `None` if missing or not an instant.
    pub at: Option<DateTime<Utc>>,
}

impl fmt::Debug for TranscriptMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TranscriptMessage(masked)")
    }
}

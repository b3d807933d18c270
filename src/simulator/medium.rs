//! The `medium` of a conversation.

use serde::{Deserialize, Serialize};

/// The kind of a conversation, `medium` in the contract. The serialised words are the call log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SimulatedMedium {
    /// A phone call.
    #[default]
    Voice,
    /// Text messages.
    Sms,
    /// A chat.
    Chat,
    /// A messaging service that the contract does not name.
    Whatsapp,
    /// E-mail.
    Email,
    /// The vendor sends no medium.
    Untold,
}

impl SimulatedMedium {
    /// Whether it is a phone call.
    #[must_use]
    pub fn is_voice(&self) -> bool {
        *self == Self::Voice
    }
}

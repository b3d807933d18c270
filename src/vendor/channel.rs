//! The channel of a conversation: phone call or text; and the vendor's word for it.

/// How the two sides of a conversation talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A phone call: what a [`CallRequest`](super::CallRequest) asks for.
    Voice,
    /// Not a phone call: text messages, a chat.
    Text,
    /// Nothing seen so far tells.
    Unknown,
}

/// The `medium` of a conversation: the vendor's word for its channel, in capitals. Which word a phone call has is not
/// documented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Medium(Option<String>);

impl Medium {
    /// The longest word that is kept, in characters.
    const MAX_CHARS: usize = 40;

    /// Reads a row's `medium`; a missing or blank one is no word.
    #[must_use]
    pub fn read(word: Option<&str>) -> Self {
        let word = word.map(|word| word.trim().chars().take(Self::MAX_CHARS).collect::<String>().to_uppercase());
        Self(word.filter(|word| !word.is_empty()))
    }

    /// The word, if the vendor sent one.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The channel that the word itself names.
    #[must_use]
    pub fn named_channel(&self) -> Channel {
        const CALL_WORDS: [&str; 5] = ["VOICE", "CALL", "PHONE", "TELEPHON", "PSTN"];
        match self.word() {
            Some("SMS" | "CHAT") => Channel::Text,
            Some(word) if CALL_WORDS.iter().any(|call_word| word.contains(call_word)) => Channel::Voice,
            Some(_) | None => Channel::Unknown,
        }
    }
}

//! The bearer token of the vendor's deliveries.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The webhook's `authToken`, which a delivery must carry. Never shown.
#[derive(Clone)]
pub struct WebhookToken(SecretString);

/// Why a text is not a usable token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookTokenError {
    /// The text is empty or blank.
    #[error("it is empty")]
    Empty,
    /// No header can carry the text.
    #[error("it holds a space or a character that no header can carry: copy it again")]
    Unusable,
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookToken(masked)")
    }
}

impl WebhookToken {
    /// Parses a token; surrounding white space is removed.
    pub fn parse(text: &str) -> Result<Self, WebhookTokenError> {
        let text = text.trim();
        match text.bytes().all(|byte| byte.is_ascii_graphic()) {
            _ if text.is_empty() => Err(WebhookTokenError::Empty),
            true => Ok(Self(text.into())),
            false => Err(WebhookTokenError::Unusable),
        }
    }

    /// Whether an `Authorization` header carries this token. The comparison takes constant time, so that the token
    /// cannot be guessed character by character.
    #[must_use]
    pub fn matches_header(&self, authorization: &[u8]) -> bool {
        let (scheme, token) = authorization.split_at_checked(BEARER.len()).unwrap_or_default();
        let is_same = token.ct_eq(self.0.expose_secret().as_bytes());
        scheme.eq_ignore_ascii_case(BEARER) && is_same.into()
    }
}

/// The authentication scheme, with the space after it.
const BEARER: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_header_with_the_token_matches() {
        let token = WebhookToken::parse(" s3cret-token\n").expect("a token");
        for (header, expected) in [
            ("Bearer s3cret-token", true),
            ("bearer s3cret-token", true),
            ("Bearer s3cret-tokeN", false),
            ("Bearer s3cret-toke", false),
            ("Bearer s3cret-token2", false),
            ("Bearer  s3cret-token", false),
            ("Bearer ", false),
            ("Bearer", false),
            ("", false),
            ("s3cret-token", false),
            ("Basics s3cret-token", false),
        ] {
            assert_eq!(token.matches_header(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn a_text_that_no_header_can_carry_is_refused() {
        for (text, problem) in [
            ("", WebhookTokenError::Empty),
            (" \n", WebhookTokenError::Empty),
            ("a b", WebhookTokenError::Unusable),
            ("é", WebhookTokenError::Unusable),
        ] {
            assert_eq!(WebhookToken::parse(text).err(), Some(problem), "{text:?}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let token = WebhookToken::parse("s3cret-token").expect("a token");
        assert!(!format!("{token:?}").contains("s3cret"));
    }
}

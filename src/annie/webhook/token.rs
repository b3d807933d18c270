//! The token that the vendor's deliveries carry.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// What proves that a delivery is the vendor's: the webhook's `authToken`. It is never shown.
#[derive(Clone)]
pub struct WebhookToken(SecretString);

/// Why a text is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookTokenProblem {
    /// Nothing, or blank.
    #[error("it is empty")]
    Empty,
    /// No header can carry it.
    #[error("it holds a space or a character that no header can carry: copy it again")]
    Unusable,
}

impl fmt::Debug for WebhookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookToken(masked)")
    }
}

impl WebhookToken {
    /// Takes a token; white space around it is cut off.
    pub fn parse(text: &str) -> Result<Self, WebhookTokenProblem> {
        let text = text.trim();
        match text.bytes().all(|byte| byte.is_ascii_graphic()) {
            _ if text.is_empty() => Err(WebhookTokenProblem::Empty),
            true => Ok(Self(text.into())),
            false => Err(WebhookTokenProblem::Unusable),
        }
    }

    /// Whether an `Authorization` header is this token's. How long that takes depends on no character of the token, so
    /// that nobody can find it out one by one.
    #[must_use]
    pub fn is_borne_by(&self, authorization: &[u8]) -> bool {
        let (scheme, given) = authorization.split_at_checked(BEARER.len()).unwrap_or_default();
        let matches = given.ct_eq(self.0.expose_secret().as_bytes());
        scheme.eq_ignore_ascii_case(BEARER) && matches.into()
    }
}

/// The scheme, and the space after it.
const BEARER: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_header_bears_a_token() {
        let token = WebhookToken::parse(" s3cret-token\n").expect("a token");
        for (header, is_ours) in [
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
            assert_eq!(token.is_borne_by(header.as_bytes()), is_ours, "{header}");
        }
    }

    #[test]
    fn what_no_header_can_carry_is_no_token() {
        for (text, problem) in [
            ("", WebhookTokenProblem::Empty),
            (" \n", WebhookTokenProblem::Empty),
            ("a b", WebhookTokenProblem::Unusable),
            ("é", WebhookTokenProblem::Unusable),
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

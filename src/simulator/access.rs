//! Access: API keys, and OAuth tokens until they expire (`annie-api.md`, Basics).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::seeded_rng::SeededRng;
use super::settings::{AccessRules, OAuthClient};

/// The prefix of the simulator's tokens. A token with it is accepted only if it was issued and has not expired.
const TOKEN_PREFIX: &str = "annie-sim-token-";

/// Checks credentials, and issues tokens.
#[derive(Debug)]
pub struct Access {
    rules: AccessRules,
    rng: SeededRng,
    /// Tokens, and when they expire.
    tokens: HashMap<String, DateTime<Utc>>,
}

/// The response to a valid token request; it has no envelope.
#[derive(Serialize, PartialEq, Eq)]
pub struct TokenResponse {
    #[serde(rename = "access_token")]
    text: String,
    #[serde(rename = "token_type")]
    kind: &'static str,
    /// The lifetime in seconds.
    expires_in: i64,
}

/// Why a token request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenDenied {
    /// The body is not a JSON request for client credentials: 400.
    NotARequest,
    /// The client is unknown: 401.
    UnknownClient,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

impl Access {
    /// Access by `rules`. Tokens follow from `seed` and differ between organisations.
    #[must_use]
    pub fn new(rules: AccessRules, seed: u64, organisation: &str) -> Self {
        let rng = SeededRng::new(seed).derive_text("tokens").derive_text(organisation);
        Self { rules, rng, tokens: HashMap::new() }
    }

    /// Whether the value of an `Authorization` header is valid at `now`.
    #[must_use]
    pub fn admits(&self, now: DateTime<Utc>, authorization: Option<&str>) -> bool {
        let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) else { return false };
        if token.starts_with(TOKEN_PREFIX) {
            return self.tokens.get(token).is_some_and(|end| now < *end);
        }
        let is_key = |keys: &Vec<secrecy::SecretString>| keys.iter().any(|key| key.expose_secret() == token);
        !token.trim().is_empty() && self.rules.keys.as_ref().is_none_or(is_key)
    }

    /// Whether the body of a `POST /oauth/token` names a known client.
    #[must_use]
    pub fn knows_client(&self, body: &[u8]) -> bool {
        TokenRequest::parse(body).is_ok_and(|request| self.is_known(&request))
    }

    /// Issues a token for the body of a `POST /oauth/token`.
    pub fn issue(&mut self, now: DateTime<Utc>, body: &[u8]) -> Result<TokenResponse, TokenDenied> {
        if !self.is_known(&TokenRequest::parse(body)?) {
            return Err(TokenDenied::UnknownClient);
        }
        let text = format!("{TOKEN_PREFIX}{}", self.rng.uuid().simple());
        self.tokens.retain(|_, end| now < *end);
        self.tokens.insert(text.clone(), now + self.rules.expires_in);
        Ok(TokenResponse { text, kind: "Bearer", expires_in: self.rules.expires_in.num_seconds() })
    }

    fn is_known(&self, request: &TokenRequest) -> bool {
        let matches = |client: &OAuthClient| {
            client.id == request.client_id && client.secret.expose_secret() == request.client_secret
        };
        self.rules.clients.as_ref().is_none_or(|clients| clients.iter().any(matches))
    }
}

impl TokenRequest {
    fn parse(body: &[u8]) -> Result<Self, TokenDenied> {
        let request: Self = serde_json::from_slice(body).map_err(|_| TokenDenied::NotARequest)?;
        if request.grant_type == "client_credentials" { Ok(request) } else { Err(TokenDenied::NotARequest) }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use secrecy::SecretString;

    use super::*;

    const ASK: &str = r#"{"grant_type":"client_credentials","client_id":"practice","client_secret":"s3cret","audience":"https://api.helloannie.com"}"#;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn strict() -> Access {
        let client = OAuthClient { id: "practice".into(), secret: SecretString::from("s3cret") };
        let keys = Some(vec![SecretString::from("annie-sk-v1-good")]);
        Access::new(AccessRules { keys, clients: Some(vec![client]), expires_in: TimeDelta::seconds(100) }, 1, "one")
    }

    #[test]
    fn without_rules_any_bearer_token_is_accepted() {
        let access = Access::new(AccessRules::default(), 1, "one");
        let cases = [(Some("Bearer x"), true), (Some("Bearer "), false), (Some("Basic x"), false), (None, false)];
        for (header, good) in cases {
            assert_eq!(access.admits(at(0), header), good, "{header:?}");
        }
    }

    #[test]
    fn with_keys_only_those_are_accepted() {
        assert!(strict().admits(at(0), Some("Bearer annie-sk-v1-good")));
        assert!(!strict().admits(at(0), Some("Bearer annie-sk-v1-bad")));
        assert!(!strict().admits(at(0), Some("Bearer annie-sim-token-made-up")));
    }

    #[test]
    fn a_token_is_valid_until_it_expires() {
        let mut access = strict();
        let token = access.issue(at(0), ASK.as_bytes()).map_err(|_| "no token").expect("a token");
        let header = format!("Bearer {}", token.text);
        assert_eq!(token.expires_in, 100);
        assert!(access.admits(at(99), Some(&header)));
        assert!(!access.admits(at(100), Some(&header)));
    }

    #[test]
    fn a_token_needs_a_valid_request_by_a_known_client() {
        let cases = [
            (ASK.replace("s3cret", "guess"), TokenDenied::UnknownClient),
            (ASK.replace("client_credentials", "password"), TokenDenied::NotARequest),
            ("grant_type=client_credentials".to_string(), TokenDenied::NotARequest),
        ];
        for (body, expected) in cases {
            assert_eq!(strict().issue(at(0), body.as_bytes()).err(), Some(expected));
        }
    }
}

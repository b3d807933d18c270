//! Who may ask: API keys, and OAuth tokens for as long as they last (`annie-api.md`, Basics).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use super::dice::Dice;
use super::settings::{AccessRules, OAuthClient};

/// What our tokens begin with: one that begins like this is accepted only while it lasts.
const PREFIX: &str = "annie-sim-token-";

/// The door-keeper.
#[derive(Debug)]
pub struct Access {
    rules: AccessRules,
    dice: Dice,
    /// Tokens and when they end.
    tokens: HashMap<String, DateTime<Utc>>,
}

/// The answer to a good request for a token; it has no envelope.
#[derive(Serialize, PartialEq, Eq)]
pub struct Token {
    #[serde(rename = "access_token")]
    text: String,
    #[serde(rename = "token_type")]
    kind: &'static str,
    /// Seconds.
    expires_in: i64,
}

/// Why there is no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoToken {
    /// The body is no JSON request for client credentials: 400.
    NotARequest,
    /// The client is not known: 401.
    UnknownClient,
}

#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_id: String,
    client_secret: String,
}

impl Access {
    /// Accepts what `rules` say; tokens follow from `seed`, and are others for each organisation.
    #[must_use]
    pub fn new(rules: AccessRules, seed: u64, organisation: &str) -> Self {
        let dice = Dice::new(seed).under_text("tokens").under_text(organisation);
        Self { rules, dice, tokens: HashMap::new() }
    }

    /// Whether the value of an `Authorization` header is good at `now`.
    #[must_use]
    pub fn admits(&self, now: DateTime<Utc>, authorization: Option<&str>) -> bool {
        let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) else { return false };
        if token.starts_with(PREFIX) {
            return self.tokens.get(token).is_some_and(|end| now < *end);
        }
        let is_key = |keys: &Vec<secrecy::SecretString>| keys.iter().any(|key| key.expose_secret() == token);
        !token.trim().is_empty() && self.rules.keys.as_ref().is_none_or(is_key)
    }

    /// Whether a `POST /oauth/token` with this body names a client of ours.
    #[must_use]
    pub fn knows_client(&self, body: &[u8]) -> bool {
        TokenRequest::of(body).is_ok_and(|request| self.is_ours(&request))
    }

    /// Issues a token for a `POST /oauth/token` with this body.
    pub fn issue(&mut self, now: DateTime<Utc>, body: &[u8]) -> Result<Token, NoToken> {
        if !self.is_ours(&TokenRequest::of(body)?) {
            return Err(NoToken::UnknownClient);
        }
        let text = format!("{PREFIX}{}", self.dice.uuid().simple());
        self.tokens.retain(|_, end| now < *end);
        self.tokens.insert(text.clone(), now + self.rules.expires_in);
        Ok(Token { text, kind: "Bearer", expires_in: self.rules.expires_in.num_seconds() })
    }

    fn is_ours(&self, request: &TokenRequest) -> bool {
        let is_named = |client: &OAuthClient| {
            client.id == request.client_id && client.secret.expose_secret() == request.client_secret
        };
        self.rules.clients.as_ref().is_none_or(|clients| clients.iter().any(is_named))
    }
}

impl TokenRequest {
    fn of(body: &[u8]) -> Result<Self, NoToken> {
        let request: Self = serde_json::from_slice(body).map_err(|_| NoToken::NotARequest)?;
        if request.grant_type == "client_credentials" { Ok(request) } else { Err(NoToken::NotARequest) }
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
    fn without_rules_any_bearer_token_will_do() {
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
    fn a_token_is_good_until_it_ends() {
        let mut access = strict();
        let token = access.issue(at(0), ASK.as_bytes()).map_err(|_| "no token").expect("a token");
        let header = format!("Bearer {}", token.text);
        assert_eq!(token.expires_in, 100);
        assert!(access.admits(at(99), Some(&header)));
        assert!(!access.admits(at(100), Some(&header)));
    }

    #[test]
    fn a_token_has_to_be_asked_for_well_and_by_a_known_client() {
        let cases = [
            (ASK.replace("s3cret", "guess"), NoToken::UnknownClient),
            (ASK.replace("client_credentials", "password"), NoToken::NotARequest),
            ("grant_type=client_credentials".to_string(), NoToken::NotARequest),
        ];
        for (body, expected) in cases {
            assert_eq!(strict().issue(at(0), body.as_bytes()).err(), Some(expected));
        }
    }
}

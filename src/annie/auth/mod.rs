//! Credentials: what proves to the vendor who we are (`annie-api.md`, Basics).
//!
//! Either an API key, which is sent as it is, or an OAuth client, for which [`Tokens`] fetches, keeps and renews a token.
//! No key, secret or token is ever shown: not in `Debug`, not in an error, not in a log.

mod key_file;
mod tokens;

pub use key_file::KeyFileProblem;
pub use tokens::{Bearer, NoToken, Rejected, Tokens};

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

/// For whom the vendor's tokens are made out.
pub const AUDIENCE: &str = "https://api.helloannie.com";

/// What proves who we are.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A long-lived key.
    ApiKey(SecretString),
    /// A client that fetches tokens.
    ClientCredentials(ClientCredentials),
}

/// An OAuth 2.0 client.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: SecretString,
    /// Where tokens are fetched. If not given: the vendor's endpoint, or `/oauth/token` beside an API on this machine.
    pub token_url: Option<String>,
    /// `audience`.
    pub audience: String,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsProblem {
    /// Nothing was given.
    #[error(
        "no credentials: set ANNIE_API_KEY, or ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or name a key file in the campaign"
    )]
    Missing,
    /// A key and a client.
    #[error("both an API key and a client were given: unset ANNIE_API_KEY, or ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET")]
    Ambiguous,
    /// A client without its secret.
    #[error("ANNIE_CLIENT_ID is set but ANNIE_CLIENT_SECRET is not: set both")]
    NoSecret,
    /// A secret without its client.
    #[error("ANNIE_CLIENT_SECRET is set but ANNIE_CLIENT_ID is not: set both")]
    NoClient,
    /// A key that no header can carry.
    #[error("the {0} holds a space or a character that no key has: copy it again")]
    Unusable(&'static str),
    /// The key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileProblem),
}

impl Credentials {
    /// Credentials from texts that may be missing; a blank one counts as missing, and white space around one is cut off.
    pub fn from_parts(
        api_key: Option<String>,
        client_id: Option<String>,
        client_secret: Option<String>,
        token_url: Option<String>,
    ) -> Result<Self, CredentialsProblem> {
        match (given(api_key), given(client_id), given(client_secret)) {
            (Some(key), None, None) => Self::api_key(&key),
            (None, Some(id), Some(secret)) => Self::client(&id, &secret, given(token_url)),
            (None, None, None) => Err(CredentialsProblem::Missing),
            (None, Some(_), None) => Err(CredentialsProblem::NoSecret),
            (None, None, Some(_)) => Err(CredentialsProblem::NoClient),
            (Some(_), _, _) => Err(CredentialsProblem::Ambiguous),
        }
    }

    /// The API key that the file at `path` holds. On Unix, nobody but its owner may have any access to it.
    pub fn from_key_file(path: &Path) -> Result<Self, CredentialsProblem> {
        Self::api_key(&key_file::read(path)?)
    }

    fn api_key(key: &SecretString) -> Result<Self, CredentialsProblem> {
        usable(key, "API key").map(Self::ApiKey)
    }

    fn client(
        id: &SecretString,
        secret: &SecretString,
        token_url: Option<SecretString>,
    ) -> Result<Self, CredentialsProblem> {
        Ok(Self::ClientCredentials(ClientCredentials {
            id: usable(id, "client id")?.expose_secret().to_owned(),
            secret: usable(secret, "client secret")?,
            token_url: token_url.map(|url| url.expose_secret().to_owned()),
            audience: AUDIENCE.to_owned(),
        }))
    }
}

fn given(text: Option<String>) -> Option<SecretString> {
    text.map(SecretString::from).filter(|text| !text.expose_secret().trim().is_empty())
}

fn usable(text: &SecretString, name: &'static str) -> Result<SecretString, CredentialsProblem> {
    let trimmed = text.expose_secret().trim();
    let good = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| SecretString::from(trimmed)).ok_or(CredentialsProblem::Unusable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(key: &str, id: &str, secret: &str) -> Result<Credentials, CredentialsProblem> {
        let part = |text: &str| Some(text.to_owned()).filter(|text| text != "-");
        Credentials::from_parts(part(key), part(id), part(secret), None)
    }

    #[test]
    fn a_key_or_a_client_makes_credentials() {
        let key = parts(" annie-sk-v1-abc\n", "-", "").expect("a key");
        assert!(matches!(key, Credentials::ApiKey(key) if key.expose_secret() == "annie-sk-v1-abc"));
        let client = parts(" ", "me", "s3cret\r\n").expect("a client");
        let Credentials::ClientCredentials(client) = client else { panic!("a client") };
        assert_eq!((client.id.as_str(), client.secret.expose_secret()), ("me", "s3cret"));
        assert_eq!((client.token_url, client.audience.as_str()), (None, AUDIENCE));
    }

    #[test]
    fn anything_else_names_what_is_wrong_and_no_value() {
        for (key, id, secret, said) in [
            ("-", "-", "-", "no credentials: set ANNIE_API_KEY"),
            ("", " ", "", "no credentials: set ANNIE_API_KEY"),
            ("k3y", "me", "s3cret", "both an API key and a client"),
            ("k3y", "me", "-", "both an API key and a client"),
            ("-", "me", "-", "ANNIE_CLIENT_SECRET is not"),
            ("-", "-", "s3cret", "ANNIE_CLIENT_ID is not"),
            ("k3y k3y", "-", "-", "the API key holds a space"),
            ("k3y\u{e9}", "-", "-", "the API key holds a space"),
            ("-", "me", "s3cret\u{0}", "the client secret holds"),
        ] {
            let problem = parts(key, id, secret).expect_err(said).to_string();
            assert!(problem.contains(said), "{problem}");
            assert!(!problem.contains("k3y") && !problem.contains("s3cret"), "{problem}");
        }
    }

    #[test]
    fn credentials_are_masked_when_debugged() {
        for credentials in [parts("k3y", "-", "-"), parts("-", "me", "s3cret")] {
            let shown = format!("{:?}", credentials.expect("credentials"));
            assert!(!shown.contains("k3y") && !shown.contains("s3cret"), "{shown}");
        }
    }
}

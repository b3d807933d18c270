//! Credentials: an API key or an OAuth client, from texts or from a key file.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::vendor::http::key_file::{self, KeyFileError};

/// The `audience` of the vendor's tokens.
pub const AUDIENCE: &str = "https://api.helloannie.com";

/// An organisation's credentials.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A long-lived key.
    ApiKey(SecretString),
    /// An OAuth client that fetches tokens.
    ClientCredentials(ClientCredentials),
}

/// An OAuth 2.0 client with the client-credentials grant.
#[derive(Debug, Clone)]
pub struct ClientCredentials {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: SecretString,
    /// Where tokens are fetched. Default: the vendor's endpoint, or `/oauth/token` on the same host for a loopback API.
    pub token_url: Option<String>,
    /// `audience`.
    pub audience: String,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Neither a key nor a client was given.
    #[error(
        "no credentials: set ANNIE_API_KEY, or ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or name a key file in the campaign"
    )]
    Missing,
    /// Both a key and a client were given.
    #[error("both an API key and a client were given: unset ANNIE_API_KEY, or ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET")]
    Ambiguous,
    /// A client id without its secret.
    #[error("ANNIE_CLIENT_ID is set but ANNIE_CLIENT_SECRET is not: set both")]
    NoSecret,
    /// A secret without its client id.
    #[error("ANNIE_CLIENT_SECRET is set but ANNIE_CLIENT_ID is not: set both")]
    NoClient,
    /// A key, client id or secret that no header can carry; the field names which.
    #[error("the {0} holds a space or a character that no key has: copy it again")]
    Unusable(&'static str),
    /// The key file was not read.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
}

impl Credentials {
    /// Credentials from optional texts. A blank text counts as missing; surrounding white space is removed.
    pub fn from_parts(
        api_key: Option<String>,
        client_id: Option<String>,
        client_secret: Option<String>,
        token_url: Option<String>,
    ) -> Result<Self, CredentialsError> {
        match (not_blank(api_key), not_blank(client_id), not_blank(client_secret)) {
            (Some(key), None, None) => Self::api_key(&key),
            (None, Some(id), Some(secret)) => Self::client(&id, &secret, not_blank(token_url)),
            (None, None, None) => Err(CredentialsError::Missing),
            (None, Some(_), None) => Err(CredentialsError::NoSecret),
            (None, None, Some(_)) => Err(CredentialsError::NoClient),
            (Some(_), _, _) => Err(CredentialsError::Ambiguous),
        }
    }

    /// The API key in the file at `path`. On Unix, only the file's owner may have access to it.
    pub fn from_key_file(path: &Path) -> Result<Self, CredentialsError> {
        Self::api_key(&key_file::read(path)?)
    }

    fn api_key(key: &SecretString) -> Result<Self, CredentialsError> {
        checked(key, "API key").map(Self::ApiKey)
    }

    fn client(
        id: &SecretString,
        secret: &SecretString,
        token_url: Option<SecretString>,
    ) -> Result<Self, CredentialsError> {
        Ok(Self::ClientCredentials(ClientCredentials {
            id: checked(id, "client id")?.expose_secret().to_owned(),
            secret: checked(secret, "client secret")?,
            token_url: token_url.map(|url| url.expose_secret().to_owned()),
            audience: AUDIENCE.to_owned(),
        }))
    }
}

fn not_blank(text: Option<String>) -> Option<SecretString> {
    text.map(SecretString::from).filter(|text| !text.expose_secret().trim().is_empty())
}

fn checked(text: &SecretString, name: &'static str) -> Result<SecretString, CredentialsError> {
    let trimmed = text.expose_secret().trim();
    let is_usable = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_graphic());
    is_usable.then(|| SecretString::from(trimmed)).ok_or(CredentialsError::Unusable(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(key: &str, id: &str, secret: &str) -> Result<Credentials, CredentialsError> {
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
    fn anything_else_is_refused_without_showing_a_value() {
        for (key, id, secret, expected) in [
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
            let problem = parts(key, id, secret).expect_err(expected).to_string();
            assert!(problem.contains(expected), "{problem}");
            assert!(!problem.contains("k3y") && !problem.contains("s3cret"), "{problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_key_of_a_file_is_checked_like_any_other() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "").expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        let from_file = |content: &str| {
            std::fs::write(&path, content).expect("a file");
            Credentials::from_key_file(&path)
        };
        assert!(matches!(from_file("k3y\n"), Ok(Credentials::ApiKey(key)) if key.expose_secret() == "k3y"));
        let problem = from_file("k3ÿ").expect_err("no header can carry it").to_string();
        assert!(problem.contains("the API key holds a space") && !problem.contains("k3"), "{problem}");
    }

    #[test]
    fn credentials_are_masked_when_debugged() {
        for credentials in [parts("k3y", "-", "-"), parts("-", "me", "s3cret")] {
            let shown = format!("{:?}", credentials.expect("credentials"));
            assert!(!shown.contains("k3y") && !shown.contains("s3cret"), "{shown}");
        }
    }
}

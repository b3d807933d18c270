//! Credentials and tokens: what proves our identity to the vendor (`annie-api.md`, Basics).
//!
//! Either an API key, which is sent as it is, or an OAuth client, for which [`TokenProvider`] fetches, keeps and renews
//! a token. No key, secret or token is ever shown: not in `Debug`, not in an error, not in a log.

mod credentials;
mod tokens;

pub use credentials::{AUDIENCE, ClientCredentials, Credentials, CredentialsError};
pub use tokens::{Bearer, NoToken, RejectedToken, TokenProvider};

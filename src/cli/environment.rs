//! The environment variables that configure the program.

/// Overrides the API's address.
pub(super) const BASE_URL: &str = "ANNIE_BASE_URL";

/// The token (`authToken`) of the vendor's webhooks.
pub(super) const WEBHOOK_TOKEN: &str = "ANNIE_WEBHOOK_TOKEN";

/// The credentials: API key, OAuth client id and client secret. Where a campaign has several organisations, each of
/// them appends its suffix to these names.
pub(super) const CREDENTIALS: [&str; 3] = ["ANNIE_API_KEY", "ANNIE_CLIENT_ID", "ANNIE_CLIENT_SECRET"];

/// The value of a variable that is set and not blank.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

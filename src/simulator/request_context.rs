//! What the server decides about a request before its endpoint handles it, and the paths that it treats differently.

use chrono::{DateTime, Utc};

/// The instant and the fault of one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestContext {
    /// When the request is handled, on the simulator's clock.
    pub(super) now: DateTime<Utc>,
    /// The machine word of the fault that will hit the response.
    pub(super) fault_name: Option<&'static str>,
}

/// Whether a path is the token endpoint, which needs no token and has no request budget.
pub(super) fn is_token_path(path: &str) -> bool {
    path.strip_prefix("/v1").unwrap_or(path) == "/oauth/token"
}

/// Whether a path is the calls endpoint.
pub(super) fn is_calls_path(path: &str) -> bool {
    path.strip_prefix("/v1").unwrap_or(path) == "/calls"
}

//! A response: its value, its rate-limit headers and the vendor's clock; and why a read failed.

use chrono::{DateTime, Utc};

/// The value of a response, and its headers.
#[derive(Debug, Clone, PartialEq)]
pub struct Response<T> {
    /// The body's meaning, or why there is none.
    pub value: T,
    /// The request budget, as the vendor counts it.
    pub rate_headers: RateHeaders,
    /// The vendor's clock when it answered, from `Date`.
    pub date: Option<DateTime<Utc>>,
}

impl<T> Response<T> {
    /// A response without headers, or a request that got no response.
    #[must_use]
    pub fn bare(value: T) -> Self {
        Self { value, rate_headers: RateHeaders::default(), date: None }
    }
}

/// The request budget in a response's headers. Any part may be missing. Instants are on our clock: where the response's
/// `Date` shows that the vendor's clock differs, they are shifted by the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateHeaders {
    /// Requests per minute.
    pub limit: Option<u32>,
    /// Requests left in this window.
    pub remaining: Option<u32>,
    /// When the window ends.
    pub reset: Option<DateTime<Utc>>,
    /// The instant before which the vendor wants no request.
    pub retry_at: Option<DateTime<Utc>>,
    /// The status was 429.
    pub exhausted: bool,
}

/// Why a read failed. Reads may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No connection was established.
    #[error("no connection to the vendor")]
    Unreachable,
    /// The connection broke, or no response came in time.
    #[error("the vendor did not answer")]
    NoAnswer,
    /// An HTML page instead of JSON, with this status.
    #[error("a web page answered in the vendor's place (status {0})")]
    WebPage(u16),
    /// 429.
    #[error("the vendor's rate limit was reached")]
    RateLimited,
    /// 401 even with renewed credentials, or 403.
    #[error("the vendor did not accept our credentials (status {0})")]
    Unauthorised(u16),
    /// 404.
    #[error("the vendor has no such conversation")]
    NotFound,
    /// Any other status.
    #[error("the vendor answered with status {0}")]
    Status(u16),
    /// 2xx with a body longer than the limit. A smaller page may fit.
    #[error("the vendor's answer is too long")]
    TooLong,
    /// 2xx with a body that does not match the contract.
    #[error("the vendor's answer could not be read")]
    Unreadable,
}

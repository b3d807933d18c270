//! Outages by cause: the same words in a run's output and in `doctor`.

use std::fmt;

use serde::Serialize;

use crate::vendor::ReadError;

/// Why the vendor cannot be read, judging by what came instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// No connection: refused, no such host, no route.
    Network,
    /// It answers with errors, with nothing, or with something unreadable.
    Vendor,
    /// A web page for people: from a proxy, or from the vendor during maintenance.
    WebPage,
    /// Nothing at the address has the API's paths.
    Address,
}

impl Outage {
    /// The outage that a failed read shows; `None` where the cause is our request rate, our credentials or the id.
    #[must_use]
    pub fn from_read_error(error: ReadError) -> Option<Self> {
        match error {
            ReadError::Unreachable => Some(Self::Network),
            ReadError::WebPage(_) => Some(Self::WebPage),
            ReadError::Status(404) => Some(Self::Address),
            ReadError::NoAnswer | ReadError::Status(_) | ReadError::Unreadable | ReadError::TooLong => {
                Some(Self::Vendor)
            }
            ReadError::RateLimited | ReadError::Unauthorised(_) | ReadError::NotFound => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Network => "look at this machine's network",
            Self::Vendor => "wait for the vendor to fix it",
            Self::WebPage => "look at the proxy on the way, or wait until the vendor's maintenance is over",
            Self::Address => "look at ANNIE_BASE_URL",
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Network => "no connection to the vendor",
            Self::Vendor => "the vendor does not answer as it should",
            Self::WebPage => "a web page answers in the vendor's place",
            Self::Address => "nothing at the API's address answers like Annie (status 404)",
        })
    }
}

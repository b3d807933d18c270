//! Outages, by what is out: one vocabulary for a run's lines and for `doctor`.

use std::fmt;

use serde::Serialize;

use crate::annie::Unread;

/// Why nothing of the vendor's can be read, as far as what came instead tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outage {
    /// No connection: refused, no such host, no route.
    Network,
    /// It answers, but with errors, with nothing, or with what cannot be read.
    Vendor,
    /// A page for people: a proxy's, or the vendor's while it is being maintained.
    WebPage,
    /// Nothing at the address knows the API's paths.
    Address,
}

impl Outage {
    /// What is out when a read brought this; `None` where nothing is: our pace, our credentials.
    #[must_use]
    pub fn of(unread: Unread) -> Option<Self> {
        match unread {
            Unread::Unreachable => Some(Self::Network),
            Unread::WebPage(_) => Some(Self::WebPage),
            Unread::Status(404) => Some(Self::Address),
            Unread::NoAnswer | Unread::Status(_) | Unread::Unreadable | Unread::TooLong => Some(Self::Vendor),
            Unread::RateLimited | Unread::Unauthorised(_) | Unread::NotFound => None,
        }
    }

    /// Where to look.
    #[must_use]
    pub fn way_out(self) -> &'static str {
        match self {
            Self::Network => "look at this machine's network",
            Self::Vendor => "it is the vendor's to mend",
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

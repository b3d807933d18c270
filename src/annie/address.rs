//! Where requests go: an address that is safe to send credentials and patients' data to.

use std::fmt::{self, Display};
use std::net::IpAddr;

use reqwest::Url;

/// The vendor's API (`annie-api.md`, Basics).
pub const ANNIE: &str = "https://api.helloannie.com/v1";

/// The vendor's token endpoint (`annie-api.md`, Basics).
pub const ANNIE_TOKENS: &str = "https://annie-external-api.us.auth0.com/oauth/token";

/// An address that requests may be sent to: https, or http on this machine; no user name, query or fragment.
///
/// It is taken literally: `https://api.helloannie.com/v1` + `calls` is `https://api.helloannie.com/v1/calls`.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is not such an address. It never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// Not an address at all, or one of another kind.
    #[error("not an address in the form {ANNIE}")]
    NotAnAddress,
    /// Plain http to another machine.
    #[error("plain http is for addresses on this machine only (127.0.0.1, ::1, localhost): use https")]
    PlainHttp,
    /// A user name, password, query or fragment.
    #[error("an address here has no user name, query or fragment: remove what is before @ or after ? or #")]
    Cluttered,
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, AddressProblem> {
        let url = Url::parse(text.trim()).map_err(|_| AddressProblem::NotAnAddress)?;
        let cluttered =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        match url.scheme() {
            _ if url.host().is_none() => Err(AddressProblem::NotAnAddress),
            _ if cluttered => Err(AddressProblem::Cluttered),
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(AddressProblem::PlainHttp),
            _ => Err(AddressProblem::NotAnAddress),
        }
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// This address with `segments` behind it, each escaped to stay one segment. `None` if one cannot be: an empty one or
    /// a path's dots would lead to another resource.
    #[must_use]
    pub fn at(&self, segments: &[&str]) -> Option<Self> {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = self.0.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
        Some(Self(url))
    }

    /// This address with query parameters, all of them numbers.
    #[must_use]
    pub fn asking(mut self, parameters: &[(&str, &dyn Display)]) -> Self {
        for (name, value) in parameters {
            self.0.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// The address of `path` at the same host and port.
    #[must_use]
    pub fn elsewhere(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(path);
        Self(url)
    }

    /// The address as a URL.
    #[must_use]
    pub fn url(&self) -> Url {
        self.0.clone()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.0.host_str().unwrap_or_default())
    }
}

/// 127.0.0.0/8, `::1` and `localhost`.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_goes_anywhere_and_http_stays_on_this_machine() {
        for text in [
            ANNIE,
            ANNIE_TOKENS,
            "https://localhost:8443/v1",
            "http://127.0.0.1:8080/v1",
            "http://127.8.9.10",
            "http://[::1]:8080/v1/",
            "http://localhost:8080",
            " http://LOCALHOST:8080\n",
        ] {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://api.helloannie.com/v1",
            "http://10.0.0.1",
            "http://192.168.1.2:8080",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0:8080",
        ] {
            assert_eq!(Address::parse(text), Err(AddressProblem::PlainHttp), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for (text, problem) in [
            ("", AddressProblem::NotAnAddress),
            ("api.helloannie.com/v1", AddressProblem::NotAnAddress),
            ("ftp://127.0.0.1", AddressProblem::NotAnAddress),
            ("file:///etc/passwd", AddressProblem::NotAnAddress),
            ("https://me:s3cret@api.helloannie.com/v1", AddressProblem::Cluttered),
            ("https://api.helloannie.com/v1?key=s3cret", AddressProblem::Cluttered),
            ("https://api.helloannie.com/v1#s3cret", AddressProblem::Cluttered),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert_eq!(error, problem, "{text}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn segments_are_put_behind_it_and_stay_single() {
        for (base, segments, url) in [
            ("https://a.example/v1", &["calls"][..], "https://a.example/v1/calls"),
            ("https://a.example/v1/", &["calls"], "https://a.example/v1/calls"),
            ("https://a.example", &["calls"], "https://a.example/calls"),
            ("https://a.example/v1", &["c", "a/b?c#d%2e e"], "https://a.example/v1/c/a%2Fb%3Fc%23d%252e%20e"),
            ("https://a.example/v1", &["c", "..%2F.."], "https://a.example/v1/c/..%252F.."),
        ] {
            let address = Address::parse(base).expect("an address").at(segments);
            assert_eq!(address.map(|address| address.url().to_string()).as_deref(), Some(url));
        }
    }

    #[test]
    fn a_segment_that_leads_elsewhere_is_no_segment() {
        let address = Address::parse(ANNIE).expect("an address");
        for id in ["", ".", ".."] {
            assert_eq!(address.at(&["conversations", id]), None, "{id:?}");
        }
    }

    #[test]
    fn another_path_of_the_same_host_keeps_the_port() {
        let address = Address::parse("http://127.0.0.1:8080/v1").expect("an address");
        assert_eq!(address.elsewhere("/oauth/token").url().as_str(), "http://127.0.0.1:8080/oauth/token");
    }
}

//! Base addresses: only those that are safe for credentials and patients' data.

use std::fmt::{self, Display};
use std::net::IpAddr;

use reqwest::Url;

/// An address for requests: https, or http to this machine; no user name, query or fragment.
///
/// The path is kept as it is: `https://api.example.com/v1` + `calls` is `https://api.example.com/v1/calls`.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(Url);

/// Why a text is not such an address. Never repeats the text, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL with a host and the scheme https or http.
    #[error("not an address in the form https://api.example.com/v1")]
    NotAnAddress,
    /// Plain http to another machine.
    #[error("plain http is for addresses on this machine only (127.0.0.1, ::1, localhost): use https")]
    PlainHttp,
    /// A user name, password, query or fragment.
    #[error("must not have a user name, query or fragment: remove the part before @ and the part after ? or #")]
    Cluttered,
}

impl Address {
    /// Parses an address; surrounding white space is ignored.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let url = Url::parse(text.trim()).map_err(|_| AddressError::NotAnAddress)?;
        let cluttered =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        match url.scheme() {
            _ if url.host().is_none() => Err(AddressError::NotAnAddress),
            _ if cluttered => Err(AddressError::Cluttered),
            "https" => Ok(Self(url)),
            "http" if is_loopback(&url) => Ok(Self(url)),
            "http" => Err(AddressError::PlainHttp),
            _ => Err(AddressError::NotAnAddress),
        }
    }

    /// Whether the host is this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// This address with `segments` appended to its path, each escaped so that it stays one segment. `None` for an
    /// empty segment, `.` or `..`, which would lead to another resource.
    #[must_use]
    pub fn with_segments(&self, segments: &[&str]) -> Option<Self> {
        if segments.iter().any(|segment| matches!(*segment, "" | "." | "..")) {
            return None;
        }
        let mut url = self.0.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(segments);
        Some(Self(url))
    }

    /// This address with query parameters, percent-encoded.
    #[must_use]
    pub fn with_query(mut self, parameters: &[(&str, &dyn Display)]) -> Self {
        for (name, value) in parameters {
            self.0.query_pairs_mut().append_pair(name, &value.to_string());
        }
        self
    }

    /// `path` on the same host and port.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(path);
        Self(url)
    }

    /// The full URL.
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
            "https://api.example.com/v1",
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
            "http://api.example.com/v1",
            "http://10.0.0.1",
            "http://192.168.1.2:8080",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0:8080",
        ] {
            assert_eq!(Address::parse(text), Err(AddressError::PlainHttp), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_without_repeating_it() {
        for (text, problem) in [
            ("", AddressError::NotAnAddress),
            ("api.example.com/v1", AddressError::NotAnAddress),
            ("ftp://127.0.0.1", AddressError::NotAnAddress),
            ("file:///etc/passwd", AddressError::NotAnAddress),
            ("https://me:s3cret@api.example.com/v1", AddressError::Cluttered),
            ("https://api.example.com/v1?key=s3cret", AddressError::Cluttered),
            ("https://api.example.com/v1#s3cret", AddressError::Cluttered),
        ] {
            let error = Address::parse(text).expect_err(text);
            assert_eq!(error, problem, "{text}");
            assert!(!error.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn segments_are_appended_and_stay_single() {
        for (base, segments, url) in [
            ("https://a.example/v1", &["calls"][..], "https://a.example/v1/calls"),
            ("https://a.example/v1/", &["calls"], "https://a.example/v1/calls"),
            ("https://a.example", &["calls"], "https://a.example/calls"),
            ("https://a.example/v1", &["c", "a/b?c#d%2e e"], "https://a.example/v1/c/a%2Fb%3Fc%23d%252e%20e"),
            ("https://a.example/v1", &["c", "..%2F.."], "https://a.example/v1/c/..%252F.."),
        ] {
            let address = Address::parse(base).expect("an address").with_segments(segments);
            assert_eq!(address.map(|address| address.url().to_string()).as_deref(), Some(url));
        }
    }

    #[test]
    fn a_segment_that_leads_to_another_resource_is_refused() {
        let address = Address::parse("https://a.example/v1").expect("an address");
        for id in ["", ".", ".."] {
            assert_eq!(address.with_segments(&["conversations", id]), None, "{id:?}");
        }
    }

    #[test]
    fn another_path_of_the_same_host_keeps_the_port() {
        let address = Address::parse("http://127.0.0.1:8080/v1").expect("an address");
        assert_eq!(address.with_path("/oauth/token").url().as_str(), "http://127.0.0.1:8080/oauth/token");
    }
}

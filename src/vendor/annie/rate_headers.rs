//! The headers of a response: the request budget, when to retry, and the vendor's clock.
//!
//! A header that is missing or malformed counts as absent. Whether `Retry-After` is sent, and in which of its two
//! forms, is not documented (`annie-api.md`, Basics).

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use crate::vendor::RateHeaders;

/// Clocks that differ by less count as equal: `Date` is in whole seconds and takes some time to arrive.
const SAME_CLOCK: TimeDelta = TimeDelta::seconds(3);

/// A `Date` that differs by more may come from a proxy's cache: it is used only if it brings an instant closer to now.
const DOUBTFUL_DIFFERENCE: TimeDelta = TimeDelta::seconds(120);

/// No plausible window end or retry instant is further from now than this, in either direction.
const MAX_DISTANCE: TimeDelta = TimeDelta::hours(2);

/// The budget headers of a response with `status` that arrived at `now`, and the vendor's clock when it answered.
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, now: DateTime<Utc>) -> (RateHeaders, Option<DateTime<Utc>>) {
    let date = text(headers, DATE.as_str()).and_then(http_date);
    let shift = |instant| on_our_clock(instant, date, now);
    let rate_headers = RateHeaders {
        limit: number(headers, "x-ratelimit-limit").map(saturated),
        remaining: number(headers, "x-ratelimit-remaining").map(saturated),
        reset: number(headers, "x-ratelimit-reset").and_then(epoch).map(shift),
        retry_at: text(headers, RETRY_AFTER.as_str()).and_then(|value| retry_at(value, now, shift)),
        exhausted: status == 429,
    };
    (rate_headers, date)
}

fn retry_at(value: &str, now: DateTime<Utc>, shift: impl Fn(DateTime<Utc>) -> DateTime<Utc>) -> Option<DateTime<Utc>> {
    match value.parse() {
        Ok(seconds) => now.checked_add_signed(TimeDelta::try_seconds(seconds)?),
        Err(_) => http_date(value).map(shift),
    }
}

/// An instant of the vendor's clock, shifted to ours. If the shifted instant is far from now, or a large difference
/// moves it away from now, the `Date` does not come from the clock that made the instant, and the instant stays as it
/// is.
fn on_our_clock(instant: DateTime<Utc>, date: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let difference = date.map_or_else(TimeDelta::zero, |date| now - date);
    if difference.abs() < SAME_CLOCK {
        return instant;
    }
    let moves_away = |shifted: DateTime<Utc>| {
        difference.abs() > DOUBTFUL_DIFFERENCE && (shifted - now).abs() > (instant - now).abs()
    };
    let shifted = instant.checked_add_signed(difference);
    shifted.filter(|shifted| (*shifted - now).abs() <= MAX_DISTANCE && !moves_away(*shifted)).unwrap_or(instant)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The first number in a header: some servers send `60, 60;w=60`.
fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.split([',', ';']).next()?.trim().parse().ok()
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn epoch(seconds: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

fn http_date(value: &str) -> Option<DateTime<Utc>> {
    httpdate::parse_http_date(value).ok().map(DateTime::from)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOON: &str = "Tue, 24 Nov 2026 12:00:00 GMT";
    const NOON_EPOCH: i64 = 1_795_521_600;

    fn noon() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().expect("an instant")
    }

    fn seconds(seconds: i64) -> TimeDelta {
        TimeDelta::seconds(seconds)
    }

    fn read_all(now: DateTime<Utc>, headers: &[(&'static str, &str)]) -> (RateHeaders, Option<DateTime<Utc>>) {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        });
        read(200, &pairs.collect(), now)
    }

    #[test]
    fn a_full_set_of_headers_is_read() {
        let reset = (NOON_EPOCH + 30).to_string();
        let (rate_headers, date) = read_all(
            noon(),
            &[
                ("x-ratelimit-limit", "60"),
                ("x-ratelimit-remaining", "12"),
                ("x-ratelimit-reset", &reset),
                ("retry-after", "20"),
                ("date", NOON),
            ],
        );
        let expected = RateHeaders {
            limit: Some(60),
            remaining: Some(12),
            reset: Some(noon() + seconds(30)),
            retry_at: Some(noon() + seconds(20)),
            exhausted: false,
        };
        assert_eq!((rate_headers, date), (expected, Some(noon())));
    }

    #[test]
    fn only_429_is_exhausted() {
        assert!(read(429, &HeaderMap::new(), noon()).0.exhausted);
        assert_eq!(read(200, &HeaderMap::new(), noon()), (RateHeaders::default(), None));
        assert!(!read(503, &HeaderMap::new(), noon()).0.exhausted);
    }

    #[test]
    fn a_malformed_header_counts_as_absent() {
        for value in ["", "soon", "-1", "1e3", "99999999999999999999999", "NaN", "Tue, 99 Nov 2026"] {
            let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"];
            let headers: Vec<_> = names.iter().map(|name| (*name, value)).collect();
            assert_eq!(read_all(noon(), &headers), (RateHeaders::default(), None), "{value}");
        }
        for value in ["", "soon", "1.5.2", "9223372036854775807", "Tue, 99 Nov 2026"] {
            assert_eq!(read_all(noon(), &[("retry-after", value)]).0.retry_at, None, "{value}");
        }
    }

    #[test]
    fn a_number_may_be_followed_by_more() {
        let (rate_headers, _) =
            read_all(noon(), &[("x-ratelimit-limit", "60, 60;w=60"), ("x-ratelimit-remaining", "4294967296")]);
        assert_eq!((rate_headers.limit, rate_headers.remaining), (Some(60), Some(u32::MAX)));
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let (rate_headers, _) = read_all(noon(), &[("retry-after", "Tue, 24 Nov 2026 12:00:45 GMT")]);
        assert_eq!(rate_headers.retry_at, Some(noon() + seconds(45)));
    }

    #[test]
    fn the_vendors_instants_are_shifted_to_our_clock() {
        let reset = (NOON_EPOCH + 30).to_string();
        for skew in [-3_000, -60, 60, 3_000] {
            let now = noon() + seconds(skew);
            let (rate_headers, _) = read_all(
                now,
                &[("x-ratelimit-reset", &reset), ("retry-after", "Tue, 24 Nov 2026 12:00:45 GMT"), ("date", NOON)],
            );
            assert_eq!(rate_headers.reset, Some(now + seconds(30)), "{skew}");
            assert_eq!(rate_headers.retry_at, Some(now + seconds(45)), "{skew}");
        }
        let (rate_headers, _) = read_all(noon() + seconds(2), &[("x-ratelimit-reset", &reset), ("date", NOON)]);
        assert_eq!(rate_headers.reset, Some(noon() + seconds(30)));
    }

    #[test]
    fn a_date_of_another_clock_shifts_nothing() {
        let reset = (NOON_EPOCH + 30).to_string();
        let other_clock = "Tue, 24 Nov 2020 12:00:00 GMT";
        let (rate_headers, _) =
            read_all(noon(), &[("x-ratelimit-reset", &reset), ("date", other_clock), ("retry-after", "7")]);
        assert_eq!(rate_headers.reset, Some(noon() + seconds(30)));
        assert_eq!(rate_headers.retry_at, Some(noon() + seconds(7)));
    }

    #[test]
    fn a_stale_date_does_not_shift_the_windows_end() {
        let reset = (NOON_EPOCH + 3_600 + 30).to_string();
        let now = noon() + seconds(3_600);
        let (rate_headers, date) = read_all(now, &[("x-ratelimit-reset", &reset), ("date", NOON)]);
        assert_eq!(date, Some(noon()), "an hour old, from a proxy");
        assert_eq!(rate_headers.reset, Some(now + seconds(30)));
    }
}

//! The headers of an answer: the request budget, when to ask again, and the vendor's clock.
//!
//! A header that is missing or makes no sense says nothing. Whether `Retry-After` is sent, and in which of its two forms,
//! is not documented (`annie-api.md`, Basics).

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::Meter;

/// Clocks that differ by less count as one: `Date` is in whole seconds and some time on its way.
const SAME_CLOCK: TimeDelta = TimeDelta::seconds(3);

/// A `Date` that differs by more may be a proxy's, hours old: it is believed only where that makes sense of the rest.
const DUBIOUS: TimeDelta = TimeDelta::seconds(120);

/// No window and no wait that is meant reaches further than this, either way.
const NEAR: TimeDelta = TimeDelta::hours(2);

/// The headers of an answer with `status` that arrived at `now`, and the vendor's clock when it answered.
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, now: DateTime<Utc>) -> (Meter, Option<DateTime<Utc>>) {
    let date = text(headers, DATE.as_str()).and_then(http_date);
    let ours = |instant| on_our_clock(instant, date, now);
    let meter = Meter {
        limit: number(headers, "x-ratelimit-limit").map(saturated),
        remaining: number(headers, "x-ratelimit-remaining").map(saturated),
        reset: number(headers, "x-ratelimit-reset").and_then(epoch).map(ours),
        retry_at: text(headers, RETRY_AFTER.as_str()).and_then(|value| retry_at(value, now, ours)),
        exhausted: status == 429,
    };
    (meter, date)
}

fn retry_at(value: &str, now: DateTime<Utc>, ours: impl Fn(DateTime<Utc>) -> DateTime<Utc>) -> Option<DateTime<Utc>> {
    match value.parse() {
        Ok(seconds) => now.checked_add_signed(TimeDelta::try_seconds(seconds)?),
        Err(_) => http_date(value).map(ours),
    }
}

/// An instant of the vendor's clock, as ours would show it. If moving it by the difference leads nowhere near the
/// present, or by a great difference away from it, the `Date` is not of the clock that made the instant, and the instant
/// is taken as it is.
fn on_our_clock(instant: DateTime<Utc>, date: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    let ahead = date.map_or_else(TimeDelta::zero, |date| now - date);
    if ahead.abs() < SAME_CLOCK {
        return instant;
    }
    let leads_away = |moved: DateTime<Utc>| ahead.abs() > DUBIOUS && (moved - now).abs() > (instant - now).abs();
    let moved = instant.checked_add_signed(ahead);
    moved.filter(|moved| (*moved - now).abs() <= NEAR && !leads_away(*moved)).unwrap_or(instant)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The first number of a header: some servers write `60, 60;w=60`.
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

    fn read_all(now: DateTime<Utc>, headers: &[(&'static str, &str)]) -> (Meter, Option<DateTime<Utc>>) {
        let pairs = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        });
        read(200, &pairs.collect(), now)
    }

    #[test]
    fn a_full_set_of_headers_is_read() {
        let reset = (NOON_EPOCH + 30).to_string();
        let (meter, date) = read_all(
            noon(),
            &[
                ("x-ratelimit-limit", "60"),
                ("x-ratelimit-remaining", "12"),
                ("x-ratelimit-reset", &reset),
                ("retry-after", "20"),
                ("date", NOON),
            ],
        );
        let told = Meter {
            limit: Some(60),
            remaining: Some(12),
            reset: Some(noon() + seconds(30)),
            retry_at: Some(noon() + seconds(20)),
            exhausted: false,
        };
        assert_eq!((meter, date), (told, Some(noon())));
    }

    #[test]
    fn only_429_is_exhausted() {
        assert!(read(429, &HeaderMap::new(), noon()).0.exhausted);
        assert_eq!(read(200, &HeaderMap::new(), noon()), (Meter::default(), None));
        assert!(!read(503, &HeaderMap::new(), noon()).0.exhausted);
    }

    #[test]
    fn garbage_says_nothing() {
        for value in ["", "soon", "-1", "1e3", "99999999999999999999999", "NaN", "Tue, 99 Nov 2026"] {
            let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "date"];
            let headers: Vec<_> = names.iter().map(|name| (*name, value)).collect();
            assert_eq!(read_all(noon(), &headers), (Meter::default(), None), "{value}");
        }
        for value in ["", "soon", "1.5.2", "9223372036854775807", "Tue, 99 Nov 2026"] {
            assert_eq!(read_all(noon(), &[("retry-after", value)]).0.retry_at, None, "{value}");
        }
    }

    #[test]
    fn numbers_may_come_with_more() {
        let (meter, _) =
            read_all(noon(), &[("x-ratelimit-limit", "60, 60;w=60"), ("x-ratelimit-remaining", "4294967296")]);
        assert_eq!((meter.limit, meter.remaining), (Some(60), Some(u32::MAX)));
    }

    #[test]
    fn retry_after_may_be_a_date() {
        let (meter, _) = read_all(noon(), &[("retry-after", "Tue, 24 Nov 2026 12:00:45 GMT")]);
        assert_eq!(meter.retry_at, Some(noon() + seconds(45)));
    }

    #[test]
    fn the_vendors_instants_are_moved_to_our_clock() {
        let reset = (NOON_EPOCH + 30).to_string();
        for skew in [-3_000, -60, 60, 3_000] {
            let now = noon() + seconds(skew);
            let (meter, _) = read_all(
                now,
                &[("x-ratelimit-reset", &reset), ("retry-after", "Tue, 24 Nov 2026 12:00:45 GMT"), ("date", NOON)],
            );
            assert_eq!(meter.reset, Some(now + seconds(30)), "{skew}");
            assert_eq!(meter.retry_at, Some(now + seconds(45)), "{skew}");
        }
        let (meter, _) = read_all(noon() + seconds(2), &[("x-ratelimit-reset", &reset), ("date", NOON)]);
        assert_eq!(meter.reset, Some(noon() + seconds(30)));
    }

    #[test]
    fn a_date_of_another_clock_moves_nothing() {
        let reset = (NOON_EPOCH + 30).to_string();
        let elsewhere = "Tue, 24 Nov 2020 12:00:00 GMT";
        let (meter, _) = read_all(noon(), &[("x-ratelimit-reset", &reset), ("date", elsewhere), ("retry-after", "7")]);
        assert_eq!(meter.reset, Some(noon() + seconds(30)));
        assert_eq!(meter.retry_at, Some(noon() + seconds(7)));
    }

    #[test]
    fn one_stale_date_does_not_put_the_windows_end_off() {
        let reset = (NOON_EPOCH + 3_600 + 30).to_string();
        let now = noon() + seconds(3_600);
        let (meter, date) = read_all(now, &[("x-ratelimit-reset", &reset), ("date", NOON)]);
        assert_eq!(date, Some(noon()), "an hour old: a proxy's");
        assert_eq!(meter.reset, Some(now + seconds(30)));
    }
}

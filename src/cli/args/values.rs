//! Parsers of single arguments. Their errors complete clap's message.

use std::net::SocketAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::entry::{Reason, WorkGroup};

pub(super) fn run_number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not a run's number, such as 3; `callrounds status` shows the newest".into())
}

pub(super) fn entry_number(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits.parse().map_err(|_| "not a number of the report's first column, such as 12".into())
}

pub(super) fn reason(text: &str) -> Result<Reason, String> {
    let found = Reason::named(&text.replace('-', "_"));
    found.ok_or_else(|| "not a reason, such as answer_lost; `callrounds resolve --json` has each patient's".into())
}

pub(super) fn work_group(text: &str) -> Result<WorkGroup, String> {
    let names = || WorkGroup::ALL.iter().map(|group| group.name().replace('_', "-")).collect::<Vec<_>>().join(", ");
    WorkGroup::named(text).ok_or_else(|| format!("not a group; there are {}", names()))
}

pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "not an instant, such as 2026-11-24T15:00:00Z".into())
}

pub(super) fn duration(text: &str) -> Result<TimeDelta, String> {
    crate::campaign::value::duration(text).ok_or_else(|| "not a duration, such as 90d or 12h".into())
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "not an address with a port, such as 127.0.0.1:4020".into())
}

pub(super) fn expiry(text: &str) -> Result<DateTime<Utc>, String> {
    let day: Option<chrono::NaiveDate> = text.parse().ok();
    let end = day.and_then(|day| day.succ_opt()).map(|next| crate::zone::midnight(next).and_utc());
    end.or_else(|| text.parse().ok()).ok_or_else(|| "neither a day, such as 2027-01-31, nor an instant".into())
}

/// Simulated seconds per real second: more than eleven days per second.
const MAX_SPEED: f64 = 1e6;

pub(super) fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= MAX_SPEED => Ok(speed),
        _ => Err(format!("not a number above 0, {MAX_SPEED} at most")),
    }
}

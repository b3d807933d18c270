//! Parsers of single arguments. Their errors complete clap's message.

use std::net::SocketAddr;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::zone::{Zone, midnight};

use crate::entry::{Reason, WorkGroup};

pub(super) fn run_number(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not a run's number, such as 3; `callrounds status` shows the newest".into())
}

/// The number of a run for a command that also takes a campaign.
pub(super) fn run_or_campaign(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| "not a run's number, such as 3; a campaign is named with --campaign".into())
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

/// The end of something: a day, which counts to its end, or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrInstant {
    /// A day.
    Day(NaiveDate),
    /// An instant.
    Instant(DateTime<Utc>),
}

impl DayOrInstant {
    /// The instant at which it is over, `zone` being the practice's.
    #[must_use]
    pub fn instant(self, zone: &Zone) -> DateTime<Utc> {
        match self {
            Self::Day(day) => zone.first_instant(midnight(day.succ_opt().unwrap_or(day))),
            Self::Instant(at) => at,
        }
    }
}

pub(super) fn day_or_instant(text: &str) -> Result<DayOrInstant, String> {
    let instant = || text.parse().map(DayOrInstant::Instant);
    text.parse()
        .map(DayOrInstant::Day)
        .or_else(|_| instant())
        .map_err(|_| "neither a day, such as 2027-01-31, nor an instant, such as 2027-01-31T15:00:00Z".into())
}

/// Simulated seconds per real second: more than eleven days per second.
const MAX_SPEED: f64 = 1e6;

pub(super) fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed <= MAX_SPEED => Ok(speed),
        _ => Err(format!("not a number above 0, {MAX_SPEED} at most")),
    }
}

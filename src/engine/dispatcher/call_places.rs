//! How many calls may be in progress at once: the campaign's limit, or fewer while the vendor refuses as many.
//!
//! The vendor's own limit is not documented, and other calls of the practice may count towards it. So a refusal lowers
//! the limit to the calls that were in progress, and it rises by one every few minutes without a refusal. For a short while
//! after a refusal no call is placed beyond those, also if there are none: each patient in turn would be refused.

use chrono::{DateTime, TimeDelta, Utc};

/// The limit rises by one in this time.
const RISE: TimeDelta = TimeDelta::minutes(5);

/// How long after the refusal of a call for want of a place the next one is tried, if none becomes free.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(15);

/// The limit on concurrent calls.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallPlaces {
    /// The campaign's limit.
    configured: u32,
    /// The calls in progress when the vendor refused one more, and when that was.
    refused_at: Option<(u32, DateTime<Utc>)>,
}

impl CallPlaces {
    pub(super) fn new(configured: u32) -> Self {
        Self { configured, refused_at: None }
    }

    /// The limit now.
    pub(super) fn limit(&self, now: DateTime<Utc>) -> u32 {
        let Some((in_progress, at)) = self.refused_at else { return self.configured };
        if self.retry_at(now).is_some() {
            return in_progress.min(self.configured);
        }
        let risen = (now - at).num_seconds().max(0) / RISE.num_seconds();
        in_progress.saturating_add(u32::try_from(risen).unwrap_or(u32::MAX)).clamp(1, self.configured)
    }

    /// When a call beyond those in progress may be tried again after a refusal; `None`: now.
    pub(super) fn retry_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (_, at) = self.refused_at?;
        Some(at + RETRY_AFTER).filter(|retry_at| at <= now && now < *retry_at)
    }

    /// The vendor refused a call while this many others were in progress. Returns when to try again, if no place becomes
    /// free.
    pub(super) fn on_refused(&mut self, in_progress: u32, now: DateTime<Utc>) -> DateTime<Utc> {
        self.refused_at = Some((in_progress.min(self.limit(now)), now));
        now + RETRY_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_refusal_lowers_the_limit_which_rises_again_to_the_campaigns() {
        let mut places = CallPlaces::new(10);
        assert_eq!(places.limit(at(0)), 10);
        places.on_refused(4, at(0));
        assert_eq!([0, 4, 5, 14, 500].map(|minutes| places.limit(at(minutes))), [4, 4, 5, 6, 10]);
        places.on_refused(9, at(5));
        assert_eq!(places.limit(at(5)), 5, "calls that were claimed before the first refusal say nothing new");
        places.on_refused(0, at(6));
        assert_eq!((places.limit(at(6)), places.retry_at(at(6))), (0, Some(at(6) + RETRY_AFTER)), "not each in turn");
        assert_eq!((places.limit(at(7)), places.retry_at(at(7))), (1, None), "one call at least is tried");
        assert_eq!(places.limit(at(-60)), 1, "a clock that was set back");
    }
}

//! How long calls last, learnt from those that have ended.

use chrono::TimeDelta;

/// The length that is assumed until calls have ended.
const ASSUMED: TimeDelta = TimeDelta::seconds(90);

/// The assumed length counts as this many calls.
const ASSUMED_WEIGHT: i32 = 5;

/// A new call counts as at least one of this many, so that the average follows the time of day.
const MAX_WEIGHT: i32 = 100;

/// The moving average of the calls' lengths.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallLengths {
    average: TimeDelta,
    weight: i32,
}

impl Default for CallLengths {
    fn default() -> Self {
        Self { average: ASSUMED, weight: ASSUMED_WEIGHT }
    }
}

impl CallLengths {
    pub(super) fn average(&self) -> TimeDelta {
        self.average
    }

    pub(super) fn observe(&mut self, length: TimeDelta) {
        self.weight = (self.weight + 1).min(MAX_WEIGHT);
        self.average += (length.max(TimeDelta::zero()) - self.average) / self.weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_follows_the_calls() {
        let mut lengths = CallLengths::default();
        assert_eq!(lengths.average(), ASSUMED);
        (0..50).for_each(|_| lengths.observe(TimeDelta::seconds(150)));
        let learnt = lengths.average().as_seconds_f64();
        assert!((140.0..150.0).contains(&learnt), "{learnt}");
        (0..1_000).for_each(|_| lengths.observe(TimeDelta::seconds(30)));
        assert!((lengths.average().as_seconds_f64() - 30.0).abs() < 1.0, "{lengths:?}");
        lengths.observe(TimeDelta::seconds(-30));
        assert!(lengths.average() > TimeDelta::zero(), "a wrong clock");
    }
}

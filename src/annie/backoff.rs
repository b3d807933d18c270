//! How long to wait before trying again what may be tried again: after 429, and when no connection came about.
//!
//! This is the only file that uses the `backoff` crate, and only as a calculator. Of its own ways, three would harm:
//! it gives up after 15 minutes unless told otherwise, its jitter comes from the machine's randomness, and that jitter
//! exceeds its cap. So its time limit and its jitter are off, and the jitter here is drawn from a seed: the same try of
//! the same seed always waits the same.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use chrono::TimeDelta;

/// A doubling, or any other growth, after which no float is worth computing further.
const STEPS_AT_MOST: u32 = 64;

/// A family of delays: `initial`, then `factor` times as long each time, up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delays {
    /// The longest delay after the first failed try.
    pub initial: Duration,
    /// What each further failed try multiplies it by; at least 1.
    pub factor: f64,
    /// The longest delay of all.
    pub cap: Duration,
}

impl Delays {
    /// The delay after `tries` failed tries (0 counts as 1): at least half of the family's delay for that try, and never
    /// more than it. The same `tries` and `seed` always give the same delay; different seeds spread.
    #[must_use]
    pub fn after(&self, tries: u32, seed: u64) -> TimeDelta {
        let full = self.full(tries).min(self.cap).as_micros() as u64;
        let least = full / 2;
        let spread = least + draw(seed, tries) % (full - least + 1);
        TimeDelta::microseconds(i64::try_from(spread).unwrap_or(i64::MAX))
    }

    /// The delay without jitter.
    fn full(&self, tries: u32) -> Duration {
        let mut calculator = ExponentialBackoff {
            current_interval: self.initial,
            initial_interval: self.initial,
            randomization_factor: 0.0,
            multiplier: self.factor.max(1.0),
            max_interval: self.cap,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let steps = tries.clamp(1, STEPS_AT_MOST);
        (0..steps).find_map(|step| calculator.next_backoff().filter(|_| step + 1 == steps)).unwrap_or(self.cap)
    }
}

/// A number that depends on nothing but its inputs (`SplitMix64`).
fn draw(seed: u64, tries: u32) -> u64 {
    let mut x = seed.wrapping_add(u64::from(tries).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays { initial: Duration::from_secs(2), factor: 2.0, cap: Duration::from_mins(1) };

    #[test]
    fn delays_grow_to_the_cap_and_stay_there() {
        for (tries, seconds) in [(0, 2), (1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (7, 60), (1_000, 60), (u32::MAX, 60)]
        {
            for seed in 0..100 {
                let delay = DELAYS.after(tries, seed);
                assert!(delay <= TimeDelta::seconds(seconds), "{tries} tries, seed {seed}: {delay}");
                assert!(delay >= TimeDelta::seconds(seconds) / 2, "{tries} tries, seed {seed}: {delay}");
            }
        }
    }

    #[test]
    fn the_same_try_of_the_same_seed_waits_the_same_and_others_do_not() {
        let of = |seed| (1..20).map(|tries| DELAYS.after(tries, seed)).collect::<Vec<_>>();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let spread: std::collections::BTreeSet<_> = (0..100).map(|seed| DELAYS.after(6, seed)).collect();
        assert!(spread.len() > 95);
    }

    #[test]
    fn odd_families_still_give_delays() {
        let flat = Delays { factor: 0.0, ..DELAYS };
        assert!(flat.after(50, 1) <= TimeDelta::seconds(2));
        let none = Delays { initial: Duration::ZERO, ..DELAYS };
        assert_eq!(none.after(3, 1), TimeDelta::zero());
        let above = Delays { initial: Duration::from_mins(10), ..DELAYS };
        assert!(above.after(1, 1) <= TimeDelta::seconds(60));
    }
}

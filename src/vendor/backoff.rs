//! How long to wait before a retry: after 429, and after a failed connection.
//!
//! This is the only file that uses the `backoff` crate, and only as a calculator. Three of its defaults would harm: it
//! gives up after 15 minutes, its jitter comes from the machine's randomness, and that jitter exceeds its cap. So its
//! time limit and its jitter are off, and the jitter here follows from a seed: the same try with the same seed always
//! waits the same time.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;
use chrono::TimeDelta;

/// Growth steps that are computed; by then every delay is at its cap.
const MAX_STEPS: u32 = 64;

/// An exponential backoff: `initial`, then `factor` times as long each time, up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The delay after the first failed try, before jitter.
    pub initial: Duration,
    /// What each further failed try multiplies the delay by; values below 1 count as 1.
    pub factor: f64,
    /// The upper limit of every delay.
    pub cap: Duration,
}

/// The delays after requests that failed in a row for the same reason.
pub const FAILED_REQUEST: Backoff =
    Backoff { initial: Duration::from_secs(1), factor: 2.0, cap: Duration::from_mins(1) };

impl Backoff {
    /// The delay after `tries` failed tries (0 counts as 1), with jitter: from half of the full delay up to all of it.
    /// The same `tries` and `seed` always give the same delay; different seeds spread.
    #[must_use]
    pub fn after(&self, tries: u32, seed: u64) -> TimeDelta {
        let full = self.without_jitter(tries).min(self.cap).as_micros() as u64;
        let least = full / 2;
        let jittered = least + pseudo_random(seed, tries) % (full - least + 1);
        TimeDelta::microseconds(i64::try_from(jittered).unwrap_or(i64::MAX))
    }

    /// The delay without jitter.
    fn without_jitter(&self, tries: u32) -> Duration {
        let mut calculator = ExponentialBackoff {
            current_interval: self.initial,
            initial_interval: self.initial,
            randomization_factor: 0.0,
            multiplier: self.factor.max(1.0),
            max_interval: self.cap,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        let steps = tries.clamp(1, MAX_STEPS);
        (0..steps).find_map(|step| calculator.next_backoff().filter(|_| step + 1 == steps)).unwrap_or(self.cap)
    }
}

/// A pseudo-random number that depends only on its inputs (`SplitMix64`).
fn pseudo_random(seed: u64, tries: u32) -> u64 {
    let mut x = seed.wrapping_add(u64::from(tries).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Backoff = Backoff { initial: Duration::from_secs(2), factor: 2.0, cap: Duration::from_mins(1) };

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
        let delays = |seed| (1..20).map(|tries| DELAYS.after(tries, seed)).collect::<Vec<_>>();
        assert_eq!(delays(7), delays(7));
        assert_ne!(delays(7), delays(8));
        let spread: std::collections::BTreeSet<_> = (0..100).map(|seed| DELAYS.after(6, seed)).collect();
        assert!(spread.len() > 95);
    }

    #[test]
    fn odd_settings_still_give_delays() {
        let flat = Backoff { factor: 0.0, ..DELAYS };
        assert!(flat.after(50, 1) <= TimeDelta::seconds(2));
        let none = Backoff { initial: Duration::ZERO, ..DELAYS };
        assert_eq!(none.after(3, 1), TimeDelta::zero());
        let above = Backoff { initial: Duration::from_mins(10), ..DELAYS };
        assert!(above.after(1, 1) <= TimeDelta::seconds(60));
    }
}

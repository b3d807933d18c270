//! The pseudo-random numbers of a seed: `SplitMix64`, so that a seed never changes its meaning.

use chrono::TimeDelta;

/// One pseudo-random sequence.
pub(super) struct SeededRng(u64);

impl SeededRng {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// A number from 0 to `end`, exclusive.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0) % end
    }

    /// True with a probability of `percent` %.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize].clone()
    }

    /// One of `minutes`, and up to a minute more.
    pub(super) fn span(&mut self, minutes: &[i64]) -> TimeDelta {
        TimeDelta::minutes(self.pick(minutes)) + TimeDelta::milliseconds(self.below(60_000) as i64)
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

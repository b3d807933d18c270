//! The pseudo-random numbers of a seed: `SplitMix64`, written out here so that a seed never changes its meaning.

use chrono::TimeDelta;

/// One pseudo-random sequence.
#[derive(Debug, Clone)]
pub struct SeededRng(u64);

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// An independent sequence of the same seed; equal keys give equal sequences.
    pub fn derive(&self, key: u64) -> Self {
        Self(mix(self.0 ^ mix(key.wrapping_add(GAMMA))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u32, most: u32) -> u32 {
        least + self.below(u64::from(most - least + 1)) as u32
    }

    /// True with a probability of `percent` %.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.between(0, 99) < percent
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as u32 - 1) as usize]
    }

    pub fn millis(&mut self, least: u32, most: u32) -> TimeDelta {
        TimeDelta::milliseconds(self.between(least, most).into())
    }

    /// A span from one millisecond to `most`, log-uniform: its order of magnitude is drawn first.
    pub fn up_to(&mut self, most: TimeDelta) -> TimeDelta {
        let most = u32::try_from(most.num_milliseconds()).unwrap_or(u32::MAX).max(1);
        let magnitudes = u32::BITS - most.leading_zeros();
        let order = self.between(1, magnitudes);
        let span = self.between(1, most.min(u32::MAX >> (u32::BITS - order)));
        TimeDelta::milliseconds(span.into())
    }
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

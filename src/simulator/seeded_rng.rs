//! Pseudo-random numbers that follow from a seed alone.
//!
//! `SplitMix64` (Steele, Lea, Flood 2014), written out because the libraries' generators may change their sequences
//! between versions, and a seed in a regression test must always mean the same.

/// One sequence of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(super) struct SeededRng(u64);

impl SeededRng {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The sequence that `key` derives from this one. It depends on the numbers drawn so far, so derive before drawing.
    pub(super) fn derive(&self, key: u64) -> Self {
        Self(mix(self.0 ^ mix(key.wrapping_add(GAMMA))))
    }

    /// The sequence that a text derives from this one.
    pub(super) fn derive_text(&self, key: &str) -> Self {
        self.derive(key.bytes().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)))
    }

    /// The next number.
    pub(super) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A number from 0, inclusive, to 1, exclusive.
    pub(super) fn fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number from 0, inclusive, to `end`, exclusive; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next_u64().checked_rem(end).unwrap_or(0)
    }

    /// A random UUID, version 4.
    pub(super) fn uuid(&mut self) -> uuid::Uuid {
        let bits = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
        uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
const FNV_OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01B3;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_gives_the_same_sequence() {
        let mut rng = SeededRng(0);
        assert_eq!(rng.next_u64(), 0xE220_A839_7B1D_CDAF, "SplitMix64's first output for state 0");
        assert_eq!(SeededRng::new(7).derive(3).uuid(), SeededRng::new(7).derive(3).uuid());
    }

    #[test]
    fn keys_do_not_share_a_sequence() {
        let root = SeededRng::new(7);
        assert_ne!(root.derive(1).next_u64(), root.derive(2).next_u64());
        assert_ne!(root.derive_text("ab").next_u64(), root.derive_text("ba").next_u64());
    }

    #[test]
    fn fractions_fill_the_unit_interval_evenly() {
        let mut rng = SeededRng::new(1);
        let low = (0..10_000).filter(|_| rng.fraction() < 0.25).count();
        assert!((2_300..2_700).contains(&low), "{low} of 10,000");
    }
}

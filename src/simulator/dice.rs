//! Dice: numbers that look random and follow from a seed alone.
//!
//! `SplitMix64` (Steele, Lea, Flood 2014), written out because the libraries' generators may change their sequences
//! between versions, and a seed in a regression test has to mean the same for good.

/// One sequence of throws.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The sequence that belongs to `key` under this one. Throws made so far do not matter if it is taken first.
    pub(super) fn under(&self, key: u64) -> Self {
        Self(mix(self.0 ^ mix(key.wrapping_add(GAMMA))))
    }

    /// The sequence that belongs to a text.
    pub(super) fn under_text(&self, key: &str) -> Self {
        self.under(key.bytes().fold(FNV_OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)))
    }

    pub(super) fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// From 0, inclusive, to 1, exclusive.
    pub(super) fn share(&mut self) -> f64 {
        (self.throw() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0, inclusive, to `end`, exclusive; 0 if `end` is 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.throw().checked_rem(end).unwrap_or(0)
    }

    pub(super) fn uuid(&mut self) -> uuid::Uuid {
        let bits = u128::from(self.throw()) << 64 | u128::from(self.throw());
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
    fn a_seed_means_the_same_for_good() {
        let mut dice = Dice(0);
        assert_eq!(dice.throw(), 0xE220_A839_7B1D_CDAF, "SplitMix64's first output for state 0");
        assert_eq!(Dice::new(7).under(3).uuid(), Dice::new(7).under(3).uuid());
    }

    #[test]
    fn keys_do_not_share_a_sequence() {
        let root = Dice::new(7);
        assert_ne!(root.under(1).throw(), root.under(2).throw());
        assert_ne!(root.under_text("ab").throw(), root.under_text("ba").throw());
    }

    #[test]
    fn shares_fill_the_unit_interval_evenly() {
        let mut dice = Dice::new(1);
        let low = (0..10_000).filter(|_| dice.share() < 0.25).count();
        assert!((2_300..2_700).contains(&low), "{low} of 10,000");
    }
}

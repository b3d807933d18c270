//! What comes more than once in a list, found in one pass and in little memory.
//!
//! A filter of bits remembers every hash that was seen; only a hash that seems to have been seen before is kept as such.
//! The filter errs on one side: it may take a first sighting for a second one (about once in a thousand, in a list of
//! five million rows), never the reverse. So what it calls unique is unique, and what it calls repeated is looked at
//! closely by whoever asks.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Bits set for each hash.
const PROBES: u64 = 4;
/// Bits of the smallest filter, and of the largest: 8 KiB and 16 MiB.
const FEWEST: u64 = 1 << 16;
const MOST: u64 = 1 << 27;

/// Collects sightings.
pub(super) struct Sightings {
    bits: Vec<u64>,
    again: Vec<u64>,
}

impl Sightings {
    /// For a list of so many bytes.
    pub(super) fn of_list(bytes: u64) -> Self {
        // Rows are longer than a hundred bytes as a rule: more than twenty bits for each.
        let bits = (bytes / 4).clamp(FEWEST, MOST).next_power_of_two();
        Self { bits: vec![0; (bits / 64) as usize], again: Vec::new() }
    }

    /// Notes one sighting.
    pub(super) fn see(&mut self, hash: u64) {
        let mask = self.bits.len() as u64 * 64 - 1;
        let step = hash.rotate_left(32) | 1;
        let mut is_new = false;
        for probe in 0..PROBES {
            let at = hash.wrapping_add(step.wrapping_mul(probe)) & mask;
            let (word, bit) = ((at / 64) as usize, 1 << (at % 64));
            is_new |= self.bits[word] & bit == 0;
            self.bits[word] |= bit;
        }
        if !is_new {
            self.again.push(hash);
        }
    }

    /// What was seen more than once.
    pub(super) fn finish(mut self) -> Repeats {
        self.again.sort_unstable();
        self.again.shrink_to_fit();
        Repeats(self.again)
    }
}

/// Hashes that came more than once: each of them once for every sighting after the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats(Vec<u64>);

impl Repeats {
    /// How often a hash was seen, at most: 1 for one that is unique.
    pub(super) fn times(&self, hash: u64) -> u32 {
        let from = self.0.partition_point(|other| *other < hash);
        1 + self.0[from..].iter().take_while(|other| **other == hash).count() as u32
    }
}

/// A hash of anything.
pub(super) fn hash_of(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_again_is_missed_and_little_else_is_taken_for_it() {
        let mut sightings = Sightings::of_list(10_000 * 100);
        for number in 0..10_000_u32 {
            sightings.see(hash_of(number));
            if number % 10 == 0 {
                sightings.see(hash_of(number));
                sightings.see(hash_of(number));
            }
        }
        let repeats = sightings.finish();
        assert!((0..10_000_u32).step_by(10).all(|number| repeats.times(hash_of(number)) >= 3));
        let mistaken = (0..10_000_u32).filter(|number| number % 10 != 0 && repeats.times(hash_of(*number)) > 1).count();
        assert!(mistaken < 50, "{mistaken}");
    }
}

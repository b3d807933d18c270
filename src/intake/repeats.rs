//! What comes more than once in a list.
//!
//! The hashes of all rows are kept until the list has been read, then only those that came more than once. 32 bits of each
//! are enough: a first sighting may be taken for a second one (twice in ten thousand, in a list of a million rows), never the
//! reverse. So what is called unique is unique, and what is called repeated is looked at closely by whoever asks.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Collects sightings.
#[derive(Default)]
pub(super) struct Sightings(Vec<u32>);

impl Sightings {
    /// Notes one sighting.
    pub(super) fn see(&mut self, hash: u64) {
        self.0.push(hash as u32);
    }

    /// What was seen more than once.
    pub(super) fn finish(mut self) -> Repeats {
        self.0.sort_unstable();
        let again = self.0.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        Repeats(again.collect())
    }
}

/// Hashes that came more than once, sorted: each of them once for every sighting after the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats(Vec<u32>);

impl Repeats {
    /// How often a hash was seen, at most: 1 for one that is unique.
    pub(super) fn times(&self, hash: u64) -> u32 {
        let hash = hash as u32;
        let from = self.0.partition_point(|other| *other < hash);
        1 + self.0[from..].partition_point(|other| *other == hash) as u32
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
        let mut sightings = Sightings::default();
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

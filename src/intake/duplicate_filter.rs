//! A filter that finds values which occur more than once in a list.
//!
//! The hashes of all rows are kept until the list has been read, then only the repeated ones. If two values have the
//! same hash (in one of ten million lists with a million rows), the count of each is too high, never too low. Callers
//! check repeated values exactly.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Collects the hashes of all values.
#[derive(Default)]
pub(super) struct HashCollector(Vec<u64>);

impl HashCollector {
    pub(super) fn add(&mut self, hash: u64) {
        self.0.push(hash);
    }

    /// The filter of the repeated hashes.
    pub(super) fn finish(mut self) -> DuplicateFilter {
        self.0.sort_unstable();
        let repeated = self.0.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        DuplicateFilter(repeated.collect())
    }
}

/// The repeated hashes, sorted. A hash that occurs n times is in it n - 1 times. The hashes of phone numbers can be
/// reversed, so `Debug` masks them.
#[derive(Clone, Default)]
pub(super) struct DuplicateFilter(Vec<u64>);

impl fmt::Debug for DuplicateFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DuplicateFilter({} hashes, masked)", self.0.len())
    }
}

impl DuplicateFilter {
    /// Whether no hash occurs twice.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// An upper bound of how often a hash occurs; exact if it is 1.
    pub(super) fn max_count(&self, hash: u64) -> u32 {
        let from = self.0.partition_point(|other| *other < hash);
        1 + self.0[from..].partition_point(|other| *other == hash) as u32
    }
}

pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A 128-bit hash. Two of a million different values collide in one of 10^26 lists.
pub(super) fn long_hash_of(value: impl Hash + Copy) -> u128 {
    u128::from(hash_of((0_u8, value))) << 64 | u128::from(hash_of((1_u8, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_count_and_debug_masks_the_hashes() {
        let mut hashes = HashCollector::default();
        for number in 0..10_000_u32 {
            hashes.add(hash_of(number));
            if number % 10 == 0 {
                hashes.add(hash_of(number));
                hashes.add(hash_of(number));
            }
        }
        let filter = hashes.finish();
        for number in 0..10_000_u32 {
            let expected = if number % 10 == 0 { 3 } else { 1 };
            assert_eq!(filter.max_count(hash_of(number)), expected, "{number}");
        }
        assert_eq!(format!("{filter:?}"), "DuplicateFilter(2000 hashes, masked)");
    }
}

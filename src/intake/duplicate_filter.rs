//! A filter that finds values which occur more than once in a list.
//!
//! The hashes of all rows are kept until the list has been read, then only the repeated ones. They are truncated to 32 bits:
//! a unique value may be reported as repeated (two of ten thousand, in a list of a million rows), but never the reverse.
//! Callers check repeated values exactly.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Collects the hashes of all values.
#[derive(Default)]
pub(super) struct HashCollector(Vec<u32>);

impl HashCollector {
    pub(super) fn add(&mut self, hash: u64) {
        self.0.push(hash as u32);
    }

    /// The filter of the repeated hashes.
    pub(super) fn finish(mut self) -> DuplicateFilter {
        self.0.sort_unstable();
        let repeated = self.0.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        DuplicateFilter(repeated.collect())
    }
}

/// The repeated hashes, sorted. A hash that occurs n times is in it n - 1 times.
#[derive(Debug, Clone, Default)]
pub(super) struct DuplicateFilter(Vec<u32>);

impl DuplicateFilter {
    /// An upper bound of how often a hash occurs; exact if it is 1.
    pub(super) fn max_count(&self, hash: u64) -> u32 {
        let hash = hash as u32;
        let from = self.0.partition_point(|other| *other < hash);
        1 + self.0[from..].partition_point(|other| *other == hash) as u32
    }
}

pub(super) fn hash_of(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_repeated_value_is_found_and_few_others() {
        let mut hashes = HashCollector::default();
        for number in 0..10_000_u32 {
            hashes.add(hash_of(number));
            if number % 10 == 0 {
                hashes.add(hash_of(number));
                hashes.add(hash_of(number));
            }
        }
        let filter = hashes.finish();
        assert!((0..10_000_u32).step_by(10).all(|number| filter.max_count(hash_of(number)) >= 3));
        let mistaken =
            (0..10_000_u32).filter(|number| number % 10 != 0 && filter.max_count(hash_of(*number)) > 1).count();
        assert!(mistaken < 50, "{mistaken}");
    }
}

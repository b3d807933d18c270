//! What comes more than once in a list, found in one pass and in little memory.
//!
//! A filter of bits remembers every hash that was seen; only a hash that seems to have been seen before is kept as such.
//! The filter errs on one side: it may take a first sighting for a second one (seven times in ten thousand, in a list of five
//! million rows), never the reverse. So what it calls unique is unique, and what it calls repeated is looked at closely by
//! whoever asks.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Bits set for each hash, all of them in one block, so that memory is looked at in one place only. A sixth would be told
/// by the bits of the hash that choose the block, and be the same for all that are in it.
const PROBES: u64 = 5;
/// Words of a block: what a processor takes from memory at a time.
const WORDS: usize = 8;
/// Bits of the smallest filter, and of the largest: 8 KiB and 8 MiB. A list of a million rows has the largest already, so
/// that one of five million needs no more.
const FEWEST: u64 = 1 << 16;
const MOST: u64 = 1 << 26;

/// Sightings that are looked up together: the processor waits for all of their places in memory at once.
const TOGETHER: usize = 1_024;

/// Collects sightings.
pub(super) struct Sightings {
    bits: Vec<u64>,
    fresh: Vec<u64>,
    again: Vec<u64>,
}

impl Sightings {
    /// For a list of so many bytes.
    pub(super) fn of_list(bytes: u64) -> Self {
        // Rows are longer than a hundred bytes as a rule: some fifty bits for each, and thirteen where there are most.
        let bits = (bytes / 2).clamp(FEWEST, MOST).next_power_of_two();
        Self { bits: vec![0; (bits / 64) as usize], fresh: Vec::with_capacity(TOGETHER), again: Vec::new() }
    }

    /// Notes one sighting.
    pub(super) fn see(&mut self, hash: u64) {
        self.fresh.push(hash);
        if self.fresh.len() == TOGETHER {
            self.look_up();
        }
    }

    fn look_up(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.drain(..).for_each(|hash| self.look_up_one(hash));
        self.fresh = fresh;
    }

    fn look_up_one(&mut self, hash: u64) {
        let blocks = self.bits.len() / WORDS;
        let block = &mut self.bits[hash as usize % blocks * WORDS..][..WORDS];
        let mut is_new = false;
        for probe in 0..PROBES {
            let at = hash >> (64 - 9 * (probe + 1));
            let (word, bit) = ((at / 64) as usize % WORDS, 1 << (at % 64));
            is_new |= block[word] & bit == 0;
            block[word] |= bit;
        }
        if !is_new {
            self.again.push(hash);
        }
    }

    /// What was seen more than once.
    pub(super) fn finish(mut self) -> Repeats {
        self.look_up();
        self.again.sort_unstable();
        self.again.shrink_to_fit();
        Repeats::of(self.again)
    }
}

/// Hashes that came more than once: each of them once for every sighting after the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Repeats {
    sorted: Vec<u64>,
    /// A bit for each place where one of them may be, ten times as many as there are of them: most that are asked for are
    /// unique, and are known by a bit that is not set.
    places: Vec<u64>,
}

impl Repeats {
    fn of(sorted: Vec<u64>) -> Self {
        let mut repeats = Self { places: vec![0; (sorted.len() * 10).div_ceil(64)], sorted };
        for hash in &repeats.sorted {
            let (word, bit) = place(*hash, repeats.places.len());
            repeats.places[word] |= bit;
        }
        repeats
    }

    /// How often a hash was seen, at most: 1 for one that is unique.
    pub(super) fn times(&self, hash: u64) -> u32 {
        let (word, bit) = place(hash, self.places.len());
        if self.places.get(word).is_none_or(|places| places & bit == 0) {
            return 1;
        }
        let from = self.first_not_below(hash);
        if self.sorted.get(from) != Some(&hash) {
            return 1;
        }
        // Most come twice or so; some, thousands of times.
        let (mut to, mut step) = (from + 1, 1);
        while self.sorted.get(to) == Some(&hash) {
            (to, step) = ((to + step).min(self.sorted.len()), step * 2);
        }
        1 + self.sorted[from..to].partition_point(|other| *other == hash) as u32
    }

    /// Hashes are spread evenly, so that one's place can be guessed to within a few of them, where a search by halves
    /// would look at memory far apart.
    fn first_not_below(&self, hash: u64) -> usize {
        let guess = ((u128::from(hash) * self.sorted.len() as u128) >> 64) as usize;
        let (mut low, mut high, mut step) = (guess, guess, 16);
        while low > 0 && self.sorted[low - 1] >= hash {
            (high, low, step) = (low, low.saturating_sub(step), step * 4);
        }
        step = 16;
        while high < self.sorted.len() && self.sorted[high] < hash {
            (low, high, step) = (high, (high + step).min(self.sorted.len()), step * 4);
        }
        low + self.sorted[low..high].partition_point(|other| *other < hash)
    }
}

/// The word and the bit of a hash among so many words, in the order of the hashes.
fn place(hash: u64, words: usize) -> (usize, u64) {
    let at = ((u128::from(hash) * (words as u128 * 64)) >> 64) as usize;
    (at / 64, 1 << (at % 64))
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

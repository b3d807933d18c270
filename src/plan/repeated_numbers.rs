//! The numbers to which a plan has several calls. Few have: a map of all numbers would take more memory than the calls.

use std::collections::HashMap;

use crate::phone::E164;

/// The numbers that occur more than once, each with an empty value.
pub(super) fn repeated_numbers<V: Default>(numbers: impl Iterator<Item = E164>) -> HashMap<E164, V> {
    let mut sorted: Vec<E164> = numbers.collect();
    sorted.sort_unstable();
    let repeated = sorted.windows(2).filter(|pair| pair[0] == pair[1]);
    repeated.map(|pair| (pair[0], V::default())).collect()
}

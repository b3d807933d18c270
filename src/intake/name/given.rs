//! First names of two and more words.

use super::words::{Kind, Word};

/// How many words the first name has: `Mary Ann`, `María del Carmen`, `Juan Carlos`, `Ji Woo`, `Abdul Rahman` have more
/// than one; what follows are middle names. `is_alone`: no last name follows.
pub(super) fn count_of_first(words: &[Word<'_>], is_alone: bool) -> usize {
    let &[one, two, ..] = words else { return words.len() };
    let particles = words[1..].iter().take_while(|word| word.is(Kind::Particle)).count();
    let devoted = words.get(1 + particles).is_some_and(|word| word.is(Kind::Devotion));
    let is_pair = (one.is(Kind::Double) && two.is(Kind::Doubled))
        || (one.is(Kind::Jean) && two.is(Kind::Pierre))
        || (one.is(Kind::Hispanic) && two.is(Kind::Hispanic) && (is_alone || !two.is(Kind::Both)))
        || (one.is(Kind::Syllable) && two.is(Kind::Syllable))
        || one.is(Kind::Servant);
    match () {
        () if one.is(Kind::Hispanic) && particles > 0 && devoted => 2 + particles,
        () if is_pair => 2,
        () => 1,
    }
}

/// Whether a word after the first name is rather a middle name than a last name.
pub(super) fn is_middle_name(first: Word<'_>, word: Word<'_>) -> bool {
    word.is_given() && (!word.is(Kind::Both) || first.is(Kind::Hispanic))
}

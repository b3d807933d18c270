//! Suggests the known word nearest to a misspelt one.

/// The word of `known` nearest to `word`, ignoring case, `-`, `_` and spaces. `None` if more than about one letter in
/// three differs.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let normalised = |text: &str| text.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = normalised(word);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &normalised(candidate)), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.chars().count().max(3) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_is_corrected_and_a_different_word_is_not() {
        let known = ["max_attempts", "min_gap", "after"];
        for (word, meant) in [
            ("max_attemps", Some("max_attempts")),
            ("MaxAttempts", Some("max_attempts")),
            ("min-gap", Some("min_gap")),
            ("afetr", Some("after")),
            ("window", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}

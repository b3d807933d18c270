//! The phrases that refusals contain, from `phrases.toml`, which says what each list means.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::vendor::Concern;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Phrases {
    pub(super) text_fields: Vec<String>,
    pub(super) text_field_faults: Vec<String>,
    pub(super) text_faults: Vec<String>,
    pub(super) rate_limit: Vec<String>,
    pub(super) concurrent_calls: Vec<String>,
    pub(super) concurrency_words: Vec<String>,
    pub(super) concurrent_things: Vec<String>,
    pub(super) requests: Vec<String>,
    pub(super) named_hours: Vec<String>,
    pub(super) plain_hours: Vec<String>,
    pub(super) caps: Vec<String>,
    pub(super) limits: Vec<String>,
    pub(super) account_only: Vec<String>,
    pub(super) account_names: Vec<String>,
    pub(super) account_limits: Vec<String>,
    pub(super) destination_kinds: Vec<String>,
    pub(super) destination_states: Vec<String>,
    pub(super) sandbox_destination: Vec<String>,
    pub(super) destination: Vec<String>,
    pub(super) caller_id: Vec<String>,
    pub(super) bot: Vec<String>,
    pub(super) outbound: Vec<String>,
    pub(super) credentials: Vec<String>,
    pub(super) spam: Vec<String>,
    pub(super) sandbox: Vec<String>,
    pub(super) codes: Vec<Codes>,
}

/// Error codes of telephone services, and what they concern.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Codes {
    pub(super) concern: Concern,
    pub(super) phrases: Vec<String>,
}

pub(super) static PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| toml::from_str(include_str!("phrases.toml")).expect("a test reads it"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_can_be_found_in_a_normalised_text() {
        let lines = include_str!("phrases.toml").lines();
        let lines = lines.filter(|line| !line.starts_with('#') && !line.starts_with("concern = "));
        let phrases: Vec<_> = lines.flat_map(|line| line.split('"').skip(1).step_by(2)).collect();
        assert!(phrases.len() > 300 && !PHRASES.codes.is_empty(), "{} phrases", phrases.len());
        for phrase in phrases {
            let is_normal = phrase.chars().all(|c| c == ' ' || c.is_lowercase() || c.is_numeric());
            assert!(phrase.starts_with(' ') && is_normal && !phrase.contains("  "), "{phrase:?} can never be found");
        }
    }
}

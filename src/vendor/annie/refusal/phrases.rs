//! The phrases that refusals contain, from `phrases.toml`, which says what each list means.

use std::collections::BTreeMap;
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
    pub(super) codes: BTreeMap<Concern, Vec<String>>,
}

pub(super) static PHRASES: LazyLock<Phrases> =
    LazyLock::new(|| toml::from_str(include_str!("phrases.toml")).expect("a test reads it"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_can_be_found_in_a_normalised_text() {
        let text = include_str!("phrases.toml").lines().filter(|line| !line.starts_with('#'));
        let phrases: Vec<_> = text.flat_map(|line| line.split('"').skip(1).step_by(2)).collect();
        assert!(phrases.len() > 300 && !PHRASES.codes.is_empty(), "{} phrases", phrases.len());
        for phrase in phrases {
            let is_normal = phrase.chars().all(|c| c == ' ' || c.is_lowercase() || c.is_numeric());
            assert!(phrase.starts_with(' ') && is_normal && !phrase.contains("  "), "{phrase:?} can never be found");
        }
    }
}

//! The bans on repeated keys.

use std::collections::HashMap;

use super::eligibility::gravest;
use crate::entry::Reason;

/// The gravest ban of each repeated key, by the key's hash.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyBans(HashMap<u128, Reason>);

impl KeyBans {
    /// Adds a ban of the key with this hash.
    pub(super) fn add(&mut self, key: u128, reason: Reason) {
        if let Some(gravest) = gravest(self.get(key).into_iter().chain([reason])) {
            self.0.insert(key, gravest);
        }
    }

    /// The ban on the key with this hash.
    pub(super) fn get(&self, key: u128) -> Option<Reason> {
        self.0.get(&key).copied()
    }
}

//! A list's entries on their way to the ledger's thread.

use std::fmt;

use chrono::{DateTime, Utc};

use super::rows::json;
use crate::entry::{Draft, Standing};
use crate::ids::{EntryKey, Location, OrganisationId};
use crate::phone::E164;

/// Drafts as the ledger writes them, some of a list at a time. Making them is the work that need not be done where the
/// writing is.
#[derive(Default)]
pub struct Batch(Vec<Prepared>);

/// One entry of a batch. It holds a patient's data, so `Debug` masks it.
pub(super) struct Prepared {
    pub(super) key: EntryKey,
    pub(super) line: i64,
    pub(super) organisation: OrganisationId,
    pub(super) location: Option<Location>,
    /// The number to dial.
    pub(super) phone: E164,
    pub(super) alternatives: Vec<E164>,
    /// What a list says beside the number, as it is written: alternatives, zones, content.
    pub(super) rest: [String; 3],
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) standing: Standing,
    pub(super) members: Vec<(EntryKey, i64, String)>,
}

impl Batch {
    /// None yet, and room for so many.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// Adds an entry.
    pub fn push(&mut self, draft: &Draft) {
        self.0.push(Prepared::of(draft));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Prepared> {
        self.0.iter()
    }
}

impl Prepared {
    /// A draft as the ledger writes it.
    pub(super) fn of(draft: &Draft) -> Self {
        let numbers: Vec<String> = draft.alternatives.iter().map(|phone| phone.expose()).collect();
        let members = draft.members.iter();
        Self {
            key: draft.key.clone(),
            line: draft.line as i64,
            organisation: draft.organisation.clone(),
            location: draft.location.clone(),
            phone: draft.phone,
            alternatives: draft.alternatives.clone(),
            rest: [json(&numbers), json(&draft.zones), json(&draft.content)],
            not_after: draft.not_after,
            standing: draft.standing,
            members: members.map(|member| (member.key.clone(), member.line as i64, json(&member.patient))).collect(),
        }
    }
}

impl<'d> FromIterator<&'d Draft> for Batch {
    fn from_iter<I: IntoIterator<Item = &'d Draft>>(drafts: I) -> Self {
        Self(drafts.into_iter().map(Prepared::of).collect())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} entries, masked)", self.len())
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared(line {})", self.line)
    }
}

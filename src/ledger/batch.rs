//! A list's entries on their way to the writing thread.

use std::fmt;

use chrono::{DateTime, Utc};

use super::codec::json;
use crate::entry::{ListEligibility, NewEntry};
use crate::ids::{EntryKey, Location, OrganisationId};
use crate::phone::E164;

/// Part of a list's entries, converted to column values. The conversion runs on the reader's thread, so that the
/// writing thread only writes.
#[derive(Default)]
pub struct Batch(Vec<EntryValues>);

/// The column values of one entry. It holds patient data, so `Debug` masks it.
pub(super) struct EntryValues {
    pub(super) key: EntryKey,
    /// The row number in the list.
    pub(super) line: i64,
    pub(super) organisation: OrganisationId,
    pub(super) location: Option<Location>,
    /// The number to dial.
    pub(super) phone: E164,
    pub(super) alternatives: Vec<E164>,
    /// Alternatives, zones and content, as JSON.
    pub(super) json: [String; 3],
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) eligibility: ListEligibility,
    /// Key, row number and patient (as JSON) of each household member that the call covers.
    pub(super) members: Vec<(EntryKey, i64, String)>,
}

impl Batch {
    /// An empty batch with room for `entries`.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: &NewEntry) {
        self.0.push(EntryValues::new(entry));
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EntryValues> {
        self.0.iter()
    }
}

impl EntryValues {
    pub(super) fn new(entry: &NewEntry) -> Self {
        let numbers: Vec<String> = entry.alternatives.iter().map(|phone| phone.expose()).collect();
        let members = entry.members.iter();
        Self {
            key: entry.key.clone(),
            line: entry.line as i64,
            organisation: entry.organisation.clone(),
            location: entry.location.clone(),
            phone: entry.phone,
            alternatives: entry.alternatives.clone(),
            json: [json(&numbers), json(&entry.zones), json(&entry.content)],
            not_after: entry.not_after,
            eligibility: entry.eligibility,
            members: members.map(|member| (member.key.clone(), member.line as i64, json(&member.patient))).collect(),
        }
    }
}

impl<'e> FromIterator<&'e NewEntry> for Batch {
    fn from_iter<I: IntoIterator<Item = &'e NewEntry>>(entries: I) -> Self {
        Self(entries.into_iter().map(EntryValues::new).collect())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} entries, masked)", self.len())
    }
}

impl fmt::Debug for EntryValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryValues(row {})", self.line)
    }
}

//! A list's entries on their way to the ledger's thread.

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, Utc};

use super::rows::{json, write_json};
use crate::entry::{Draft, Standing};
use crate::ids::{EntryKey, Location};
use crate::phone::E164;

/// Drafts as the ledger writes them, some of a list at a time. Making them is the work that need not be done where the
/// writing is.
///
/// The texts of all of them are one piece of memory: what is allocated on one thread and freed on another costs
/// both.
#[derive(Default)]
pub struct Batch {
    texts: String,
    entries: Vec<Facts>,
    /// What is being written as JSON.
    written: Vec<u8>,
}

/// What is no text about an entry, and where its texts are.
pub(super) struct Facts {
    start: usize,
    /// Where each text ends.
    ends: [usize; TEXTS],
    pub(super) line: i64,
    pub(super) phone: E164,
    pub(super) alternatives: Vec<E164>,
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) standing: Standing,
    pub(super) members: Vec<(EntryKey, i64, String)>,
    has_location: bool,
}

/// Texts of an entry.
const TEXTS: usize = 7;

/// Bytes that the texts of most entries take.
const ROOM: usize = 512;

/// One entry of a batch.
#[derive(Clone, Copy)]
pub(super) struct Prepared<'b> {
    texts: &'b str,
    pub(super) facts: &'b Facts,
}

impl Batch {
    /// None yet, and room for so many.
    #[must_use]
    pub fn with_capacity(entries: usize) -> Self {
        Self {
            texts: String::with_capacity(entries * ROOM),
            entries: Vec::with_capacity(entries),
            written: Vec::with_capacity(ROOM),
        }
    }

    /// Adds an entry.
    pub fn push(&mut self, draft: &Draft) {
        let start = self.texts.len();
        let numbers: Vec<String> = draft.alternatives.iter().map(|phone| phone.expose()).collect();
        let ends = [
            self.text(draft.key.as_str()),
            self.text(draft.organisation.as_str()),
            self.text(draft.location.as_ref().map_or("", Location::as_str)),
            self.text(&draft.phone.expose()),
            self.json(&numbers),
            self.json(&draft.zones),
            self.json(&draft.content),
        ];
        let members = draft.members.iter();
        self.entries.push(Facts {
            start,
            ends,
            line: draft.line as i64,
            phone: draft.phone,
            alternatives: draft.alternatives.clone(),
            not_after: draft.not_after,
            standing: draft.standing,
            members: members.map(|member| (member.key.clone(), member.line as i64, json(&member.patient))).collect(),
            has_location: draft.location.is_some(),
        });
    }

    fn text(&mut self, text: &str) -> usize {
        self.texts.push_str(text);
        self.texts.len()
    }

    fn json(&mut self, value: &impl serde::Serialize) -> usize {
        self.written.clear();
        write_json(&mut self.written, value);
        self.texts.push_str(std::str::from_utf8(&self.written).expect("JSON is text"));
        self.texts.len()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = Prepared<'_>> {
        self.part(0..self.len())
    }

    /// Those of these places.
    pub(super) fn part(&self, places: Range<usize>) -> impl Iterator<Item = Prepared<'_>> {
        self.entries[places].iter().map(|facts| Prepared { texts: &self.texts, facts })
    }
}

impl<'d> FromIterator<&'d Draft> for Batch {
    fn from_iter<I: IntoIterator<Item = &'d Draft>>(drafts: I) -> Self {
        let mut batch = Self::default();
        drafts.into_iter().for_each(|draft| batch.push(draft));
        batch
    }
}

impl<'b> Prepared<'b> {
    fn text(self, at: usize) -> &'b str {
        let start = if at == 0 { self.facts.start } else { self.facts.ends[at - 1] };
        &self.texts[start..self.facts.ends[at]]
    }

    pub(super) fn key(self) -> &'b str {
        self.text(0)
    }

    pub(super) fn organisation(self) -> &'b str {
        self.text(1)
    }

    pub(super) fn location(self) -> Option<&'b str> {
        self.facts.has_location.then(|| self.text(2))
    }

    /// The number to dial.
    pub(super) fn number(self) -> &'b str {
        self.text(3)
    }

    /// What a list says beside the number, as it is written: alternatives, zones, content.
    pub(super) fn rest(self) -> [&'b str; 3] {
        [self.text(4), self.text(5), self.text(6)]
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} entries, masked)", self.len())
    }
}

impl fmt::Debug for Prepared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared(line {})", self.facts.line)
    }
}

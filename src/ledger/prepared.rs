//! A list's entry on its way to the ledger's thread.

use std::fmt;

use chrono::{DateTime, Utc};

use super::rows::{json, write_json};
use crate::entry::{Draft, Standing};
use crate::ids::{EntryKey, Location};
use crate::phone::E164;

/// A draft as the ledger writes it. Making one is the work that need not be done where the writing is.
pub struct Prepared {
    texts: Texts,
    location: Option<Location>,
    pub(super) line: i64,
    pub(super) phone: E164,
    pub(super) alternatives: Vec<E164>,
    pub(super) not_after: Option<DateTime<Utc>>,
    pub(super) standing: Standing,
    pub(super) members: Vec<(EntryKey, i64, String)>,
}

/// The texts of an entry, one after the other, and where each ends: they are handed from one thread to the other, and
/// what is one piece is taken and given back once.
struct Texts {
    all: String,
    ends: [usize; 5],
}

impl Texts {
    fn of(draft: &Draft) -> Self {
        let numbers: Vec<String> = draft.alternatives.iter().map(|phone| phone.expose()).collect();
        let mut all = Vec::with_capacity(ROOM);
        let mut end_of = |write: &dyn Fn(&mut Vec<u8>)| {
            write(&mut all);
            all.len()
        };
        let ends = [
            end_of(&|all| all.extend_from_slice(draft.key.as_str().as_bytes())),
            end_of(&|all| all.extend_from_slice(draft.organisation.as_str().as_bytes())),
            end_of(&|all| write_json(all, &numbers)),
            end_of(&|all| write_json(all, &draft.zones)),
            end_of(&|all| write_json(all, &draft.content)),
        ];
        Self { all: String::from_utf8(all).expect("made of texts"), ends }
    }

    fn at(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.all[start..self.ends[at]]
    }
}

/// Bytes that the texts of most entries take.
const ROOM: usize = 640;

impl From<Draft> for Prepared {
    fn from(draft: Draft) -> Self {
        let texts = Texts::of(&draft);
        let members = draft.members.into_iter().map(|member| (member.key, member.line as i64, json(&member.patient)));
        Self {
            texts,
            line: draft.line as i64,
            phone: draft.phone,
            alternatives: draft.alternatives,
            location: draft.location,
            not_after: draft.not_after,
            standing: draft.standing,
            members: members.collect(),
        }
    }
}

impl Prepared {
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_ref().map(Location::as_str)
    }

    pub(super) fn key(&self) -> &str {
        self.texts.at(0)
    }

    pub(super) fn organisation(&self) -> &str {
        self.texts.at(1)
    }

    /// What a list says beside the number, as it is written: alternatives, zones, content.
    pub(super) fn rest(&self) -> [&str; 3] {
        [self.texts.at(2), self.texts.at(3), self.texts.at(4)]
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared(line {})", self.line)
    }
}

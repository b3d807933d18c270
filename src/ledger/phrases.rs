//! Texts that many entries have, each once on the ledger: zones, and how contents end. A voicemail says little more than a
//! first name, so that it would be a third of what a long list takes on disk.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension};

use super::error::LedgerError;
use super::sql;

/// Texts that are looked out for at a time: more than most lists have of those that come again.
const MOST: usize = 4_096;

/// What comes before a content's ending: the last of its fields.
const ENDING: &str = ",\"voicemail\":";

/// The texts of a list that have come before. It holds patients' data and is never printed.
#[derive(Default)]
pub(super) struct Phrases(HashMap<Box<str>, Option<i64>>);

/// The texts of an entry as they are written: what is its own, and the phrases that stand for the rest.
pub(super) struct Written<'t> {
    pub(super) zones: &'t str,
    pub(super) zones_phrase: Option<i64>,
    pub(super) content: &'t str,
    pub(super) ending: Option<i64>,
}

impl Phrases {
    /// How an entry's texts are to be written. To be asked once for an entry of a list.
    pub(super) fn written<'t>(
        &mut self,
        conn: &Connection,
        zones: &'t str,
        content: &'t str,
    ) -> Result<Written<'t>, LedgerError> {
        let (own, rest) = content.split_at(content.rfind(ENDING).unwrap_or(content.len()));
        let (zones_phrase, ending) = (self.phrase(conn, zones)?, self.phrase(conn, rest)?);
        Ok(Written {
            zones: if zones_phrase.is_some() { "" } else { zones },
            zones_phrase,
            content: if ending.is_some() { own } else { content },
            ending,
        })
    }

    /// The number of a text that has come before. One that comes for the first time is no phrase yet.
    fn phrase(&mut self, conn: &Connection, text: &str) -> Result<Option<i64>, LedgerError> {
        if text.is_empty() {
            return Ok(None);
        }
        let is_full = self.0.len() == MOST;
        match self.0.get_mut(text) {
            Some(Some(id)) => Ok(Some(*id)),
            Some(unwritten) => {
                let id = put(conn, text)?;
                *unwritten = Some(id);
                Ok(Some(id))
            }
            None if is_full => Ok(None),
            None => {
                self.0.insert(text.into(), None);
                Ok(None)
            }
        }
    }
}

fn put(conn: &Connection, text: &str) -> Result<i64, LedgerError> {
    let mut find = conn.prepare_cached(sql!("phrase_find"))?;
    if let Some(id) = find.query_row([text], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    conn.prepare_cached(sql!("phrase_put"))?.execute([text])?;
    Ok(conn.last_insert_rowid())
}

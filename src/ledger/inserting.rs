//! New entries on their way into their table: one by one where a key may be known already, many with one statement where
//! none can be.

use std::ops::Range;

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection, Statement, ToSql};

use super::enrol::forbidden_by;
use super::error::LedgerError;
use super::phrases::{Phrases, Written};
use super::prepared::{Batch, Prepared};
use super::rows::{exactly_one, millis};
use super::runs::RunHandle;
use super::sql;
use crate::entry::{Reason, State};
use crate::ids::{EntryId, RunId};
use crate::phone::E164;

/// Entries of one statement: so many that what each statement costs is little beside them.
const AT_ONCE: usize = 512;

/// Parameters that are the same for all entries of a run.
const SHARED: usize = 3;

/// Inserts entries whose keys the campaign may have, one by one.
pub(super) struct Inserting<'c> {
    entry: CachedStatement<'c>,
    beside: Beside<'c>,
}

impl<'c> Inserting<'c> {
    pub(super) fn ready(conn: &'c Connection, run: RunHandle, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        let mut entry = conn.prepare_cached(sql!("entry_insert"))?;
        bind_shared(&mut entry, run, now)?;
        Ok(Self { entry, beside: Beside::ready(conn, run, now)? })
    }

    /// How an entry's texts are to be written.
    pub(super) fn written<'p>(&mut self, prepared: Prepared<'p>) -> Result<Written<'p>, LedgerError> {
        self.beside.written(prepared)
    }

    /// Inserts an entry, unless the campaign has one of its key. Whether it did.
    pub(super) fn insert(&mut self, prepared: Prepared<'_>, written: &Written<'_>) -> Result<bool, LedgerError> {
        bind(&mut self.entry, SHARED + 1, prepared, written)?;
        if self.entry.raw_execute()? == 0 {
            return Ok(false);
        }
        let entry = EntryId(self.beside.conn.last_insert_rowid());
        self.beside.note(entry, prepared)?;
        Ok(true)
    }

    /// Gives an entry that is there already the number, the texts and the members that the list has for it.
    pub(super) fn refresh(
        &mut self,
        entry: EntryId,
        phone: E164,
        prepared: Prepared<'_>,
        written: &Written<'_>,
    ) -> Result<(), LedgerError> {
        let conn = self.beside.conn;
        let [alternatives, ..] = prepared.rest();
        let Written { zones, zones_phrase, content, ending } = written;
        let not_after = prepared.facts.not_after.map(millis);
        conn.prepare_cached(sql!("entry_refresh"))?.execute((
            entry.0,
            phone.expose(),
            alternatives,
            zones,
            zones_phrase,
            content,
            ending,
            not_after,
            prepared.organisation(),
            prepared.location(),
        ))?;
        conn.prepare_cached(sql!("member_keep"))?.execute([entry.0])?;
        conn.prepare_cached(sql!("member_clear"))?.execute([entry.0])?;
        self.beside.put_members(entry, prepared)
    }

    /// Tells of those that were inserted until now.
    pub(super) fn tell(&mut self) -> Result<(), LedgerError> {
        self.beside.enrolled.tell()
    }
}

/// Inserts entries whose keys the campaign cannot have yet. Nothing is looked up, not even their numbers.
pub(super) struct Appending<'c> {
    last: i64,
    many: Statement<'c>,
    one: Statement<'c>,
    beside: Beside<'c>,
}

impl<'c> Appending<'c> {
    /// `last` is the newest entry of the ledger.
    pub(super) fn ready(
        conn: &'c Connection,
        run: RunHandle,
        last: i64,
        now: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let statement = |rows: usize| {
            let mut statement = conn.prepare(&of_rows(sql!("entry_append"), rows))?;
            bind_shared(&mut statement, run, now)?;
            Ok::<_, LedgerError>(statement)
        };
        Ok(Self { last, many: statement(AT_ONCE)?, one: statement(1)?, beside: Beside::ready(conn, run, now)? })
    }

    pub(super) fn append(&mut self, entries: &Batch) -> Result<(), LedgerError> {
        let mut at = 0;
        while at < entries.len() {
            let many = at + AT_ONCE <= entries.len();
            let (statement, rows) = if many { (&mut self.many, AT_ONCE) } else { (&mut self.one, 1) };
            self.last = self.beside.append(statement, self.last, entries, at..at + rows)?;
            at += rows;
        }
        self.beside.enrolled.tell()
    }
}

/// What is written beside an entry.
struct Beside<'c> {
    conn: &'c Connection,
    member: CachedStatement<'c>,
    phrases: Phrases,
    enrolled: Together<'c>,
}

impl<'c> Beside<'c> {
    fn ready(conn: &'c Connection, run: RunHandle, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self {
            conn,
            member: conn.prepare_cached(sql!("member_insert"))?,
            phrases: Phrases::default(),
            enrolled: Together::ready(conn, run.run, now)?,
        })
    }

    /// Inserts as many entries as the statement takes, after the one of number `last`. The last one's number.
    fn append(
        &mut self,
        statement: &mut Statement<'_>,
        last: i64,
        entries: &Batch,
        places: Range<usize>,
    ) -> Result<i64, LedgerError> {
        let mut at = SHARED + 1;
        for (id, prepared) in (last + 1..).zip(entries.part(places.clone())) {
            statement.raw_bind_parameter(at, id)?;
            at = bind(statement, at + 1, prepared, &self.written(prepared)?)?;
        }
        if statement.raw_execute()? != places.len() {
            return Err(LedgerError::Conflict);
        }
        for (id, prepared) in (last + 1..).zip(entries.part(places.clone())) {
            self.note(EntryId(id), prepared)?;
        }
        Ok(last + places.len() as i64)
    }

    fn written<'p>(&mut self, prepared: Prepared<'p>) -> Result<Written<'p>, LedgerError> {
        let [_, zones, content] = prepared.rest();
        self.phrases.written(self.conn, zones, content)
    }

    /// Takes note of an entry that is there now.
    fn note(&mut self, entry: EntryId, prepared: Prepared<'_>) -> Result<(), LedgerError> {
        self.enrolled.note(entry, stands(prepared))?;
        self.put_members(entry, prepared)
    }

    fn put_members(&mut self, entry: EntryId, prepared: Prepared<'_>) -> Result<(), LedgerError> {
        for (key, line, patient) in &prepared.facts.members {
            self.member.execute((entry.0, key.as_str(), line, patient))?;
        }
        Ok(())
    }
}

/// An `INSERT` of one row as one of so many.
fn of_rows(insert: &str, rows: usize) -> String {
    let (start, row) = insert.trim_end().trim_end_matches(';').split_once("VALUES").unwrap_or((insert, ""));
    format!("{start}VALUES{}", vec![row; rows].join(","))
}

fn bind_shared(statement: &mut Statement<'_>, run: RunHandle, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let shared: [i64; SHARED] = [run.campaign.0, run.run.0, millis(now)];
    for (at, value) in (1..).zip(shared) {
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(())
}

/// Binds what is an entry's own, from parameter `at` on. The first one after it.
fn bind(
    statement: &mut Statement<'_>,
    at: usize,
    prepared: Prepared<'_>,
    written: &Written<'_>,
) -> Result<usize, LedgerError> {
    let [alternatives, ..] = prepared.rest();
    let (state, reason) = stands(prepared);
    let own: [&dyn ToSql; 13] = [
        &prepared.key(),
        &prepared.facts.line,
        &prepared.organisation(),
        &prepared.location(),
        &prepared.number(),
        &alternatives,
        &written.zones,
        &written.zones_phrase,
        &written.content,
        &written.ending,
        &prepared.facts.not_after.map(millis),
        &state.name(),
        &reason.map(Reason::name),
    ];
    for (at, value) in (at..).zip(own) {
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(at + own.len())
}

/// Where the list puts an entry that is new.
fn stands(prepared: Prepared<'_>) -> (State, Option<Reason>) {
    let (state, reason) = forbidden_by(prepared.facts.standing).unzip();
    (state.unwrap_or(State::Ready), reason)
}

/// Entries that were enrolled one after the other and stand alike: one event tells of all of them.
struct Together<'c> {
    event: CachedStatement<'c>,
    run: RunId,
    at: i64,
    noted: Option<Stretch>,
}

struct Stretch {
    first: EntryId,
    last: EntryId,
    stands: (State, Option<Reason>),
}

impl<'c> Together<'c> {
    fn ready(conn: &'c Connection, run: RunId, now: DateTime<Utc>) -> Result<Self, LedgerError> {
        Ok(Self { event: conn.prepare_cached(sql!("event_enrolled"))?, run, at: millis(now), noted: None })
    }

    fn note(&mut self, entry: EntryId, stands: (State, Option<Reason>)) -> Result<(), LedgerError> {
        match &mut self.noted {
            Some(stretch) if stretch.stands == stands && stretch.last.0 + 1 == entry.0 => stretch.last = entry,
            _ => {
                self.tell()?;
                self.noted = Some(Stretch { first: entry, last: entry, stands });
            }
        }
        Ok(())
    }

    /// Puts down the event of those that were noted. It comes before whatever else happens to them.
    fn tell(&mut self) -> Result<(), LedgerError> {
        let Some(Stretch { first, last, stands: (state, reason) }) = self.noted.take() else { return Ok(()) };
        let through = (last != first).then_some(last.0);
        exactly_one(self.event.execute((
            self.at,
            self.run.0,
            first.0,
            through,
            state.name(),
            reason.map(Reason::name),
        ))?)
    }
}

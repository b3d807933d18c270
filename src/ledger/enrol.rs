//! Enrolling a list: new entries are inserted, known ones brought up to date, and nothing that was called is called
//! again because it is listed again.

use chrono::{DateTime, Utc};
use rusqlite::{CachedStatement, Connection};

use super::error::LedgerError;
use super::rows::{exactly_one, json, maybe_reason_at, millis, state_at};
use super::runs::RunHandle;
use super::transition::Step;
use super::{meanwhile, sql};
use crate::entry::{Draft, Fact, ListTally, Reason, Standing, State};
use crate::ids::{EntryId, EntryKey, OrganisationId};

/// What enrolling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Enrolled {
    /// Entries that are new to the campaign.
    pub inserted: u64,
    /// Entries that were there.
    pub known: u64,
}

impl std::ops::AddAssign for Enrolled {
    fn add_assign(&mut self, more: Self) {
        self.inserted += more.inserted;
        self.known += more.known;
    }
}

/// An entry that the campaign has already.
struct Known {
    id: EntryId,
    state: State,
    reason: Option<Reason>,
}

/// A draft as the ledger writes it. Making one is the work that need not be done where the writing is.
pub struct Prepared {
    key: EntryKey,
    line: i64,
    organisation: OrganisationId,
    phone: String,
    alternatives: String,
    zones: String,
    content: String,
    not_after: Option<DateTime<Utc>>,
    standing: Standing,
    members: Vec<(EntryKey, i64, String)>,
}

impl From<Draft> for Prepared {
    fn from(draft: Draft) -> Self {
        let alternatives = json(&draft.alternatives.iter().map(|phone| phone.expose()).collect::<Vec<_>>());
        let members = draft.members.into_iter().map(|member| (member.key, member.line as i64, json(&member.patient)));
        Self {
            line: draft.line as i64,
            phone: draft.phone.expose(),
            alternatives,
            zones: json(&draft.zones),
            content: json(&draft.content),
            members: members.collect(),
            key: draft.key,
            organisation: draft.organisation,
            not_after: draft.not_after,
            standing: draft.standing,
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Prepared(line {})", self.line)
    }
}

/// A list on its way into the ledger, piece by piece.
#[derive(Debug)]
pub enum Piece {
    /// The next entries.
    Entries(Vec<Prepared>),
    /// The list has been read to its end.
    End {
        /// What became of its rows.
        tally: ListTally,
        /// Whether entries of the campaign that it does not have are withdrawn.
        withdraw: bool,
    },
}

/// A list that is enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The run that it was enrolled for.
    pub run: RunHandle,
    /// What enrolling did.
    pub enrolled: Enrolled,
    /// Entries that were withdrawn because it does not have them.
    pub withdrawn: u64,
}

/// From so many rows on, an index that is made anew at the end is sooner made than one that is kept up with each row.
const MANY: u64 = 10_000;

/// Starts a run and enrols its list of about `rows` rows. A list that breaks off before its end is none, and leaves nothing.
pub(super) fn whole_list(
    conn: &Connection,
    begin: impl FnOnce(&Connection) -> Result<RunHandle, LedgerError>,
    pieces: impl Iterator<Item = Piece>,
    rows: u64,
    now: DateTime<Utc>,
) -> Result<Listed, LedgerError> {
    let run = begin(conn)?;
    let last: i64 = conn.query_row(sql!("entry_last"), [], |row| row.get(0))?;
    // Numbers come in no order: each would have to be put into a page of its own.
    let anew = rows >= MANY && last.unsigned_abs() < rows;
    if anew {
        conn.execute_batch(sql!("entry_by_phone_drop"))?;
    }
    let listed = every_piece(conn, run, pieces, now)?;
    if anew {
        conn.execute_batch(sql!("entry_by_phone_make"))?;
    }
    Ok(listed)
}

fn every_piece(
    conn: &Connection,
    run: RunHandle,
    pieces: impl Iterator<Item = Piece>,
    now: DateTime<Utc>,
) -> Result<Listed, LedgerError> {
    let mut enrolled = Enrolled::default();
    for piece in pieces {
        match piece {
            Piece::Entries(entries) => enrolled += enrol(conn, run, &entries, now)?,
            Piece::End { tally, withdraw } => {
                let withdrawn = close_list(conn, run, tally, withdraw, now)?;
                return Ok(Listed { run, enrolled, withdrawn });
            }
        }
    }
    Err(LedgerError::ListBrokenOff)
}

pub(super) fn enrol(
    conn: &Connection,
    run: RunHandle,
    entries: &[Prepared],
    now: DateTime<Utc>,
) -> Result<Enrolled, LedgerError> {
    let mut enrolled = Enrolled::default();
    let mut inserting = Inserting::ready(conn)?;
    for prepared in entries {
        let entry = if let Some(new) = inserting.insert(conn, run, prepared, now)? {
            enrolled.inserted += 1;
            new
        } else {
            enrolled.known += 1;
            let known = find(conn, run, prepared)?;
            bring_up_to_date(conn, run, &known, prepared, now)?;
            conn.prepare_cached(sql!("member_clear"))?.execute([known.id.0])?;
            known.id
        };
        inserting.put_members(entry, prepared)?;
    }
    Ok(enrolled)
}

/// The statements that a new entry takes, at hand for as long as entries come.
struct Inserting<'c> {
    entry: CachedStatement<'c>,
    event: CachedStatement<'c>,
    member: CachedStatement<'c>,
}

impl<'c> Inserting<'c> {
    fn ready(conn: &'c Connection) -> Result<Self, LedgerError> {
        Ok(Self {
            entry: conn.prepare_cached(sql!("entry_insert"))?,
            event: conn.prepare_cached(sql!("event_enrolled"))?,
            member: conn.prepare_cached(sql!("member_insert"))?,
        })
    }

    /// Inserts an entry; nothing if the campaign has one of its key.
    fn insert(
        &mut self,
        conn: &Connection,
        run: RunHandle,
        prepared: &Prepared,
        now: DateTime<Utc>,
    ) -> Result<Option<EntryId>, LedgerError> {
        let (state, reason) = forbidden_by(prepared).unzip();
        let (state, reason) = (state.unwrap_or(State::Ready), reason.map(Reason::name));
        let inserted = self.entry.execute((
            run.campaign.0,
            run.run.0,
            prepared.key.as_str(),
            prepared.line,
            prepared.organisation.as_str(),
            &prepared.phone,
            &prepared.alternatives,
            &prepared.zones,
            &prepared.content,
            prepared.not_after.map(millis),
            state.name(),
            reason,
            millis(now),
        ))?;
        if inserted == 0 {
            return Ok(None);
        }
        let entry = EntryId(conn.last_insert_rowid());
        self.event.execute((millis(now), run.run.0, entry.0, state.name(), reason))?;
        Ok(Some(entry))
    }

    fn put_members(&mut self, entry: EntryId, prepared: &Prepared) -> Result<(), LedgerError> {
        for (key, line, patient) in &prepared.members {
            self.member.execute((entry.0, key.as_str(), line, patient))?;
        }
        Ok(())
    }
}

fn find(conn: &Connection, run: RunHandle, prepared: &Prepared) -> Result<Known, LedgerError> {
    conn.prepare_cached(sql!("entry_find"))?.query_row((run.campaign.0, prepared.key.as_str()), |row| {
        let id = EntryId(row.get("id")?);
        Ok(state_at(row, "state").and_then(|state| Ok(Known { id, state, reason: maybe_reason_at(row, "reason")? })))
    })?
}

/// The list knows best whom to call, on which number and with which words; what is over stays as it was.
fn bring_up_to_date(
    conn: &Connection,
    run: RunHandle,
    known: &Known,
    prepared: &Prepared,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let listed = conn.prepare_cached(sql!("entry_listed"))?.execute((known.id.0, run.run.0, prepared.line))?;
    exactly_one(listed)?;
    conn.prepare_cached(sql!("entry_refresh"))?.execute((
        known.id.0,
        &prepared.phone,
        &prepared.alternatives,
        &prepared.zones,
        &prepared.content,
        prepared.not_after.map(millis),
    ))?;
    meanwhile::keep(conn, known.id, forbidden_by(prepared).filter(|_| known.is_not_settled()))?;
    let Some(fact) = what_the_list_says(known, prepared, now) else { return Ok(()) };
    let from = known.state;
    Step { run: run.run, entry: known.id, attempt: None, at: now, from, fact: &fact, detail: None }.take(conn)?;
    Ok(())
}

impl Known {
    /// Whether it may become callable again by something else than a list: its call ends, or a person decides.
    fn is_not_settled(&self) -> bool {
        let for_a_person = self.state == State::Held && !self.is_of_the_list();
        for_a_person || matches!(self.state, State::Submitting | State::Open | State::Unknown | State::LostTrack)
    }

    fn is_of_the_list(&self) -> bool {
        self.reason.is_some_and(Reason::is_of_the_list)
    }
}

/// Where the list puts an entry that it does not let be called.
fn forbidden_by(prepared: &Prepared) -> Option<(State, Reason)> {
    match prepared.standing {
        Standing::Ready => None,
        Standing::Suppressed(reason) => Some((State::Suppressed, reason)),
        Standing::Held(reason) => Some((State::Held, reason)),
    }
}

/// The fact, if any, that the list makes known about an entry that is there already.
fn what_the_list_says(known: &Known, prepared: &Prepared, now: DateTime<Utc>) -> Option<Fact> {
    let by_list = known.is_of_the_list();
    let still_time = prepared.not_after.is_none_or(|last| last > now);
    match (known.state, prepared.standing) {
        (State::Ready | State::Waiting, Standing::Suppressed(reason)) => Some(Fact::Barred { reason }),
        (State::Ready | State::Waiting, Standing::Held(reason)) => Some(Fact::SetAside { reason }),
        (State::Suppressed | State::Held | State::Withdrawn, Standing::Ready) if by_list => Some(Fact::Listed),
        (State::Expired, Standing::Ready) if still_time => Some(Fact::Listed),
        _ => None,
    }
}

pub(super) fn close_list(
    conn: &Connection,
    run: RunHandle,
    tally: ListTally,
    withdraw: bool,
    now: DateTime<Utc>,
) -> Result<u64, LedgerError> {
    exactly_one(conn.prepare_cached(sql!("run_listed"))?.execute((
        run.run.0,
        tally.read as i64,
        tally.accepted as i64,
        tally.rejected as i64,
        tally.duplicate as i64,
        tally.merged as i64,
    ))?)?;
    if withdraw { withdraw_absent(conn, run, now) } else { Ok(0) }
}

fn withdraw_absent(conn: &Connection, run: RunHandle, now: DateTime<Utc>) -> Result<u64, LedgerError> {
    let mut withdrawn = 0;
    for known in absent(conn, run)? {
        if known.is_not_settled() {
            meanwhile::keep(conn, known.id, Some((State::Withdrawn, Reason::Unlisted)))?;
            continue;
        }
        // What a patient has decided stays whatever the list says.
        if known.state == State::Suppressed && !known.is_of_the_list() {
            continue;
        }
        let from = known.state;
        Step { run: run.run, entry: known.id, attempt: None, at: now, from, fact: &Fact::Unlisted, detail: None }
            .take(conn)?;
        withdrawn += 1;
    }
    Ok(withdrawn)
}

fn absent(conn: &Connection, run: RunHandle) -> Result<Vec<Known>, LedgerError> {
    let mut statement = conn.prepare_cached(sql!("entry_absent"))?;
    let mut rows = statement.query((run.campaign.0, run.run.0))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id = EntryId(row.get("id")?);
        found.push(Known { id, state: state_at(row, "state")?, reason: maybe_reason_at(row, "reason")? });
    }
    Ok(found)
}

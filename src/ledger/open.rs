//! Opening a ledger: its file, its settings and its format.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::disk::{Disk, OwnDisk, log_of};
use super::error::LedgerError;
use super::high_water::{HighWaterMark, MarkStanding};
use super::lock::Lock;
use super::rows::millis;
use super::{care, high_water, place, sql, surroundings};

use crate::visible::Shown;

/// The tables of a ledger of this format.
const SCHEMA: &str = include_str!("schema.sql");

/// The format of [`SCHEMA`], which a ledger has as its `user_version`; 0 is an empty file's.
const FORMAT: i64 = 1;

/// SQLite 3.51.3: older ones lose commits in WAL mode.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Prepared statements that are kept: more than the program has, so that none is prepared twice.
const STATEMENTS: usize = 128;

/// A ledger ready to be written, and the lock that makes this process its only writer.
pub(super) struct Opened {
    pub(super) conn: Connection,
    pub(super) lock: Lock,
    pub(super) mark: HighWaterMark,
    /// There was no mark, although the ledger has attempts.
    pub(super) mark_was_missing: bool,
}

/// A ledger that is ready, but for where it is and what it must hold.
pub(super) struct MadeReady {
    pub(super) conn: Connection,
    lock: Lock,
    is_new: bool,
}

/// Opens or creates the ledger for writing.
pub(super) fn exclusively(path: &Path, now: DateTime<Utc>, disk: &dyn Disk) -> Result<Opened, LedgerError> {
    let MadeReady { conn, mut lock, is_new } = make_ready(path, now, disk)?;
    if place::refuse_a_copy(&conn, path)? {
        // What a ledger is must not be in its -wal alone: a new one that lost that file would know of nobody's call. If a
        // reader is in the way it stays there for now, as it does while a run is under way.
        conn.query_row(sql!("checkpoint"), [], |_| Ok(()))?;
    }
    // A ledger that was only just made stands in no older one's place.
    let standing = if is_new { MarkStanding::Reached } else { high_water::standing(&conn, path)? };
    if standing == MarkStanding::Behind {
        return Err(LedgerError::BehindMark { path: path.shown() });
    }
    let mark = HighWaterMark::open(&conn, path)?;
    lock.note_made()?;
    Ok(Opened { conn, lock, mark, mark_was_missing: standing == MarkStanding::Missing })
}

/// Opens an existing ledger for writing although it may be a copy.
pub(super) fn wherever_it_is(path: &Path, now: DateTime<Utc>) -> Result<MadeReady, LedgerError> {
    refuse_missing(path)?;
    make_ready(path, now, &OwnDisk)
}

/// Everything that must hold before a ledger is written, but that it is in its place.
fn make_ready(path: &Path, now: DateTime<Utc>, disk: &dyn Disk) -> Result<MadeReady, LedgerError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(LedgerError::OldSqlite(rusqlite::version()));
    }
    surroundings::refuse(path)?;
    place::refuse_network(path)?;
    let lock = Lock::take(path)?;
    create_private(path)?;
    let mut conn = opened_as_it_is(path)?;
    refuse_another_kind(&conn, path)?;
    let found = version(&conn)?;
    let is_new = found == 0;
    if is_new && lock.ledger_was_made {
        return Err(LedgerError::Emptied { path: path.shown() });
    }
    if !is_new {
        refuse_other_format(found)?;
    }
    care::refuse_damaged_if_small(&conn, path)?;
    conn.execute_batch(sql!("settings"))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // A statement is planned once, not anew for each value that is bound: the values say nothing about which index is best.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    make_the_log_last(&conn, path, disk)?;
    if is_new {
        create(&mut conn, now)?;
    }
    Ok(MadeReady { conn, lock, is_new })
}

/// Opens the ledger for a single decision, beside the run that may hold its lock. A ledger that nobody has made yet is made
/// here, which needs the lock.
pub(super) fn beside_a_run(path: &Path, now: DateTime<Utc>) -> Result<Connection, LedgerError> {
    if !path.exists() {
        return exclusively(path, now, &OwnDisk).map(|opened| opened.conn);
    }
    // What a reader refuses is not written either.
    drop(for_reading(path)?);
    let conn = opened_as_it_is(path)?;
    conn.execute_batch(sql!("settings"))?;
    // A run that is under way has seen to the log that it found.
    if let Some(_alone) = Lock::try_take(path)? {
        make_the_log_last(&conn, path, &OwnDisk)?;
    }
    place::refuse_a_copy(&conn, path)?;
    Ok(conn)
}

/// A connection that leaves the log (the -wal) where it is when it is closed.
fn opened_as_it_is(path: &Path) -> Result<Connection, LedgerError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(conn)
}

/// Puts on stable storage whatever the log of the last program shows; only then may any of it go into the ledger's file.
///
/// If the sync of a commit failed, that program ended, but the log still shows the commit, from memory alone: the system
/// takes it for written, and no later sync writes it. A commit added behind it would be on the disk and out of reach, for a
/// log is read up to its first gap; and SQLite would put it into the ledger's file page by page, which would have some pages
/// of a commit that the log has lost if the power failed in the midst of that.
fn make_the_log_last(conn: &Connection, path: &Path, disk: &dyn Disk) -> Result<(), LedgerError> {
    // Nobody else, such as an operator, adds to the log meanwhile.
    let alone = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
    disk.write_again(&log_of(path)).map_err(|error| LedgerError::storage(&error))?;
    alone.rollback()?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Opens an existing ledger for reading beside its writer.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LedgerError> {
    refuse_missing(path)?;
    surroundings::refuse(path)?;
    refuse_exposed(path)?;
    // Whoever only looks puts nothing into the ledger's file, not even what a log shows that may not last.
    let conn = opened_as_it_is(path)?;
    refuse_another_kind(&conn, path)?;
    conn.execute_batch(sql!("settings_for_reading"))?;
    let found = version(&conn)?;
    if found == 0 {
        return Err(not_a_ledger(path));
    }
    refuse_other_format(found)?;
    Ok(conn)
}

fn refuse_other_format(found: i64) -> Result<(), LedgerError> {
    if found == FORMAT { Ok(()) } else { Err(LedgerError::OtherFormat { found, known: FORMAT }) }
}

fn version(conn: &Connection) -> Result<i64, LedgerError> {
    Ok(conn.query_row(sql!("version"), [], |row| row.get(0))?)
}

/// A text, or the database of another program, which must not find our tables in it one day. An empty file is the
/// beginning of a ledger.
fn refuse_another_kind(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
    let ours: bool =
        conn.query_row(sql!("is_ours"), [], |row| row.get(0)).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => not_a_ledger(path),
            _ => error.into(),
        })?;
    if ours { Ok(()) } else { Err(not_a_ledger(path)) }
}

fn not_a_ledger(path: &Path) -> LedgerError {
    LedgerError::NotALedger { path: path.shown() }
}

/// Makes the tables of an empty ledger and gives it its identity, in one commit.
fn create(conn: &mut Connection, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let transaction = conn.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute(sql!("identity_insert"), (uuid::Uuid::new_v4().to_string(), millis(now)))?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

/// Patients' data is in the ledger: it is the owner's alone from its first byte.
fn create_private(path: &Path) -> Result<(), LedgerError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => refuse_exposed(path),
        Err(error) => Err(LedgerError::storage(&error)),
    }
}

fn refuse_missing(path: &Path) -> Result<(), LedgerError> {
    if path.exists() { Ok(()) } else { Err(LedgerError::Missing { path: path.shown() }) }
}

fn refuse_exposed(path: &Path) -> Result<(), LedgerError> {
    let metadata = path.metadata().map_err(|error| LedgerError::storage(&error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(LedgerError::Exposed { path: path.shown() });
    }
    Ok(())
}

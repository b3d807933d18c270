//! Opening a ledger: checks its file, its settings and its format.

use std::fs::OpenOptions;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::codec::millis;
use super::error::LedgerError;
use super::high_water::{HighWaterMark, MarkStatus};
use super::lock::Lock;
use super::sql::sql;
use super::wal_recovery::{LedgerDisk, SystemDisk, wal_path};
use super::{file_identity, high_water, integrity, sibling_files};

use crate::visible::DisplayPath;

/// The tables of an empty ledger.
const SCHEMA: &str = include_str!("schema.sql");

/// The format of [`SCHEMA`], stored as the ledger's `user_version`; an empty file has 0.
const FORMAT: i64 = 1;

/// SQLite 3.51.3: older versions lose commits in WAL mode.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The capacity of the prepared statement cache: more than the program has, so that none is prepared twice.
const STATEMENTS: usize = 128;

/// A ledger ready for writing, with the lock that makes this process its only writer.
pub(super) struct OpenedLedger {
    pub(super) conn: Connection,
    pub(super) lock: Lock,
    pub(super) mark: HighWaterMark,
    /// There was no mark although the ledger has attempts.
    pub(super) mark_was_missing: bool,
}

/// A locked and checked ledger that may still be a copy or behind its mark.
pub(super) struct PreparedLedger {
    pub(super) conn: Connection,
    lock: Lock,
    is_new: bool,
}

/// Opens or creates the ledger for writing.
pub(super) fn exclusively(path: &Path, now: DateTime<Utc>, disk: &dyn LedgerDisk) -> Result<OpenedLedger, LedgerError> {
    let PreparedLedger { conn, mut lock, is_new } = prepare(path, now, disk)?;
    if file_identity::refuse_a_copy(&conn, path)? {
        // A ledger's identity must not be in the write-ahead log alone: a new ledger that lost that file would be
        // empty. If a reader blocks the checkpoint it stays there for now, as it does during a run.
        conn.query_row(sql!("checkpoint"), [], |_| Ok(()))?;
    }
    // A ledger that was just created does not replace an older one.
    let status = if is_new { MarkStatus::Reached } else { high_water::status(&conn, path)? };
    if status == MarkStatus::Behind {
        return Err(LedgerError::BehindMark { path: path.shown() });
    }
    let mark = HighWaterMark::open(&conn, path)?;
    lock.note_created()?;
    Ok(OpenedLedger { conn, lock, mark, mark_was_missing: status == MarkStatus::Missing })
}

/// Opens an existing ledger for writing although it may be a copy or behind its mark.
pub(super) fn possible_copy(path: &Path, now: DateTime<Utc>) -> Result<PreparedLedger, LedgerError> {
    refuse_missing(path)?;
    prepare(path, now, &SystemDisk)
}

/// Locks, checks and, if new, creates the ledger: everything needed before writing except the checks for copies.
fn prepare(path: &Path, now: DateTime<Utc>, disk: &dyn LedgerDisk) -> Result<PreparedLedger, LedgerError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(LedgerError::OldSqlite(rusqlite::version()));
    }
    sibling_files::refuse(path)?;
    file_identity::refuse_network(path)?;
    let lock = Lock::take(path)?;
    create_private(path)?;
    let mut conn = connect_keeping_wal(path)?;
    refuse_other_database(&conn, path)?;
    let found = version(&conn)?;
    let is_new = found == 0;
    if is_new && lock.ledger_was_created {
        return Err(LedgerError::Emptied { path: path.shown() });
    }
    if !is_new {
        refuse_other_format(found)?;
    }
    integrity::check_if_small(&conn, path)?;
    conn.execute_batch(sql!("settings"))?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // A statement is planned once, not again for each bound value: the values do not affect which index is best.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    make_wal_durable(&conn, path, disk)?;
    if is_new {
        create(&mut conn, now)?;
    }
    Ok(PreparedLedger { conn, lock, is_new })
}

/// Opens the ledger for one operator decision while a run may hold its lock. Creates the ledger if it does not exist,
/// which needs the lock.
pub(super) fn alongside_run(path: &Path, now: DateTime<Utc>) -> Result<Connection, LedgerError> {
    if !path.exists() {
        return exclusively(path, now, &SystemDisk).map(|opened| opened.conn);
    }
    // Applies the checks of a reader first.
    drop(for_reading(path)?);
    let conn = connect_keeping_wal(path)?;
    conn.execute_batch(sql!("settings"))?;
    // A run that holds the lock has made the log durable already.
    if let Some(_lock) = Lock::try_take(path)? {
        make_wal_durable(&conn, path, &SystemDisk)?;
    }
    file_identity::refuse_a_copy(&conn, path)?;
    Ok(conn)
}

/// A connection that does not checkpoint the write-ahead log when it is closed.
fn connect_keeping_wal(path: &Path) -> Result<Connection, LedgerError> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(conn)
}

/// Puts the write-ahead log that the last program left on stable storage; only then may it be checkpointed.
///
/// If the sync of a commit failed, that program ended, but the log still shows the commit from memory: the operating
/// system considers it written, and no later sync writes it. A commit appended after it would be on disk but
/// unreachable, because a log is read up to its first gap. And a power failure during the checkpoint would leave the
/// ledger's file with some pages of a commit that the log has lost.
fn make_wal_durable(conn: &Connection, path: &Path, disk: &dyn LedgerDisk) -> Result<(), LedgerError> {
    // Keeps others, such as an operator, from appending to the log meanwhile.
    let exclusive = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
    disk.write_again(&wal_path(path)).map_err(|error| LedgerError::storage(&error))?;
    exclusive.rollback()?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Opens an existing ledger for reading alongside its writer.
pub(super) fn for_reading(path: &Path) -> Result<Connection, LedgerError> {
    refuse_missing(path)?;
    sibling_files::refuse(path)?;
    refuse_exposed(path)?;
    // A reader never checkpoints: the log may show data that is not durable.
    let conn = connect_keeping_wal(path)?;
    refuse_other_database(&conn, path)?;
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

/// Fails on a file that is no database, or another program's database, into which no tables of ours may go. An empty
/// file passes: it becomes a ledger.
fn refuse_other_database(conn: &Connection, path: &Path) -> Result<(), LedgerError> {
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

/// Creates the tables of an empty ledger and its identity, in one commit.
fn create(conn: &mut Connection, now: DateTime<Utc>) -> Result<(), LedgerError> {
    let transaction = conn.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute(sql!("identity_insert"), (uuid::Uuid::new_v4().to_string(), millis(now)))?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()?;
    Ok(())
}

/// Creates the file if it does not exist, accessible to its owner only from the first byte, since it will hold patient
/// data.
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

//! The single writer: whatever has queued up becomes one commit.
//!
//! There is no timer. While one commit waits for the disk, the next jobs queue; when it is done, they all share the next
//! one. Each job runs in a savepoint of its own, so that one that fails does not undo its neighbours. No job is answered
//! before its commit is on stable storage. After a commit has failed, nothing more is written: a failed fsync is never
//! retried, since the kernel may have dropped what it could not write.
//!
//! A commit is on stable storage once it is in the log (the -wal). What has gathered there is put into the ledger's own
//! file after the jobs were answered, so that nobody waits for it but the next ones.

use std::pin::Pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::thread;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use tokio::sync::oneshot;

use super::error::LedgerError;
use super::high_water::HighWaterMark;
use super::lock::Lock;
use super::open::Opened;
use super::sql;

type Answer<T> = Result<T, LedgerError>;

/// Where jobs go.
pub(super) enum Writer {
    /// A thread of its own, which groups them.
    Thread { jobs: Option<mpsc::Sender<Box<dyn Job>>>, thread: Option<thread::JoinHandle<()>>, _lock: Lock },
    /// The caller's thread, one commit a job.
    Inline { store: Mutex<Store>, _lock: Lock },
}

/// One queued piece of work: performed in a savepoint, answered after the commit.
pub(super) trait Job: Send {
    fn perform(&mut self, conn: &Connection);
    fn answer(self: Box<Self>, committed: Answer<()>);
}

/// Work that is queued. Awaiting it waits until it is on stable storage; dropping it does not undo it.
#[must_use = "a write whose failure goes unnoticed breaks every promise"]
pub struct Pending<T>(oneshot::Receiver<Answer<T>>);

impl<T> Future for Pending<T> {
    type Output = Answer<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(LedgerError::Stopped)))
    }
}

struct Queued<T, F> {
    work: Option<F>,
    result: Option<Answer<T>>,
    reply: oneshot::Sender<Answer<T>>,
}

impl<T, F> Job for Queued<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Answer<T> + Send,
{
    fn perform(&mut self, conn: &Connection) {
        self.result = self.work.take().map(|work| in_savepoint(conn, work));
    }

    fn answer(self: Box<Self>, committed: Answer<()>) {
        let result = self.result.unwrap_or(Err(LedgerError::Stopped));
        // Nobody listens any more when the run was stopped: the work is done all the same.
        let _ = self.reply.send(committed.and(result));
    }
}

impl Writer {
    pub(super) fn on_a_thread(opened: Opened) -> Result<Self, LedgerError> {
        let (jobs, queue) = mpsc::channel();
        let mut store = Store::of(opened.conn, opened.mark)?;
        let thread = thread::Builder::new()
            .name("ledger".into())
            .spawn(move || store.work_off(&queue))
            .map_err(|error| LedgerError::storage(&error))?;
        Ok(Self::Thread { jobs: Some(jobs), thread: Some(thread), _lock: opened.lock })
    }

    pub(super) fn inline(opened: Opened) -> Result<Self, LedgerError> {
        Ok(Self::Inline { store: Mutex::new(Store::of(opened.conn, opened.mark)?), _lock: opened.lock })
    }

    /// Queues `work`, at once and in the order of the calls, to be done in a transaction.
    pub(super) fn submit<T, F>(&self, work: F) -> Pending<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Answer<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Queued { work: Some(work), result: None, reply });
        match self {
            // A job that finds no thread any more drops its reply, which the awaiting side understands.
            Self::Thread { jobs, .. } => drop(jobs.as_ref().map(|jobs| jobs.send(job))),
            Self::Inline { store, .. } => {
                if let Ok(mut store) = store.lock() {
                    store.commit_group(vec![job]);
                }
            }
        }
        Pending(answer)
    }
}

impl Drop for Writer {
    /// Waits for what is queued: the lock must outlive the last write.
    fn drop(&mut self) {
        if let Self::Thread { jobs, thread, .. } = self {
            drop(jobs.take());
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Pages from which on the log counts as long: SQLite's own threshold.
const LONG: i32 = 1_000;

/// The connection, and the first commit on it that failed, if one did.
pub(super) struct Store {
    conn: Connection,
    broken: Option<LedgerError>,
    /// Pages in the log after the last commit.
    log: Arc<AtomicI32>,
    mark: HighWaterMark,
}

impl Store {
    /// From now on it is the store that looks after the connection's log.
    fn of(mut conn: Connection, mark: HighWaterMark) -> Answer<Self> {
        let log = Arc::new(AtomicI32::new(0));
        let seen = Arc::clone(&log);
        conn.wal_hook(Some(move |_: &mut Wal, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { conn, broken: None, log, mark })
    }

    fn work_off(&mut self, queue: &mpsc::Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            let group = std::iter::once(first).chain(queue.try_iter()).collect();
            self.commit_group(group);
        }
    }

    fn commit_group(&mut self, mut group: Vec<Box<dyn Job>>) {
        // Later jobs are given the first error: theirs may be the answer that a person sees.
        let committed = self.broken.clone().map_or_else(|| self.try_commit(&mut group), Err);
        self.broken = committed.as_ref().err().cloned();
        for job in group {
            job.answer(committed.clone());
        }
        if self.broken.is_none() && self.log.swap(0, Ordering::Relaxed) >= LONG {
            self.put_log_into_file();
        }
    }

    /// As far as no reader is in the way. If it fails, the log holds all of it still, and is there for the next time.
    fn put_log_into_file(&self) {
        let _ = self.conn.query_row(sql!("checkpoint_passive"), [], |_| Ok(()));
    }

    fn try_commit(&mut self, group: &mut [Box<dyn Job>]) -> Answer<()> {
        carry_out(&self.conn, sql!("begin"))?;
        let before = self.conn.total_changes();
        for job in group.iter_mut() {
            job.perform(&self.conn);
        }
        // SQLite rolls a transaction back by itself when the disk is full or fails: then there is nothing to commit.
        if self.conn.is_autocommit() {
            return Err(LedgerError::Storage("the transaction was rolled back".into()));
        }
        carry_out(&self.conn, sql!("commit")).inspect_err(|_| {
            let _ = carry_out(&self.conn, sql!("rollback"));
        })?;
        if self.conn.total_changes() != before {
            // Before anybody hears that an intent is durable, and never before it is.
            self.mark.raise(&self.conn);
            tracing::trace!(jobs = group.len(), "committed");
        }
        Ok(())
    }
}

/// A statement of every commit: it is prepared once.
fn carry_out(conn: &Connection, statement: &str) -> Answer<()> {
    conn.prepare_cached(statement)?.execute([])?;
    Ok(())
}

fn in_savepoint<T>(conn: &Connection, work: impl FnOnce(&Connection) -> Answer<T>) -> Answer<T> {
    carry_out(conn, sql!("savepoint"))?;
    match work(conn) {
        Ok(value) => {
            carry_out(conn, sql!("savepoint_release"))?;
            Ok(value)
        }
        Err(error) => {
            // If this fails too, the transaction is gone, which the commit notices.
            let _ = conn.execute_batch(sql!("savepoint_undo"));
            Err(error)
        }
    }
}

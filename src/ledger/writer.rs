//! The single writer: whatever has queued up becomes one commit.
//!
//! There is no timer. While one commit waits for the disk, the next jobs queue; when it is done, they all share the
//! next one. Each job runs in a savepoint of its own, so that one that fails does not undo its neighbours. No job is
//! answered before its commit is on stable storage. After a commit has failed, nothing more is written: a failed fsync
//! is never retried, since the kernel may have dropped what it could not write.
//!
//! A commit is on stable storage once it is in the write-ahead log. The log is checkpointed into the ledger's own file
//! after the jobs were answered, so that only later jobs wait for it.

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
use super::open::OpenedLedger;
use super::sql::sql;

type JobResult<T> = Result<T, LedgerError>;

/// Runs jobs on the ledger.
pub(super) enum Writer {
    /// On a thread of its own, which groups them.
    Thread { jobs: Option<mpsc::Sender<Box<dyn Job>>>, thread: Option<thread::JoinHandle<()>>, _lock: Lock },
    /// On the caller's thread, one commit per job.
    Inline { store: Mutex<WriterStore>, _lock: Lock },
}

/// One queued piece of work: performed in a savepoint, answered after the commit.
pub(super) trait Job: Send {
    fn perform(&mut self, conn: &Connection);
    fn answer(self: Box<Self>, committed: JobResult<()>);
}

/// Work that is queued. Awaiting it waits until it is on stable storage; dropping it does not undo it.
#[must_use = "a write whose failure goes unnoticed breaks every promise"]
pub struct CommitFuture<T>(oneshot::Receiver<JobResult<T>>);

impl<T> Future for CommitFuture<T> {
    type Output = JobResult<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(LedgerError::Stopped)))
    }
}

struct QueuedJob<T, F> {
    work: Option<F>,
    result: Option<JobResult<T>>,
    reply: oneshot::Sender<JobResult<T>>,
}

impl<T, F> Job for QueuedJob<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> JobResult<T> + Send,
{
    fn perform(&mut self, conn: &Connection) {
        self.result = self.work.take().map(|work| in_savepoint(conn, work));
    }

    fn answer(self: Box<Self>, committed: JobResult<()>) {
        let result = self.result.unwrap_or(Err(LedgerError::Stopped));
        // When the run was stopped, nobody awaits the reply; the work is done all the same.
        let _ = self.reply.send(committed.and(result));
    }
}

impl Writer {
    pub(super) fn on_a_thread(opened: OpenedLedger) -> Result<Self, LedgerError> {
        let (jobs, queue) = mpsc::channel();
        let mut store = WriterStore::new(opened.conn, opened.mark)?;
        let thread = thread::Builder::new()
            .name("ledger".into())
            .spawn(move || store.run_jobs(&queue))
            .map_err(|error| LedgerError::storage(&error))?;
        Ok(Self::Thread { jobs: Some(jobs), thread: Some(thread), _lock: opened.lock })
    }

    pub(super) fn inline(opened: OpenedLedger) -> Result<Self, LedgerError> {
        Ok(Self::Inline { store: Mutex::new(WriterStore::new(opened.conn, opened.mark)?), _lock: opened.lock })
    }

    /// Queues `work` at once, in call order, to be done in a transaction.
    pub(super) fn submit<T, F>(&self, work: F) -> CommitFuture<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> JobResult<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(QueuedJob { work: Some(work), result: None, reply });
        match self {
            // If the thread is gone the job's reply is dropped, which the awaiting side reads as `Stopped`.
            Self::Thread { jobs, .. } => drop(jobs.as_ref().map(|jobs| jobs.send(job))),
            Self::Inline { store, .. } => {
                if let Ok(mut store) = store.lock() {
                    store.commit_group(vec![job]);
                }
            }
        }
        CommitFuture(answer)
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

/// The log's length in pages from which it is checkpointed: SQLite's own threshold.
const CHECKPOINT_FROM: i32 = 1_000;

/// How often a transaction is begun while another program holds the file; SQLite waits for two seconds each time
/// (`busy_timeout` in settings.sql).
const BEGIN_TRIES: u32 = 15;

/// The connection and its state.
pub(super) struct WriterStore {
    conn: Connection,
    /// The error of the first failed commit: nothing more is written after it.
    broken: Option<LedgerError>,
    /// Pages in the write-ahead log after the last commit.
    wal_pages: Arc<AtomicI32>,
    mark: HighWaterMark,
}

impl WriterStore {
    /// Takes over the checkpoints of the connection from SQLite.
    fn new(mut conn: Connection, mark: HighWaterMark) -> JobResult<Self> {
        let wal_pages = Arc::new(AtomicI32::new(0));
        let after_commit = Arc::clone(&wal_pages);
        conn.wal_hook(Some(move |_: &mut Wal, pages| {
            after_commit.store(pages, Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self { conn, broken: None, wal_pages, mark })
    }

    fn run_jobs(&mut self, queue: &mpsc::Receiver<Box<dyn Job>>) {
        while let Ok(first) = queue.recv() {
            let group = std::iter::once(first).chain(queue.try_iter()).collect();
            self.commit_group(group);
        }
    }

    fn commit_group(&mut self, mut group: Vec<Box<dyn Job>>) {
        // Later jobs get the first error too, since theirs may be the answer that a person sees.
        let committed = self.broken.clone().map_or_else(|| self.try_commit(&mut group), Err);
        self.broken = committed.as_ref().err().cloned();
        for job in group {
            job.answer(committed.clone());
        }
        if self.broken.is_none() && self.wal_pages.swap(0, Ordering::Relaxed) >= CHECKPOINT_FROM {
            self.checkpoint();
        }
    }

    /// Moves the log into the ledger's file, as far as no reader blocks it. If it fails, the log still holds
    /// everything.
    fn checkpoint(&self) {
        let _ = self.conn.query_row(sql!("checkpoint_passive"), [], |_| Ok(()));
    }

    /// Begins a transaction. An operator's decision about a large campaign, or another program, may hold the file for longer
    /// than SQLite waits: nothing is written yet, so to begin again is safe.
    fn begin(&self) -> JobResult<()> {
        let mut begun = execute_cached(&self.conn, sql!("begin"));
        for _ in 1..BEGIN_TRIES {
            if !matches!(begun, Err(LedgerError::Locked { .. })) {
                break;
            }
            begun = execute_cached(&self.conn, sql!("begin"));
        }
        begun
    }

    fn try_commit(&mut self, group: &mut [Box<dyn Job>]) -> JobResult<()> {
        self.begin()?;
        let before = self.conn.total_changes();
        for job in group.iter_mut() {
            job.perform(&self.conn);
        }
        // SQLite rolls a transaction back by itself when the disk is full or fails: then there is nothing to commit.
        if self.conn.is_autocommit() {
            return Err(LedgerError::Storage("the transaction was rolled back".into()));
        }
        execute_cached(&self.conn, sql!("commit")).inspect_err(|_| {
            let _ = execute_cached(&self.conn, sql!("rollback"));
        })?;
        if self.conn.total_changes() != before {
            // After the intents are durable, and before any job is answered.
            self.mark.raise(&self.conn);
            tracing::trace!(jobs = group.len(), "committed");
        }
        Ok(())
    }
}

/// Executes a statement that every commit needs, prepared once.
fn execute_cached(conn: &Connection, statement: &str) -> JobResult<()> {
    conn.prepare_cached(statement)?.execute([])?;
    Ok(())
}

fn in_savepoint<T>(conn: &Connection, work: impl FnOnce(&Connection) -> JobResult<T>) -> JobResult<T> {
    execute_cached(conn, sql!("savepoint"))?;
    match work(conn) {
        Ok(value) => {
            execute_cached(conn, sql!("savepoint_release"))?;
            Ok(value)
        }
        Err(error) => {
            // If this fails too, the transaction is gone, which the commit notices.
            let _ = conn.execute_batch(sql!("savepoint_undo"));
            Err(error)
        }
    }
}

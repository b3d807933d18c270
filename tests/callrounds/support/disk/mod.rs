//! A modelled disk under SQLite: it tracks what is on stable storage, counts operations, injects faults and models power
//! failures.
//!
//! [`vfs`] puts it below every SQLite connection of this process to a file in a folder that has a [`Disk`]; connections to
//! other files do not use it. Other files of the program (the lock file, for one) are on the real file system.

mod disk_model;
mod vfs;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use disk_model::ModelFile;
pub use disk_model::PowerLossEffect;

/// The modelled disk of one folder.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "four independent flags")]
struct State {
    /// Number of the current process: a file handle that an earlier process opened fails.
    process: u64,
    /// No process runs: every operation comes from a killed one, and fails.
    killed: bool,
    files: BTreeMap<PathBuf, ModelFile>,
    /// Operations of the current process so far: writes, syncs, truncations, removals.
    operations: u64,
    /// Which of the operations were syncs.
    syncs: Vec<u64>,
    fault: Option<DiskFault>,
    fault_occurred: bool,
    /// As with `synchronous=NORMAL`, the write-ahead log is synced only when a checkpoint begins.
    lazy: bool,
    checkpointing: bool,
}

/// An injected fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskFault {
    /// The operation at which it happens, counted from 0 in the current process.
    pub at: u64,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The program is killed.
    Kill,
    /// The disk is full from then on.
    Full,
    /// One operation fails; a sync that fails drops what it should have written.
    ErrorOnce,
    /// Every operation fails from then on.
    ErrorForGood,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write,
    Truncate,
    Sync,
    Remove,
}

impl Disk {
    /// Puts a modelled disk below a folder until it is dropped.
    pub fn below(folder: &Path) -> Arc<Self> {
        let folder = folder.canonicalize().expect("a folder");
        let state = State {
            process: 0,
            killed: false,
            files: BTreeMap::new(),
            operations: 0,
            syncs: Vec::new(),
            fault: None,
            fault_occurred: false,
            lazy: false,
            checkpointing: false,
        };
        let disk = Arc::new(Self { folder, state: Mutex::new(state) });
        vfs::mount(&disk);
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, only checkpoints sync the write-ahead log: `synchronous=NORMAL`.
    pub fn sync_lazily(&self) {
        self.state().lazy = true;
    }

    /// Starts a new process, in which `fault` happens.
    pub fn begin_process(&self, fault: Option<DiskFault>) {
        let mut state = self.state();
        (state.operations, state.fault, state.fault_occurred, state.killed) = (0, fault, false, false);
        state.syncs.clear();
    }

    /// How many operations this process has made.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Which operations of this process were syncs.
    pub fn syncs(&self) -> Vec<u64> {
        self.state().syncs.clone()
    }

    /// Whether the fault of this process has happened.
    pub fn fault_occurred(&self) -> bool {
        self.state().fault_occurred
    }

    /// Kills the process: all its further operations fail.
    pub fn kill(&self) {
        self.state().kill();
    }

    /// Whether no process runs.
    pub fn is_killed(&self) -> bool {
        self.state().killed
    }

    /// Models a power failure; call it after [`Self::kill`], once the last connection is closed. `effect` decides about each
    /// change that is not on stable storage.
    pub fn lose_power(&self, mut effect: impl FnMut() -> PowerLossEffect) {
        let mut state = self.state();
        assert!(state.killed, "the program still runs");
        for (path, file) in &mut state.files {
            match file.lose_power(&mut effect) {
                Some(bytes) => fs::write(path, bytes).expect("written in place"),
                None => drop(fs::remove_file(path)),
            }
            // The shared-memory file is volatile.
            let mut shared = path.clone().into_os_string();
            shared.push("-shm");
            drop(fs::remove_file(shared));
        }
        state.files.retain(|path, _| path.exists());
    }

    /// Replaces a file, durably, while no process runs; `None` removes it.
    pub fn replace(&self, path: &Path, bytes: Option<&[u8]>) {
        let mut state = self.state();
        assert!(state.killed, "the program still runs");
        if let Some(bytes) = bytes {
            fs::write(path, bytes).expect("written in place");
            state.files.insert(path.to_path_buf(), ModelFile::holding(bytes.to_vec()));
        } else {
            drop(fs::remove_file(path));
            state.files.remove(path);
        }
        let mut shared = path.to_path_buf().into_os_string();
        shared.push("-shm");
        drop(fs::remove_file(shared));
    }

    /// Records that a file is opened; returns the number of the current process.
    fn opened(&self, path: &Path, is_new: bool) -> u64 {
        let mut state = self.state();
        let process = state.process;
        state.files.entry(path.to_path_buf()).or_insert_with(|| {
            if is_new { ModelFile::default() } else { ModelFile::holding(fs::read(path).unwrap_or_default()) }
        });
        process
    }

    /// Counts an operation before it is made; an error if it must fail.
    fn before(&self, process: Option<u64>, operation: Operation) -> Result<(), Failure> {
        self.state().before(process, operation)
    }

    /// Updates a file's model.
    fn note(&self, path: &Path, done: impl FnOnce(&mut ModelFile)) {
        if let Some(file) = self.state().files.get_mut(path) {
            done(file);
        }
    }

    fn synced(&self, path: &Path) {
        let mut state = self.state();
        let ignored = state.lazy && !state.checkpointing && path.to_string_lossy().ends_with("-wal");
        if let Some(file) = state.files.get_mut(path).filter(|_| !ignored) {
            file.sync();
        }
    }

    fn removed(&self, path: &Path) {
        self.state().files.remove(path);
    }

    fn set_checkpointing(&self, is_running: bool) {
        self.state().checkpointing = is_running;
    }

    fn is_alive(&self, process: u64) -> bool {
        let state = self.state();
        state.process == process && !state.killed
    }
}

impl callrounds::ledger::LedgerDisk for Disk {
    fn write_again(&self, file: &Path) -> io::Result<()> {
        let Ok(bytes) = fs::read(file) else { return Ok(()) };
        self.before(None, Operation::Write).map_err(|_| io::ErrorKind::StorageFull)?;
        self.note(file, |model| model.write(0, &bytes));
        if self.before(None, Operation::Sync).is_err() {
            self.note(file, ModelFile::drop_pending);
            return Err(io::ErrorKind::Other.into());
        }
        self.note(file, ModelFile::sync);
        Ok(())
    }
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    Full,
    Error,
}

impl State {
    fn kill(&mut self) {
        self.process += u64::from(!self.killed);
        self.killed = true;
        self.fault = None;
    }

    fn before(&mut self, process: Option<u64>, operation: Operation) -> Result<(), Failure> {
        if self.killed || process.is_some_and(|process| process != self.process) {
            return Err(Failure::Error);
        }
        let now = self.operations;
        self.operations += 1;
        if operation == Operation::Sync {
            self.syncs.push(now);
        }
        let Some(fault) = self.fault.filter(|fault| now >= fault.at) else { return Ok(()) };
        match fault.kind {
            FaultKind::Kill => {
                self.fault_occurred = true;
                self.kill();
                Err(Failure::Error)
            }
            // On a full disk, an operation that takes no more space succeeds.
            FaultKind::Full if operation != Operation::Write => Ok(()),
            FaultKind::Full => {
                self.fault_occurred = true;
                Err(Failure::Full)
            }
            FaultKind::ErrorOnce => {
                (self.fault_occurred, self.fault) = (true, None);
                Err(Failure::Error)
            }
            FaultKind::ErrorForGood => {
                self.fault_occurred = true;
                Err(Failure::Error)
            }
        }
    }
}

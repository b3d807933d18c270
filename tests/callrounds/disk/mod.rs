//! A disk of our own under SQLite: it knows what is on stable storage and what is not, counts what is done to it, fails
//! when it is told to, and loses its power.
//!
//! [`vfs`] puts it below every connection of this process to a file in a folder that has a [`Disk`]; connections to other
//! files never meet it. What the program does elsewhere (the lock file, for one) is the machine's own.

mod platter;
mod vfs;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use platter::Fate;
use platter::Platter;

/// The disk below one folder.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "four things that are or are not, independently of each other")]
struct State {
    /// Which life of the program is under way: a file that an earlier one opened is dead.
    life: u64,
    /// Nobody lives: what is still asked for comes from a dead program.
    cut: bool,
    files: BTreeMap<PathBuf, Platter>,
    /// What was done so far: writes, syncs, truncations, removals.
    operations: u64,
    /// Which of them were syncs.
    syncs: Vec<u64>,
    mishap: Option<Mishap>,
    struck: bool,
    /// As with `synchronous=NORMAL`, the write-ahead log is synced when a checkpoint begins, and never else.
    lazy: bool,
    checkpointing: bool,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mishap {
    /// At which operation, counted from 0 in the life that is under way.
    pub at: u64,
    pub what: Trouble,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The program is killed.
    Death,
    /// No space is left, from then on.
    Full,
    /// One operation fails; a sync that fails has dropped what it should have written.
    Error,
    /// Every operation fails from then on.
    Broken,
}

/// What is done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write,
    Truncate,
    Sync,
    Remove,
}

impl Disk {
    /// Puts a disk below a folder, until it is dropped.
    pub fn below(folder: &Path) -> Arc<Self> {
        let folder = folder.canonicalize().expect("a folder");
        let state = State {
            life: 0,
            cut: false,
            files: BTreeMap::new(),
            operations: 0,
            syncs: Vec::new(),
            mishap: None,
            struck: false,
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

    /// From now on, the write-ahead log is synced by checkpoints alone: `synchronous=NORMAL`.
    pub fn sync_lazily(&self) {
        self.state().lazy = true;
    }

    /// What goes wrong in the life that begins.
    pub fn begin_life(&self, mishap: Option<Mishap>) {
        let mut state = self.state();
        (state.operations, state.mishap, state.struck, state.cut) = (0, mishap, false, false);
        state.syncs.clear();
    }

    /// What was done in this life.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Which operations of this life were syncs.
    pub fn syncs(&self) -> Vec<u64> {
        self.state().syncs.clone()
    }

    /// Whether something has gone wrong in this life.
    pub fn has_struck(&self) -> bool {
        self.state().struck
    }

    /// The program dies here and now: nothing that it still asks for is done.
    pub fn cut(&self) {
        self.state().cut();
    }

    /// Whether nobody lives.
    pub fn is_cut(&self) -> bool {
        self.state().cut
    }

    /// The machine loses its power, after [`Self::cut`] and when the last connection is closed. `fate` decides over
    /// whatever is not on stable storage.
    pub fn lose_power(&self, mut fate: impl FnMut() -> Fate) {
        let mut state = self.state();
        assert!(state.cut, "the program lives");
        for (path, platter) in &mut state.files {
            match platter.without_power(&mut fate) {
                Some(bytes) => fs::write(path, bytes).expect("written in place"),
                None => drop(fs::remove_file(path)),
            }
            // What connections share is in memory.
            let mut shared = path.clone().into_os_string();
            shared.push("-shm");
            drop(fs::remove_file(shared));
        }
        state.files.retain(|path, _| path.exists());
    }

    /// Somebody puts a file in the place of another while nobody lives, so that it outlives the power, or takes it away.
    pub fn put_back(&self, path: &Path, bytes: Option<&[u8]>) {
        let mut state = self.state();
        assert!(state.cut, "the program lives");
        if let Some(bytes) = bytes {
            fs::write(path, bytes).expect("written in place");
            state.files.insert(path.to_path_buf(), Platter::holding(bytes.to_vec()));
        } else {
            drop(fs::remove_file(path));
            state.files.remove(path);
        }
        let mut shared = path.to_path_buf().into_os_string();
        shared.push("-shm");
        drop(fs::remove_file(shared));
    }

    /// A file is opened; which life's it is.
    fn opened(&self, path: &Path, is_new: bool) -> u64 {
        let mut state = self.state();
        let life = state.life;
        state.files.entry(path.to_path_buf()).or_insert_with(|| {
            if is_new { Platter::default() } else { Platter::holding(fs::read(path).unwrap_or_default()) }
        });
        life
    }

    /// Before something is done to a file of some life: whether it may be.
    fn before(&self, life: Option<u64>, operation: Operation) -> Result<(), Failure> {
        self.state().before(life, operation)
    }

    /// A file's platter, to note what was done.
    fn note(&self, path: &Path, done: impl FnOnce(&mut Platter)) {
        if let Some(platter) = self.state().files.get_mut(path) {
            done(platter);
        }
    }

    fn synced(&self, path: &Path) {
        let mut state = self.state();
        let ignored = state.lazy && !state.checkpointing && path.to_string_lossy().ends_with("-wal");
        if let Some(platter) = state.files.get_mut(path).filter(|_| !ignored) {
            platter.sync();
        }
    }

    fn removed(&self, path: &Path) {
        self.state().files.remove(path);
    }

    fn checkpoints(&self, begins: bool) {
        self.state().checkpointing = begins;
    }

    fn is_alive(&self, life: u64) -> bool {
        let state = self.state();
        state.life == life && !state.cut
    }
}

impl callrounds::ledger::Disk for Disk {
    fn write_again(&self, file: &Path) -> io::Result<()> {
        let Ok(bytes) = fs::read(file) else { return Ok(()) };
        self.before(None, Operation::Write).map_err(|_| io::ErrorKind::StorageFull)?;
        self.note(file, |platter| platter.write(0, &bytes));
        if self.before(None, Operation::Sync).is_err() {
            self.note(file, Platter::forget);
            return Err(io::ErrorKind::Other.into());
        }
        self.note(file, Platter::sync);
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
    fn cut(&mut self) {
        self.life += u64::from(!self.cut);
        self.cut = true;
        self.mishap = None;
    }

    fn before(&mut self, life: Option<u64>, operation: Operation) -> Result<(), Failure> {
        if self.cut || life.is_some_and(|life| life != self.life) {
            return Err(Failure::Error);
        }
        let now = self.operations;
        self.operations += 1;
        if operation == Operation::Sync {
            self.syncs.push(now);
        }
        let Some(mishap) = self.mishap.filter(|mishap| now >= mishap.at) else { return Ok(()) };
        match mishap.what {
            Trouble::Death => {
                self.struck = true;
                self.cut();
                Err(Failure::Error)
            }
            // What only takes space away can still be done.
            Trouble::Full if operation != Operation::Write => Ok(()),
            Trouble::Full => {
                self.struck = true;
                Err(Failure::Full)
            }
            Trouble::Error => {
                (self.struck, self.mishap) = (true, None);
                Err(Failure::Error)
            }
            Trouble::Broken => {
                self.struck = true;
                Err(Failure::Error)
            }
        }
    }
}

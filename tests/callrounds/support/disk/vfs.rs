//! The SQLite virtual file system: this process's default VFS, which delegates to the operating system's VFS and asks a
//! [`Disk`] before every operation on a file in a folder that has one.
//!
//! SQLite calls it through C function pointers and hands it memory, so this one file of the tests is unsafe. It relies on
//! SQLite's contract (`sqlite3_vfs`, `sqlite3_io_methods`): a file's memory is ours from `xOpen` to `xClose`, it is as large
//! as `szOsFile` says, and a file's methods are called by one thread at a time.

#![allow(unsafe_code, reason = "the C interface of SQLite's file systems")]

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use rusqlite::ffi;
use rusqlite::ffi::{sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::{Disk, Failure, Operation};

/// The disks in use, one per folder.
static MOUNTED: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// Registers the disk for its folder, and this VFS with SQLite on the first call.
pub(super) fn mount(disk: &Arc<Disk>) {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(register);
    let mut mounted = MOUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    mounted.retain(|disk| disk.strong_count() > 0);
    mounted.push(Arc::downgrade(disk));
}

fn disk_below(path: &Path) -> Option<Arc<Disk>> {
    let mounted = MOUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    mounted.iter().filter_map(Weak::upgrade).find(|disk| path.parent() == Some(&disk.folder))
}

/// The header of a modelled file; the operating system's file struct follows it in memory.
#[repr(C)]
struct ModelledFile {
    base: sqlite3_file,
    context: *mut FileContext,
}

struct FileContext {
    disk: Arc<Disk>,
    path: PathBuf,
    process: u64,
}

fn register() {
    // SAFETY: SQLite returns its default VFS, which is static; ours is a leaked copy of it.
    unsafe {
        let real = ffi::sqlite3_vfs_find(ptr::null());
        assert!(!real.is_null(), "SQLite has a default VFS");
        let ours = Box::leak(Box::new(*real));
        ours.szOsFile += c_int::try_from(size_of::<ModelledFile>()).expect("a small header");
        ours.zName = c"callrounds-disk".as_ptr();
        ours.pAppData = real.cast();
        ours.pNext = ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        ours.xAccess = Some(access);
        ours.xFullPathname = Some(full_pathname);
        assert_eq!(ffi::sqlite3_vfs_register(ours, 1), ffi::SQLITE_OK);
    }
}

/// The operating system's VFS.
unsafe fn real(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `register` stored it.
    unsafe { (*vfs).pAppData.cast() }
}

unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: a file's name is a C string, or null for a file that is removed when it is closed.
    (!name.is_null()).then(|| PathBuf::from(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes())))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are passed on unchanged; the file's memory holds our header and the real file.
    unsafe {
        let real = real(vfs);
        let open = (*real).xOpen.expect("every VFS opens");
        let modelled = path_of(name).and_then(|path| Some((disk_below(&path)?, path)));
        let Some((disk, path)) = modelled else { return open(real, name, file, flags, out) };
        (*file).pMethods = ptr::null();
        let is_new = !path.exists();
        if is_new && disk.is_killed() {
            return ffi::SQLITE_CANTOPEN;
        }
        let result = open(real, name, below(file), flags, out);
        if result == ffi::SQLITE_OK {
            let process = disk.opened(&path, is_new);
            (*file.cast::<ModelledFile>()).context = Box::into_raw(Box::new(FileContext { disk, path, process }));
            (*file).pMethods = &raw const METHODS;
        }
        result
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as for `open`.
    unsafe {
        let modelled = path_of(name).and_then(|path| Some((disk_below(&path)?, path)));
        if let Some((disk, path)) = &modelled {
            if disk.before(None, Operation::Remove).is_err() {
                return ffi::SQLITE_IOERR_DELETE;
            }
            disk.removed(path);
        }
        let real = real(vfs);
        (*real).xDelete.expect("every VFS deletes")(real, name, sync)
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: passed on unchanged.
    unsafe {
        let real = real(vfs);
        (*real).xAccess.expect("every VFS checks access")(real, name, flags, out)
    }
}

unsafe extern "C" fn full_pathname(vfs: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: passed on unchanged.
    unsafe {
        let real = real(vfs);
        (*real).xFullPathname.expect("every VFS resolves paths")(real, name, room, out)
    }
}

/// The real file behind a modelled one.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` made room for both.
    unsafe { file.cast::<ModelledFile>().add(1).cast() }
}

unsafe fn context<'a>(file: *mut sqlite3_file) -> &'a FileContext {
    // SAFETY: `open` stored it, and `close` drops it.
    unsafe { &*(*file.cast::<ModelledFile>()).context }
}

/// Calls a method of the real file.
macro_rules! on_real {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let real = below($file);
        (*(*real).pMethods).$method.expect("a file has its methods")(real $(, $argument)*)
    }};
}

/// Defines methods that only call the real file's.
macro_rules! delegated {
    ($($name:ident: $method:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) -> $result {
            // SAFETY: passed on unchanged, with the real file.
            unsafe { on_real!(file, $method $(, $argument)*) }
        })*
    };
}

delegated! {
    file_size: xFileSize(out: *mut sqlite3_int64) -> c_int;
    lock: xLock(level: c_int) -> c_int;
    unlock: xUnlock(level: c_int) -> c_int;
    check_reserved_lock: xCheckReservedLock(out: *mut c_int) -> c_int;
    sector_size: xSectorSize() -> c_int;
    device_characteristics: xDeviceCharacteristics() -> c_int;
    shm_map: xShmMap(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void) -> c_int;
    shm_lock: xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier: xShmBarrier() -> ();
    shm_unmap: xShmUnmap(delete: c_int) -> c_int;
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // Version 2: no memory-mapped reads, which would bypass `read`.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the last call for this file: it drops what `open` stored.
    unsafe {
        let result = on_real!(file, xClose);
        drop(Box::from_raw((*file.cast::<ModelledFile>()).context));
        result
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `delegated`.
    unsafe {
        let FileContext { disk, process, .. } = context(file);
        if !disk.is_alive(*process) {
            return ffi::SQLITE_IOERR_READ;
        }
        on_real!(file, xRead, to, length, at)
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `delegated`; `from` has `length` bytes.
    unsafe {
        let FileContext { disk, path, process } = context(file);
        let (written, failed) = match disk.before(Some(*process), Operation::Write) {
            Ok(()) => (length, None),
            // A full disk writes what fits.
            Err(Failure::Full) => (length / 2, Some(ffi::SQLITE_FULL)),
            Err(Failure::Error) => return ffi::SQLITE_IOERR_WRITE,
        };
        let result = on_real!(file, xWrite, from, written, at);
        if result == ffi::SQLITE_OK {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), written.unsigned_abs() as usize);
            disk.note(path, |model| model.write(at.unsigned_abs(), bytes));
        }
        failed.unwrap_or(result)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: see `delegated`.
    unsafe {
        let FileContext { disk, path, process } = context(file);
        if disk.before(Some(*process), Operation::Truncate).is_err() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let result = on_real!(file, xTruncate, length);
        if result == ffi::SQLITE_OK {
            disk.note(path, |model| model.set_length(length.unsigned_abs()));
        }
        result
    }
}

/// Syncs the model only: the real machine does not lose its power during a test.
unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: see `delegated`.
    let FileContext { disk, path, process } = unsafe { context(file) };
    if disk.before(Some(*process), Operation::Sync).is_err() {
        if disk.is_alive(*process) {
            disk.note(path, super::ModelFile::drop_pending);
        }
        return ffi::SQLITE_IOERR_FSYNC;
    }
    disk.synced(path);
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: see `delegated`.
    unsafe {
        match operation {
            ffi::SQLITE_FCNTL_CKPT_START => context(file).disk.set_checkpointing(true),
            ffi::SQLITE_FCNTL_CKPT_DONE => context(file).disk.set_checkpointing(false),
            _ => {}
        }
        on_real!(file, xFileControl, operation, argument)
    }
}

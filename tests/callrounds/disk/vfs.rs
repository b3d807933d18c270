//! The seam to SQLite: a virtual file system that is this process's default, does everything by means of the machine's
//! own, and lets a [`Disk`] know, and decide, for files in a folder that has one.
//!
//! SQLite calls it through C function pointers and hands it memory of its own, so this one file of the tests is unsafe.
//! What it relies on is SQLite's contract (`sqlite3_vfs`, `sqlite3_io_methods`): a file's memory is ours from `xOpen` to
//! `xClose`, it is as large as `szOsFile` says, and a file's methods are called by one thread at a time.

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

/// The disks that are below a folder.
static MOUNTED: Mutex<Vec<Weak<Disk>>> = Mutex::new(Vec::new());

/// Puts the disk below its folder, and this file system below SQLite.
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

/// The head of a watched file; the machine's own file follows it in memory.
#[repr(C)]
struct Watched {
    base: sqlite3_file,
    watch: *mut Watch,
}

struct Watch {
    disk: Arc<Disk>,
    path: PathBuf,
    life: u64,
}

fn register() {
    // SAFETY: SQLite returns its default file system, which lives for good; ours is a copy of it that lives for good, too.
    unsafe {
        let real = ffi::sqlite3_vfs_find(ptr::null());
        assert!(!real.is_null(), "SQLite has a default file system");
        let ours = Box::leak(Box::new(*real));
        ours.szOsFile += c_int::try_from(size_of::<Watched>()).expect("a small head");
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

/// The machine's own file system.
unsafe fn real(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `register` put it there.
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
    // SAFETY: the arguments are handed on as they came; the file's memory holds our head and the machine's own file.
    unsafe {
        let real = real(vfs);
        let open = (*real).xOpen.expect("every file system opens");
        let watched = path_of(name).and_then(|path| Some((disk_below(&path)?, path)));
        let Some((disk, path)) = watched else { return open(real, name, file, flags, out) };
        (*file).pMethods = ptr::null();
        let is_new = !path.exists();
        if is_new && disk.state().cut {
            return ffi::SQLITE_CANTOPEN;
        }
        let result = open(real, name, below(file), flags, out);
        if result == ffi::SQLITE_OK {
            let life = disk.opened(&path, is_new);
            (*file.cast::<Watched>()).watch = Box::into_raw(Box::new(Watch { disk, path, life }));
            (*file).pMethods = &raw const METHODS;
        }
        result
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as for `open`.
    unsafe {
        let watched = path_of(name).and_then(|path| Some((disk_below(&path)?, path)));
        if let Some((disk, path)) = &watched {
            if disk.before(None, Operation::Remove).is_err() {
                return ffi::SQLITE_IOERR_DELETE;
            }
            disk.removed(path);
        }
        let real = real(vfs);
        (*real).xDelete.expect("every file system deletes")(real, name, sync)
    }
}

unsafe extern "C" fn access(vfs: *mut sqlite3_vfs, name: *const c_char, flags: c_int, out: *mut c_int) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let real = real(vfs);
        (*real).xAccess.expect("every file system looks")(real, name, flags, out)
    }
}

unsafe extern "C" fn full_pathname(vfs: *mut sqlite3_vfs, name: *const c_char, room: c_int, out: *mut c_char) -> c_int {
    // SAFETY: handed on as it came.
    unsafe {
        let real = real(vfs);
        (*real).xFullPathname.expect("every file system names")(real, name, room, out)
    }
}

/// The machine's own file behind a watched one.
unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` made room for both.
    unsafe { file.cast::<Watched>().add(1).cast() }
}

unsafe fn watch<'a>(file: *mut sqlite3_file) -> &'a Watch {
    // SAFETY: `open` put it there, and it lives until `close`.
    unsafe { &*(*file.cast::<Watched>()).watch }
}

/// Calls a method of the machine's own file.
macro_rules! on_real {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        let real = below($file);
        (*(*real).pMethods).$method.expect("a file has its methods")(real $(, $argument)*)
    }};
}

/// A method that is the machine's own.
macro_rules! handed_on {
    ($($name:ident: $method:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        $(unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) -> $result {
            // SAFETY: handed on as it came, with the file that the machine's own methods know.
            unsafe { on_real!(file, $method $(, $argument)*) }
        })*
    };
}

handed_on! {
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
    // Without memory-mapped reads, which would pass us by.
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
    // SAFETY: the last call for this file: what `open` put there is taken back.
    unsafe {
        let result = on_real!(file, xClose);
        drop(Box::from_raw((*file.cast::<Watched>()).watch));
        result
    }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, to: *mut c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `handed_on`.
    unsafe {
        let Watch { disk, life, .. } = watch(file);
        if !disk.is_alive(*life) {
            return ffi::SQLITE_IOERR_READ;
        }
        on_real!(file, xRead, to, length, at)
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, length: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: see `handed_on`; `from` has `length` bytes.
    unsafe {
        let Watch { disk, path, life } = watch(file);
        let (written, failed) = match disk.before(Some(*life), Operation::Write) {
            Ok(()) => (length, None),
            // A full disk takes what it has room for.
            Err(Failure::Full) => (length / 2, Some(ffi::SQLITE_FULL)),
            Err(Failure::Error) => return ffi::SQLITE_IOERR_WRITE,
        };
        let result = on_real!(file, xWrite, from, written, at);
        if result == ffi::SQLITE_OK {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), written.unsigned_abs() as usize);
            disk.note(path, |platter| platter.write(at.unsigned_abs(), bytes));
        }
        failed.unwrap_or(result)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: see `handed_on`.
    unsafe {
        let Watch { disk, path, life } = watch(file);
        if disk.before(Some(*life), Operation::Truncate).is_err() {
            return ffi::SQLITE_IOERR_TRUNCATE;
        }
        let result = on_real!(file, xTruncate, length);
        if result == ffi::SQLITE_OK {
            disk.note(path, |platter| platter.set_length(length.unsigned_abs()));
        }
        result
    }
}

/// Nothing is synced in truth: the machine's own power does not fail meanwhile, and the platter knows.
unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: see `handed_on`.
    let Watch { disk, path, life } = unsafe { watch(file) };
    if disk.before(Some(*life), Operation::Sync).is_err() {
        if disk.is_alive(*life) {
            disk.note(path, super::Platter::forget);
        }
        return ffi::SQLITE_IOERR_FSYNC;
    }
    disk.synced(path);
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    // SAFETY: see `handed_on`.
    unsafe {
        match operation {
            ffi::SQLITE_FCNTL_CKPT_START => watch(file).disk.checkpoints(true),
            ffi::SQLITE_FCNTL_CKPT_DONE => watch(file).disk.checkpoints(false),
            _ => {}
        }
        on_real!(file, xFileControl, operation, argument)
    }
}

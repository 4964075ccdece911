//! SQLite's own files, with a recorder between: each write, truncation, sync and removal of a watched folder gets the
//! next number. Everything is carried out by the system's VFS (sqlite.org/vfs.html); the index of the WAL (`-shm`) is
//! not recorded, for it is rebuilt.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Mutex, Once, PoisonError};

use libsqlite3_sys as ffi;

/// What was asked of the disk.
#[derive(Clone, Debug)]
pub enum Event {
    /// The file is there, empty if it was not.
    Open {
        file: String,
    },
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    /// Everything asked of the file before number `from` is on the disk. `folder`: so is every name made and removed
    /// in the folder before, for SQLite syncs it with a journal or WAL it has just opened (`unixSync`).
    Sync {
        file: String,
        from: usize,
        folder: bool,
    },
    /// `folder`: and the folder is synced.
    Delete {
        file: String,
        folder: bool,
    },
}

struct Recording {
    folder: PathBuf,
    events: Vec<Event>,
}

static RECORDING: Mutex<Option<Recording>> = Mutex::new(None);

/// Records what SQLite does in this folder from here on. One at a time.
pub fn start(folder: &Path) {
    register();
    let recording = Recording { folder: folder.canonicalize().unwrap(), events: Vec::new() };
    let before = recorder().replace(recording);
    assert!(before.is_none(), "two recordings at once");
}

/// How many events there were.
pub fn mark() -> usize {
    recorder().as_ref().map_or(0, |recording| recording.events.len())
}

/// Ends it.
pub fn stop() -> Vec<Event> {
    recorder().take().map(|recording| recording.events).unwrap_or_default()
}

fn recorder() -> std::sync::MutexGuard<'static, Option<Recording>> {
    RECORDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Name in the watched folder; `None` if it is not of it.
fn watched(path: &Path) -> Option<String> {
    let recording = recorder();
    let name = path.strip_prefix(&recording.as_ref()?.folder).ok()?;
    Some(name.to_string_lossy().into_owned())
}

fn note(event: Event) {
    if let Some(recording) = recorder().as_mut() {
        recording.events.push(event);
    }
}

/// An open file: what SQLite sees, then which one it is; the system's own follows in the same memory.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// Owned; null if nobody watches.
    name: *mut String,
    /// The folder is synced with the next sync of this file.
    fresh: bool,
}

fn real_vfs() -> *mut ffi::sqlite3_vfs {
    // SAFETY: a name that is always registered; the pointer is good for the life of the process.
    unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) }
}

/// The system's file behind one of ours.
///
/// # Safety
/// `file` was opened by [`open`].
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `open` was given `szOsFile` bytes, which are ours and the system's behind it.
    unsafe { file.cast::<u8>().add(size_of::<File>()).cast() }
}

/// # Safety
/// `file` was opened by [`open`].
unsafe fn name(file: *mut ffi::sqlite3_file) -> Option<String> {
    // SAFETY: written by `open`, freed by `close`.
    unsafe { (*file.cast::<File>()).name.as_ref() }.cloned()
}

/// Calls a method of the system's file.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {{
        // SAFETY: SQLite calls with a file `open` has opened, and the system's methods are all there.
        let file = unsafe { real($file) };
        unsafe { (*(*file).pMethods).$method.unwrap()(file $(, $argument)*) }
    }};
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once.
    let name = unsafe { std::mem::replace(&mut (*file.cast::<File>()).name, null_mut()) };
    if !name.is_null() {
        // SAFETY: it came from `Box::into_raw` in `open`.
        drop(unsafe { Box::from_raw(name) });
    }
    pass!(file, xClose)
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    to: *mut c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    pass!(file, xRead, to, len, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    len: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: `file` is open, and SQLite gives `len` bytes.
    unsafe {
        if let Some(file) = name(file) {
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), len as usize).to_vec();
            note(Event::Write { file, at: at as usize, bytes });
        }
    }
    pass!(file, xWrite, from, len, at)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: ffi::sqlite3_int64) -> c_int {
    // SAFETY: `file` is open.
    if let Some(file) = unsafe { name(file) } {
        note(Event::Truncate { file, size: size as usize });
    }
    pass!(file, xTruncate, size)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let from = mark();
    let done = pass!(file, xSync, flags);
    // SAFETY: `file` is open.
    unsafe {
        if let Some(name) = name(file)
            && done == ffi::SQLITE_OK
        {
            let folder = std::mem::replace(&mut (*file.cast::<File>()).fresh, false);
            note(Event::Sync { file: name, from, folder });
        }
    }
    done
}

unsafe extern "C" fn size(file: *mut ffi::sqlite3_file, to: *mut ffi::sqlite3_int64) -> c_int {
    pass!(file, xFileSize, to)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn reserved(file: *mut ffi::sqlite3_file, to: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, to)
}

unsafe extern "C" fn control(file: *mut ffi::sqlite3_file, op: c_int, arg: *mut c_void) -> c_int {
    pass!(file, xFileControl, op, arg)
}

unsafe extern "C" fn sector(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    to: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, to)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    at: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, at, n, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass!(file, xShmBarrier)
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    pass!(file, xShmUnmap, delete)
}

/// Version 2: shared memory for the WAL, no memory-mapped pages, which nobody could record.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(device),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// # Safety
/// `path` is null or a C string.
unsafe fn path_of(path: *const c_char) -> Option<PathBuf> {
    if path.is_null() {
        return None;
    }
    // SAFETY: as the caller says.
    Some(PathBuf::from(unsafe { CStr::from_ptr(path) }.to_string_lossy().into_owned()))
}

unsafe extern "C" fn open(
    _ours: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives `szOsFile` bytes at `file` and a path it keeps; both are the system's to use as well.
    unsafe {
        let ours = file.cast::<File>();
        (*ours).base.pMethods = std::ptr::null();
        (*ours).name = null_mut();
        (*ours).fresh = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
        let vfs = real_vfs();
        (*real(file)).pMethods = std::ptr::null();
        let opened = (*vfs).xOpen.unwrap()(vfs, path, real(file), flags, out);
        if opened == ffi::SQLITE_OK {
            (*ours).base.pMethods = &raw const METHODS;
            if let Some(name) = path_of(path).and_then(|path| watched(&path)) {
                note(Event::Open { file: name.clone() });
                (*ours).name = Box::into_raw(Box::new(name));
            }
        }
        opened
    }
}

unsafe extern "C" fn delete(
    _ours: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    synced: c_int,
) -> c_int {
    // SAFETY: SQLite gives a C string.
    unsafe {
        if let Some(file) = path_of(path).and_then(|path| watched(&path)) {
            note(Event::Delete { file, folder: synced != 0 });
        }
        let vfs = real_vfs();
        (*vfs).xDelete.unwrap()(vfs, path, synced)
    }
}

/// Makes the recorder the VFS every connection of this process uses.
fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a copy of the system's VFS, which lives as long as the process, with three members of its own.
        unsafe {
            ffi::sqlite3_initialize();
            let mut ours = *real_vfs();
            ours.pNext = null_mut();
            ours.zName = c"recorder".as_ptr();
            ours.szOsFile += size_of::<File>() as c_int;
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            let registered = ffi::sqlite3_vfs_register(Box::into_raw(Box::new(ours)), 1);
            assert_eq!(registered, ffi::SQLITE_OK);
        }
    });
}

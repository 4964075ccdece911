//! The wall clock of this process, which a test may move forward. Deadlines and timers run by the monotonic one, which is
//! left alone.

use std::sync::atomic::{AtomicI64, Ordering};

static AHEAD_S: AtomicI64 = AtomicI64::new(0);

/// Lets wall time pass.
pub(crate) fn pass(ms: i64) {
    AHEAD_S.fetch_add(ms / 1_000, Ordering::SeqCst);
}

/// Stands in the place of the C library's (POSIX, `clock_gettime`).
///
/// # Safety
/// As the C library's: `at` points to a `timespec`.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, at: *mut libc::timespec) -> libc::c_int {
    // SAFETY: the system call writes to `at` alone, which the caller vouches for.
    let failed = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, at) } != 0;
    if failed {
        return -1;
    }
    if clock == libc::CLOCK_REALTIME {
        // SAFETY: as above, and it was just written.
        unsafe { (*at).tv_sec += AHEAD_S.load(Ordering::SeqCst) };
    }
    0
}

//! Faults for the tests of this crate.

use crate::store::StoreError;

/// The next transaction stumbles where it is told to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    next: std::sync::Arc<std::sync::Mutex<Vec<(Point, StoreError)>>>,
    commits: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    BeforeCommit,
    AfterCommit,
    /// The task breaks.
    Panic,
}

impl Faults {
    pub(crate) fn add(&self, point: Point, error: StoreError) {
        self.next.lock().unwrap().push((point, error));
    }

    pub(super) fn take(&self, point: Point) -> Option<StoreError> {
        let mut next = self.next.lock().unwrap();
        let first = next.iter().position(|(at, _)| *at == point)?;
        Some(next.remove(first).1)
    }

    pub(super) fn may_break(&self) {
        assert!(self.take(Point::Panic).is_none(), "broken by a test");
    }

    pub(super) fn count(&self) {
        self.commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.load(std::sync::atomic::Ordering::Relaxed)
    }
}

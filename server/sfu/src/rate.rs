//! Counting against a limit per second.

use std::time::{Duration, Instant};

/// A budget that begins anew every second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PerSecond {
    since: Instant,
    used: u32,
}

impl PerSecond {
    pub(crate) fn new(now: Instant) -> Self {
        Self { since: now, used: 0 }
    }

    /// Uses up `amount` if `limit` allows it.
    pub(crate) fn allow(&mut self, now: Instant, amount: u32, limit: u32) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            *self = Self::new(now);
        }
        let used = self.used.saturating_add(amount);
        if used > limit {
            return false;
        }
        self.used = used;
        true
    }
}

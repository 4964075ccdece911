//! What waits for somebody for a few minutes: a question that was asked, a proof that was given. In memory alone: a
//! restart forgets it, and people ask again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use clinical::actor::Millis;

/// How much of one kind may wait. More would let a flood grow memory; fewer would refuse a busy morning of a large
/// practice.
const MOST: usize = 1_024;

/// Values that wait, one under each key, for so long and not longer. The time is told.
pub(crate) struct Pending<K, V> {
    holds_ms: i64,
    held: Mutex<HashMap<K, (Millis, V)>>,
}

/// Too much waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl<K, V> std::fmt::Debug for Pending<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending(..)")
    }
}

impl<K: Eq + Hash, V> Pending<K, V> {
    /// Nothing waits. Each value will, for `holds_ms`.
    pub(crate) fn new(holds_ms: i64) -> Self {
        Self { holds_ms, held: Mutex::default() }
    }

    /// Keeps a value in the place of the one that waited there; gives back until when (the last moment included).
    pub(crate) fn put(&self, now: Millis, key: K, value: V) -> Result<Millis, Full> {
        let mut held = self.held();
        held.retain(|_, (until, _)| *until >= now);
        if held.len() >= MOST && !held.contains_key(&key) {
            return Err(Full);
        }
        let until = Millis(now.0.saturating_add(self.holds_ms));
        held.insert(key, (until, value));
        Ok(until)
    }

    /// Takes the value of a key out, if it still waits and `fits`. One that does not fit stays for whom it is.
    pub(crate) fn take(&self, now: Millis, key: &K, fits: impl FnOnce(&V) -> bool) -> Option<V> {
        let mut held = self.held();
        let (until, value) = held.get(key)?;
        if *until >= now && !fits(value) {
            return None;
        }
        let (until, value) = held.remove(key)?;
        (until >= now).then_some(value)
    }

    fn held(&self) -> MutexGuard<'_, HashMap<K, (Millis, V)>> {
        // A panic elsewhere leaves a map of whole entries.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_taken_once_and_in_time() {
        let pending = Pending::new(1_000);
        pending.put(Millis(0), "seat", 7).unwrap();
        assert_eq!(pending.take(Millis(1_000), &"seat", |_| true), Some(7));
        assert_eq!(pending.take(Millis(1_000), &"seat", |_| true), None, "taken before");

        pending.put(Millis(0), "seat", 8).unwrap();
        assert_eq!(pending.take(Millis(1_001), &"seat", |_| true), None, "too late");
    }

    #[test]
    fn what_does_not_fit_stays_for_whom_it_is() {
        let pending = Pending::new(1_000);
        pending.put(Millis(0), "seat", 7).unwrap();

        assert_eq!(pending.take(Millis(1), &"seat", |value| *value == 8), None);
        assert_eq!(pending.take(Millis(1), &"seat", |value| *value == 7), Some(7));
    }

    #[test]
    fn a_flood_is_refused_until_what_waited_is_too_old() {
        let pending = Pending::new(1_000);
        for key in 0..MOST {
            pending.put(Millis(0), key, ()).unwrap();
        }

        assert_eq!(pending.put(Millis(1), MOST, ()), Err(Full));
        assert!(
            pending.put(Millis(1), 0, ()).is_ok(),
            "a newer question takes the place of the older"
        );
        assert!(pending.put(Millis(1_001), MOST, ()).is_ok());
    }
}

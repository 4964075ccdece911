//! Plaintext packets of one layer, kept once for all subscribers: to be forwarded now and sent again if they were lost.

use std::collections::VecDeque;
use std::time::Instant;

use crate::codec::Picture;
use crate::limits::{CACHE_AGE, CACHE_BYTES, CELL_BYTES};
use crate::rtp::Marker;
use crate::srtp::Index;

/// Memory of all caches of a worker, in cells for one packet each. Grows to its peak and is used again from then on.
#[derive(Default)]
pub(crate) struct Pool {
    chunks: Vec<Box<[u8]>>,
    free: Vec<Cell>,
}

/// A place in the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell(u32);

const CELLS_PER_CHUNK: usize = 64;

impl Pool {
    fn take(&mut self) -> Option<Cell> {
        if self.free.is_empty() {
            let chunk_bytes = CELLS_PER_CHUNK * CELL_BYTES;
            if (self.chunks.len() + 1) * chunk_bytes > CACHE_BYTES {
                return None;
            }
            let first = u32::try_from(self.chunks.len() * CELLS_PER_CHUNK).ok()?;
            self.chunks.push(vec![0; chunk_bytes].into_boxed_slice());
            let count = u32::try_from(CELLS_PER_CHUNK).ok()?;
            self.free.extend((first..first + count).rev().map(Cell));
        }
        self.free.pop()
    }

    fn bytes(&self, cell: Cell) -> Option<&[u8]> {
        let cell = usize::try_from(cell.0).ok()?;
        let start = (cell % CELLS_PER_CHUNK) * CELL_BYTES;
        self.chunks.get(cell / CELLS_PER_CHUNK)?.get(start..start + CELL_BYTES)
    }

    fn bytes_mut(&mut self, cell: Cell) -> Option<&mut [u8]> {
        let cell = usize::try_from(cell.0).ok()?;
        let start = (cell % CELLS_PER_CHUNK) * CELL_BYTES;
        self.chunks.get_mut(cell / CELLS_PER_CHUNK)?.get_mut(start..start + CELL_BYTES)
    }

    /// Bytes held, in use or free.
    pub(crate) fn size(&self) -> usize {
        self.chunks.len() * CELLS_PER_CHUNK * CELL_BYTES
    }

    pub(crate) fn in_use(&self) -> usize {
        self.chunks.len() * CELLS_PER_CHUNK - self.free.len()
    }
}

/// What is known of one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    /// The source's sequence number with its rollovers.
    pub(crate) sequence: Index,
    pub(crate) timestamp: u32,
    pub(crate) marker: Marker,
    pub(crate) arrived: Instant,
    pub(crate) origin: Origin,
    /// `None` for sound.
    pub(crate) picture: Option<Picture>,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By itself, or as a retransmission.
    Own,
    /// Inside a later one, which repeats its frame.
    Repeated,
}

/// Number of a packet in order of arrival, counted from the beginning of its layer.
pub(crate) type Arrival = u64;

/// The packets of one layer, in order of arrival.
pub(crate) struct Cache {
    entries: VecDeque<Entry>,
    /// Of the next packet.
    head: Arrival,
    capacity: usize,
}

struct Entry {
    meta: Meta,
    cell: Cell,
    /// Of the dependency descriptor, which stands before the payload.
    descriptor: usize,
    len: usize,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), head: 0, capacity }
    }

    /// Keeps a payload, with its dependency descriptor if it has one. `false` if there is no memory for it.
    pub(crate) fn push(
        &mut self,
        pool: &mut Pool,
        meta: Meta,
        descriptor: &[u8],
        payload: &[u8],
    ) -> bool {
        self.expire(pool, meta.arrived);
        while self.entries.len() >= self.capacity {
            self.pop(pool);
        }
        let cell = match pool.take() {
            Some(cell) => cell,
            None => {
                self.pop(pool);
                match pool.take() {
                    Some(cell) => cell,
                    None => return false,
                }
            }
        };
        let len = descriptor.len() + payload.len();
        let stored = pool.bytes_mut(cell).and_then(|bytes| bytes.get_mut(..len));
        let Some((before, behind)) =
            stored.and_then(|stored| stored.split_at_mut_checked(descriptor.len()))
        else {
            pool.free.push(cell);
            return false;
        };
        before.copy_from_slice(descriptor);
        behind.copy_from_slice(payload);
        self.entries.push_back(Entry { meta, cell, descriptor: descriptor.len(), len });
        self.head += 1;
        true
    }

    /// Number of the packet that comes next.
    pub(crate) fn head(&self) -> Arrival {
        self.head
    }

    /// Number of the oldest packet kept.
    pub(crate) fn tail(&self) -> Arrival {
        self.head - u64::try_from(self.entries.len()).unwrap_or(0)
    }

    pub(crate) fn get<'a>(&self, pool: &'a Pool, arrival: Arrival) -> Option<(Meta, &'a [u8])> {
        let entry = self.entry(arrival)?;
        Some((entry.meta, pool.bytes(entry.cell)?.get(entry.descriptor..entry.len)?))
    }

    /// The dependency descriptor that came with a packet; empty if none did.
    pub(crate) fn descriptor<'a>(&self, pool: &'a Pool, arrival: Arrival) -> Option<&'a [u8]> {
        let entry = self.entry(arrival)?;
        pool.bytes(entry.cell)?.get(..entry.descriptor)
    }

    fn entry(&self, arrival: Arrival) -> Option<&Entry> {
        let at = usize::try_from(arrival.checked_sub(self.tail())?).ok()?;
        self.entries.get(at)
    }

    /// Gives back what is too old.
    pub(crate) fn expire(&mut self, pool: &mut Pool, now: Instant) {
        while self
            .entries
            .front()
            .is_some_and(|oldest| now.saturating_duration_since(oldest.meta.arrived) > CACHE_AGE)
        {
            self.pop(pool);
        }
    }

    /// Gives back everything.
    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        while !self.entries.is_empty() {
            self.pop(pool);
        }
    }

    fn pop(&mut self, pool: &mut Pool) {
        if let Some(entry) = self.entries.pop_front() {
            pool.free.push(entry.cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::anchor;

    fn meta(sequence: Index, arrived: Instant) -> Meta {
        Meta {
            sequence,
            timestamp: 0,
            marker: Marker::Clear,
            arrived,
            origin: Origin::Own,
            picture: None,
        }
    }

    #[test]
    fn packets_are_kept_for_a_second_and_their_memory_is_used_again() {
        let start = anchor();
        let mut pool = Pool::default();
        let mut cache = Cache::new(128);
        for step in 0..1_000 {
            let now = start + Duration::from_millis(20 * step);
            assert!(cache.push(&mut pool, meta(step, now), &[], &[step as u8; 100]));
        }

        assert_eq!(cache.head() - cache.tail(), 51);
        assert_eq!(pool.size(), CELLS_PER_CHUNK * CELL_BYTES);
        let (newest, payload) = cache.get(&pool, 999).unwrap();
        assert_eq!((newest.sequence, payload), (999, [999_u64 as u8; 100].as_slice()));
        assert!(cache.get(&pool, 948).is_none());
        assert!(cache.get(&pool, 1_000).is_none());

        cache.expire(&mut pool, start + Duration::from_secs(60));
        assert_eq!(pool.in_use(), 0);
    }

    #[test]
    fn a_burst_never_holds_more_than_the_capacity() {
        let now = anchor();
        let mut pool = Pool::default();
        let mut cache = Cache::new(128);
        for step in 0..500 {
            cache.push(&mut pool, meta(step, now), &[], &[0; 10]);
        }

        assert_eq!(cache.head() - cache.tail(), 128);
        assert_eq!(pool.in_use(), 128);
    }
}

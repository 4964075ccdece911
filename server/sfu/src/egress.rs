//! Where the core writes what is to be sent: fixed cells, allocated once, filled by `Sfu::poll_transmit` and sent by the shell.

use std::net::SocketAddr;

use crate::limits::{CELL_BYTES, EGRESS_CELLS};

/// By which way a datagram came or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// The worker's UDP socket.
    Udp,
    /// An ICE-TCP connection (RFC 6544), by the shell's number for it; a number is never used twice.
    Tcp(u32),
}

/// Where a datagram came from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The other side.
    pub remote: SocketAddr,
    /// How it is reached.
    pub via: Via,
}

/// Whether there is more to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// Nothing is left.
    Done,
    /// The cells are full: send them, clear them, call again.
    More,
}

/// Outgoing datagrams in order. Those for one destination stand together, so that a run of equal lengths can leave in one system call.
#[derive(Debug)]
pub struct Egress {
    bytes: Box<[u8]>,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    path: Path,
    len: u16,
}

impl Egress {
    /// 1 024 cells of 1 536 bytes: the only allocation.
    pub fn new() -> Self {
        Self {
            bytes: vec![0; EGRESS_CELLS * CELL_BYTES].into_boxed_slice(),
            cells: Vec::with_capacity(EGRESS_CELLS),
        }
    }

    /// Forgets all datagrams, after they were sent.
    pub fn clear(&mut self) {
        self.cells.clear();
    }

    /// Takes a whole datagram: how the core's output is made by hand in the shell's tests. `false` if it does not fit.
    pub fn push(&mut self, path: Path, datagram: &[u8]) -> bool {
        self.write(path, |cell| {
            cell.get_mut(..datagram.len())?.copy_from_slice(datagram);
            Some(datagram.len())
        })
        .is_some()
    }

    /// Number of datagrams.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Destination and bytes of each, in order.
    pub fn datagrams(&self) -> impl ExactSizeIterator<Item = (Path, &[u8])> {
        self.cells.iter().zip(self.bytes.chunks_exact(CELL_BYTES)).map(|(cell, bytes)| {
            (cell.path, bytes.get(..usize::from(cell.len)).unwrap_or_default())
        })
    }

    pub(crate) fn is_full(&self) -> bool {
        self.cells.len() >= EGRESS_CELLS
    }

    /// Lets `fill` write into the next cell and say how long the datagram is; `None` gives the cell back.
    pub(crate) fn write(
        &mut self,
        path: Path,
        fill: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        if self.is_full() {
            return None;
        }
        let start = self.cells.len() * CELL_BYTES;
        let cell = self.bytes.get_mut(start..start + CELL_BYTES)?;
        let len = fill(cell)?;
        self.cells.push(Cell { path, len: u16::try_from(len).ok()? });
        Some(len)
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}

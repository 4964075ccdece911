//! Datagrams in: `recvmmsg` of up to 32 messages, each of which may be a run that the kernel glued together (UDP_GRO).

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;

use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSocketState};
use socket2::Socket;

/// Largest run: the longest UDP payload the kernel hands over at once.
const RUN_BYTES: usize = 64 * 1024;

/// Buffers for one batch, allocated once (2 MiB).
pub(super) struct Receiver {
    state: UdpSocketState,
    buffer: Box<[u8]>,
    metas: [RecvMeta; BATCH_SIZE],
}

/// What one batch was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Datagrams in it.
    pub(super) datagrams: usize,
    /// Whether the socket may hold more: the batch was full.
    pub(super) more: bool,
}

impl Receiver {
    /// Prepares the socket: non-blocking, GRO, no fragmentation.
    pub(super) fn new(socket: &Socket) -> io::Result<Self> {
        let state = UdpSocketState::new(socket.into())?;
        let buffer = vec![0; RUN_BYTES * BATCH_SIZE].into_boxed_slice();
        Ok(Self { state, buffer, metas: [RecvMeta::default(); BATCH_SIZE] })
    }

    /// Segments that the kernel can cut from one send; 1 without that ability.
    pub(super) fn segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Takes what is there, one datagram at a time.
    pub(super) fn batch(
        &mut self,
        socket: &Socket,
        mut each: impl FnMut(SocketAddr, &mut [u8]),
    ) -> io::Result<Batch> {
        let mut chunks = self.buffer.chunks_exact_mut(RUN_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let messages = match self.state.recv(socket.into(), &mut slices, &mut self.metas) {
            Ok(messages) => messages,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error),
        };
        let mut datagrams = 0;
        for (meta, run) in
            self.metas.iter().zip(self.buffer.chunks_exact_mut(RUN_BYTES)).take(messages)
        {
            // A socket for both IP versions sees IPv4 as ::ffff:a.b.c.d; STUN must tell the client its real address.
            let remote = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            let Some(run) = run.get_mut(..meta.len) else { continue };
            for datagram in run.chunks_mut(meta.stride.max(1)) {
                datagrams += 1;
                each(remote, datagram);
            }
        }
        Ok(Batch { datagrams, more: messages == BATCH_SIZE })
    }
}

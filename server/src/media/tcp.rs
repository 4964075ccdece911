//! ICE-TCP (RFC 6544, passive) for networks without UDP: datagrams framed by their length (RFC 4571). A connection is
//! nobody's until the relay's core took a check that came by it; until then it may hardly send, and not stay.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IoSlice, Read as _};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use sfu::{Path, Via};
use socket2::{Domain, Protocol, SockRef, Socket, Type};

/// Longest datagram, as of UDP; more is no media of ours.
const LONGEST: usize = 1_500;
/// Bytes of a frame's length.
const LENGTH: usize = 2;
/// Frames of one system call.
const READ_BYTES: usize = 8 * 1024;
/// Reads of one connection in one turn, so that one does not hold up the others: 128 KiB are 10 ms of 100 Mb/s.
const READS_A_TURN: usize = 16;
/// A connection without a valid check is closed after this long.
const PROOF_WITHIN: Duration = Duration::from_secs(5);
/// Bytes it may send until then: some checks, which are about 100 bytes each.
const UNPROVEN_BYTES: usize = 4 * 1024;
/// Connections without a valid check at a time, from one address: a clinic behind one address has fewer newcomers in 5 s.
const UNPROVEN_OF_ONE_ADDRESS: usize = 16;
/// Connections at a time; each holds 8 KiB, and what waits for a slow line.
const CONNECTIONS: usize = 1_024;
/// What waited longer is not sent, nor anything behind it: sound that is late is lost, and the congestion control must
/// see that the line is full.
const LATE: Duration = Duration::from_millis(200);
/// Bytes that may wait, whatever their age: 200 ms at 10 Mb/s.
const WAITING_BYTES: usize = 256 * 1024;
/// The kernel's own buffer: what lies there can no longer be overtaken or dropped.
const SEND_BUFFER: usize = 64 * 1024;
/// How often connections are looked at that owe a check or belong to nobody any more.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Connections in the accept queue.
const BACKLOG: i32 = 256;

sfu::counters! {
    /// What was counted of connections.
    pub struct TcpCounters {
        /// Accepted.
        pub accepted: u64,
        /// Closed at once: too many, in all or from one address.
        pub refused: u64,
        /// Closed: no valid check in time, a frame that is no datagram, or too much before the check.
        pub unproven: u64,
        /// Datagrams written.
        pub datagrams: u64,
        /// Datagrams dropped: the line is slower than what is sent, or the connection is gone.
        pub dropped: u64,
    }
}

/// The listener of a worker, and its connections.
pub(super) struct Connections {
    listener: TcpListener,
    first: Token,
    next: u32,
    live: BTreeMap<u32, Connection>,
    /// With bytes that may not have been read: the poll tells of them once.
    readable: BTreeSet<u32>,
    /// Something was written to since the last flush.
    touched: BTreeSet<u32>,
    look_at: Instant,
    counters: TcpCounters,
}

struct Connection {
    stream: TcpStream,
    remote: SocketAddr,
    accepted: Instant,
    standing: Standing,
    unread: Vec<u8>,
    waiting: Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// So many bytes came.
    Unproven(usize),
    /// The core took a check that came by it.
    Proven,
}

/// Frames that the kernel has not taken.
#[derive(Default)]
struct Waiting {
    bytes: VecDeque<u8>,
    /// Of each whole frame: when it came, and its bytes with their length.
    frames: VecDeque<(Instant, usize)>,
    /// Of the first frame: bytes already sent. It has to be finished, or the framing is lost.
    begun: usize,
}

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Keep,
    Close,
}

/// Binds the listener of a worker; the port should be that of its UDP socket.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // A restart must not wait for connections of the process before.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

impl Connections {
    /// The listener answers to `token`, its connections to the tokens behind it.
    pub(super) fn new(
        mut listener: TcpListener,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<Self> {
        registry.register(&mut listener, token, Interest::READABLE)?;
        Ok(Self {
            listener,
            first: Token(token.0 + 1),
            next: 0,
            live: BTreeMap::new(),
            readable: BTreeSet::new(),
            touched: BTreeSet::new(),
            look_at: now,
            counters: TcpCounters::default(),
        })
    }

    pub(super) fn counters(&self) -> TcpCounters {
        self.counters
    }

    /// Takes the connections that wait.
    pub(super) fn accept(&mut self, registry: &Registry, now: Instant) {
        loop {
            let (stream, remote) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Nobody waits any more; or one that came is gone, or there are no descriptors: the next one tells again.
                Err(_) => return,
            };
            let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
            if !self.has_room(remote.ip()) || self.admit(stream, remote, registry, now).is_err() {
                self.counters.refused += 1;
            }
        }
    }

    fn has_room(&self, ip: IpAddr) -> bool {
        let newcomers = self.live.values().filter(|connection| {
            connection.standing != Standing::Proven && connection.remote.ip() == ip
        });
        self.live.len() < CONNECTIONS && newcomers.count() < UNPROVEN_OF_ONE_ADDRESS
    }

    fn admit(
        &mut self,
        mut stream: TcpStream,
        remote: SocketAddr,
        registry: &Registry,
        now: Instant,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER)?;
        let number = self.next;
        let following = number.checked_add(1).ok_or(io::ErrorKind::QuotaExceeded)?;
        let token =
            usize::try_from(number).ok().and_then(|number| self.first.0.checked_add(number));
        let token = Token(token.ok_or(io::ErrorKind::QuotaExceeded)?);
        registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.next = following;
        self.counters.accepted += 1;
        let standing = Standing::Unproven(0);
        let (unread, waiting) = (Vec::with_capacity(READ_BYTES), Waiting::default());
        self.live.insert(
            number,
            Connection { stream, remote, accepted: now, standing, unread, waiting },
        );
        Ok(())
    }

    /// The poll says that something can be read or written.
    pub(super) fn ready(&mut self, token: Token) {
        let number = token.0.checked_sub(self.first.0).and_then(|at| u32::try_from(at).ok());
        if let Some(number) = number {
            self.readable.insert(number);
            self.touched.insert(number);
        }
    }

    /// Whether something may be left to read at once.
    pub(super) fn is_busy(&self) -> bool {
        !self.readable.is_empty()
    }

    /// Reads what came, one datagram at a time. `each` says whether the core now holds the path; `closed` is told of
    /// paths that end. The number of datagrams, not much more than `most`; the rest waits for the next turn.
    pub(super) fn read(
        &mut self,
        most: usize,
        mut each: impl FnMut(Path, &mut [u8]) -> bool,
        mut closed: impl FnMut(Path),
    ) -> usize {
        let mut datagrams = 0;
        for number in std::mem::take(&mut self.readable) {
            if datagrams >= most {
                self.readable.insert(number);
                continue;
            }
            let Some(connection) = self.live.get_mut(&number) else { continue };
            let path = Path { remote: connection.remote, via: Via::Tcp(number) };
            let mut reads = 0;
            let verdict = loop {
                if reads == READS_A_TURN {
                    self.readable.insert(number);
                    break Verdict::Keep;
                }
                reads += 1;
                match connection.fill() {
                    Ok(0) => break Verdict::Close,
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Verdict::Keep,
                    Err(_) => break Verdict::Close,
                }
                let verdict = connection.take_frames(|frame| {
                    datagrams += 1;
                    each(path, frame)
                });
                if verdict == Verdict::Close {
                    self.counters.unproven += u64::from(connection.standing != Standing::Proven);
                    break Verdict::Close;
                }
            };
            if verdict == Verdict::Close {
                self.close(number, &mut closed);
            }
        }
        datagrams
    }

    /// Takes a datagram for a connection; it leaves with the next `flush`.
    pub(super) fn send(&mut self, number: u32, datagram: &[u8], now: Instant) {
        let sent = self
            .live
            .get_mut(&number)
            .is_some_and(|connection| connection.waiting.push(datagram, now));
        if sent {
            self.touched.insert(number);
        } else {
            self.counters.dropped += 1;
        }
    }

    /// Writes what the kernel takes.
    pub(super) fn flush(&mut self, mut closed: impl FnMut(Path)) {
        for number in std::mem::take(&mut self.touched) {
            let Some(connection) = self.live.get_mut(&number) else { continue };
            match connection.waiting.write(&mut connection.stream) {
                Ok(written) => self.counters.datagrams += written,
                Err(_) => self.close(number, &mut closed),
            }
        }
    }

    /// When `look` is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        (!self.live.is_empty()).then_some(self.look_at)
    }

    /// Closes connections that did not prove themselves in time, and those whose path the core forgot.
    pub(super) fn look(
        &mut self,
        now: Instant,
        holds: impl Fn(Path) -> bool,
        mut closed: impl FnMut(Path),
    ) {
        if now < self.look_at {
            return;
        }
        self.look_at = now + LOOK_EVERY;
        let ended: Vec<_> = self
            .live
            .iter()
            .filter(|(number, connection)| match connection.standing {
                Standing::Unproven(_) => {
                    now.saturating_duration_since(connection.accepted) >= PROOF_WITHIN
                }
                Standing::Proven => {
                    !holds(Path { remote: connection.remote, via: Via::Tcp(**number) })
                }
            })
            .map(|(number, connection)| (*number, connection.standing))
            .collect();
        for (number, standing) in ended {
            self.counters.unproven += u64::from(standing != Standing::Proven);
            self.close(number, &mut closed);
        }
    }

    /// The stream leaves the poll with its descriptor.
    fn close(&mut self, number: u32, closed: &mut impl FnMut(Path)) {
        self.readable.remove(&number);
        if let Some(connection) = self.live.remove(&number) {
            closed(Path { remote: connection.remote, via: Via::Tcp(number) });
        }
    }
}

impl Connection {
    /// Reads once, at most up to a full buffer; 0 is the end.
    fn fill(&mut self) -> io::Result<usize> {
        let before = self.unread.len();
        self.unread.resize(READ_BYTES, 0);
        let read = match self.unread.get_mut(before..) {
            Some(room) if !room.is_empty() => self.stream.read(room),
            // A whole frame always fits, and whole frames are taken.
            _ => Ok(0),
        };
        self.unread.truncate(before + read.as_ref().copied().unwrap_or(0));
        if let (Standing::Unproven(bytes), Ok(read)) = (&mut self.standing, &read) {
            *bytes += read;
        }
        read
    }

    /// Hands over each whole frame; what is left waits for the rest.
    fn take_frames(&mut self, mut each: impl FnMut(&mut [u8]) -> bool) -> Verdict {
        let mut taken = 0;
        let verdict = loop {
            let Some(rest) = self.unread.get_mut(taken..) else { break Verdict::Close };
            let Some((length, rest)) = rest.split_first_chunk_mut::<LENGTH>() else {
                break Verdict::Keep;
            };
            let length = usize::from(u16::from_be_bytes(*length));
            if length == 0 || length > LONGEST {
                break Verdict::Close;
            }
            let Some(frame) = rest.get_mut(..length) else { break Verdict::Keep };
            // RFC 7983 §7: STUN begins with 0 to 3. Whoever begins with anything else is no ICE agent.
            let is_check = frame.first().is_some_and(|first| *first <= 3);
            if self.standing != Standing::Proven && !is_check {
                break Verdict::Close;
            }
            let is_held = each(frame);
            if is_held {
                self.standing = Standing::Proven;
            }
            taken += LENGTH + length;
        };
        self.unread.drain(..taken.min(self.unread.len()));
        match self.standing {
            Standing::Unproven(bytes) if bytes > UNPROVEN_BYTES => Verdict::Close,
            Standing::Unproven(_) | Standing::Proven => verdict,
        }
    }
}

impl Waiting {
    /// `false` if the line is too slow for it.
    fn push(&mut self, datagram: &[u8], now: Instant) -> bool {
        let Ok(length) = u16::try_from(datagram.len()) else { return false };
        let is_late = self
            .frames
            .front()
            .is_some_and(|(since, _)| now.saturating_duration_since(*since) >= LATE);
        let size = LENGTH + datagram.len();
        if is_late || self.bytes.len() + size > WAITING_BYTES {
            return false;
        }
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(datagram);
        self.frames.push_back((now, size));
        true
    }

    /// The number of frames that left whole.
    fn write(&mut self, stream: &mut impl io::Write) -> io::Result<u64> {
        let mut whole = 0;
        while !self.bytes.is_empty() {
            let (front, back) = self.bytes.as_slices();
            let written = match stream.write_vectored(&[IoSlice::new(front), IoSlice::new(back)]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            self.bytes.drain(..written.min(self.bytes.len()));
            self.begun += written;
            while let Some((_, size)) = self.frames.front()
                && self.begun >= *size
            {
                self.begun -= size;
                self.frames.pop_front();
                whole += 1;
            }
        }
        Ok(whole)
    }
}

#[cfg(test)]
mod tests;

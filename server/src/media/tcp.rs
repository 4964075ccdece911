//! ICE-TCP (RFC 6544, passive) for networks without UDP: datagrams framed by their length (RFC 4571). A connection is
//! nobody's until the relay's core took a check that came by it; until then it may hardly send, and not stay.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, IoSlice, Read as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
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
/// Datagrams of one connection in one turn: 64 tiny ones are 0.2 ms of work, 64 long ones 5 ms of 100 Mb/s. More holds up
/// the others, fewer costs a busy connection more turns.
const DATAGRAMS_OF_ONE: usize = 64;
/// Reads of one connection in one turn, for one that sends byte by byte.
const READS_OF_ONE: usize = 16;
/// A connection without a valid check is closed after this long.
const PROOF_WITHIN: Duration = Duration::from_secs(5);
/// Bytes it may send until then: some checks, which are about 100 bytes each.
const UNPROVEN_BYTES: usize = 4 * 1024;
/// Connections without a valid check at a time, from one network: a browser sends its check within a round trip, and a
/// clinic behind one address has fewer newcomers in that time.
const UNPROVEN_OF_ONE_NETWORK: usize = 16;
/// The same from all: strangers must not take the places, nor the process's descriptors.
const UNPROVEN: usize = 256;
/// Bits of an IPv6 address that name a network: a provider gives a home 2⁶⁴ addresses (RFC 6177).
const NETWORK_BITS: u32 = 64;
/// Connections of one worker at a time, unless the process may have fewer; each holds 8 KiB, and what waits for a slow line.
pub const TCP_CONNECTIONS: usize = 1_024;
/// Connections accepted in one turn, at about 10 µs each: a flood of them must not hold up media.
const ACCEPTS_A_TURN: usize = 64;
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
        /// Closed at once: every place is taken by somebody who proved themselves, or the system refused.
        pub refused: u64,
        /// Closed without a valid check: none came in time, a frame was no check, too much came, or a newcomer needed the
        /// place.
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
    /// Connections at a time.
    most: usize,
    first: Token,
    next: u32,
    live: BTreeMap<u32, Connection>,
    backlog: Backlog,
    /// With bytes that may not have been read: the poll tells of them once.
    readable: BTreeSet<u32>,
    /// The first whom the last turn had no time for: the next one begins there.
    read_from: u32,
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

/// Whether connections wait to be accepted: the poll tells of them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backlog {
    /// None known of.
    None,
    Waiting,
    /// The system has no descriptor for them: the next `look` tries again.
    Stuck,
}

/// What is to become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything was read.
    Keep,
    /// It had its share of this turn.
    ReadOn,
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
    /// At most `most` at a time. The listener answers to `token`, its connections to the tokens behind it.
    pub(super) fn new(
        mut listener: TcpListener,
        most: usize,
        registry: &Registry,
        token: Token,
        now: Instant,
    ) -> io::Result<Self> {
        registry.register(&mut listener, token, Interest::READABLE)?;
        Ok(Self {
            listener,
            most,
            first: Token(token.0 + 1),
            next: 0,
            live: BTreeMap::new(),
            backlog: Backlog::None,
            readable: BTreeSet::new(),
            read_from: 0,
            touched: BTreeSet::new(),
            look_at: now,
            counters: TcpCounters::default(),
        })
    }

    pub(super) fn counters(&self) -> TcpCounters {
        self.counters
    }

    /// The poll says that somebody connects.
    pub(super) fn listener_ready(&mut self) {
        self.backlog = Backlog::Waiting;
    }

    /// Takes connections that wait, some in each turn.
    pub(super) fn accept(&mut self, registry: &Registry, now: Instant) {
        for _ in 0..ACCEPTS_A_TURN {
            if self.backlog != Backlog::Waiting {
                return;
            }
            let (stream, remote) = match self.listener.accept() {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.backlog = match error.kind() {
                        // A signal; or one that came is gone already, which says nothing of those behind it.
                        io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted => continue,
                        io::ErrorKind::WouldBlock => Backlog::None,
                        _ => Backlog::Stuck,
                    };
                    return;
                }
            };
            let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
            if !self.make_room(remote.ip()) || self.admit(stream, remote, registry, now).is_err() {
                self.counters.refused += 1;
            }
        }
    }

    /// Makes room for a newcomer. Where it is scarce, whoever has owed a check the longest goes: a browser sends its own at
    /// once, and whoever only holds places has to come again and again.
    fn make_room(&mut self, ip: IpAddr) -> bool {
        let newcomers = || self.live.iter().filter(|(_, it)| it.standing != Standing::Proven);
        let neighbours = || newcomers().filter(|(_, it)| network(it.remote.ip()) == network(ip));
        let oldest = if neighbours().count() >= UNPROVEN_OF_ONE_NETWORK {
            neighbours().next()
        } else if self.live.len() >= self.most || newcomers().count() >= UNPROVEN {
            newcomers().next()
        } else {
            return true;
        };
        let Some((&oldest, _)) = oldest else { return false };
        self.counters.unproven += 1;
        // The core holds no path by it, so it need not be told.
        self.close(oldest, &mut |_| {});
        true
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

    /// Whether something may be left to do at once.
    pub(super) fn is_busy(&self) -> bool {
        !self.readable.is_empty() || self.backlog == Backlog::Waiting
    }

    pub(super) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Closes all, when the core that knew their paths is no more.
    pub(super) fn close_all(&mut self) {
        self.live.clear();
        self.readable.clear();
        self.touched.clear();
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
        let mut passed_over = None;
        let mut second = std::mem::take(&mut self.readable);
        let first = second.split_off(&self.read_from);
        for number in first.into_iter().chain(second) {
            if datagrams >= most {
                passed_over.get_or_insert(number);
                self.readable.insert(number);
                continue;
            }
            let Some(connection) = self.live.get_mut(&number) else { continue };
            let path = Path { remote: connection.remote, via: Via::Tcp(number) };
            let verdict = connection.read(|frame| {
                datagrams += 1;
                each(path, frame)
            });
            match verdict {
                Verdict::Keep => {}
                Verdict::ReadOn => _ = self.readable.insert(number),
                Verdict::Close => {
                    self.counters.unproven += u64::from(connection.standing != Standing::Proven);
                    self.close(number, &mut closed);
                }
            }
        }
        if let Some(number) = passed_over {
            self.read_from = number;
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
        (!self.live.is_empty() || self.backlog == Backlog::Stuck).then_some(self.look_at)
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
        if self.backlog == Backlog::Stuck {
            self.backlog = Backlog::Waiting;
        }
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
    /// Its share of a turn: hands over each datagram that came.
    fn read(&mut self, mut each: impl FnMut(&mut [u8]) -> bool) -> Verdict {
        let mut left = DATAGRAMS_OF_ONE;
        for _ in 0..READS_OF_ONE {
            match self.take_frames(&mut left, &mut each) {
                Verdict::Keep => {}
                verdict @ (Verdict::ReadOn | Verdict::Close) => return verdict,
            }
            match self.fill() {
                Ok(0) => return Verdict::Close,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Keep,
                Err(_) => return Verdict::Close,
            }
        }
        Verdict::ReadOn
    }

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

    /// Hands over whole frames until none is `left` to it; what remains waits for the rest.
    fn take_frames(
        &mut self,
        left: &mut usize,
        each: &mut impl FnMut(&mut [u8]) -> bool,
    ) -> Verdict {
        let mut taken = 0;
        let verdict = loop {
            if *left == 0 {
                break Verdict::ReadOn;
            }
            let Some(rest) = self.unread.get_mut(taken..) else { break Verdict::Close };
            let Some((length, rest)) = rest.split_first_chunk_mut::<LENGTH>() else {
                break Verdict::Keep;
            };
            let length = usize::from(u16::from_be_bytes(*length));
            // A frame of nothing is allowed (RFC 4571 §2), and so are some from whoever proved themselves; a stranger has a
            // check to send.
            if length == 0 && self.standing == Standing::Proven {
                taken += LENGTH;
                *left -= 1;
                continue;
            }
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
            *left -= 1;
        };
        self.unread.drain(..taken.min(self.unread.len()));
        match self.standing {
            Standing::Unproven(bytes) if bytes > UNPROVEN_BYTES => Verdict::Close,
            Standing::Unproven(_) | Standing::Proven => verdict,
        }
    }
}

/// Whoever has one of its addresses may have them all.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let host_bits = u128::BITS - NETWORK_BITS;
            Ipv6Addr::from_bits(ip.to_bits() >> host_bits << host_bits).into()
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

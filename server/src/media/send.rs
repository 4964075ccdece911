//! Datagrams out: one `sendmmsg` for many destinations, in which each message may be a run of equal datagrams that the
//! kernel cuts apart (UDP_SEGMENT). quinn-udp can do runs only one system call each, which costs 1.1 to 2 times as much
//! where runs are short.
#![expect(
    unsafe_code,
    reason = "no safe crate has sendmmsg with a control message for each of its messages"
)]

use std::io;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd as _, RawFd};
use std::time::{Duration, Instant};

use sfu::{Egress, Path, Via};
use socket2::{SockAddr, Socket};

/// Datagrams in one run: measured, no gain beyond 8 to 10, and at most 15 kB leave in one burst.
const MAX_RUN: usize = 10;
/// Messages in one `sendmmsg`: the kernel takes no more (UIO_MAXIOV).
const MAX_MESSAGES: usize = 1_024;
/// How long to do without runs after the kernel or the network card refused one: a refusal costs a system call and
/// a changed route may be able again.
const RUNS_OFF: Duration = Duration::from_secs(60);

sfu::counters! {
    /// What the sender counts.
    pub struct SendCounters {
        /// Datagrams that the kernel took.
        pub datagrams: u64,
        /// Messages they went in: a run counts once.
        pub messages: u64,
        /// System calls.
        pub calls: u64,
        /// Dropped: the socket's buffer was full.
        pub dropped_full: u64,
        /// Dropped: longer than the path takes.
        pub dropped_too_long: u64,
        /// Dropped: no route, or forbidden.
        pub dropped_unreachable: u64,
        /// Runs refused by the kernel or the network card, sent again one by one.
        pub refused_runs: u64,
    }
}

/// The sending half of a worker's socket, with its scratch space.
pub(super) struct Sender {
    /// Whether the socket speaks IPv6 and reaches IPv4 by mapped addresses.
    mapped: bool,
    runs: Runs,
    counters: SendCounters,
    messages: Vec<Message>,
    datagrams: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    segments: Vec<Segment>,
}

/// Whether runs are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// The kernel cannot.
    Never,
    /// Again from then on.
    From(Instant),
    Now,
}

/// Consecutive datagrams of one destination.
#[derive(Clone)]
struct Message {
    remote: SockAddr,
    /// Index among the egress's datagrams.
    first: usize,
    count: usize,
    /// Bytes of each datagram except the last, which may be shorter.
    size: usize,
}

/// The control message `UDP_SEGMENT` (linux/udp.h) as the kernel reads it: header, then 16 bits.
#[repr(C)]
#[derive(Clone, Copy)]
struct Segment {
    header: libc::cmsghdr,
    size: u16,
    padding: [u8; 6],
}

const _: () = {
    // SAFETY: CMSG_SPACE and CMSG_LEN only compute.
    let (space, header) = unsafe { (libc::CMSG_SPACE(2), libc::CMSG_LEN(0)) };
    assert!(size_of::<Segment>() == space as usize);
    assert!(mem::offset_of!(Segment, size) == header as usize);
};

/// What to do about an error of `sendmmsg`, which is about its first unsent message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// A signal came: repeat.
    Repeat,
    /// The socket's buffer is full: the rest of this flush is dropped. Waiting would delay everybody; media that is
    /// late is lost anyway, and what counts is asked for again.
    DropRest,
    /// Send this run one by one, and make no runs for a while.
    WithoutRuns,
    /// Too long for the path: this datagram is dropped.
    DropTooLong,
    /// It will not go there: this message is dropped.
    DropUnreachable,
}

fn verdict(errno: i32, count: usize) -> Verdict {
    match errno {
        libc::EINTR => Verdict::Repeat,
        libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM => Verdict::DropRest,
        // EIO: the card has no checksum offload. EINVAL: an old kernel, or a segment over the path's size, for which
        // newer ones say EMSGSIZE.
        libc::EIO | libc::EINVAL | libc::EMSGSIZE if count > 1 => Verdict::WithoutRuns,
        libc::EMSGSIZE => Verdict::DropTooLong,
        _ => Verdict::DropUnreachable,
    }
}

impl Sender {
    /// For a socket that can cut `segments` datagrams from one send.
    pub(super) fn new(local: SocketAddr, segments: usize) -> Self {
        Self {
            mapped: local.is_ipv6(),
            runs: if segments > 1 { Runs::Now } else { Runs::Never },
            counters: SendCounters::default(),
            messages: Vec::new(),
            datagrams: Vec::new(),
            headers: Vec::new(),
            segments: Vec::new(),
        }
    }

    pub(super) fn counters(&self) -> SendCounters {
        self.counters
    }

    /// Sends all datagrams that go by the UDP socket, in order.
    pub(super) fn flush(&mut self, now: Instant, socket: &Socket, egress: &Egress) {
        if let Runs::From(then) = self.runs
            && then <= now
        {
            self.runs = Runs::Now;
        }
        self.datagrams.clear();
        self.datagrams.extend(egress.datagrams().map(|(_, bytes)| libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        }));
        let mut next = Some(0);
        while let Some(first) = next {
            let longest = if self.runs == Runs::Now { MAX_RUN } else { 1 };
            self.collect(egress, first, longest);
            next = self.send_messages(socket.as_raw_fd());
            if next.is_some() {
                self.counters.refused_runs += 1;
                self.runs = Runs::From(now + RUNS_OFF);
            }
        }
        // They point into the egress, which is about to change.
        self.headers.clear();
        self.datagrams.clear();
    }

    /// Groups the datagrams from `first` on into messages of at most `longest` datagrams.
    fn collect(&mut self, egress: &Egress, first: usize, longest: usize) {
        self.messages.clear();
        // Where the last message goes, while it may still grow.
        let mut open: Option<Path> = None;
        for (index, (path, bytes)) in egress.datagrams().enumerate().skip(first) {
            if path.via != Via::Udp {
                open = None;
                continue;
            }
            if open == Some(path)
                && let Some(last) = self.messages.last_mut()
                && last.count < longest
                && bytes.len() <= last.size
            {
                last.count += 1;
                // A shorter one ends its run.
                open = (bytes.len() == last.size).then_some(path);
                continue;
            }
            let remote = self.address(path.remote);
            self.messages.push(Message { remote, first: index, count: 1, size: bytes.len() });
            open = Some(path);
        }
    }

    fn address(&self, remote: SocketAddr) -> SockAddr {
        match remote.ip() {
            IpAddr::V4(ip) if self.mapped => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), remote.port()).into()
            }
            IpAddr::V4(_) | IpAddr::V6(_) => remote.into(),
        }
    }

    /// Sends the collected messages. Gives back the first datagram of a run that must go one by one, with all after it.
    fn send_messages(&mut self, socket: RawFd) -> Option<usize> {
        self.fill_headers();
        let mut next = 0;
        while next < self.headers.len() {
            let end = self.headers.len().min(next + MAX_MESSAGES);
            let (Some(headers), Some(messages)) =
                (self.headers.get_mut(next..end), self.messages.get(next..))
            else {
                return None;
            };
            self.counters.calls += 1;
            // SAFETY: `headers` is a slice of initialised mmsghdr and its length is given, at most 1 024. Each points to
            // an address of `messages`, to iovecs of `datagrams` and to a control of `segments`: none of the three
            // changed since `fill_headers`. The iovecs point to bytes of the egress, which `flush` holds borrowed. The
            // kernel reads them all and writes only msg_len.
            let sent = unsafe {
                libc::sendmmsg(
                    socket,
                    headers.as_mut_ptr(),
                    u32::try_from(headers.len()).unwrap_or(0),
                    libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                )
            };
            if let Ok(sent) = usize::try_from(sent) {
                // Fewer than asked: the next call tells why. None at all would repeat for ever.
                let sent = sent.max(1);
                self.counters.messages += sent as u64;
                self.counters.datagrams += datagrams(messages.iter().take(sent));
                next += sent;
                continue;
            }
            let refused = messages.first()?;
            let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
            match verdict(errno, refused.count) {
                Verdict::Repeat => {}
                Verdict::DropRest => {
                    self.counters.dropped_full += datagrams(messages.iter());
                    return None;
                }
                Verdict::WithoutRuns => return Some(refused.first),
                Verdict::DropTooLong => {
                    self.counters.dropped_too_long += 1;
                    next += 1;
                }
                Verdict::DropUnreachable => {
                    self.counters.dropped_unreachable += refused.count as u64;
                    next += 1;
                }
            }
        }
        None
    }

    /// One header for each message. Nothing that they point to may move until they are sent.
    fn fill_headers(&mut self) {
        self.segments.clear();
        self.segments.extend(self.messages.iter().map(|message| {
            // SAFETY: CMSG_LEN only computes; cmsghdr is plain numbers, for which zeros are a value.
            let (len, mut header) = unsafe { (libc::CMSG_LEN(2), mem::zeroed::<libc::cmsghdr>()) };
            header.cmsg_len = len as _;
            header.cmsg_level = libc::SOL_UDP;
            header.cmsg_type = libc::UDP_SEGMENT;
            let size = u16::try_from(message.size).unwrap_or(u16::MAX);
            Segment { header, size, padding: [0; 6] }
        }));
        self.headers.clear();
        for (message, segment) in self.messages.iter().zip(&mut self.segments) {
            let end = message.first + message.count;
            let Some(datagrams) = self.datagrams.get_mut(message.first..end) else { continue };
            // SAFETY: mmsghdr is plain numbers and pointers, for which zeros are a value.
            let mut header = unsafe { mem::zeroed::<libc::mmsghdr>() };
            header.msg_hdr.msg_name = message.remote.as_ptr().cast_mut().cast();
            header.msg_hdr.msg_namelen = message.remote.len();
            header.msg_hdr.msg_iov = datagrams.as_mut_ptr();
            header.msg_hdr.msg_iovlen = datagrams.len() as _;
            if message.count > 1 {
                header.msg_hdr.msg_control = std::ptr::from_mut(segment).cast();
                header.msg_hdr.msg_controllen = size_of::<Segment>() as _;
            }
            self.headers.push(header);
        }
    }
}

fn datagrams<'a>(messages: impl Iterator<Item = &'a Message>) -> u64 {
    messages.map(|message| message.count as u64).sum()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    struct Bench {
        socket: Socket,
        sender: Sender,
        egress: Egress,
    }

    impl Bench {
        fn new(bind: &str, segments: usize) -> Self {
            let local: SocketAddr = bind.parse().expect("address");
            let socket: Socket = UdpSocket::bind(local).expect("bind").into();
            Self { socket, sender: Sender::new(local, segments), egress: Egress::new() }
        }

        fn push(&mut self, to: &UdpSocket, bytes: &[u8]) {
            self.push_to(to.local_addr().expect("address"), bytes);
        }

        fn push_to(&mut self, remote: SocketAddr, bytes: &[u8]) {
            assert!(self.egress.push(Path { remote, via: Via::Udp }, bytes));
        }

        fn flush(&mut self) -> SendCounters {
            self.sender.flush(Instant::now(), &self.socket, &self.egress);
            self.egress.clear();
            self.sender.counters()
        }
    }

    fn sink() -> UdpSocket {
        let sink = UdpSocket::bind("127.0.0.1:0").expect("bind");
        sink.set_read_timeout(Some(Duration::from_secs(5))).expect("timeout");
        sink
    }

    fn take(sink: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
        let mut buffer = [0; 2_048];
        (0..count)
            .map(|_| {
                let len = sink.recv(&mut buffer).expect("datagram");
                buffer[..len].to_vec()
            })
            .collect()
    }

    #[test]
    fn a_run_leaves_as_one_message_and_arrives_as_the_datagrams_it_was() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        let sent: Vec<Vec<u8>> = (0..5).map(|n| vec![n; if n == 4 { 7 } else { 1_200 }]).collect();
        sent.iter().for_each(|bytes| bench.push(&sink, bytes));
        let counters = bench.flush();
        assert_eq!(take(&sink, 5), sent);
        assert_eq!((counters.datagrams, counters.messages, counters.calls), (5, 1, 1));
    }

    #[test]
    fn a_shorter_datagram_ends_its_run_and_a_longer_one_starts_the_next() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        let sent: Vec<Vec<u8>> = [100, 100, 90, 90, 100, 1].map(|len| vec![1; len]).to_vec();
        sent.iter().for_each(|bytes| bench.push(&sink, bytes));
        let counters = bench.flush();
        assert_eq!(take(&sink, 6), sent);
        assert_eq!(counters.messages, 3);
    }

    #[test]
    fn a_run_is_at_most_ten_datagrams() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        (0..25).for_each(|n| bench.push(&sink, &[n; 500]));
        let counters = bench.flush();
        let first: Vec<u8> = take(&sink, 25).iter().map(|bytes| bytes[0]).collect();
        assert_eq!(first, (0..25).collect::<Vec<u8>>());
        assert_eq!((counters.datagrams, counters.messages, counters.calls), (25, 3, 1));
    }

    #[test]
    fn many_destinations_share_one_system_call() {
        let mut bench = Bench::new("127.0.0.1:0", 64);
        let sinks = [sink(), sink(), sink()];
        for sink in &sinks {
            (0..3).for_each(|n| bench.push(sink, &[n; 300]));
        }
        let counters = bench.flush();
        for sink in &sinks {
            assert_eq!(take(sink, 3), [[0; 300], [1; 300], [2; 300]]);
        }
        assert_eq!((counters.messages, counters.calls), (3, 1));
    }

    #[test]
    fn without_kernel_support_each_datagram_is_a_message() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 1), sink());
        (0..4).for_each(|n| bench.push(&sink, &[n; 300]));
        let counters = bench.flush();
        assert_eq!(take(&sink, 4).len(), 4);
        assert_eq!((counters.messages, counters.calls), (4, 1));
    }

    #[test]
    fn an_unreachable_destination_costs_only_its_own_datagrams() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        bench.push(&sink, &[1; 100]);
        // Broadcast without permission: EACCES.
        let nowhere = "255.255.255.255:9".parse().expect("address");
        bench.push_to(nowhere, &[2; 100]);
        bench.push_to(nowhere, &[3; 100]);
        bench.push(&sink, &[4; 100]);
        let counters = bench.flush();
        assert_eq!(take(&sink, 2), [[1; 100], [4; 100]]);
        assert_eq!((counters.datagrams, counters.dropped_unreachable), (2, 2));
    }

    #[test]
    fn a_refused_run_goes_one_by_one_and_runs_come_back_after_a_minute() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        let socket = bench.socket.as_raw_fd();
        // A socket that computes no checksums cannot cut runs: the kernel refuses them with EINVAL.
        // SAFETY: the option's value is an int that lives through the call.
        let set = |on: libc::c_int| unsafe {
            libc::setsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_NO_CHECK,
                std::ptr::from_ref(&on).cast(),
                4,
            )
        };
        assert_eq!(set(1), 0);
        bench.push(&sink, &[9; 50]);
        (0..3).for_each(|n| bench.push(&sink, &[n; 300]));
        let counters = bench.flush();
        assert_eq!(take(&sink, 4).len(), 4);
        assert_eq!((counters.datagrams, counters.refused_runs), (4, 1));
        (0..3).for_each(|n| bench.push(&sink, &[n; 300]));
        assert_eq!(bench.flush().messages, 4 + 3);
        assert_eq!(take(&sink, 3).len(), 3);
        assert_eq!(set(0), 0);
        (0..3).for_each(|n| bench.push(&sink, &[n; 300]));
        let later = Instant::now() + RUNS_OFF + Duration::from_secs(1);
        bench.sender.flush(later, &bench.socket, &bench.egress);
        assert_eq!(bench.sender.counters().messages, 4 + 3 + 1);
        assert_eq!(take(&sink, 3).len(), 3);
    }

    #[test]
    fn an_ipv6_socket_reaches_ipv4_addresses() {
        let (mut bench, sink) = (Bench::new("[::]:0", 64), sink());
        (0..2).for_each(|n| bench.push(&sink, &[n; 300]));
        bench.flush();
        assert_eq!(take(&sink, 2).len(), 2);
    }

    #[test]
    fn datagrams_of_other_ways_are_left_alone() {
        let (mut bench, sink) = (Bench::new("127.0.0.1:0", 64), sink());
        let remote = sink.local_addr().expect("address");
        bench.push(&sink, &[1; 100]);
        assert!(bench.egress.push(Path { remote, via: Via::Tcp(1) }, &[2; 100]));
        bench.push(&sink, &[3; 100]);
        assert_eq!(bench.flush().datagrams, 2);
        assert_eq!(take(&sink, 2), [[1; 100], [3; 100]]);
    }

    #[test]
    fn each_error_of_the_kernel_has_its_consequence() {
        for (errno, count, expected) in [
            (libc::EINTR, 1, Verdict::Repeat),
            (libc::EAGAIN, 3, Verdict::DropRest),
            (libc::ENOBUFS, 1, Verdict::DropRest),
            (libc::EIO, 2, Verdict::WithoutRuns),
            (libc::EINVAL, 2, Verdict::WithoutRuns),
            (libc::EMSGSIZE, 2, Verdict::WithoutRuns),
            (libc::EMSGSIZE, 1, Verdict::DropTooLong),
            (libc::EINVAL, 1, Verdict::DropUnreachable),
            (libc::EPERM, 1, Verdict::DropUnreachable),
            (libc::ENETUNREACH, 5, Verdict::DropUnreachable),
        ] {
            assert_eq!(verdict(errno, count), expected, "{errno}");
        }
    }
}

//! The one thread that sends and receives everything: one socket, many addresses. Each transport has an address of its
//! own out of a block that is local as a whole, so that a server sees as many clients.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::oneshot;

use crate::source::{FRAME_INTERVAL, VOICE_INTERVAL};
use crate::transport::{Arrival, Identity, Negotiated, Transport};

/// Room for everything a server sends while this thread is off its core.
const RECEIVE_BUFFER: usize = 64 * 1024 * 1024;
/// Longest run that the kernel hands over at once.
const RUN_BYTES: usize = 64 * 1024;
/// Longest time until a request of the other side is seen.
const ATTENTION: Duration = Duration::from_millis(1);

/// Requests to the engine.
enum Ask {
    Add(u16, Box<Negotiated>),
    Begin { sample_every: u64 },
    End,
    Report(oneshot::Sender<Report>),
    Clear,
    Stop,
}

/// What came in during a window.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Media packets that the sources sent.
    pub sent: u64,
    /// Media packets that came.
    pub received: u64,
    /// Gaps in sequence numbers.
    pub missing: u64,
    /// Samples that did not decrypt.
    pub broken: u64,
    /// Datagrams that belong to nobody: of the floor.
    pub stray: u64,
    /// Delays of the samples, sorted.
    pub delays: Vec<Duration>,
}

impl Report {
    /// A quantile of the delays.
    pub fn delay(&self, quantile: f64) -> Duration {
        let at = (self.delays.len() as f64 * quantile) as usize;
        self.delays.get(at.min(self.delays.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// The way to the engine's thread.
#[derive(Clone, Debug)]
pub struct Engine {
    asks: Sender<Ask>,
    block: Ipv4Addr,
    port: u16,
}

impl Engine {
    /// Starts the thread. Addresses are those of the block, a /16.
    pub fn start(block: Ipv4Addr, identity: Identity) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        // Needs CAP_NET_ADMIN; else as much as the system grants.
        if setsockopt(&socket, sockopt::RcvBufForce, &RECEIVE_BUFFER).is_err() {
            socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        }
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into())?;
        let port = socket.local_addr()?.as_socket().context("an address")?.port();
        let state = UdpSocketState::new((&socket).into())?;
        let (asks, inbox) = channel();
        let mut worker = Worker {
            socket,
            state,
            identity,
            block,
            transports: Vec::new(),
            due: BinaryHeap::new(),
            sources_run: true,
            in_window: false,
            sample_every: 1,
            counted: 0,
            report: Report::default(),
            packet: Vec::new(),
        };
        std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || worker.run(&inbox))
            .context("a thread")?;
        Ok(Self { asks, block, port })
    }

    /// The address of a transport.
    pub fn address(&self, index: u16) -> IpAddr {
        address(self.block, index)
    }

    /// The same with its port: where its media is.
    pub fn media(&self, index: u16) -> SocketAddr {
        SocketAddr::new(self.address(index), self.port)
    }

    /// The UDP port of all transports.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets a transport connect.
    pub fn add(&self, index: u16, negotiated: Negotiated) {
        self.ask(Ask::Add(index, Box::new(negotiated)));
    }

    /// Begins a window in which one packet in so many is decrypted.
    pub fn begin(&self, sample_every: u64) {
        self.ask(Ask::Begin { sample_every: sample_every.max(1) });
    }

    /// Ends it: sources stop, what is under way still counts.
    pub fn end(&self) {
        self.ask(Ask::End);
    }

    /// What came since the window began.
    pub async fn report(&self) -> Result<Report> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Report(reply));
        Ok(answer.await?)
    }

    /// Forgets all transports.
    pub fn clear(&self) {
        self.ask(Ask::Clear);
    }

    /// Ends the thread.
    pub fn stop(&self) {
        self.ask(Ask::Stop);
    }

    fn ask(&self, ask: Ask) {
        let _stopped = self.asks.send(ask);
    }
}

/// What comes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Check,
    Handshake,
    Voice,
    Frame,
}

struct Worker {
    socket: Socket,
    state: UdpSocketState,
    identity: Identity,
    block: Ipv4Addr,
    transports: Vec<Option<Transport>>,
    due: BinaryHeap<Reverse<(Instant, Due, u16)>>,
    sources_run: bool,
    in_window: bool,
    sample_every: u64,
    counted: u64,
    report: Report,
    packet: Vec<u8>,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Ask>) {
        let mut buffer = vec![0_u8; RUN_BYTES * BATCH_SIZE].into_boxed_slice();
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        loop {
            while let Ok(ask) = inbox.try_recv() {
                if !self.answer(ask) {
                    return;
                }
            }
            let now = Instant::now();
            while let Some(&Reverse((at, due, index))) = self.due.peek()
                && at <= now
            {
                self.due.pop();
                self.do_due(at, due, index);
            }
            let full = self.receive(&mut buffer, &mut metas);
            if full {
                continue;
            }
            let wait = self.due.peek().map_or(ATTENTION, |Reverse((at, ..))| {
                at.saturating_duration_since(Instant::now()).min(ATTENTION)
            });
            if self.in_window {
                // Not woken by packets: whoever sends over a virtual cable would pay for the wake-up, which no server
                // pays on a real one. The kernel stamps what comes, so delays do not suffer.
                std::thread::sleep(wait);
                continue;
            }
            let mut polled = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            let _interrupted = ppoll(&mut polled, Some(TimeSpec::from_duration(wait)), None);
        }
    }

    fn answer(&mut self, ask: Ask) -> bool {
        match ask {
            Ask::Add(index, negotiated) => {
                let now = Instant::now();
                let transport = Transport::new(address(self.block, index), *negotiated);
                // Publishers are spread over the interval, as people are.
                let number = u32::from(index);
                if transport.source.is_some() {
                    let voice = Duration::from_micros(u64::from(number * 7_300 % 20_000));
                    let frame = Duration::from_micros(u64::from(number * 11_700 % 33_333));
                    self.due.push(Reverse((now + voice, Due::Voice, index)));
                    self.due.push(Reverse((now + frame, Due::Frame, index)));
                }
                let at = usize::from(index);
                if self.transports.len() <= at {
                    self.transports.resize_with(at + 1, || None);
                }
                self.transports[at] = Some(transport);
                self.do_due(now, Due::Check, index);
            }
            Ask::Begin { sample_every } => {
                self.transports.iter_mut().flatten().for_each(Transport::begin);
                self.sample_every = sample_every;
                self.report = Report::default();
                self.in_window = true;
            }
            Ask::End => self.sources_run = false,
            Ask::Report(reply) => {
                let mut report = std::mem::take(&mut self.report);
                for transport in self.transports.iter().flatten() {
                    report.sent += transport.source.as_ref().map_or(0, |source| source.sent);
                    report.received += transport.received;
                    report.missing += transport.missing();
                }
                report.delays.sort_unstable();
                self.in_window = false;
                let _nobody_waits = reply.send(report);
            }
            Ask::Clear => {
                self.transports.clear();
                self.due.clear();
                self.sources_run = true;
                self.in_window = false;
            }
            Ask::Stop => return false,
        }
        true
    }

    fn do_due(&mut self, at: Instant, due: Due, index: u16) {
        let Self { socket, state, transports, packet, sources_run, .. } = self;
        let Some(transport) = transports.get_mut(usize::from(index)).and_then(Option::as_mut)
        else {
            return;
        };
        let (remote, local) = (transport.remote, transport.local);
        let send = |bytes: &[u8]| send(socket, state, remote, local, bytes);
        let next = match due {
            Due::Check => {
                let (check, wait) = transport.check();
                send(&check);
                Some(Instant::now() + wait)
            }
            Due::Handshake => transport.handle_timeout(at, send),
            Due::Voice => {
                if *sources_run {
                    transport.send_voice(packet, send);
                }
                Some(at + VOICE_INTERVAL)
            }
            Due::Frame => {
                if *sources_run {
                    transport.send_frame(packet, send);
                }
                Some(at + FRAME_INTERVAL)
            }
        };
        if let Some(next) = next {
            self.due.push(Reverse((next, due, index)));
        }
    }

    /// Takes one batch; whether there may be more.
    fn receive(&mut self, buffer: &mut [u8], metas: &mut [RecvMeta; BATCH_SIZE]) -> bool {
        let mut chunks = buffer.chunks_exact_mut(RUN_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let Ok(messages) = self.state.recv((&self.socket).into(), &mut slices, metas) else {
            return false;
        };
        let now = Instant::now();
        for (meta, run) in metas.iter().zip(buffer.chunks_exact(RUN_BYTES)).take(messages) {
            let index = match meta.dst_ip {
                Some(IpAddr::V4(ip)) => number(ip),
                Some(IpAddr::V6(_)) | None => continue,
            };
            let datagrams = run[..meta.len].chunks(meta.stride.max(1));
            let Some(transport) =
                self.transports.get_mut(usize::from(index)).and_then(Option::as_mut)
            else {
                self.report.stray += datagrams.len() as u64;
                continue;
            };
            for bytes in datagrams {
                if !matches!(bytes, [128..=191, 0..=191 | 224..=255, ..]) {
                    let (remote, local) = (transport.remote, transport.local);
                    transport.receive(now, bytes, &self.identity, |bytes| {
                        send(&self.socket, &self.state, remote, local, bytes);
                    });
                    if let Some(next) = transport.handshake_timeout(now) {
                        self.due.push(Reverse((next, Due::Handshake, index)));
                    }
                    continue;
                }
                match transport.count(now, bytes) {
                    Arrival::Other => {}
                    Arrival::Rtp if self.in_window => {
                        self.counted += 1;
                        if self.counted.is_multiple_of(self.sample_every) {
                            let arrived = meta.timestamp.unwrap_or_default();
                            match transport.sample(bytes, arrived) {
                                Some(delay) => self.report.delays.push(delay),
                                None => self.report.broken += 1,
                            }
                        }
                    }
                    Arrival::Rtp => {}
                }
            }
        }
        messages == BATCH_SIZE
    }
}

fn address(block: Ipv4Addr, index: u16) -> IpAddr {
    let [a, b, _, _] = block.octets();
    // The first address of a block is that of the network.
    let [c, d] = index.wrapping_add(1).to_be_bytes();
    Ipv4Addr::new(a, b, c, d).into()
}

fn number(address: Ipv4Addr) -> u16 {
    let [_, _, c, d] = address.octets();
    u16::from_be_bytes([c, d]).wrapping_sub(1)
}

/// A datagram that does not leave is lost, as on any network.
fn send(socket: &Socket, state: &UdpSocketState, remote: SocketAddr, local: IpAddr, bytes: &[u8]) {
    let transmit = Transmit {
        destination: remote,
        ecn: None,
        contents: bytes,
        segment_size: None,
        src_ip: Some(local),
    };
    if let Err(error) = state.try_send(socket.into(), &transmit)
        && error.kind() != io::ErrorKind::WouldBlock
    {
        eprintln!("a datagram was not sent: {error}");
    }
}

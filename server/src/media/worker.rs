//! One worker: a thread, a UDP socket, a TCP listener on the same port, a relay core. It reads the clock once a turn,
//! waits only in epoll, and holds no lock: what it owns, nobody else sees.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver as Inbox, TryRecvError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use mio::net::TcpListener;
use mio::unix::SourceFd;
use mio::{Interest, Token};
use sfu::command::Command;
use sfu::event::{CloseReason, Event};
use sfu::plan::PeerKey;
use sfu::{Config, Egress, Flow, Identity, NtpTime, Path, Sfu, Via};
use socket2::{Domain, Protocol, Socket, Type};
use std::os::fd::AsRawFd as _;

use super::mailbox::{Mailbox, Message, Outbox};
use super::receive::Receiver;
use super::send::Sender;
use super::tcp::{self, Connections};
use super::{MediaError, WorkerCounters};

/// Datagrams before timers and the mailbox get their turn: at 1 µs to 3 µs each, timers are late by less than 1 ms.
const DATAGRAMS_A_TURN: usize = 256;
/// Messages in one turn, for the same reason.
const MESSAGES_A_TURN: usize = 256;
/// Socket buffers each way: 4 MiB hold 30 ms of 1 Gb/s, longer than any turn; the system may grant less.
const SOCKET_BUFFER: usize = 4 * 1024 * 1024;
/// When to offer kept events again: long for a machine, short for a person.
const BACKLOG_RETRY: Duration = Duration::from_millis(5);

const SOCKET: Token = Token(0);
const WAKER: Token = Token(1);
/// And those behind it its connections.
const LISTENER: Token = Token(2);
/// A port that the system chose for UDP may be taken for TCP.
const PORTS_TO_TRY: usize = 16;

/// A worker that is ready to run.
pub(super) struct Worker {
    poll: mio::Poll,
    socket: Socket,
    receiver: Receiver,
    connections: Connections,
    relay: Relay,
    inbox: Inbox<Message>,
    outbox: Outbox,
    /// Whether the last turn left something undone.
    busy: bool,
    stopping: bool,
}

/// The core with what a turn of it needs, apart from the socket: what a panic puts in doubt.
struct Relay {
    sfu: Sfu,
    identity: Identity,
    egress: Egress,
    /// Who has joined and not left: to be told when the core is lost.
    peers: BTreeSet<PeerKey>,
    counters: WorkerCounters,
}

impl Worker {
    /// Binds the sockets; nothing is received before `run`.
    pub(super) fn bind(
        address: SocketAddr,
        tcp_connections: usize,
        identity: Identity,
        events: tokio::sync::mpsc::Sender<Event>,
    ) -> Result<(Self, Mailbox, SocketAddr), MediaError> {
        let socket_error = |error: io::Error| MediaError::Socket(error.kind());
        let (socket, listener, local) = bind(address).map_err(socket_error)?;
        let receiver = Receiver::new(&socket).map_err(socket_error)?;
        let poll = mio::Poll::new().map_err(socket_error)?;
        poll.registry()
            .register(&mut SourceFd(&socket.as_raw_fd()), SOCKET, Interest::READABLE)
            .map_err(socket_error)?;
        let waker = mio::Waker::new(poll.registry(), WAKER).map_err(socket_error)?;
        let connections =
            Connections::new(listener, tcp_connections, poll.registry(), LISTENER, Instant::now())
                .map_err(socket_error)?;
        let (mailbox, inbox) = Mailbox::new(waker);
        let relay = Relay {
            sfu: core(&identity)?,
            identity,
            egress: Egress::new(),
            peers: BTreeSet::new(),
            counters: WorkerCounters::default(),
        };
        let outbox = Outbox::new(events);
        let worker = Self {
            poll,
            socket,
            receiver,
            connections,
            relay,
            inbox,
            outbox,
            busy: true,
            stopping: false,
        };
        Ok((worker, mailbox, local))
    }

    /// Relays until it is told to stop, or nobody can tell it anything any more.
    pub(super) fn run(mut self, local: SocketAddr) {
        // Made here: it holds pointers, which must not change threads.
        let mut sender = Sender::new(local, self.receiver.segments());
        let mut ready = mio::Events::with_capacity(256);
        while !self.stopping {
            let timeout = self.timeout();
            match self.poll.poll(&mut ready, timeout) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::error!(kind = ?error.kind(), "epoll failed, the media worker ends");
                    break;
                }
            }
            let now = Instant::now();
            self.relay.counters.turning.turns += 1;
            for event in &ready {
                match event.token() {
                    SOCKET | WAKER => {}
                    LISTENER => self.connections.listener_ready(),
                    connection => self.connections.ready(connection),
                }
            }
            if !self.guarded(|worker| worker.turn(now, &mut sender)) {
                break;
            }
            self.relay.counters.send = sender.counters();
            self.relay.counters.tcp = self.connections.counters();
        }
        self.relay.close_all(&mut self.outbox);
        self.outbox.flush();
    }

    /// How long epoll may wait.
    fn timeout(&self) -> Option<Duration> {
        if self.busy {
            return Some(Duration::ZERO);
        }
        let deadlines = [self.relay.sfu.poll_timeout(), self.connections.deadline()];
        let due = deadlines.into_iter().flatten().min();
        let due = due.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let retry = (self.outbox.backlog() > 0).then_some(BACKLOG_RETRY);
        due.into_iter().chain(retry).min()
    }

    fn turn(&mut self, now: Instant, sender: &mut Sender) {
        self.busy = false;
        if self.take_messages(now) {
            self.transmit(now, sender);
        }
        let mut taken = 0;
        loop {
            let relay = &mut self.relay;
            let batch = self.receiver.batch(&self.socket, |remote, bytes| {
                relay.sfu.handle_datagram(now, Path { remote, via: Via::Udp }, bytes);
            });
            let Ok(batch) = batch else {
                // An ICMP error that belongs to nobody here; the socket goes on.
                self.relay.counters.turning.receive_errors += 1;
                self.busy = true;
                break;
            };
            if batch.datagrams > 0 {
                self.relay.counters.turning.batches += 1;
                self.transmit(now, sender);
            }
            taken += batch.datagrams;
            // A batch that is not full emptied the socket: epoll reports whatever comes after it.
            if !batch.more {
                break;
            }
            if taken >= DATAGRAMS_A_TURN {
                self.busy = true;
                break;
            }
        }
        self.read_connections(now, sender);
        if self.relay.sfu.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.relay.sfu.handle_timeout(now);
            self.transmit(now, sender);
        }
        self.relay.forward_events(&mut self.outbox);
        self.outbox.flush();
    }

    /// Who came by TCP, and what.
    fn read_connections(&mut self, now: Instant, sender: &mut Sender) {
        self.connections.accept(self.poll.registry(), now);
        let sfu = &mut self.relay.sfu;
        let mut gone = Vec::new();
        let datagrams = self.connections.read(
            DATAGRAMS_A_TURN,
            |path, datagram| {
                sfu.handle_datagram(now, path, datagram);
                sfu.holds(path)
            },
            |path| gone.push(path),
        );
        self.connections.look(now, |path| sfu.holds(path), |path| gone.push(path));
        for path in gone {
            sfu.path_closed(path);
        }
        // What could not be written before may go now, also when nothing came.
        self.flush_connections();
        self.busy |= self.connections.is_busy();
        if datagrams > 0 {
            self.transmit(now, sender);
        }
    }

    fn flush_connections(&mut self) {
        let sfu = &mut self.relay.sfu;
        self.connections.flush(|path| sfu.path_closed(path));
    }

    /// Whether there was a command.
    fn take_messages(&mut self, now: Instant) -> bool {
        let mut commanded = false;
        for _ in 0..MESSAGES_A_TURN {
            match self.inbox.try_recv() {
                Ok(Message::Command(command)) => {
                    commanded = true;
                    if let Command::Join { peer, .. } = &command {
                        self.relay.peers.insert(*peer);
                    }
                    self.relay.sfu.handle_command(now, command);
                }
                Ok(Message::Counters(reply)) => {
                    let relay = *self.relay.sfu.counters();
                    // Whoever asked may have gone.
                    _ = reply.send(WorkerCounters { relay, ..self.relay.counters });
                }
                Ok(Message::Stop) | Err(TryRecvError::Disconnected) => {
                    self.stopping = true;
                    return commanded;
                }
                Err(TryRecvError::Empty) => return commanded,
            }
        }
        self.busy = true;
        commanded
    }

    fn transmit(&mut self, now: Instant, sender: &mut Sender) {
        let relay = &mut self.relay;
        loop {
            let flow = relay.sfu.poll_transmit(now, &mut relay.egress);
            if !relay.egress.is_empty() {
                sender.flush(now, &self.socket, &relay.egress);
                if !self.connections.is_empty() {
                    for (path, datagram) in relay.egress.datagrams() {
                        if let Via::Tcp(number) = path.via {
                            self.connections.send(number, datagram, now);
                        }
                    }
                }
                relay.egress.clear();
            }
            match flow {
                Flow::More => {}
                Flow::Done => return self.flush_connections(),
            }
        }
    }

    /// Does a turn. A panic in it is our bug and must not end other calls' worker: `false` only if no core is left.
    fn guarded(&mut self, turn: impl FnOnce(&mut Self)) -> bool {
        catch_unwind(AssertUnwindSafe(|| turn(self))).is_ok() || self.recover()
    }

    /// After a panic in the core: nothing of it can be trusted, so its peers are closed and an empty one takes over.
    /// `false` if there is none.
    fn recover(&mut self) -> bool {
        self.relay.counters.turning.panics += 1;
        tracing::error!("the media core panicked: its peers are closed, the worker goes on");
        self.busy = true;
        self.relay.egress.clear();
        // What was read and not handed over may be what the core panicked at.
        self.connections.close_all();
        let fresh = core(&self.relay.identity);
        self.relay.close_all(&mut self.outbox);
        let Ok(fresh) = fresh else { return false };
        let broken = std::mem::replace(&mut self.relay.sfu, fresh);
        // Half-changed state may panic again while it is taken apart.
        _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        true
    }
}

impl Relay {
    fn forward_events(&mut self, outbox: &mut Outbox) {
        while let Some(event) = self.sfu.poll_event() {
            if let Event::Closed { peer, .. } | Event::Left { peer } = &event {
                self.peers.remove(peer);
            }
            outbox.push(event);
        }
    }

    /// With the core its consents are gone, and with them the right to send to anybody.
    fn close_all(&mut self, outbox: &mut Outbox) {
        for peer in std::mem::take(&mut self.peers) {
            outbox.push(Event::Closed { peer, reason: CloseReason::ConsentExpired });
        }
    }
}

/// An empty relay core.
fn core(identity: &Identity) -> Result<Sfu, MediaError> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|_| MediaError::Randomness)?;
    let config = Config { identity: identity.clone(), seed: u64::from_ne_bytes(seed) };
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Sfu::new(config, Instant::now(), NtpTime::from_unix(since_epoch))
        .map_err(|_| MediaError::Crypto)
}

/// A UDP socket and a TCP listener on one port.
fn bind(address: SocketAddr) -> io::Result<(Socket, TcpListener, SocketAddr)> {
    let mut tries = 0;
    loop {
        tries += 1;
        let (socket, local) = bind_udp(address)?;
        match tcp::listen(local) {
            Ok(listener) => return Ok((socket, listener, local)),
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && address.port() == 0
                    && tries < PORTS_TO_TRY => {}
            Err(error) => return Err(error),
        }
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // What the system does not grant it cuts silently; a smaller buffer only loses more in a burst.
    socket.set_recv_buffer_size(SOCKET_BUFFER)?;
    socket.set_send_buffer_size(SOCKET_BUFFER)?;
    socket.bind(&address.into())?;
    let local = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((socket, local))
}

#[cfg(test)]
mod tests {
    use sfu::plan::{CallKey, Fingerprint, IceCredentials, Plan, SrtpAttempt};

    use super::*;

    fn worker() -> (Worker, Mailbox, tokio::sync::mpsc::Receiver<Event>) {
        let (events, receiver) = tokio::sync::mpsc::channel(64);
        let identity = Identity::generate().expect("identity");
        let address = "127.0.0.1:0".parse().expect("address");
        let (worker, mailbox, _) = Worker::bind(address, 16, identity, events).expect("worker");
        (worker, mailbox, receiver)
    }

    fn join(peer: u32) -> Command {
        Command::Join {
            call: CallKey(1),
            peer: PeerKey(peer),
            ice: IceCredentials { ufrag: format!("ufrag{peer:05}"), pwd: "0".repeat(32) },
            theirs: IceCredentials { ufrag: "theirs".into(), pwd: "1".repeat(32) },
            fingerprint: Fingerprint([0; 32]),
            srtp: SrtpAttempt::First,
            plan: Plan::default(),
        }
    }

    #[test]
    fn after_a_panic_peers_are_closed_and_a_fresh_core_goes_on() {
        let (mut worker, mailbox, mut events) = worker();
        let local = worker.socket.local_addr().expect("address").as_socket().expect("IP");
        let mut sender = Sender::new(local, 1);
        mailbox.post(Message::Command(join(1))).expect("post");
        mailbox.post(Message::Command(join(2))).expect("post");
        let _client = std::net::TcpStream::connect(local).expect("connection");
        worker.connections.listener_ready();
        worker.turn(Instant::now(), &mut sender);
        assert!(!worker.connections.is_empty());
        assert!(worker.guarded(|_| panic!("planted")));
        for peer in [1, 2] {
            let reason = CloseReason::ConsentExpired;
            assert_eq!(events.try_recv(), Ok(Event::Closed { peer: PeerKey(peer), reason }));
        }
        assert_eq!(worker.relay.counters.turning.panics, 1);
        assert!(worker.connections.is_empty(), "what it sent last may panic again");
        mailbox.post(Message::Command(join(3))).expect("post");
        mailbox.post(Message::Command(Command::Leave { peer: PeerKey(3) })).expect("post");
        worker.turn(Instant::now(), &mut sender);
        assert_eq!(events.try_recv(), Ok(Event::Left { peer: PeerKey(3) }));
        assert!(worker.relay.peers.is_empty());
    }

    #[test]
    fn stopping_closes_who_is_there() {
        let (worker, mailbox, mut events) = worker();
        let local = worker.socket.local_addr().expect("address").as_socket().expect("IP");
        mailbox.post(Message::Command(join(1))).expect("post");
        mailbox.post(Message::Stop).expect("post");
        worker.run(local);
        let reason = CloseReason::ConsentExpired;
        assert_eq!(events.try_recv(), Ok(Event::Closed { peer: PeerKey(1), reason }));
        assert!(mailbox.post(Message::Stop).is_err());
    }
}

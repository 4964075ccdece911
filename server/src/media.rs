//! The shell around the media relay's core: SDP, sockets, threads. [`Media`] is all that the rest of the server sees.

pub(crate) mod backlog;
mod mailbox;
mod receive;
pub mod sdp;
mod send;
mod tcp;
mod worker;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use sfu::Identity;
use sfu::command::Command;
use sfu::event::Event;
use sfu::plan::{CallKey, PeerKey, SrtpAttempt};
use tokio::sync::{mpsc, oneshot};

use mailbox::{Mailbox, Message};
use sdp::{Answered, Context, Negotiated, OfferError, Random};
pub use send::SendCounters;
pub use tcp::{TCP_CONNECTIONS, TcpCounters};
use worker::Worker;

/// Events that wait for the control side: a whole ECHO session joining at once, several times over. What does not fit is
/// kept by the worker.
const EVENTS: usize = 4_096;

/// Where and how wide the relay runs.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Address of the first worker; each further one listens on the next port. Port 0 lets the system choose.
    pub bind: SocketAddr,
    /// Addresses that clients are told, best first (behind 1:1 NAT the public ones); none means that of `bind`.
    pub advertise: Vec<IpAddr>,
    /// Threads: cores less one is a good number, fewer than one is one.
    pub workers: usize,
    /// TCP connections that each worker holds at a time. More than [`TCP_CONNECTIONS`] are more than one thread carries.
    pub tcp_connections: usize,
}

/// Why the relay does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The socket could not be made or bound.
    #[error("the media port cannot be used: {0}")]
    Socket(io::ErrorKind),
    /// `bind` is every address and `advertise` is none: clients could be told nothing.
    #[error("an address to advertise is needed when the media port listens on all of them")]
    NoAddress,
    /// There are fewer ports than workers.
    #[error("there are not enough ports above the media port for its workers")]
    NoPort,
    /// The thread could not be started.
    #[error("a media thread cannot be started: {0}")]
    Thread(io::ErrorKind),
    /// No certificate, or an algorithm is missing.
    #[error("the media relay has no working cryptography")]
    Crypto,
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    Randomness,
}

/// What one worker counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerCounters {
    /// Which worker it is, from 0.
    pub number: usize,
    /// Of the relay's core, since its start or its last panic.
    pub relay: sfu::counters::Counters,
    /// Of the sending half.
    pub send: SendCounters,
    /// Of ICE-TCP.
    pub tcp: TcpCounters,
    /// Of its loop.
    pub turning: LoopCounters,
}

sfu::counters! {
    /// What a worker's loop counts.
    pub struct LoopCounters {
        /// Turns of the loop.
        pub turns: u64,
        /// Receiving system calls that brought something.
        pub batches: u64,
        /// Receiving system calls that failed.
        pub receive_errors: u64,
        /// Panics of the core, each of which closed all its peers.
        pub panics: u64,
    }
}

/// The media relay. Clones are the same relay; it stops when the last is dropped.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

struct Inner {
    fingerprint: String,
    workers: Vec<WorkerHandle>,
    placement: Mutex<Placement>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct WorkerHandle {
    mailbox: Mailbox,
    local: SocketAddr,
    candidates: Vec<SocketAddr>,
}

/// Which worker has whom. A call stays on one worker, so no packet crosses threads.
#[derive(Default)]
struct Placement {
    peers: HashMap<PeerKey, (CallKey, usize)>,
    calls: HashMap<CallKey, Placed>,
}

struct Placed {
    worker: usize,
    peers: usize,
}

impl Placement {
    /// The worker of a call: its own, or the one with the fewest peers.
    fn join(&mut self, call: CallKey, peer: PeerKey, workers: usize) -> usize {
        let mut load = vec![0_usize; workers];
        for placed in self.calls.values() {
            if let Some(load) = load.get_mut(placed.worker) {
                *load += placed.peers;
            }
        }
        let least = load.iter().enumerate().min_by_key(|(_, peers)| **peers);
        let least = least.map_or(0, |(worker, _)| worker);
        let placed = self.calls.entry(call).or_insert(Placed { worker: least, peers: 0 });
        if self.peers.insert(peer, (call, placed.worker)).is_none() {
            placed.peers += 1;
        }
        placed.worker
    }

    fn leave(&mut self, peer: PeerKey) {
        let Some((call, _)) = self.peers.remove(&peer) else { return };
        if let Some(placed) = self.calls.get_mut(&call) {
            placed.peers = placed.peers.saturating_sub(1);
            if placed.peers == 0 {
                self.calls.remove(&call);
            }
        }
    }

    fn worker(&self, peer: PeerKey) -> Option<usize> {
        self.peers.get(&peer).map(|(_, worker)| *worker)
    }
}

impl Media {
    /// Binds the ports and starts the threads. Events of all workers come out of the one receiver.
    ///
    /// # Errors
    /// When a port, an address or the cryptography is missing.
    pub fn start(config: MediaConfig) -> Result<(Self, mpsc::Receiver<Event>), MediaError> {
        let advertise = match config.advertise.as_slice() {
            [] if config.bind.ip().is_unspecified() => return Err(MediaError::NoAddress),
            [] => vec![config.bind.ip()],
            addresses => addresses.to_vec(),
        };
        let identity = Identity::generate().map_err(|_| MediaError::Crypto)?;
        let (events, receiver) = mpsc::channel(EVENTS);
        let mut workers = Vec::new();
        let mut threads = Vec::new();
        for index in 0..config.workers.max(1) {
            let mut bind = config.bind;
            if bind.port() != 0 {
                let step = u16::try_from(index).map_err(|_| MediaError::NoPort)?;
                bind.set_port(bind.port().checked_add(step).ok_or(MediaError::NoPort)?);
            }
            let most = config.tcp_connections;
            let (worker, mailbox, local) =
                Worker::bind(bind, most, identity.clone(), events.clone())?;
            let candidates =
                advertise.iter().map(|ip| SocketAddr::new(*ip, local.port())).collect();
            workers.push(WorkerHandle { mailbox, local, candidates });
            threads.push((worker, local));
        }
        // Only once every port is bound: a relay starts whole or not at all.
        let threads = threads
            .into_iter()
            .enumerate()
            .map(|(index, (worker, local))| {
                std::thread::Builder::new()
                    .name(format!("media-{index}"))
                    .spawn(move || worker.run(local))
                    .map_err(|error| MediaError::Thread(error.kind()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let inner = Inner {
            fingerprint: identity.fingerprint().to_owned(),
            workers,
            placement: Mutex::default(),
            threads: Mutex::new(threads),
        };
        Ok((Self { inner: Arc::new(inner) }, receiver))
    }

    /// Where the first worker listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.inner.workers.first().map(|worker| worker.local)
    }

    /// Answers an offer and tells the worker of it: `previous` is what the last offer of the same transport came to,
    /// and `None` makes a new transport, for which `peer` must be a new key. Until an `Audience` names it, the peer
    /// receives no media.
    ///
    /// # Errors
    /// When the offer breaks a rule, or the relay has stopped; what was negotiated before still holds then.
    pub fn offer(
        &self,
        call: CallKey,
        peer: PeerKey,
        previous: Option<&Negotiated>,
        sdp: &str,
        srtp: SrtpAttempt,
    ) -> Result<(String, Negotiated), OfferError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| OfferError::Unavailable)?;
        // A new peer gets its place only with a good offer; its worker decides which candidates the answer names.
        let placed = self.placement(|placement| placement.worker(peer));
        let index = placed.unwrap_or_else(|| {
            self.placement(|placement| placement.join(call, peer, self.inner.workers.len()))
        });
        let result = self.answer(index, call, peer, previous, sdp, srtp, seed);
        if result.is_err() && placed.is_none() {
            self.placement(|placement| placement.leave(peer));
        }
        result
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of `offer` with its place and seed"
    )]
    fn answer(
        &self,
        index: usize,
        call: CallKey,
        peer: PeerKey,
        previous: Option<&Negotiated>,
        sdp: &str,
        srtp: SrtpAttempt,
        seed: [u8; 32],
    ) -> Result<(String, Negotiated), OfferError> {
        let worker = self.inner.workers.get(index).ok_or(OfferError::Unavailable)?;
        let context = Context {
            peer,
            previous,
            candidates: &worker.candidates,
            fingerprint: &self.inner.fingerprint,
        };
        let Answered { text, negotiated } = sdp::answer(sdp, &context, &mut Random::new(seed))?;
        let (ice, theirs) = (negotiated.ice.clone(), negotiated.remote_ice.clone());
        let plan = negotiated.plan.clone();
        let command = match previous {
            None => {
                let fingerprint = negotiated.fingerprint;
                Command::Join { call, peer, ice, theirs, fingerprint, srtp, plan }
            }
            Some(_) => Command::Restart { peer, ice, theirs, plan },
        };
        worker.mailbox.post(Message::Command(command)).map_err(|_| OfferError::Unavailable)?;
        Ok((text, negotiated))
    }

    /// Tells the worker of the peer that the command is about. Commands for one peer take effect in the order given;
    /// one about a peer that is not here does nothing, except that `Leave` is always answered. May wait for a turn of
    /// the worker (about a millisecond). Every peer that was offered for needs its `Leave`, also after `Closed`.
    pub fn command(&self, command: Command) {
        let peer = match &command {
            Command::Join { peer, .. }
            | Command::Restart { peer, .. }
            | Command::Want { peer, .. }
            | Command::Leave { peer } => *peer,
            Command::Audience { track, .. } | Command::Mute { track, .. } => track.peer,
        };
        let worker = self.placement(|placement| match &command {
            Command::Join { call, peer, .. } => {
                Some(placement.join(*call, *peer, self.inner.workers.len()))
            }
            Command::Leave { peer } => {
                let worker = placement.worker(*peer);
                placement.leave(*peer);
                // Somebody may wait for `Left`, which any worker answers.
                worker.or(Some(0))
            }
            Command::Restart { .. }
            | Command::Audience { .. }
            | Command::Want { .. }
            | Command::Mute { .. } => placement.worker(peer),
        });
        let Some(worker) = worker.and_then(|index| self.inner.workers.get(index)) else { return };
        if worker.mailbox.post(Message::Command(command)).is_err() {
            tracing::warn!("a media command came after the relay had stopped");
        }
    }

    /// Totals of each worker; none of one that has stopped.
    pub async fn counters(&self) -> Vec<WorkerCounters> {
        let mut all = Vec::with_capacity(self.inner.workers.len());
        for (number, worker) in self.inner.workers.iter().enumerate() {
            let (reply, answer) = oneshot::channel();
            if worker.mailbox.post(Message::Counters(reply)).is_ok()
                && let Ok(counters) = answer.await
            {
                all.push(WorkerCounters { number, ..counters });
            }
        }
        all
    }

    /// Stops the threads and waits for them; peers still there are reported as closed.
    pub fn shutdown(&self) {
        self.inner.stop();
    }

    /// The lock is held for a few look-ups, and a panic within them is a bug that leaves a usable table.
    fn placement<T>(&self, use_it: impl FnOnce(&mut Placement) -> T) -> T {
        use_it(&mut self.inner.placement.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inner {
    fn stop(&self) {
        for worker in &self.workers {
            // Gone already is what is wanted.
            _ = worker.mailbox.post(Message::Stop);
        }
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a media thread panicked outside its core");
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(bind: &str, advertise: &[&str], workers: usize) -> MediaConfig {
        MediaConfig {
            bind: bind.parse().expect("address"),
            advertise: advertise.iter().map(|ip| ip.parse().expect("address")).collect(),
            workers,
            tcp_connections: TCP_CONNECTIONS,
        }
    }

    #[test]
    fn a_call_stays_on_one_worker_and_calls_spread() {
        let mut placement = Placement::default();
        let workers: Vec<usize> =
            (0..6).map(|peer| placement.join(CallKey(peer / 2), PeerKey(peer), 3)).collect();
        assert_eq!(workers, [0, 0, 1, 1, 2, 2]);
        (0..6).for_each(|peer| placement.leave(PeerKey(peer)));
        assert!(placement.calls.is_empty() && placement.peers.is_empty());
    }

    #[test]
    fn the_answer_names_the_port_of_the_worker() {
        let (media, _events) =
            Media::start(config("127.0.0.1:0", &["192.0.2.1"], 2)).expect("media");
        let offer = include_str!("media/testdata/chromium_offer.sdp");
        let mut ports = Vec::new();
        for call in 0..2 {
            let (answer, _) = media
                .offer(CallKey(call), PeerKey(call), None, offer, SrtpAttempt::First)
                .expect("answer");
            let port = media.inner.workers[call as usize].local.port();
            assert!(answer.contains(&format!("192.0.2.1 {port} typ host")));
            ports.push(port);
        }
        assert_ne!(ports[0], ports[1]);
    }

    #[test]
    fn a_refused_offer_takes_no_place() {
        let (media, _events) = Media::start(config("127.0.0.1:0", &[], 1)).expect("media");
        let refused = media.offer(CallKey(1), PeerKey(1), None, "v=0", SrtpAttempt::First);
        assert_eq!(refused.err(), Some(OfferError::Syntax));
        assert!(media.placement(|placement| placement.peers.is_empty()));
    }

    #[test]
    fn a_relay_that_could_tell_clients_no_address_does_not_start() {
        let refused = Media::start(config("0.0.0.0:0", &[], 1)).err();
        assert_eq!(refused, Some(MediaError::NoAddress));
    }

    #[test]
    fn a_taken_port_is_an_error() {
        let (media, _events) = Media::start(config("127.0.0.1:0", &[], 1)).expect("media");
        let taken = media.local_addr().expect("address").to_string();
        let refused = Media::start(config(&taken, &[], 1)).err();
        assert_eq!(refused, Some(MediaError::Socket(io::ErrorKind::AddrInUse)));
    }

    #[tokio::test]
    async fn a_datagram_of_a_stranger_is_counted_and_not_answered() {
        let (media, _events) = Media::start(config("127.0.0.1:0", &[], 1)).expect("media");
        let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("bind");
        let to = media.local_addr().expect("address");
        stranger.send_to(b"hello", to).expect("send");
        // The mailbox is read before the socket, so the second look is after the datagram.
        let mut batches = 0;
        while batches == 0 {
            batches = media.counters().await.first().expect("worker").turning.batches;
        }
        let counters = media.counters().await;
        assert_eq!(counters.first().expect("worker").send.datagrams, 0);
    }

    #[tokio::test]
    async fn after_shutdown_nothing_is_taken_and_nothing_hangs() {
        let (media, mut events) = Media::start(config("127.0.0.1:0", &[], 2)).expect("media");
        media.shutdown();
        media.shutdown();
        let offer = include_str!("media/testdata/chromium_offer.sdp");
        let refused = media.offer(CallKey(1), PeerKey(1), None, offer, SrtpAttempt::First);
        assert_eq!(refused.err(), Some(OfferError::Unavailable));
        assert!(media.counters().await.is_empty());
        assert_eq!(events.recv().await, None);
    }
}

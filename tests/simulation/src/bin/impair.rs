//! `impair PORT [SEED]`: a UDP relay on loopback that treats what passes as a [`Link`] does, between one real browser and
//! the server's media port on this machine. Prints `port N`, then takes orders on its input, one a line:
//!
//! `both|up|down KEY=VALUE…` sets a profile (`delay` and `jitter` in ms, `loss` in percent, `burst` in packets, `rate` in
//! kbit/s with a `queue` in ms before it, 400 unless said, `reorder` in percent, by 20 ms each, `duplicate` in percent,
//! `blocked`; what is not named is off), `rebind` makes the address translation forget, `counters` prints what became of
//! the packets since it was last asked, `types` how many of each RTP payload type were sent. It ends with its input.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use simulation::link::{Counters, Direction, Link, Mapping};
use simulation::profile::{Jitter, Loss, Passage, Profile, Queue, Rate, Reorder};

const LISTENER: Token = Token(0);
const ORDERS: Token = Token(1);
/// Longer than any datagram of ours.
const LONGEST: usize = 2_048;
/// Sockets towards the server at a time: a browser has few ports, and a rebinding makes one more for each.
const MAX_WAYS: usize = 64;

/// A datagram of the browser, with the port it came from.
type Tagged = (SocketAddr, Vec<u8>);

/// Lets a [`Link`] carry it: the length is that of the datagram.
#[derive(Clone)]
struct Packet(Tagged);

impl AsRef<[u8]> for Packet {
    fn as_ref(&self) -> &[u8] {
        &self.0.1
    }
}

/// One address of the browser as the server sees it.
struct Way {
    browser: SocketAddr,
    mapping: Mapping,
    socket: UdpSocket,
}

struct Impairer {
    poll: Poll,
    listener: UdpSocket,
    server: SocketAddr,
    ways: VecDeque<(Token, Way)>,
    by_source: BTreeMap<(SocketAddr, Mapping), Token>,
    next_token: usize,
    up: Link<Packet>,
    down: Link<Packet>,
    /// As last printed, up and down.
    told: [Counters; 2],
    types_up: Types,
    types_down: Types,
}

/// Packets by RTP payload type, which travels in the clear.
type Types = BTreeMap<u8, u64>;

/// RTP alone: what would be a type of 64 to 95 is RTCP (RFC 5761 §4).
fn payload_type(datagram: &[u8]) -> Option<u8> {
    let &[128..=191, second, ..] = datagram else { return None };
    Some(second & 0x7f).filter(|pt| !(64..=95).contains(pt))
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || io::Error::other("usage: impair PORT [SEED]");
    let port: u16 = arguments.next().and_then(|port| port.parse().ok()).ok_or_else(usage)?;
    let seed = match arguments.next() {
        Some(seed) => seed.parse().map_err(|_| usage())?,
        None => 1,
    };
    let mut impairer = Impairer::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), seed)?;
    println!("port {}", impairer.listener.local_addr()?.port());

    let (sender, orders) = mpsc::channel();
    // Kept here too: with its last owner a waker takes back a wake that nobody has seen yet.
    let kept = Arc::new(Waker::new(impairer.poll.registry(), ORDERS)?);
    let waker = Arc::clone(&kept);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
            _ = waker.wake();
        }
        drop(sender);
        _ = waker.wake();
    });
    impairer.run(&orders)
}

impl Impairer {
    fn new(server: SocketAddr, seed: u64) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            server,
            ways: VecDeque::new(),
            by_source: BTreeMap::new(),
            next_token: 2,
            up: Link::new(seed, Direction::Up, Profile::default()),
            down: Link::new(seed, Direction::Down, Profile::default()),
            told: [Counters::default(); 2],
            types_up: Types::new(),
            types_down: Types::new(),
        })
    }

    fn run(&mut self, orders: &mpsc::Receiver<String>) -> io::Result<()> {
        let mut events = Events::with_capacity(128);
        loop {
            let next = [self.up.next(), self.down.next()].into_iter().flatten().min();
            let wait = next.map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll.poll(&mut events, wait) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
            loop {
                match orders.try_recv() {
                    Ok(order) => match self.obey(&order) {
                        Ok(()) => {}
                        Err(why) => eprintln!("{order:?}: {why}"),
                    },
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                }
            }
            self.take_from_browser();
            self.take_from_server();
            self.deliver()?;
        }
    }

    fn take_from_browser(&mut self) {
        let mut buffer = [0; LONGEST];
        while let Ok((len, from)) = self.listener.recv_from(&mut buffer) {
            if let Some(pt) = payload_type(&buffer[..len]) {
                *self.types_up.entry(pt).or_default() += 1;
            }
            self.up.push(Instant::now(), Packet((from, buffer[..len].to_vec())));
        }
    }

    fn take_from_server(&mut self) {
        let mut buffer = [0; LONGEST];
        let current = self.up.mapping();
        for (_, way) in &self.ways {
            while let Ok(len) = way.socket.recv(&mut buffer) {
                if let Some(pt) = payload_type(&buffer[..len]) {
                    *self.types_down.entry(pt).or_default() += 1;
                }
                // What comes to an address that the translation forgot reaches nobody.
                if way.mapping == current {
                    let packet = Packet((way.browser, buffer[..len].to_vec()));
                    self.down.push(Instant::now(), packet);
                }
            }
        }
    }

    fn deliver(&mut self) -> io::Result<()> {
        let now = Instant::now();
        while let Some(delivery) = self.up.poll(now) {
            let Packet((from, bytes)) = delivery.bytes;
            let token = self.way(from, delivery.mapping)?;
            if let Some((_, way)) = self.ways.iter().find(|(known, _)| *known == token) {
                // A full buffer loses, as on any link.
                _ = way.socket.send(&bytes);
            }
        }
        while let Some(delivery) = self.down.poll(now) {
            let Packet((to, bytes)) = delivery.bytes;
            _ = self.listener.send_to(&bytes, to);
        }
        Ok(())
    }

    fn way(&mut self, browser: SocketAddr, mapping: Mapping) -> io::Result<Token> {
        if let Some(token) = self.by_source.get(&(browser, mapping)) {
            return Ok(*token);
        }
        let mut socket = UdpSocket::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        socket.connect(self.server)?;
        let token = Token(self.next_token);
        self.next_token += 1;
        self.poll.registry().register(&mut socket, token, Interest::READABLE)?;
        if self.ways.len() == MAX_WAYS
            && let Some((_, mut oldest)) = self.ways.pop_front()
        {
            self.by_source.remove(&(oldest.browser, oldest.mapping));
            self.poll.registry().deregister(&mut oldest.socket)?;
        }
        self.ways.push_back((token, Way { browser, mapping, socket }));
        self.by_source.insert((browser, mapping), token);
        Ok(token)
    }

    fn obey(&mut self, order: &str) -> Result<(), String> {
        let mut words = order.split_whitespace();
        match words.next() {
            Some("rebind") => self.up.rebind(),
            Some("counters") => {
                let now = [self.up.counters(), self.down.counters()];
                let [up, down] = std::mem::replace(&mut self.told, now);
                println!("up: {}; down: {}", since(up, now[0]), since(down, now[1]));
            }
            Some("types") => {
                let list = |types: &Types| {
                    types.iter().map(|(pt, count)| format!(" {pt}:{count}")).collect::<String>()
                };
                println!("up{} down{}", list(&self.types_up), list(&self.types_down));
            }
            Some("up") => self.up.change(profile(words)?),
            Some("down") => self.down.change(profile(words)?),
            Some("both") => {
                let profile = profile(words)?;
                self.down.change(profile.clone());
                self.up.change(profile);
            }
            Some(_) | None => {
                return Err("expected both, up, down, rebind, counters or types".to_owned());
            }
        }
        Ok(())
    }
}

/// What became of the packets between two looks.
fn since(before: Counters, now: Counters) -> String {
    let Counters { pushed, delivered, lost, overflowed, blocked, duplicated, reordered, .. } = now;
    format!(
        "{} sent, {} arrived, {} lost, {} found the queue full, {} blocked, {} doubled, {} overtaken",
        pushed - before.pushed,
        delivered - before.delivered,
        lost - before.lost,
        overflowed - before.overflowed,
        blocked - before.blocked,
        duplicated - before.duplicated,
        reordered - before.reordered,
    )
}

/// Queue before a bottleneck in ms, unless said: deep enough to show that a sender fills it.
const QUEUE_MS: f64 = 400.0;
/// How far a reordered packet falls back: behind the next packet of sound, not behind a frame.
const REORDER_BY: Duration = Duration::from_millis(20);

fn profile<'a>(words: impl Iterator<Item = &'a str>) -> Result<Profile, String> {
    let mut profile = Profile::default();
    let (mut loss, mut burst, mut kbits, mut queue) = (0.0, None, None, QUEUE_MS);
    for word in words {
        if word == "blocked" {
            profile.passage = Passage::Blocked;
            continue;
        }
        let (key, value) = word.split_once('=').ok_or_else(|| format!("{word}: no value"))?;
        let value: f64 = value.parse().map_err(|_| format!("{word}: not a number"))?;
        if !(0.0..=1e6).contains(&value) {
            return Err(format!("{word}: out of range"));
        }
        let ms = Duration::from_secs_f64(value / 1_000.0);
        match key {
            "delay" => profile.delay = ms,
            "jitter" => profile.jitter = Jitter::Uniform(ms),
            "loss" => loss = value / 100.0,
            "burst" => burst = Some(value),
            "rate" => kbits = Some(value),
            "queue" => queue = value,
            "duplicate" => profile.duplicates = value / 100.0,
            "reorder" => {
                profile.reorder = Reorder { probability: value / 100.0, by: REORDER_BY };
            }
            _ => return Err(format!("{key}: unknown")),
        }
    }
    if loss > 0.0 {
        profile.loss = match burst {
            Some(length) if length >= 1.0 && loss < 1.0 => Loss::bursts(loss, length),
            Some(_) | None => Loss::Random(loss),
        };
    }
    profile.rate = kbits.filter(|kbits| *kbits > 0.0).map(|kbits| Rate {
        bits_per_second: (kbits * 1_000.0) as u64,
        queue: Queue::Time(Duration::from_secs_f64(queue / 1_000.0)),
    });
    Ok(profile)
}

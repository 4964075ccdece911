use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream as Client};

use super::*;

/// How a check begins, as far as this module looks.
const CHECK: [u8; 20] = [0; 20];

struct Bench {
    poll: mio::Poll,
    connections: Connections,
    address: SocketAddr,
    now: Instant,
    held: BTreeSet<Path>,
    heard: Vec<(Path, Vec<u8>)>,
    closed: Vec<Path>,
}

impl Bench {
    fn new() -> Self {
        let poll = mio::Poll::new().expect("poll");
        let listener = listen("127.0.0.1:0".parse().expect("address")).expect("listener");
        let address = listener.local_addr().expect("address");
        let now = Instant::now();
        let connections =
            Connections::new(listener, TCP_CONNECTIONS, poll.registry(), Token(2), now)
                .expect("connections");
        let (held, heard, closed) = (BTreeSet::new(), Vec::new(), Vec::new());
        Self { poll, connections, address, now, held, heard, closed }
    }

    fn client(&mut self) -> Client {
        self.client_from(Ipv4Addr::LOCALHOST)
    }

    /// Everything from 127.0.0.0/8 is this machine.
    fn client_from(&mut self, ip: Ipv4Addr) -> Client {
        let before = self.connections.counters;
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        client.bind(&SocketAddr::new(ip.into(), 0).into()).expect("address");
        client.connect(&self.address.into()).expect("connection");
        self.until(|bench| bench.connections.counters != before);
        client.into()
    }

    /// What a worker does, until something holds.
    fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let mut events = mio::Events::with_capacity(8);
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < Duration::from_secs(20), "it never held");
            self.poll.poll(&mut events, Some(Duration::from_millis(20))).expect("poll");
            for event in &events {
                match event.token() {
                    Token(2) => self.connections.listener_ready(),
                    token => self.connections.ready(token),
                }
            }
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.connections.accept(self.poll.registry(), self.now);
        let Self { connections, held, heard, closed, now, .. } = self;
        connections.read(
            usize::MAX,
            |path, frame| {
                heard.push((path, frame.to_vec()));
                held.contains(&path)
            },
            |path| closed.push(path),
        );
        connections.look(*now, |path| held.contains(&path), |path| closed.push(path));
        connections.flush(|path| closed.push(path));
    }

    /// A client whose check was taken, and its number.
    fn proven(&mut self) -> (Client, u32) {
        let mut client = self.client();
        let number = self.connections.next - 1;
        let remote = client.local_addr().expect("address");
        self.held.insert(Path { remote, via: Via::Tcp(number) });
        let heard = self.heard.len();
        client.write_all(&framed(&CHECK)).expect("sent");
        self.until(|bench| bench.heard.len() > heard);
        (client, number)
    }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = u16::try_from(bytes.len()).expect("short").to_be_bytes().to_vec();
    frame.extend(bytes);
    frame
}

#[test]
fn frames_come_whole_and_in_order_however_the_stream_is_cut() {
    let mut bench = Bench::new();
    let (mut client, _) = bench.proven();
    let sent: Vec<Vec<u8>> = (1..60).map(|at| vec![at; usize::from(at) * 25]).collect();
    let stream: Vec<u8> = sent.iter().flat_map(|bytes| framed(bytes)).collect();
    bench.heard.clear();
    for part in stream.chunks(777) {
        client.write_all(part).expect("sent");
        bench.turn();
    }
    bench.until(|bench| bench.heard.len() == sent.len());
    let heard: Vec<_> = bench.heard.iter().map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(heard, sent);
}

#[test]
fn a_frame_of_nothing_is_passed_over_once_the_connection_is_proven() {
    let mut bench = Bench::new();
    let (mut client, _) = bench.proven();
    bench.heard.clear();
    client.write_all(&[framed(&[]), framed(&[7]), framed(&[]).repeat(200)].concat()).expect("sent");
    client.write_all(&framed(&[8])).expect("sent");
    bench.until(|bench| bench.heard.len() == 2 || !bench.closed.is_empty());
    let heard: Vec<_> = bench.heard.iter().map(|(_, bytes)| bytes.clone()).collect();
    assert_eq!(heard, [vec![7], vec![8]]);
    assert_eq!(bench.closed, []);
}

#[test]
fn what_does_not_begin_with_a_check_is_closed_at_once() {
    for stream in
        [framed(&[22, 3, 1]), b"GET / HTTP/1.1\r\n\r\n".to_vec(), framed(&[]), framed(&[0; 1_501])]
    {
        let mut bench = Bench::new();
        let mut client = bench.client();
        client.write_all(&stream).expect("sent");
        bench.until(|bench| bench.closed.len() == 1);
        assert_eq!((bench.heard.len(), bench.connections.counters.unproven), (0, 1));
    }
}

#[test]
fn without_a_valid_check_a_connection_may_neither_stay_nor_talk() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(&framed(&CHECK)).expect("sent");
    bench.until(|bench| bench.heard.len() == 1);
    bench.now += Duration::from_millis(4_900);
    bench.turn();
    assert_eq!(bench.closed, []);
    bench.now += Duration::from_millis(1_100);
    bench.turn();
    assert_eq!(bench.closed.len(), 1);

    let mut talker = bench.client();
    // It may be closed under this.
    _ = talker.write_all(&framed(&[0; 1_000]).repeat(20));
    bench.until(|bench| bench.closed.len() == 2);
    assert!(bench.heard.len() < 10, "{}", bench.heard.len());
}

#[test]
fn one_address_has_any_number_of_connections_with_a_check_and_the_newest_sixteen_without() {
    let mut bench = Bench::new();
    let kept: Vec<_> = (0..20).map(|_| bench.proven()).collect();
    let waiting: Vec<_> = (0..UNPROVEN_OF_ONE_NETWORK).map(|_| bench.client()).collect();
    assert_eq!(bench.connections.counters.unproven, 0);
    let oldest = *bench.connections.live.keys().nth(kept.len()).expect("a newcomer");
    let (_newest, number) = bench.proven();
    assert_eq!(bench.connections.counters.unproven, 1);
    assert!(!bench.connections.live.contains_key(&oldest));
    assert_eq!(bench.connections.live[&number].standing, Standing::Proven);
    assert_eq!(bench.connections.live.len(), kept.len() + waiting.len());
}

#[test]
fn strangers_from_many_addresses_leave_places_to_those_with_a_check() {
    let mut bench = Bench::new();
    let _kept = bench.proven();
    let mut strangers = Vec::new();
    for at in 0..=UNPROVEN {
        let host = u8::try_from(2 + at / UNPROVEN_OF_ONE_NETWORK).expect("few");
        strangers.push(bench.client_from(Ipv4Addr::new(127, 0, 0, host)));
    }
    assert_eq!(bench.connections.live.len(), 1 + UNPROVEN);
    assert_eq!(bench.connections.counters.refused, 0);
    bench.proven();
}

#[test]
fn the_addresses_of_one_home_are_one_network() {
    let network = |ip: &str| network(ip.parse().expect("address"));
    assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
    assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
}

#[test]
fn a_flood_of_connections_is_accepted_in_parts() {
    let mut bench = Bench::new();
    let flood: Vec<_> = (0..ACCEPTS_A_TURN + 1)
        .map(|_| Client::connect(bench.address).expect("connection"))
        .collect();
    bench.connections.listener_ready();
    let parts = [ACCEPTS_A_TURN, flood.len()];
    for (accepted, is_busy) in parts.into_iter().zip([true, false]) {
        bench.connections.accept(bench.poll.registry(), bench.now);
        assert_eq!(bench.connections.counters.accepted, accepted as u64);
        assert_eq!(bench.connections.is_busy(), is_busy);
    }
}

#[test]
fn who_sends_without_a_pause_does_not_keep_others_from_being_heard() {
    let mut bench = Bench::new();
    let (mut loud, first) = bench.proven();
    let (mut quiet, second) = bench.proven();
    bench.heard.clear();
    loud.write_all(&framed(&[0]).repeat(10_000)).expect("sent");
    quiet.write_all(&framed(&CHECK)).expect("sent");
    bench.connections.readable.extend([first, second]);
    for heard in [first, second, first] {
        let mut paths = BTreeSet::new();
        let hear = |path: Path, _: &mut [u8]| {
            paths.insert(path.via);
            true
        };
        let datagrams = bench.connections.read(DATAGRAMS_OF_ONE, hear, |_| {});
        assert!(datagrams <= 2 * DATAGRAMS_OF_ONE, "{datagrams}");
        assert!(paths.contains(&Via::Tcp(heard)), "{paths:?}");
    }
    assert!(bench.connections.is_busy(), "the rest comes in its turn");
}

#[test]
fn a_connection_ends_with_the_path_that_the_core_forgets() {
    let mut bench = Bench::new();
    let (_client, number) = bench.proven();
    bench.now += Duration::from_secs(60);
    bench.turn();
    assert_eq!(bench.closed, []);
    bench.held.clear();
    bench.now += LOOK_EVERY;
    bench.turn();
    assert_eq!(bench.closed.len(), 1);
    bench.connections.send(number, &[1; 100], bench.now);
    assert_eq!(bench.connections.counters.dropped, 1);
}

#[test]
fn the_core_is_told_when_the_other_side_closes() {
    let mut bench = Bench::new();
    let (client, number) = bench.proven();
    drop(client);
    bench.until(|bench| !bench.closed.is_empty());
    assert_eq!(bench.closed[0].via, Via::Tcp(number));
}

#[test]
fn a_slow_line_drops_whole_datagrams_when_what_waits_is_late_and_takes_new_ones_when_it_has_caught_up()
 {
    let mut bench = Bench::new();
    let (mut client, number) = bench.proven();
    let mut sent = 0_u32;
    let mut dropped = 0;
    let mut push = |bench: &mut Bench| {
        let before = bench.connections.counters.dropped;
        let mut datagram = vec![7; 1_200];
        datagram[..4].copy_from_slice(&sent.to_be_bytes());
        bench.connections.send(number, &datagram, bench.now);
        sent += 1;
        let refused = bench.connections.counters.dropped - before;
        dropped += refused;
        refused == 0
    };
    // Nobody reads: first the kernel's buffers fill, then ours, until its oldest frame is late.
    let mut full = 0;
    while full < 50 {
        full += u32::from(!push(&mut bench));
        bench.turn();
        bench.now += Duration::from_millis(1);
    }
    assert!(bench.connections.live[&number].waiting.bytes.len() <= WAITING_BYTES);

    let mut numbers = Vec::new();
    client.set_nonblocking(true).expect("non-blocking");
    let mut stream = Vec::new();
    let begun = Instant::now();
    while !bench.connections.live[&number].waiting.bytes.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the line never caught up");
        let mut buffer = [0; 65_536];
        if let Ok(read) = client.read(&mut buffer) {
            stream.extend_from_slice(&buffer[..read]);
        }
        bench.connections.touched.insert(number);
        bench.turn();
    }
    assert!(push(&mut bench), "the line is free again");
    bench.turn();
    let whole = usize::try_from(bench.connections.counters.datagrams).expect("few") * 1_202;
    while stream.len() < whole {
        assert!(begun.elapsed() < Duration::from_secs(20), "what was written does not come");
        let mut buffer = [0; 65_536];
        if let Ok(read) = client.read(&mut buffer) {
            stream.extend_from_slice(&buffer[..read]);
        }
    }
    for frame in stream.chunks(1_202) {
        assert_eq!(frame[..2], 1_200_u16.to_be_bytes());
        numbers.push(u32::from_be_bytes(frame[2..6].try_into().expect("four bytes")));
    }
    assert!(numbers.is_sorted(), "in order");
    assert_eq!(
        numbers.len() as u64 + dropped,
        u64::from(sent),
        "each was sent whole or not at all"
    );
    assert_eq!(numbers.last(), Some(&(sent - 1)));
}

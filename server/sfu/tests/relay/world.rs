//! The relay with browsers around it, in virtual time.

use std::time::{Duration, Instant};

use rtc_rtcp::receiver_report::ReceiverReport;
use rtc_rtcp::reception_report::ReceptionReport;
use rtc_shared::marshal::Marshal as _;
use sfu::command::Command;
use sfu::event::Event;
use sfu::plan::{CallKey, PeerKey, Source};
use sfu::{Config, Egress, Flow, Identity, NtpTime, Sfu};

use crate::client::{Client, Frame};
use crate::stun::Nominate;

/// Where the wall clock begins, from 1970 on.
const START_OF_TIME: Duration = Duration::from_secs(1_800_000_000);

/// The relay with browsers around it, and the time.
pub(crate) struct World {
    pub(crate) sfu: Sfu,
    pub(crate) now: Instant,
    start: Instant,
    pub(crate) events: Vec<Event>,
    pub(crate) clients: Vec<Client>,
    egress: Egress,
}

impl World {
    pub(crate) fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "an instant can only come from the clock; everything counts from this one"
        )]
        let now = Instant::now();
        let config = Config { identity: Identity::generate().unwrap(), seed: 1 };
        let wall = NtpTime::from_unix(START_OF_TIME);
        Self {
            sfu: Sfu::new(config, now, wall).unwrap(),
            now,
            start: now,
            events: Vec::new(),
            clients: Vec::new(),
            egress: Egress::new(),
        }
    }

    /// The relay's wall clock.
    pub(crate) fn ntp(&self) -> u64 {
        NtpTime::from_unix(START_OF_TIME + (self.now - self.start)).0
    }

    /// A call of connected people who may all receive each other.
    pub(crate) fn call_of(count: u32) -> Self {
        let mut world = Self::new();
        for _ in 0..count {
            let client = world.join(CallKey(1));
            world.connect(client);
        }
        world.admit_all();
        world
    }

    /// A browser whose offer was answered; nothing was sent yet. Its place in `clients`.
    pub(crate) fn join(&mut self, call: CallKey) -> usize {
        self.join_with(call, |_| {})
    }

    pub(crate) fn join_with(&mut self, call: CallKey, change: impl FnOnce(&mut Client)) -> usize {
        let number = u32::try_from(self.clients.len()).unwrap() + 1;
        let mut client = Client::new(number, call);
        change(&mut client);
        self.sfu.handle_command(self.now, client.join());
        self.clients.push(client);
        self.settle();
        self.clients.len() - 1
    }

    /// STUN and DTLS until it is connected or there is nothing more to say.
    pub(crate) fn connect(&mut self, client: usize) {
        self.check(client);
        self.clients[client].start_handshake(self.now);
        for _ in 0..40 {
            self.settle();
            if self.clients[client].keys.is_some() {
                break;
            }
            self.advance(Duration::from_millis(50));
        }
        self.settle();
    }

    pub(crate) fn check(&mut self, client: usize) {
        let mut check = self.clients[client].check(Nominate::Yes);
        let path = self.clients[client].path;
        self.sfu.handle_datagram(self.now, path, &mut check);
        self.settle();
    }

    /// Everybody may receive everybody's tracks.
    pub(crate) fn admit_all(&mut self) {
        let peers: Vec<_> = self.clients.iter().map(|client| client.key).collect();
        for client in 0..self.clients.len() {
            self.admit(client, &peers);
        }
    }

    pub(crate) fn admit(&mut self, publisher: usize, peers: &[PeerKey]) {
        for source in [Source::Mic, Source::Cam] {
            let track = self.clients[publisher].track(source);
            self.command(Command::Audience { track, peers: peers.to_vec() });
        }
    }

    pub(crate) fn command(&mut self, command: Command) {
        self.sfu.handle_command(self.now, command);
        self.settle();
    }

    /// A protected datagram from a browser.
    pub(crate) fn datagram(&mut self, client: usize, mut bytes: Vec<u8>) {
        let path = self.clients[client].path;
        self.sfu.handle_datagram(self.now, path, &mut bytes);
    }

    /// One frame's packet of sound, delivered.
    pub(crate) fn voice(&mut self, client: usize) {
        let packet = self.clients[client].voice();
        self.datagram(client, packet);
        self.settle();
    }

    /// One frame of a picture in one packet, delivered.
    pub(crate) fn picture(&mut self, client: usize, kind: Frame) {
        let packet = self.clients[client].picture(kind);
        self.datagram(client, packet);
        self.settle();
    }

    /// One frame of a simulcast layer in one packet, delivered.
    pub(crate) fn layer(&mut self, client: usize, at: usize, kind: Frame) {
        let packet = self.clients[client].layer_plain(at, kind);
        let packet = self.clients[client].seal(&packet);
        self.datagram(client, packet);
        self.settle();
    }

    pub(crate) fn rtcp(&mut self, client: usize, packet: &[u8]) {
        let sealed = self.clients[client].seal_rtcp(packet);
        self.datagram(client, sealed);
        self.settle();
    }

    /// A browser says that of each of its voices it lost so many 256ths (RFC 3550 §6.4.2).
    pub(crate) fn report_loss(&mut self, client: usize, fraction_lost: u8) {
        let slots = ["a0", "a1", "a2"].map(|mid| self.clients[client].slot(mid).ssrc.0);
        let block = |ssrc| ReceptionReport { ssrc, fraction_lost, ..Default::default() };
        let reports = slots.map(block).to_vec();
        let report = ReceiverReport { ssrc: 1, reports, ..Default::default() };
        self.rtcp(client, &report.marshal().unwrap());
    }

    /// Lets time pass, doing what falls due; browsers keep checking.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let next = self.sfu.poll_timeout().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            self.sfu.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
        for client in &mut self.clients {
            client.handle_timeout(end);
        }
        self.settle();
    }

    /// The same, with everybody's checks once a second.
    pub(crate) fn advance_with_checks(&mut self, seconds: u64) {
        for _ in 0..seconds {
            for client in 0..self.clients.len() {
                self.check(client);
            }
            self.advance(Duration::from_secs(1));
        }
    }

    /// Carries datagrams to and fro until nobody has any.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut moved = false;
            for client in &mut self.clients {
                let path = client.path;
                while let Some(mut datagram) = client.outbox.pop_front() {
                    moved = true;
                    self.sfu.handle_datagram(self.now, path, &mut datagram);
                }
            }
            loop {
                let flow = self.sfu.poll_transmit(self.now, &mut self.egress);
                moved |= !self.egress.is_empty();
                for (path, bytes) in self.egress.datagrams() {
                    if let Some(client) = self.clients.iter_mut().find(|client| client.path == path)
                    {
                        client.receive(bytes, self.now);
                    }
                }
                self.egress.clear();
                if flow == Flow::Done {
                    break;
                }
            }
            // Handshake messages that wait for their turn.
            moved |= self.sfu.poll_timeout() == Some(self.now) && self.sfu.occupancy().queued > 0;
            while let Some(event) = self.sfu.poll_event() {
                self.events.push(event);
            }
            if !moved {
                break;
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        for client in &mut self.clients {
            client.rtp.clear();
            client.rtcp.clear();
        }
    }
}

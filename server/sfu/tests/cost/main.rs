//! What the core alone spends on a packet it forwards, beside copying and sealing it: medians, in nanoseconds.
//!
//! `cargo test --release -p sfu --test cost -- --nocapture`. *Warm* is with the core's memory in the caches of the CPU, *cold* with
//! nothing of it there, as after other work: a server is between the two. An unoptimised build only shows that it runs.

#[cfg(test)]
#[path = "../relay/client.rs"]
#[expect(dead_code, reason = "only a part of the browser is needed here")]
mod client;

#[cfg(test)]
#[path = "../relay/stun.rs"]
#[expect(dead_code, reason = "nobody is asked back here")]
mod stun;

#[cfg(test)]
#[path = "../relay/world.rs"]
#[expect(dead_code, reason = "only a part of the world is needed here")]
mod world;

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    use rtc_crypto::providers::RingProvider;
    use rtc_crypto::{AeadAlgorithm, AeadCipher, RTCCryptoProvider as _};
    use sfu::{Egress, Flow, Path};

    use crate::client::Frame;
    use crate::world::World;

    /// More than the caches of one core hold.
    const OTHER_WORK: usize = 16 << 20;
    /// Batches of each kind.
    const BATCHES: usize = if cfg!(debug_assertions) { 20 } else { 400 };
    /// Of a picture's packet on the wire: header, extension, payload, tag.
    const PACKET_BYTES: usize = 1_036;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Caches {
        Warm,
        Cold,
    }

    #[expect(clippy::print_stdout, reason = "figures for people")]
    #[test]
    fn a_packet_costs() {
        for watchers in if cfg!(debug_assertions) { &[4][..] } else { &[4, 50, 200] } {
            let mut bench = Bench::new(*watchers);
            for caches in [Caches::Warm, Caches::Cold] {
                let voice = bench.run(0, caches);
                let picture = bench.run(10, caches);
                let sealing = bench.sealing(caches);
                let name =
                    format!("{watchers}.{}", if caches == Caches::Warm { "warm" } else { "cold" });
                println!("METRIC sfu.voice_ns.{name} {voice} - info");
                println!("METRIC sfu.picture_ns.{name} {picture} - info sealing_ns={sealing}");
            }
        }
    }

    struct Bench {
        world: World,
        watchers: u32,
        egress: Egress,
        other: Vec<u64>,
        keys: Vec<Box<dyn AeadCipher>>,
    }

    impl Bench {
        /// One publishes, so many watch.
        fn new(watchers: u32) -> Self {
            let mut world = World::call_of(watchers + 1);
            world.picture(0, Frame::Key);
            let provider = RingProvider::new();
            let key =
                |_| provider.crypto().new_aead(AeadAlgorithm::Aes128Gcm, &[7; 16]).expect("a key");
            let keys = (0..watchers).map(key).collect();
            let egress = Egress::new();
            Self { world, watchers, egress, other: vec![1; OTHER_WORK / 8], keys }
        }

        /// The core's time for one packet out, where a batch is one voice, or so many packets of a picture.
        fn run(&mut self, pictures: usize, caches: Caches) -> u64 {
            let path = self.world.clients[0].path;
            let mut times = Vec::new();
            for batch in 0..BATCHES {
                let publisher = &mut self.world.clients[0];
                let mut packets: Vec<Vec<u8>> = if pictures == 0 {
                    vec![publisher.voice()]
                } else {
                    (0..pictures).map(|_| publisher.picture(Frame::Delta)).collect()
                };
                self.settle(caches);
                let before = self.world.sfu.counters().forwarded_packets;
                let began = clock();
                self.forward(path, &mut packets);
                let took = clock() - began;
                let packets = self.world.sfu.counters().forwarded_packets - before;
                assert_eq!(packets, u64::from(self.watchers) * pictures.max(1) as u64);
                times.push(nanos(took) / packets);
                if batch % 20 == 0 {
                    // Consents are kept.
                    (0..self.world.clients.len()).for_each(|client| self.world.check(client));
                }
            }
            median(times)
        }

        fn forward(&mut self, path: Path, packets: &mut [Vec<u8>]) {
            for bytes in packets {
                self.world.sfu.handle_datagram(self.world.now, path, bytes);
            }
            while self.world.sfu.poll_transmit(self.world.now, &mut self.egress) == Flow::More {
                self.egress.clear();
            }
            self.egress.clear();
        }

        /// The time for copying and sealing one packet of a picture, ten for each key.
        fn sealing(&mut self, caches: Caches) -> u64 {
            let source = [0x55; PACKET_BYTES];
            let mut slab = vec![0_u8; self.keys.len() * 10 * PACKET_BYTES];
            let mut times = Vec::new();
            for batch in 0..BATCHES as u64 {
                self.settle(caches);
                let began = clock();
                let packets = slab.chunks_exact_mut(PACKET_BYTES);
                for (packet, at) in packets.zip(0..) {
                    packet.copy_from_slice(&source);
                    let (header, rest) = packet.split_at_mut(20);
                    let (body, tag) = rest.split_at_mut(PACKET_BYTES - 36);
                    let [.., a, b, c, d] = (batch + at).to_be_bytes();
                    let nonce = [0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d];
                    self.keys[at as usize / 10]
                        .seal_in_place(&nonce, header, body, tag)
                        .expect("a sealed packet");
                }
                times.push(nanos(clock() - began) / (10 * self.keys.len() as u64));
            }
            median(times)
        }

        /// What happens between two batches.
        fn settle(&mut self, caches: Caches) {
            self.world.now += Duration::from_millis(20);
            self.world.sfu.handle_timeout(self.world.now);
            self.forward(self.world.clients[0].path, &mut []);
            if caches == Caches::Cold {
                self.other.iter_mut().for_each(|word| *word = word.wrapping_mul(3));
                black_box(&self.other);
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this measures, the core is told the time")]
    fn clock() -> Instant {
        Instant::now()
    }

    fn nanos(time: Duration) -> u64 {
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
    }

    fn median(mut times: Vec<u64>) -> u64 {
        times.sort_unstable();
        times[times.len() / 2]
    }
}

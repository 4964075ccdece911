//! One direction of a link that impairs what passes. Pure: the decision about packet n depends on the seed, the direction
//! and n alone, so a run repeats exactly.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

use crate::profile::{Jitter, Loss, Passage, Profile, Queue};
use crate::random::{fraction, scramble};

/// What IPv4 and UDP add to a datagram.
pub const HEADER_BYTES: usize = 28;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the person.
    Down,
    /// From the person.
    Up,
}

/// A change of a link over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// From the beginning of the script.
    pub after: Duration,
    /// What changes.
    pub change: Change,
}

/// What a step changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The link is another one from now on. What is on its way keeps its time.
    Become(Profile),
    /// The address translation forgets: from now on packets come from another address.
    Rebind,
}

/// One direction.
#[derive(Clone, Debug)]
pub struct Link<B = Vec<u8>> {
    seed: u64,
    profile: Profile,
    script: VecDeque<(Instant, Change)>,
    /// Of the next packet.
    number: u64,
    burst: Burst,
    mapping: Mapping,
    /// When the bottleneck has sent everything that waits.
    busy_until: Option<Instant>,
    /// Jitter does not reorder.
    latest: Option<Instant>,
    flying: BinaryHeap<Flying<B>>,
    order: u64,
    counters: Counters,
}

/// State of the Gilbert-Elliott model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Burst {
    Good,
    Bad,
}

/// Which of the addresses a sender has had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mapping(pub u16);

/// A packet that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<B = Vec<u8>> {
    /// When.
    pub at: Instant,
    /// From which of the sender's addresses.
    pub mapping: Mapping,
    /// What.
    pub bytes: B,
}

/// What became of the packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sent into it.
    pub pushed: u64,
    /// Came out, duplicates included.
    pub delivered: u64,
    /// Bytes that came out.
    pub delivered_bytes: u64,
    /// Lost at random.
    pub lost: u64,
    /// Found the queue full.
    pub overflowed: u64,
    /// Longer than the limit.
    pub too_long: u64,
    /// Swallowed by a black hole.
    pub blocked: u64,
    /// Arrived a second time.
    pub duplicated: u64,
    /// Were overtaken on purpose.
    pub reordered: u64,
}

#[derive(Clone, Debug)]
struct Flying<B> {
    delivery: Delivery<B>,
    order: u64,
}

/// Each decision about one packet has a number of its own.
#[derive(Clone, Copy)]
enum Decision {
    Burst = 1,
    Loss = 2,
    Jitter = 3,
    JitterAngle = 4,
    Reorder = 5,
    Duplicate = 6,
}

impl<B: AsRef<[u8]> + Clone> Link<B> {
    /// An empty one.
    pub fn new(seed: u64, direction: Direction, profile: Profile) -> Self {
        let direction = match direction {
            Direction::Down => 1,
            Direction::Up => 2,
        };
        Self {
            seed: scramble(scramble(seed) ^ direction),
            profile,
            script: VecDeque::new(),
            number: 0,
            burst: Burst::Good,
            mapping: Mapping::default(),
            busy_until: None,
            latest: None,
            flying: BinaryHeap::new(),
            order: 0,
            counters: Counters::default(),
        }
    }

    /// Changes over time, in order of time.
    #[must_use]
    pub fn with_script(mut self, start: Instant, steps: impl IntoIterator<Item = Step>) -> Self {
        self.script = steps.into_iter().map(|step| (start + step.after, step.change)).collect();
        self
    }

    /// Another link from now on.
    pub fn change(&mut self, profile: Profile) {
        self.profile = profile;
    }

    /// From now on packets come from another address.
    pub fn rebind(&mut self) {
        self.mapping.0 += 1;
    }

    /// How it is now.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// From which of its addresses the sender sends now.
    pub fn mapping(&self) -> Mapping {
        self.mapping
    }

    /// What became of the packets so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sends a packet.
    pub fn push(&mut self, now: Instant, bytes: B) {
        self.follow_script(now);
        let number = self.number;
        self.number += 1;
        self.counters.pushed += 1;
        // The state moves with every packet, whatever becomes of it.
        let is_lost = self.is_lost(number);
        if self.profile.passage == Passage::Blocked {
            return self.counters.blocked += 1;
        }
        if self.profile.max_bytes.is_some_and(|limit| bytes.as_ref().len() > limit) {
            return self.counters.too_long += 1;
        }
        let Some(departure) = self.depart(now, bytes.as_ref().len()) else {
            return self.counters.overflowed += 1;
        };
        if is_lost {
            return self.counters.lost += 1;
        }
        let arrival = departure + self.profile.delay + self.jitter(number);
        let arrival = self.latest.map_or(arrival, |latest| latest.max(arrival));
        let arrival = if self.unit(number, Decision::Reorder) < self.profile.reorder.probability {
            self.counters.reordered += 1;
            arrival + self.profile.reorder.by
        } else {
            self.latest = Some(arrival);
            arrival
        };
        if self.unit(number, Decision::Duplicate) < self.profile.duplicates {
            self.counters.duplicated += 1;
            self.fly(arrival + Duration::from_millis(1), bytes.clone());
        }
        self.fly(arrival, bytes);
    }

    /// The next packet that has arrived.
    pub fn poll(&mut self, now: Instant) -> Option<Delivery<B>> {
        if self.flying.peek()?.delivery.at > now {
            return None;
        }
        let Flying { delivery, .. } = self.flying.pop()?;
        self.counters.delivered += 1;
        self.counters.delivered_bytes += delivery.bytes.as_ref().len() as u64;
        Some(delivery)
    }

    /// When the next packet arrives.
    pub fn next(&self) -> Option<Instant> {
        self.flying.peek().map(|next| next.delivery.at)
    }

    fn fly(&mut self, at: Instant, bytes: B) {
        let delivery = Delivery { at, mapping: self.mapping, bytes };
        self.flying.push(Flying { delivery, order: self.order });
        self.order += 1;
    }

    fn follow_script(&mut self, now: Instant) {
        while self.script.front().is_some_and(|(at, _)| *at <= now) {
            match self.script.pop_front() {
                Some((_, Change::Become(profile))) => self.profile = profile,
                Some((_, Change::Rebind)) => self.rebind(),
                None => {}
            }
        }
    }

    fn is_lost(&mut self, number: u64) -> bool {
        let roll = self.unit(number, Decision::Loss);
        match self.profile.loss {
            Loss::None => false,
            Loss::Random(share) => roll < share,
            Loss::Bursts { begin, end, good, bad } => {
                let turn = self.unit(number, Decision::Burst);
                self.burst = match self.burst {
                    Burst::Good if turn < begin => Burst::Bad,
                    Burst::Bad if turn < end => Burst::Good,
                    unchanged => unchanged,
                };
                roll < match self.burst {
                    Burst::Good => good,
                    Burst::Bad => bad,
                }
            }
        }
    }

    /// When the bottleneck has sent a packet; `None` if its queue is full.
    fn depart(&mut self, now: Instant, len: usize) -> Option<Instant> {
        let Some(rate) = self.profile.rate else { return Some(now) };
        let bits = 8 * (len + HEADER_BYTES) as u64;
        let begins = self.busy_until.map_or(now, |busy| busy.max(now));
        let waiting = begins - now;
        let is_full = match rate.queue {
            Queue::Time(limit) => waiting > limit,
            Queue::Bytes(limit) => {
                waiting.as_micros() * u128::from(rate.bits_per_second) / 8_000_000
                    > u128::from(limit)
            }
        };
        if is_full {
            return None;
        }
        let ends = begins + Duration::from_nanos(bits * 1_000_000_000 / rate.bits_per_second);
        self.busy_until = Some(ends);
        Some(ends)
    }

    fn jitter(&self, number: u64) -> Duration {
        let unit = self.unit(number, Decision::Jitter);
        match self.profile.jitter {
            Jitter::None => Duration::ZERO,
            Jitter::Uniform(most) => most.mul_f64(unit),
            Jitter::Normal(deviation) => {
                // Box-Muller.
                let radius = (-2.0 * (1.0 - unit).ln()).sqrt();
                let angle = std::f64::consts::TAU * self.unit(number, Decision::JitterAngle);
                deviation.mul_f64((radius * angle.cos()).abs())
            }
            Jitter::HeavyTail(scale) => {
                let pareto = (1.0 - unit).powf(-1.0 / 3.0) - 1.0;
                scale.mul_f64(pareto.min(10.0))
            }
        }
    }

    fn unit(&self, number: u64, decision: Decision) -> f64 {
        fraction(scramble(self.seed ^ scramble(number << 3 | decision as u64)))
    }
}

impl<B> PartialEq for Flying<B> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<B> Eq for Flying<B> {}

impl<B> PartialOrd for Flying<B> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest: the heap gives it first.
impl<B> Ord for Flying<B> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.delivery.at, other.order).cmp(&(self.delivery.at, self.order))
    }
}

//! How a link treats what is sent over it, and the links people have.

use std::time::Duration;

/// One direction of a link.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Propagation.
    pub delay: Duration,
    /// Added to it.
    pub jitter: Jitter,
    /// Packets that vanish.
    pub loss: Loss,
    /// Share of packets that arrive twice.
    pub duplicates: f64,
    /// Packets that others overtake.
    pub reorder: Reorder,
    /// Its capacity; `None` without a bound.
    pub rate: Option<Rate>,
    /// Longer datagrams vanish: a path-MTU hole.
    pub max_bytes: Option<usize>,
    /// Whether anything passes.
    pub passage: Passage,
}

/// Delay that varies. Packets keep their order; overtaking is [`Reorder`]'s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// It does not.
    None,
    /// Between 0 and this.
    Uniform(Duration),
    /// The absolute value of a normal variable of this deviation.
    Normal(Duration),
    /// Pareto of shape 3: mostly below this, now and then many times it; cut at 10 times.
    HeavyTail(Duration),
}

/// Loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Nothing is lost.
    None,
    /// Each packet by itself.
    Random(f64),
    /// Gilbert-Elliott: two states, each with its own loss.
    Bursts {
        /// Probability, for each packet, of going from good to bad.
        begin: f64,
        /// …and of going back.
        end: f64,
        /// Loss in the good state.
        good: f64,
        /// Loss in the bad state.
        bad: f64,
    },
}

/// Overtaking.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reorder {
    /// Share of packets held back…
    pub probability: f64,
    /// …by this much.
    pub by: Duration,
}

/// A bottleneck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Of IP packets: each datagram counts 28 bytes more than it has.
    pub bits_per_second: u64,
    /// What waits before it; more is dropped at the tail.
    pub queue: Queue,
}

/// Length of a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Queue {
    /// In bytes.
    Bytes(u64),
    /// In time at the current rate.
    Time(Duration),
}

/// Whether a link carries anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It does.
    Open,
    /// A black hole.
    Blocked,
}

/// Both directions of somebody's access.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Towards the person.
    pub down: Profile,
    /// From the person.
    pub up: Profile,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Jitter::None,
            loss: Loss::None,
            duplicates: 0.0,
            reorder: Reorder { probability: 0.0, by: Duration::ZERO },
            rate: None,
            max_bytes: None,
            passage: Passage::Open,
        }
    }
}

impl Profile {
    /// Propagation alone.
    pub fn delayed(ms: u64) -> Self {
        Self { delay: Duration::from_millis(ms), ..Self::default() }
    }

    /// With a bottleneck before which `queue_ms` may wait.
    #[must_use]
    pub fn limited(self, bits_per_second: u64, queue_ms: u64) -> Self {
        let queue = Queue::Time(Duration::from_millis(queue_ms));
        Self { rate: Some(Rate { bits_per_second, queue }), ..self }
    }

    /// With loss.
    #[must_use]
    pub fn losing(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// With jitter.
    #[must_use]
    pub fn jittery(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }
}

impl Loss {
    /// Bursts of `length` packets in the mean, in which everything is lost, `share` of all packets in the long run.
    pub fn bursts(share: f64, length: f64) -> Self {
        let end = 1.0 / length;
        Self::Bursts { begin: end * share / (1.0 - share), end, good: 0.0, bad: 1.0 }
    }

    /// Expected share of lost packets.
    pub fn share(&self) -> f64 {
        match *self {
            Self::None => 0.0,
            Self::Random(share) => share,
            Self::Bursts { begin, end, good, bad } => (begin * bad + end * good) / (begin + end),
        }
    }
}

/// Links people have. The delay is one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A wire.
    Clean,
    /// A good wireless network.
    Wifi,
    /// A crowded one.
    WifiLossy,
    /// A telephone line.
    Dsl,
    /// The edge of a mobile cell.
    LteEdge,
    /// An old mobile network.
    ThreeG,
    /// By way of a satellite.
    Satellite,
    /// A network that lets no UDP through.
    Hospital,
    /// A line that others fill.
    Congested,
}

impl Preset {
    /// All.
    pub const ALL: [Self; 9] = [
        Self::Clean,
        Self::Wifi,
        Self::WifiLossy,
        Self::Dsl,
        Self::LteEdge,
        Self::ThreeG,
        Self::Satellite,
        Self::Hospital,
        Self::Congested,
    ];

    /// Its two directions.
    pub fn access(self) -> Access {
        let uniform = |ms| Jitter::Uniform(Duration::from_millis(ms));
        let heavy = |ms| Jitter::HeavyTail(Duration::from_millis(ms));
        let both = |profile: Profile| Access { down: profile.clone(), up: profile };
        match self {
            Self::Clean => both(Profile::delayed(1)),
            Self::Wifi => both(Profile::delayed(5).jittery(uniform(3)).losing(Loss::Random(0.002))),
            Self::WifiLossy => {
                both(Profile::delayed(15).jittery(uniform(15)).losing(Loss::bursts(0.05, 4.0)))
            }
            Self::Dsl => Access {
                down: Profile::delayed(30).limited(3_000_000, 200),
                up: Profile::delayed(30).limited(600_000, 200),
            },
            Self::LteEdge => {
                let line = Profile::delayed(60).jittery(heavy(30)).losing(Loss::Random(0.02));
                Access {
                    down: line.clone().limited(1_000_000, 400),
                    up: line.limited(400_000, 400),
                }
            }
            Self::ThreeG => {
                let line = Profile::delayed(150).jittery(heavy(50)).losing(Loss::Random(0.01));
                Access { down: line.clone().limited(400_000, 600), up: line.limited(150_000, 600) }
            }
            Self::Satellite => both(Profile::delayed(300).losing(Loss::Random(0.01))),
            Self::Hospital => both(Profile { passage: Passage::Blocked, ..Profile::delayed(40) }),
            Self::Congested => both(Profile::delayed(20).limited(500_000, 400)),
        }
    }
}

//! Who is in which room and sends what, and what a run of it brings.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use futures_util::future::try_join_all;

use crate::engine::{Engine, Report};
use crate::process;
use crate::server::{Member, Seat, Server};
use crate::source::Rate;

/// Media flows this long before the window: caches, branch predictors and jitter of the joins settle.
const WARM_UP: Duration = Duration::from_secs(2);
/// What is under way at the end of a window has arrived by then.
const DRAIN: Duration = Duration::from_millis(300);
/// After it a publisher's frames and voices stand to each other as before (30 frames and 50 voices a
/// second).
const RHYTHM: Duration = Duration::from_millis(100);
/// Its multiples fall evenly over any interval.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;
/// Samples of delay a second: enough for a p99, too few to load the clients' core.
const SAMPLES: u64 = 4_000;

/// Rooms and who is in them.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// As it stands in METRIC lines.
    pub name: &'static str,
    pub rooms: usize,
    pub publishers: usize,
    /// Who only watches.
    pub watchers: usize,
    pub rate: Rate,
    /// How many others anybody sees and hears at most.
    pub most: Most,
}

/// Places for others in one transport.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    pub seen: usize,
    pub heard: usize,
}

impl Most {
    /// For all of them.
    const ALL: Self = Self { seen: usize::MAX, heard: usize::MAX };
}

impl Scenario {
    /// Everybody publishes and sees everybody else.
    const fn huddles(name: &'static str, rooms: usize, seats: usize) -> Self {
        Self { name, rooms, publishers: seats, watchers: 0, rate: Rate::CAMERA, most: Most::ALL }
    }

    /// One publishes, the others watch.
    pub const fn broadcast(name: &'static str, watchers: usize, rate: Rate) -> Self {
        Self { name, rooms: 1, publishers: 1, watchers, rate, most: Most::ALL }
    }

    /// Those that servers are compared in.
    pub const ALL: [Self; 5] = [
        Self::huddles("huddle5", 1, 5),
        Self::huddles("huddles4x5", 4, 5),
        Self::broadcast("one_to_10", 10, Rate::CAMERA),
        Self::broadcast("one_to_100", 100, Rate::CAMERA),
        // 106 000 packets a second out, of two who stay below the 10 Mb/s that our relay takes from one.
        Self { publishers: 2, ..Self::broadcast("two_to_100_full", 100, Rate { video: 475 }) },
    ];

    /// A hub of ten in a case conference, and who listens: the nine last seen, the three who speak.
    pub const CONFERENCE: Self = Self {
        publishers: 10,
        most: Most { seen: 9, heard: 3 },
        ..Self::broadcast("conference", 200, Rate::CAMERA)
    };

    /// More than any call is meant for.
    pub const CROWD: Self = Self::broadcast("one_to_500", 500, Rate::CAMERA);

    /// Thirty huddles: about a third of a core.
    pub const HALF: Self = Self::huddles("huddles30x5", 30, 5);
    /// Fifty huddles: about half of a core.
    pub const FULL: Self = Self::huddles("huddles50x5", 50, 5);

    /// 212 000 packets a second out of one core, and 371 000.
    pub const FOUR: Self =
        Self { publishers: 4, ..Self::broadcast("four_to_100_full", 100, Rate { video: 475 }) };
    /// See [`Self::FOUR`].
    pub const SEVEN: Self = Self { publishers: 7, ..Self::FOUR.named("seven_to_100_full") };

    const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Seats of a room.
    pub fn seats(&self) -> usize {
        self.publishers + self.watchers
    }

    /// How many others a seat sees and hears.
    fn others(&self, publishes: bool) -> (usize, usize) {
        let others = self.publishers - usize::from(publishes);
        (others.min(self.most.seen), others.min(self.most.heard))
    }

    /// Packets a second that a server has to send.
    pub fn offered(&self) -> u64 {
        let room = [(true, self.publishers), (false, self.watchers)];
        let each = room.map(|(publishes, seats)| {
            let (seen, heard) = self.others(publishes);
            (seats * seen) as u64 * u64::from(self.rate.video)
                + (seats * heard) as u64 * u64::from(Rate::VOICE)
        });
        each.iter().sum::<u64>() * self.rooms as u64
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Media packets delivered for each second of the server's CPU.
    pub packets_per_cpu_second: f64,
    /// CPU of the server during the window, as a share of one core.
    pub load: f64,
    /// Media packets delivered a second.
    pub delivered: f64,
    /// Share of what was sent that did not come.
    pub loss: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub samples: usize,
    /// Memory that each seat added.
    pub kib_per_seat: f64,
    /// How those who only watch came in.
    pub joins: Option<Joins>,
    /// Share of the window that the server's threads were ready but not on a core.
    pub waited: f64,
}

/// Medians of those who only watch, each from its first signalling message on.
#[derive(Clone, Copy, Debug)]
pub struct Joins {
    /// To the answer.
    pub answered: Duration,
    /// To the end of the DTLS handshake.
    pub connected: Duration,
    /// To the first RTP packet.
    pub first_rtp: Duration,
}

/// Fills the rooms, measures, and leaves them.
pub async fn run(
    server: &dyn Server,
    engine: &Engine,
    scenario: &Scenario,
    window: Duration,
) -> Result<Run> {
    let pid = server.pid();
    let seat = |room: usize, place: usize| {
        let publishes = place < scenario.publishers;
        let (sees, hears) = scenario.others(publishes);
        let number = (room * scenario.seats() + place) as u16;
        Seat { room, number, publishes: publishes.then_some(scenario.rate), sees, hears }
    };
    let mut members = Vec::new();
    let (mut answers, mut handshakes, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = process::resident(pid)?;
    for place in 0..scenario.seats() {
        for room in 0..scenario.rooms {
            if place >= scenario.publishers {
                // One who comes right after another one's first packet would come at the same moment of the publisher's
                // rhythm each time.
                tokio::time::sleep(RHYTHM.mul_f64((place as f64 * GOLDEN_RATIO).fract())).await;
            }
            let mut member = server.join(seat(room, place)).await?;
            let mut connected = member.began;
            for transport in &mut member.transports {
                connected = transport.connected().await?;
            }
            // Only who comes into a room where somebody already sends waits for nothing else.
            if place >= scenario.publishers {
                let first = member.transports[0].first().await?;
                answers.push(member.answered.saturating_duration_since(member.began));
                handshakes.push(connected.saturating_duration_since(member.began));
                firsts.push(first.saturating_duration_since(member.began));
            }
            members.push(member);
        }
        if place + 1 == scenario.publishers {
            watch_all(server, &mut members).await?;
            if scenario.watchers > 0 {
                tokio::time::sleep(WARM_UP).await;
                before = process::resident(pid)?;
            }
        }
    }
    tokio::time::sleep(WARM_UP).await;
    let joined = if scenario.watchers > 0 { scenario.watchers } else { scenario.seats() };
    let joined = (joined * scenario.rooms) as f64;

    let (cpu, waited, since) = (process::cpu(pid)?, process::waited(pid)?, Instant::now());
    engine.begin(scenario.offered() / SAMPLES);
    tokio::time::sleep(window).await;
    let (cpu, waited, took) =
        (process::cpu(pid)? - cpu, process::waited(pid)? - waited, since.elapsed());
    engine.end();
    let after = process::resident(pid)?;
    tokio::time::sleep(DRAIN).await;
    let report = engine.report().await?;
    drop(members);
    engine.clear();

    // Whom nobody has a place for is not expected; gaps tell what is missing of the others.
    let sent_in = took.as_secs_f64();
    let expected = match scenario.most {
        Most { seen: usize::MAX, heard: usize::MAX } => {
            report.sent as f64 * (scenario.seats() - 1) as f64
        }
        Most { .. } => scenario.offered() as f64 * sent_in,
    };
    if report.received == 0 || report.broken > 0 {
        let Report { received, broken, sent, .. } = report;
        bail!("{received} packets came of {sent} sent, {broken} samples did not decrypt");
    }
    Ok(Run {
        packets_per_cpu_second: report.received as f64 / cpu.as_secs_f64(),
        load: cpu.as_secs_f64() / took.as_secs_f64(),
        delivered: report.received as f64 / took.as_secs_f64(),
        // Gaps miss what was lost at the very end, the difference counts what came before the window.
        loss: (report.missing as f64 / expected)
            .max(1.0 - report.received as f64 / expected - 0.001),
        p50: report.delay(0.5),
        p99: report.delay(0.99),
        samples: report.delays.len(),
        kib_per_seat: after.saturating_sub(before) as f64 / joined,
        joins: process::median(&answers)
            .zip(process::median(&handshakes))
            .zip(process::median(&firsts))
            .map(|((answered, connected), first_rtp)| Joins { answered, connected, first_rtp }),
        waited: waited.as_secs_f64() / took.as_secs_f64(),
    })
}

async fn watch_all(server: &dyn Server, members: &mut [Member]) -> Result<()> {
    for member in members {
        server.watch(member).await?;
        for transport in member.transports.iter_mut().skip(1) {
            transport.connected().await?;
        }
    }
    Ok(())
}

/// Complete joins a second (signalling, ICE, DTLS, first packet) when so many come at once, and the p95 of one.
pub async fn storm(server: &dyn Server, engine: &Engine, joins: usize) -> Result<(f64, Duration)> {
    let publisher = Seat { room: 0, number: 0, publishes: Some(Rate::CAMERA), sees: 0, hears: 0 };
    let mut first = server.join(publisher).await?;
    first.transports[0].connected().await?;
    tokio::time::sleep(DRAIN).await;
    let began = Instant::now();
    let all = (1..=joins).map(|number| async move {
        let began = Instant::now();
        let seat = Seat { room: 0, number: number as u16, publishes: None, sees: 1, hears: 1 };
        let mut member = server.join(seat).await?;
        member.transports[0].first().await?;
        anyhow::Ok((member, began.elapsed()))
    });
    let all = try_join_all(all).await?;
    let rate = joins as f64 / began.elapsed().as_secs_f64();
    let mut times: Vec<Duration> = all.iter().map(|(_, took)| *took).collect();
    times.sort_unstable();
    let p95 = times[(times.len() * 95 / 100).min(times.len() - 1)];
    drop(all);
    engine.clear();
    Ok((rate, p95))
}

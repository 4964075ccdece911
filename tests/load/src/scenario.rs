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
}

impl Scenario {
    /// Everybody publishes and sees everybody else.
    const fn huddles(name: &'static str, rooms: usize, seats: usize) -> Self {
        Self { name, rooms, publishers: seats, watchers: 0, rate: Rate::CAMERA }
    }

    /// One publishes, the others watch.
    pub const fn broadcast(name: &'static str, watchers: usize, rate: Rate) -> Self {
        Self { name, rooms: 1, publishers: 1, watchers, rate }
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

    /// Seats of a room.
    pub fn seats(&self) -> usize {
        self.publishers + self.watchers
    }

    /// Packets a second that a server has to send.
    pub fn offered(&self) -> u64 {
        let each = self.publishers * (self.seats() - 1) * self.rooms;
        each as u64 * u64::from(self.rate.packets())
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
    /// From its first signalling message to its first RTP packet, for each who watches.
    pub first_rtp: Option<Duration>,
    /// Share of the window that the server's threads were ready but not on a core.
    pub waited: f64,
}

/// Fills the rooms, measures, and leaves them.
pub async fn run(
    server: &dyn Server,
    engine: &Engine,
    scenario: &Scenario,
    window: Duration,
) -> Result<Run> {
    let pid = server.pid();
    let seat = |room: usize, place: usize| Seat {
        room,
        number: (room * scenario.seats() + place) as u16,
        publishes: (place < scenario.publishers).then_some(scenario.rate),
        watches: scenario.publishers - usize::from(place < scenario.publishers),
    };
    let mut members = Vec::new();
    let mut first_rtp = Vec::new();
    let mut before = process::resident(pid)?;
    for place in 0..scenario.seats() {
        for room in 0..scenario.rooms {
            let mut member = server.join(seat(room, place)).await?;
            for transport in &mut member.transports {
                transport.connected().await?;
            }
            // Only who comes into a room where somebody already sends waits for nothing else.
            if place >= scenario.publishers {
                let first = member.transports[0].first().await?;
                first_rtp.push(first.saturating_duration_since(member.began));
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

    let expected = report.sent as f64 * (scenario.seats() - 1) as f64;
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
        first_rtp: process::median(&first_rtp),
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
    let publisher = Seat { room: 0, number: 0, publishes: Some(Rate::CAMERA), watches: 0 };
    let mut first = server.join(publisher).await?;
    first.transports[0].connected().await?;
    tokio::time::sleep(DRAIN).await;
    let began = Instant::now();
    let all = (1..=joins).map(|number| async move {
        let began = Instant::now();
        let seat = Seat { room: 0, number: number as u16, publishes: None, watches: 1 };
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

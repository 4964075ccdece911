//! Tables for people, METRIC lines for machines (`METRIC name value target verdict [key=value …]`).

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::engine::Engine;
use crate::network::Network;
use crate::plot::Chart;
use crate::scenario::{Joins, Run, Scenario};
use crate::server::{Mortar, Setting};
use crate::source::Rate;
use crate::transport::Identity;
use crate::{Options, ServerKind, process, scenario};

/// A server whose threads waited longer than this share for their core was disturbed.
const DISTURBED: f64 = 0.05;

/// What one watcher may add to the server's memory: two thirds of what the leanest other relay took for one of a hundred.
const KIB_PER_SUBSCRIBER: Bound = Bound::AtMost(100.0);

/// Broadcasts of ours beside the floor, and their watchers.
const FANOUTS: [(&str, usize); 3] = [("fanout_10", 10), ("fanout_50", 50), ("fanout_200", 200)];

/// Everybody joins at once.
pub const STORM: &str = "storm";

/// What can be measured of ours alone.
pub const BENCHES: [&str; 10] = [
    FANOUTS[0].0,
    FANOUTS[1].0,
    FANOUTS[2].0,
    STORM,
    Scenario::CONFERENCE.name,
    Scenario::CROWD.name,
    Scenario::HALF.name,
    Scenario::FULL.name,
    Scenario::FOUR.name,
    Scenario::SEVEN.name,
];

/// Rooms of ours, and the p99 of the delay in milliseconds that each must keep; `None` only informs.
const ROOMS: [(Scenario, Option<f64>); 6] = [
    (Scenario::CONFERENCE, Some(10.0)),
    (Scenario::CROWD, None),
    (Scenario::HALF, Some(1.0)),
    (Scenario::FULL, Some(1.0)),
    // One frame of theirs is 1 600 packets out, longer than a millisecond by itself.
    (Scenario::FOUR, None),
    (Scenario::SEVEN, None),
];

/// Prints one METRIC line. `bound` is what the value must keep; `None` only informs.
pub fn metric(name: &str, value: f64, bound: Option<Bound>, extra: &str) {
    let (target, verdict) = match bound {
        None => ("-".to_owned(), "info"),
        Some(Bound::AtLeast(least)) => {
            (format!(">={least}"), if value >= least { "pass" } else { "fail" })
        }
        Some(Bound::AtMost(most)) => {
            (format!("<={most}"), if value <= most { "pass" } else { "fail" })
        }
    };
    println!("METRIC {name} {value:.3} {target} {verdict} {extra}");
}

/// What a value must keep.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// No less.
    AtLeast(f64),
    /// No more.
    AtMost(f64),
}

/// Runs of several servers.
#[derive(Debug)]
pub struct Table {
    servers: Vec<ServerKind>,
    runs: Vec<(&'static str, ServerKind, Run)>,
}

/// Medians of a server in a scenario.
struct Medians {
    packets: f64,
    load: f64,
    loss: f64,
    p50: f64,
    p99: f64,
    kib: f64,
    answered: Option<f64>,
    connected: Option<f64>,
    first: Option<f64>,
    waited: f64,
    runs: usize,
}

impl Table {
    /// An empty one.
    pub fn new(servers: &[ServerKind]) -> Self {
        Self { servers: servers.to_vec(), runs: Vec::new() }
    }

    /// Takes a run.
    pub fn add(&mut self, scenario: &Scenario, kind: ServerKind, run: Run) {
        let server = kind.name();
        eprintln!(
            "  {} {server}: {:.1} k packets per CPU-second, load {:.2}, delivered {:.0}/s, waited {:.2}, {} samples",
            scenario.name,
            run.packets_per_cpu_second / 1_000.0,
            run.load,
            run.delivered,
            run.waited,
            run.samples
        );
        self.runs.push((scenario.name, kind, run));
    }

    /// Prints a scenario: a table, and METRIC lines that compare the first server with each other one.
    pub fn print(&self, scenario: &Scenario) {
        println!(
            "\n{}\n| server | k packets per CPU-s | load | loss % | p50 ms | p99 ms | KiB a seat | first RTP ms | waited |\n|---|---|---|---|---|---|---|---|---|",
            scenario.name
        );
        for kind in &self.servers {
            let server = kind.name();
            let Some(it) = self.medians(scenario, *kind) else {
                println!("| {server} | no run |");
                continue;
            };
            println!(
                "| {server} | {:.1} | {:.2} | {:.2} | {:.3} | {:.3} | {:.0} | {} | {:.2} |",
                it.packets / 1_000.0,
                it.load,
                it.loss * 100.0,
                it.p50,
                it.p99,
                it.kib,
                it.first.map_or_else(|| "-".to_owned(), |first| format!("{first:.1}")),
                it.waited
            );
        }
        println!();
        let Some((ours, others)) = self.servers.split_first() else { return };
        let Some(our) = self.medians(scenario, *ours) else { return };
        for other in others {
            let Some(their) = self.medians(scenario, *other) else { continue };
            let noisy = our.waited > DISTURBED || their.waited > DISTURBED;
            let extra =
                format!("runs={}{}", our.runs.min(their.runs), if noisy { " noisy=1" } else { "" });
            let name = |what: &str| format!("versus.{}.{what}.{}", other.name(), scenario.name);
            let ratio = our.packets / their.packets;
            metric(&name("packets_per_cpu_ratio"), ratio, Some(Bound::AtLeast(3.0)), &extra);
            let ratio = our.p99 / their.p99;
            metric(&name("delay_p99_ratio"), ratio, Some(Bound::AtMost(0.5)), &extra);
        }
        let name = |what: &str| format!("load.{what}.{}", scenario.name);
        metric(&name("loss"), our.loss, Some(Bound::AtMost(0.0)), "");
        metric(&name("cpu_share"), our.load, full(scenario).then_some(Bound::AtMost(0.5)), "");
        if scenario.watchers >= 100 {
            metric(&name("kib_per_subscriber"), our.kib, Some(KIB_PER_SUBSCRIBER), "");
        }
        for (what, value) in [("answer_ms.p50", our.answered), ("keys_ms.p50", our.connected)] {
            if let Some(value) = value {
                metric(&name(what), value, None, "");
            }
        }
        if let Some(first) = our.first {
            metric(&name("first_rtp_ms.p50"), first, Some(Bound::AtMost(13.0)), "");
        }
    }

    /// Draws what was run, a file for each figure.
    pub fn plot(&self, folder: &Path) -> Result<()> {
        struct Figure(&'static str, &'static str, fn(&Medians) -> f64);
        let figures = [
            Figure(
                "packets_per_cpu_second.svg",
                "Forwarded packets per second of the server's CPU, thousands (more is better)",
                |it| it.packets / 1_000.0,
            ),
            Figure("delay_p99.svg", "Added delay, p99, ms (less is better)", |it| it.p99),
        ];
        std::fs::create_dir_all(folder)?;
        let scenarios: Vec<&Scenario> = Scenario::ALL
            .iter()
            .filter(|scenario| self.runs.iter().any(|(name, ..)| *name == scenario.name))
            .collect();
        for Figure(file, title, figure) in figures {
            let values = |kind: ServerKind| {
                let medians = scenarios.iter().map(|scenario| self.medians(scenario, kind));
                (kind.name(), medians.map(|it| it.map(|it| figure(&it))).collect())
            };
            let servers = self.servers.iter().map(|kind| values(*kind)).collect();
            let scenarios = scenarios.iter().map(|scenario| scenario.name).collect();
            Chart { title, scenarios, servers }.write(&folder.join(file))?;
        }
        Ok(())
    }

    fn medians(&self, scenario: &Scenario, server: ServerKind) -> Option<Medians> {
        let runs: Vec<&Run> = self
            .runs
            .iter()
            .filter(|(name, of, _)| *name == scenario.name && *of == server)
            .map(|(_, _, run)| run)
            .collect();
        let median = |of: &dyn Fn(&Run) -> f64| {
            process::median(&runs.iter().map(|run| of(run)).collect::<Vec<_>>())
        };
        let joins: Vec<Joins> = runs.iter().filter_map(|run| run.joins).collect();
        let join = |of: &dyn Fn(&Joins) -> Duration| {
            process::median(&joins.iter().map(|join| ms(of(join))).collect::<Vec<_>>())
        };
        Some(Medians {
            packets: median(&|run| run.packets_per_cpu_second)?,
            load: median(&|run| run.load)?,
            loss: median(&|run| run.loss)?,
            p50: median(&|run| ms(run.p50))?,
            p99: median(&|run| ms(run.p99))?,
            kib: median(&|run| run.kib_per_seat)?,
            answered: join(&|join| join.answered),
            connected: join(&|join| join.connected),
            first: join(&|join| join.first_rtp),
            waited: median(&|run| run.waited)?,
            runs: runs.len(),
        })
    }
}

fn full(scenario: &Scenario) -> bool {
    scenario.rate.video > Rate::CAMERA.video
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Fan-out of ours against the floor, by turns: CPU of a forwarded packet.
pub async fn floor(options: &Options) -> Result<()> {
    /// Ten packets a frame: 300 a second in 30 frames.
    const BURSTS: Rate = Rate { video: 300 };
    let mut by_size = Vec::new();
    for (name, watchers) in FANOUTS {
        if !options.wants(name) {
            continue;
        }
        let scenario = Scenario::broadcast(name, watchers, BURSTS);
        let (mut ours, mut floors, mut kib) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.runs {
            let run = crate::run(ServerKind::Mortar, Network::Loopback, options, &scenario).await?;
            ours.push(1e9 / run.packets_per_cpu_second);
            kib.push(run.kib_per_seat);
            floors.push(one_floor(options, watchers as u16, BURSTS).await?);
        }
        let (Some(our), Some(floor), Some(kib)) =
            (process::median(&ours), process::median(&floors), process::median(&kib))
        else {
            continue;
        };
        let bound = (watchers == 50).then_some(Bound::AtMost(1.2));
        let extra = format!("ours_ns={our:.0} floor_ns={floor:.0} runs={}", options.runs);
        metric(&format!("load.cpu_over_floor.{name}"), our / floor, bound, &extra);
        metric(&format!("load.kib_per_subscriber.{name}"), kib, Some(KIB_PER_SUBSCRIBER), "");
        by_size.push((watchers, our));
    }
    if let (Some((10, small)), Some((200, large))) = (by_size.first(), by_size.last()) {
        metric("load.cpu_growth_10_to_200", large / small, Some(Bound::AtMost(1.0)), "");
    }
    Ok(())
}

/// Nanoseconds of CPU that the floor takes for a packet.
async fn one_floor(options: &Options, watchers: u16, rate: Rate) -> Result<f64> {
    let network = Network::Loopback;
    let engine = Engine::start(network.clients(), Identity::new(options.profile))?;
    let prefix = network.prefix(options.server_core);
    let child = std::process::Command::new(&prefix[0])
        .args(&prefix[1..])
        .arg(std::env::current_exe()?)
        .arg("floor")
        .arg(network.clients().to_string())
        .args([engine.port().to_string(), watchers.to_string(), rate.video.to_string()])
        .stdout(Stdio::null())
        .spawn()?;
    let child = Ended(child);
    tokio::time::sleep(Duration::from_secs(1)).await;
    engine.begin(1);
    let (cpu, since) = (process::cpu(child.0.id())?, Instant::now());
    tokio::time::sleep(options.window()).await;
    let cpu = process::cpu(child.0.id())? - cpu;
    let report = engine.report().await?;
    engine.stop();
    let offered = f64::from(rate.packets()) * f64::from(watchers) * since.elapsed().as_secs_f64();
    if (report.stray as f64) < offered * 0.98 {
        eprintln!("  floor: {} of {offered:.0} packets came", report.stray);
    }
    Ok(cpu.as_nanos() as f64 / report.stray as f64)
}

/// A child that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Large rooms of ours: what is lost, how late it is, what it costs.
pub async fn rooms(options: &Options) -> Result<()> {
    for (scenario, p99) in ROOMS.iter().filter(|(scenario, _)| options.wants(scenario.name)) {
        let mut runs = Vec::new();
        for _ in 0..options.runs {
            let network = Network::Loopback;
            runs.push(crate::run(ServerKind::Mortar, network, options, scenario).await?);
        }
        let median = |of: &dyn Fn(&Run) -> f64| {
            process::median(&runs.iter().map(of).collect::<Vec<_>>()).unwrap_or(f64::NAN)
        };
        let name = |what: &str| format!("load.{what}.{}", scenario.name);
        let waited = median(&|run| run.waited);
        let noisy = if waited > DISTURBED { " noisy=1" } else { "" };
        let extra = format!("runs={}{noisy}", runs.len());
        metric(&name("loss"), median(&|run| run.loss), Some(Bound::AtMost(0.0)), &extra);
        let bound = p99.map(Bound::AtMost);
        metric(&name("delay_ms.p99"), median(&|run| ms(run.p99)), bound, &extra);
        metric(&name("delay_ms.p50"), median(&|run| ms(run.p50)), None, &extra);
        metric(&name("cpu_share"), median(&|run| run.load), None, &extra);
        metric(&name("delivered_per_second"), median(&|run| run.delivered), None, &extra);
    }
    Ok(())
}

/// Joins at once.
pub async fn storm(options: &Options) -> Result<()> {
    const JOINS: usize = 100;
    let network = Network::Loopback;
    let identity = Identity::new(options.profile);
    let engine = Engine::start(network.clients(), identity.clone())?;
    let setting = Setting {
        server: network.server(),
        prefix: network.prefix(options.server_core),
        rooms: 1,
        seats: JOINS + 1,
        engine: engine.clone(),
        identity,
    };
    let server = Mortar::start(setting).await?;
    let (rate, p95) = scenario::storm(&server, &engine, JOINS).await?;
    engine.stop();
    metric("load.joins_per_second", rate, Some(Bound::AtLeast(50.0)), &format!("joins={JOINS}"));
    metric("load.join_ms.p95", ms(p95), None, &format!("joins={JOINS}"));
    Ok(())
}

//! Load for media relays, and what they cost under it. See README.md.
//!
//! Thousands of WebRTC clients in one thread: real ICE checks, DTLS-SRTP handshakes and SRTP, no codecs.

mod engine;
mod floor;
mod network;
mod plot;
mod process;
mod report;
mod scenario;
mod sdp;
mod server;
mod source;
mod stun;
mod transport;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Parser, Subcommand, ValueEnum};

use engine::Engine;
use network::Network;
use report::Table;
use scenario::Scenario;
use server::{Janus, Mortar, Server, Setting};
use source::Rate;
use transport::{Identity, Profile};

/// Load for media relays.
#[derive(Debug, Parser)]
#[command(name = "load", about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ours alone, on loopback: fan-out against the floor, joins, memory.
    Bench(Options),
    /// Ours and others by turns under the same load, in two network namespaces. Needs root.
    Peers {
        #[command(flatten)]
        options: Options,
        /// Folder for pictures of the results, one SVG a figure.
        #[arg(long)]
        plots: Option<PathBuf>,
        /// Already inside the clients' namespace.
        #[arg(long, hide = true)]
        inside: bool,
    },
    /// The floor's process.
    #[command(hide = true)]
    Floor { block: Ipv4Addr, port: u16, watchers: u16, video: u32 },
}

/// Whom the load may be put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ServerKind {
    Mortar,
    /// One event loop.
    Janus,
    /// A thread for each transport.
    JanusDefault,
}

impl ServerKind {
    /// As it stands in METRIC lines.
    fn name(self) -> &'static str {
        match self {
            Self::Mortar => "mortar",
            Self::Janus => "janus",
            Self::JanusDefault => "janus-default",
        }
    }
}

#[derive(Args, Clone, Debug)]
struct Options {
    /// Scenarios; all without one.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Servers.
    #[arg(long, value_delimiter = ',', default_value = "mortar,janus")]
    servers: Vec<ServerKind>,
    /// Runs of each, of which the median counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds of a window.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// The one SRTP profile that clients offer.
    #[arg(long, value_enum, default_value = "gcm")]
    profile: Profile,
    /// Core of the server.
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// Core of the clients.
    #[arg(long, default_value_t = 1)]
    client_core: usize,
}

impl Options {
    fn words(&self) -> Vec<String> {
        let mut words = vec![
            format!(
                "--servers={}",
                self.servers.iter().map(|server| server.name()).collect::<Vec<_>>().join(",")
            ),
            format!("--runs={}", self.runs),
            format!("--seconds={}", self.seconds),
            format!("--server-core={}", self.server_core),
            format!("--client-core={}", self.client_core),
            format!(
                "--profile={}",
                match self.profile {
                    Profile::Gcm => "gcm",
                    Profile::Sha1 => "sha1",
                }
            ),
        ];
        if !self.only.is_empty() {
            words.push(format!("--only={}", self.only.join(",")));
        }
        words
    }

    fn window(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// Refuses a scenario that is none of these: measuring nothing must not look like a success.
    fn know(&self, scenarios: &[&str]) -> Result<()> {
        match self.only.iter().find(|only| !scenarios.contains(&only.as_str())) {
            Some(unknown) => bail!("no scenario {unknown:?}; there are {}", scenarios.join(", ")),
            None => Ok(()),
        }
    }

    fn wants(&self, scenario: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == scenario)
    }
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Floor { block, port, watchers, video } => {
            floor::run(block, port, watchers, Rate { video })
        }
        Command::Peers { options, plots, inside: false } => {
            options.know(&Scenario::ALL.map(|scenario| scenario.name))?;
            network::make()?;
            let status = network::inside(options.client_core)
                .arg(std::env::current_exe()?)
                .args(["peers", "--inside"])
                .args(options.words())
                .args(plots.iter().map(|folder| format!("--plots={}", folder.display())))
                .status()
                .context("no ip command");
            network::remove();
            // What failed has been said in there.
            if !status?.success() {
                std::process::exit(1);
            }
            Ok(())
        }
        Command::Peers { options, plots, inside: true } => {
            block_on(peers(options, plots.as_deref()))
        }
        Command::Bench(options) => {
            options.know(&report::BENCHES)?;
            block_on(bench(options))
        }
    }
}

fn block_on(future: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

async fn start(kind: ServerKind, setting: Setting) -> Result<Box<dyn Server>> {
    Ok(match kind {
        ServerKind::Mortar => Box::new(Mortar::start(setting).await?),
        ServerKind::Janus => Box::new(Janus::start(setting, 1).await?),
        ServerKind::JanusDefault => Box::new(Janus::start(setting, 0).await?),
    })
}

/// One run of a scenario on a fresh server.
async fn run(
    kind: ServerKind,
    network: Network,
    options: &Options,
    scenario: &Scenario,
) -> Result<scenario::Run> {
    let identity = Identity::new(options.profile);
    let engine = Engine::start(network.clients(), identity.clone())?;
    let setting = Setting {
        server: network.server(),
        prefix: network.prefix(options.server_core),
        rooms: scenario.rooms,
        seats: scenario.seats(),
        engine: engine.clone(),
        identity,
    };
    let server = start(kind, setting).await?;
    let run = scenario::run(server.as_ref(), &engine, scenario, options.window()).await;
    engine.stop();
    run.with_context(|| format!("{}, {}", kind.name(), scenario.name))
}

async fn peers(options: Options, plots: Option<&Path>) -> Result<()> {
    let mut table = Table::new(&options.servers);
    let mut failed = 0;
    for scenario in Scenario::ALL.iter().filter(|scenario| options.wants(scenario.name)) {
        for _ in 0..options.runs {
            for kind in &options.servers {
                match run(*kind, Network::Namespaces, &options, scenario).await {
                    Ok(run) => table.add(scenario, *kind, run),
                    Err(error) => {
                        failed += 1;
                        eprintln!("{error:#}");
                    }
                }
            }
        }
        table.print(scenario);
    }
    if let Some(folder) = plots {
        table.plot(folder)?;
    }
    if failed > 0 {
        bail!("{failed} runs failed: the medians above are of the others");
    }
    Ok(())
}

async fn bench(options: Options) -> Result<()> {
    report::floor(&options).await?;
    report::rooms(&options).await?;
    if options.wants(report::STORM) {
        report::storm(&options).await?;
    }
    Ok(())
}

//! Logs: sentences with fields, as JSON lines or for a terminal. Never patient data, addresses, tokens or SDP.

use std::io::IsTerminal as _;

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// What is logged without `MORTAR_LOG`: our own sentences; of libraries only what is wrong.
const DEFAULT: &str = "warn,mortar=info,signaling=info,sfu=info";

/// Crates whose sentences we wrote.
const OURS: [&str; 4] = ["clinical", "mortar", "sfu", "signaling"];

/// Starts logging to the standard error stream. `MORTAR_LOG` takes directives like `info` or `mortar=debug`.
pub fn start() {
    let asked = EnvFilter::try_from_env("MORTAR_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let filter = asked.and(filter_fn(may_be_said));
    let logs = fmt::layer().with_writer(std::io::stderr);
    // A second start in one process, as in a test, keeps the first.
    let _started = if std::io::stderr().is_terminal() {
        tracing_subscriber::registry().with(logs.compact().with_filter(filter)).try_init()
    } else {
        let lines = logs.json().flatten_event(true);
        tracing_subscriber::registry().with(lines.with_filter(filter)).try_init()
    };
}

/// Whatever the operator asks for, libraries say only what is wrong: below that some write whole messages, and those
/// hold what patients typed.
fn may_be_said(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    OURS.contains(&root) || *metadata.level() <= Level::WARN
}

//! Logs: sentences with fields, as JSON lines or for a terminal. Never patient data, addresses, tokens or SDP.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged without `MORTAR_LOG`: our own sentences; of libraries only what is wrong.
const DEFAULT: &str = "warn,mortar=info,signaling=info,sfu=info";

/// Starts logging to the standard error stream. `MORTAR_LOG` takes directives like `info` or `mortar=debug`.
pub fn start() {
    let filter = EnvFilter::try_from_env("MORTAR_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process, as in a test, keeps the first.
    let _started = if std::io::stderr().is_terminal() {
        logs.compact().try_init()
    } else {
        logs.json().flatten_event(true).try_init()
    };
}

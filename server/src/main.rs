//! Arguments in, server or an operator's command out.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    mortar::telemetry::start();
    match mortar::cli::run() {
        Ok(code) => code,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "mortar: {error:#}");
            ExitCode::FAILURE
        }
    }
}
